import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitlaw.criticism.common_rows import CommonRows
from bitlaw.criticism.comparison import Comparison, compare_laws
from bitlaw.finding import Finding
from bitlaw.inference.executors import Serial
from bitlaw.inference.fit import Fit
from bitlaw.inference.refit import ExactScores, Refit
from bitlaw.laws.law import Law
from bitlaw.runs.table import RunTable
from bitlaw.workflow.stages import untold

HELD_OUT = np.array([-1, -2, -3])


@pytest.fixture
def sampled(fitted: Fit, not_converged: Finding, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Calls of ``bitlaw.compare``, which returns fits made without sampling."""
    calls = []

    def without_sampling(
        runs: RunTable, laws: Sequence[Law], **options: object
    ) -> tuple[Comparison, dict[str, Fit]]:
        calls.append({"rows": len(runs.frame), "laws": [law.name for law in laws]} | options)
        fits = [
            replace(
                fitted,
                law=replace(fitted.law, name=name),
                runs=fitted.runs.assign(elpd=elpd),
                findings=(not_converged,) if options["seed"] == 1 and name == "two" else (),
            )
            for name, elpd in (("one", 1.0), ("two", np.linspace(0.0, 1.9, len(fitted.runs))))
        ]
        refits = [
            Refit(fit.posterior, np.ones(len(HELD_OUT)), 1.0, np.full(len(HELD_OUT), 100.0)) for fit in fits
        ]
        table = RunTable(fitted.rows, fitted.excluded, "runs.csv")
        common = CommonRows(tuple(fit.law for fit in fits), table, {"sun2025": "has no term for this"})
        scored = [ExactScores(fit, (), (), 1.0) for fit in fits]
        return compare_laws(common, scored, HELD_OUT, refits), {fit.law.name: fit for fit in fits}

    monkeypatch.setattr("bitlaw.workflow.comparing.compare", without_sampling)
    return calls


def test_laws_differences_and_decisions_are_shown(
    runs_file: Path, tmp_path: Path, fitted: Fit, sampled, bitlaw
) -> None:
    out = tmp_path / "laws"
    done = bitlaw("compare", runs_file, "--laws", "kumar2024, coupled", "--pool", "family", "--out", out)
    assert (done.code, done.err) == (0, "")
    assert sampled == [
        {
            "rows": len(fitted.rows),
            "laws": ["kumar2024", "coupled"],
            "pool": ("family",),
            "out": out,
            "seed": 0,
            "progress": False,
            "executor": Serial(),
            "on_refit": None,
            "on_stage": untold,
        }
    ]
    for text in (
        "one predicts left-out runs best",
        "the gap to 16 bits falls with N",
        "Not applicable to this table",
        "has no term for this",
        "Decisions for the largest logged run, 400M parameters and 40B tokens",
        "the stack",
        "comparison.apart",
        f"Saved: {out}",
    ):
        assert text in " ".join(done.out.split()), text


def test_json(runs_file: Path, tmp_path: Path, sampled, bitlaw) -> None:
    done = bitlaw("compare", runs_file, "--out", tmp_path / "laws", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["command"], answer["status"]) == (0, "compare", "WARN")
    assert [law["law"] for law in answer["laws"]] == ["one", "two"]
    assert answer["not_applicable"] == {"sun2025": "has no term for this"}
    assert set(answer["decisions"]["prediction"]["laws"]) == {"one", "two"}
    assert answer["decisions"]["sizes_free"]["options"]
    assert len(sampled[0]["laws"]) > 10  # the whole library


def test_an_unconverged_fit_is_marked_with_code_1(runs_file: Path, tmp_path: Path, sampled, bitlaw) -> None:
    done = bitlaw("compare", runs_file, "--out", tmp_path / "laws", "--seed", "1")
    assert done.code == 1
    assert "The fit of two did not converge" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--laws", "kumar2042", "--out", "laws"), 'unknown law "kumar2042" (did you mean "kumar2024"?)'),
        (("--laws", "kumar2024,,coupled", "--out", "laws"), "has an empty entry"),
        (("--laws", "coupled,coupled", "--out", "laws"), "law coupled is named 2 times"),
        (("--laws", "mine.toml", "--out", "laws"), "mine.toml: no such law file"),
        (("--laws", "coupled", "--pool", "familly", "--out", "laws"), 'did you mean "family"?'),
        (("--laws", "sun2025,quartet2025", "--out", "laws"), "none of the laws can be compared"),
        (
            (
                "--laws",
                "coupled",
            ),
            "Missing option '--out'",
        ),
        (("--laws", "coupled", "--out", "runs.csv"), "is a file, not a folder"),
        (("--laws", "coupled", "--out", "laws", "--executor", "dsk"), 'did you mean "dask"?'),
        (("--laws", "coupled", "--out", "laws", "--scheduler", "tcp://a:1"), "is for --executor dask"),
        (("--laws", "coupled", "--map", "absent.toml", "--out", "laws"), "absent.toml"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_is_written(
    words: tuple[str, ...],
    said: str,
    runs_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bitlaw,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs.csv").write_bytes(runs_file.read_bytes())
    done = bitlaw("compare", "runs.csv", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
