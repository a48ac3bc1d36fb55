import json
from pathlib import Path

import pytest

from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.inference.fit_file import save_fit
from bitlaw.workflow.stages import untold
from fits import collapsed_fit

CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
FINDING = Finding("a.b", Status.WARN, 1.0, 2.0, "One check warns.", "Look at it.")
SUMMARY = {
    "command": "report",
    "status": "WARN",
    "question": "7B parameters and 1T tokens, the model asked about",
    "opening": {
        "Training precision": "Train in 8 bits.",
        "Does it depend on the law": "Both laws say 8 bits.",
    },
    "findings": [FINDING.to_dict()],
    "ptq": None,
    "law": "bitlaw-default",
    "compare": None,
}


@pytest.fixture(scope="module")
def other_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_fit(collapsed_fit("chinchilla", CHINCHILLA), tmp_path_factory.mktemp("fits") / "other.nc")


@pytest.fixture
def written(fitted: Fit, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Calls of ``bitlaw.report``, which writes a summary and no page."""
    calls = []

    def write(source: object, out: Path, **options: object) -> tuple[Fit, Path]:
        law = getattr(options.pop("law", None), "name", None)
        laws = [fit.law.name for fit in source] if isinstance(source, list) else None
        assert (options.pop("on_task"), options.pop("on_stage")) == (None, untold)
        calls.append({"source": type(source).__name__, "law": law, "laws": laws} | options)
        out.mkdir(parents=True, exist_ok=True)
        (out / "summary.json").write_text(json.dumps(SUMMARY))
        return fitted, out / "index.html"

    monkeypatch.setattr("bitlaw.workflow.reporting.report", write)
    monkeypatch.setattr(
        "bitlaw.workflow.reporting.demo", lambda out, **options: write("demo", out, **options)
    )
    return calls


def test_question_travels_with_the_report(fit_file: Path, tmp_path: Path, written, bitlaw) -> None:
    out = tmp_path / "new" / "page"
    words = ["--n-params", "7B", "--tokens", "1T", "--tolerance", "0.02", "--method-post", "gptq"]
    done = bitlaw("report", fit_file, "--out", out, *words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("For 7B parameters and 1T tokens, the model asked about:")
    assert "Train in 8 bits." in done.out
    assert "One check warns." in done.out
    assert str(out / "index.html") in done.out
    question = {"n_params": 7e9, "tokens": 1e12, "tolerance": 0.02, "method_post": "gptq"}
    assert written[0].items() >= ({"source": "Fit"} | question).items()
    assert "group" not in written[0]
    assert written[0]["drift"] is True
    bitlaw("report", fit_file, "--out", out, "--no-drift", "--no-backtest")
    assert written[1]["drift"] is False
    assert [call["backtest_folds"] for call in written] == [4, 0]


def test_report_of_several_laws(fit_file: Path, other_file: Path, tmp_path: Path, written, bitlaw) -> None:
    done = bitlaw("report", fit_file, other_file, "--out", tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "Both laws say 8 bits." in done.out
    assert written[0]["laws"] == ["kumar2024", "chinchilla"]


def test_one_run_table_or_fits(runs_file: Path, fit_file: Path, tmp_path: Path, written, bitlaw) -> None:
    for files in ((runs_file, fit_file), (runs_file, runs_file)):
        done = bitlaw("report", *files, "--out", tmp_path)
        assert done.code == 2
        assert "valid: one run table, or fits (.nc)" in " ".join(done.err.split())
    assert written == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--pool", "family", "--group", "b"], "is not in column family"),
        (["--pool", "familly"], "no such column"),
        (["--group", "a"], "needs --pool"),
    ],
)
def test_groups_are_checked_before_sampling(runs_file: Path, tmp_path: Path, written, bitlaw, words, problem):
    done = bitlaw("report", runs_file, "--out", tmp_path, "--law", "kumar2024", *words)
    assert done.code == 2
    assert problem in " ".join(done.err.split())
    assert written == []


def test_report_of_a_run_table(runs_file: Path, tmp_path: Path, written, bitlaw) -> None:
    done = bitlaw("report", runs_file, "--law", "kumar2024", "--out", tmp_path, "--json")
    answer = json.loads(done.out)
    assert (answer["command"], answer["status"], answer["ptq"]) == ("report", "WARN", None)
    assert answer["report"] == str(tmp_path / "index.html")
    assert written[0]["source"] == "RunTable"
    assert written[0]["law"] == "kumar2024"


def test_demo(tmp_path: Path, written, bitlaw) -> None:
    done = bitlaw("demo", "--out", tmp_path / "demo")
    assert done.code == 0
    assert done.out.startswith("For 7B parameters and 1T tokens")
    assert str(tmp_path / "demo" / "index.html") in done.out
    answer = json.loads(bitlaw("demo", "--out", tmp_path / "demo", "--json").out)
    assert answer["command"] == "demo"
    assert written[:1] == [{"source": "str", "law": None, "laws": None, "progress": False}]


@pytest.mark.slow
def test_a_real_report_of_a_fit(fit_file: Path, tmp_path: Path, bitlaw) -> None:
    done = bitlaw("report", fit_file, "--out", tmp_path / "page")
    assert done.code in (0, 1)
    assert (tmp_path / "page" / "index.html").is_file()
    summary = json.loads((tmp_path / "page" / "summary.json").read_text(encoding="utf-8"))
    assert summary["question"] in " ".join(done.out.split())


def test_measured_losses_travel_with_the_report(fit_file: Path, tmp_path: Path, written, bitlaw) -> None:
    path = tmp_path / "measured.csv"
    path.write_text("bits_post,loss\n,3.0\n4,3.005\n")
    words = (
        "report",
        fit_file,
        "--out",
        tmp_path / "page",
        "--n-params",
        "1B",
        "--tokens",
        "20B",
        "--measured",
    )
    assert bitlaw(*words, path).code == 0
    assert written[0]["measured"]["loss"].tolist() == [3.0, 3.005]
    path.write_text("bits_post,los\n4,3.1\n")
    refused = bitlaw(*words, path)
    assert (refused.code, refused.out) == (2, "")
    assert 'column "loss" is missing' in refused.err
    assert len(written) == 1


def test_chips_travel_with_the_report(fit_file: Path, tmp_path: Path, written, bitlaw) -> None:
    chips = ["--hardware", "h100", "--hardware", "b200"]
    assert bitlaw("report", fit_file, "--out", tmp_path / "two", *chips).code == 0
    assert bitlaw("report", fit_file, "--out", tmp_path / "one", *chips[:2]).code == 0
    assert bitlaw("report", fit_file, "--out", tmp_path / "none").code == 0
    assert [call.get("hardware") for call in written] == [["h100", "b200"], ["h100"], None]
