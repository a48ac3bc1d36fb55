import json
from dataclasses import replace
from pathlib import Path

import pytest

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.backtest_findings import too_few_runs
from bitlaw.finding import Finding
from bitlaw.inference.fit import Fit
from bitlaw.inference.fit_file import load_fit
from bitlaw.laws.registry import DEFAULT_LAW
from bitlaw.workflow.stages import untold


@pytest.fixture
def sampled(fitted: Fit, not_converged: Finding, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Calls of ``bitlaw.fit``, which returns a fit made without sampling."""
    calls = []

    def without_sampling(runs: object, law: object, **options: object) -> Fit:
        calls.append({"rows": len(runs.frame), "law": law.name} | options)
        findings = (not_converged,) if options["seed"] == 1 else ()
        return replace(fitted, findings=findings)

    monkeypatch.setattr("bitlaw.workflow.fitting.fit", without_sampling)
    return calls


def test_fit_is_saved_and_its_constants_shown(
    runs_file: Path, tmp_path: Path, fitted: Fit, sampled, bitlaw
) -> None:
    out = tmp_path / "new" / "fit.nc"
    done = bitlaw("fit", runs_file, "--law", "kumar2024", "--pool", "family", "--out", out)
    assert (done.code, done.err) == (0, "")
    assert load_fit(out).law.name == "kumar2024"
    asked = {"pool": "family", "seed": 0, "progress": False, "diverged_as_bounds": False}
    asked |= {"backtest_folds": 4, "on_fold": None, "on_stage": untold}
    assert sampled == [{"rows": len(fitted.rows), "law": "kumar2024"} | asked]
    for text in ("posterior (90 % ETI)", "gamma_post", "contraction", str(out)):
        assert text in done.out


def test_json(runs_file: Path, tmp_path: Path, sampled, bitlaw) -> None:
    out = tmp_path / "fit.nc"
    answer = json.loads(bitlaw("fit", runs_file, "--out", out, "--json").out)
    assert (answer["command"], answer["status"], answer["fit"]) == ("fit", "PASS", str(out))
    constants = {row["name"]: row for row in answer["constants"]}
    assert constants["E"]["posterior_median"] == pytest.approx(2.76, abs=0.1)
    assert sampled[0]["law"] == DEFAULT_LAW
    assert answer["backtest"] is None


def test_the_backtest_is_told_and_can_be_left_out(
    runs_file: Path, tmp_path: Path, fitted: Fit, monkeypatch: pytest.MonkeyPatch, bitlaw
) -> None:
    asked = []
    kept = Backtest("kumar2024", "runs.csv", 9, (), (), (too_few_runs(9, 12),)).to_dict()

    def with_record(_runs: object, _law: object, **options: object) -> Fit:
        asked.append(options["backtest_folds"])
        return replace(fitted, backtest=kept)

    monkeypatch.setattr("bitlaw.workflow.fitting.fit", with_record)
    out = tmp_path / "fit.nc"
    done = bitlaw("fit", runs_file, "--out", out, "--no-backtest")
    assert "No backtest of kumar2024 on runs.csv: 9 usable runs, and 12 are needed." in done.out
    assert load_fit(out).backtest == kept
    answer = json.loads(bitlaw("fit", runs_file, "--out", out, "--json").out)
    assert (answer["backtest"]["runs"], answer["backtest"]["folds"]) == (9, [])
    assert asked == [0, 4]


def test_an_unconverged_fit_is_saved_marked_with_code_1(
    runs_file: Path, tmp_path: Path, sampled, bitlaw
) -> None:
    out = tmp_path / "fit.nc"
    done = bitlaw("fit", runs_file, "--out", out, "--seed", "1")
    assert done.code == 1
    assert "FAIL: This fit did not converge" in done.out
    assert load_fit(out).status == "FAIL"


@pytest.mark.slow
def test_a_real_fit_answers(runs_file: Path, tmp_path: Path, bitlaw) -> None:
    out = tmp_path / "fit.nc"
    done = bitlaw("fit", runs_file, "--law", "chinchilla", "--out", out, "--json")
    answer = json.loads(done.out)
    assert done.code == int(answer["status"] == "FAIL")
    assert answer["rows"] == 9
    assert bitlaw("predict", out, "--n-params", "1e8", "--tokens", "1e10").code == done.code
