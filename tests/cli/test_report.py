import json
from pathlib import Path

import pytest

from bitlaw.inference.fit import Fit


@pytest.fixture
def written(fitted: Fit, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Calls of ``workflow.report``, which writes a summary and no page."""
    calls = []

    def write(source: object, out: Path, **options: object) -> tuple[Fit, Path]:
        law = getattr(options.pop("law", None), "name", None)
        calls.append({"source": type(source).__name__, "law": law} | options)
        out.mkdir(parents=True, exist_ok=True)
        (out / "summary.json").write_text(json.dumps({"command": "report", "status": "WARN", "ptq": None}))
        return fitted, out / "index.html"

    monkeypatch.setattr("bitlaw.workflow.report", write)
    monkeypatch.setattr("bitlaw.workflow.demo", lambda out, progress: write("demo", out, progress=progress))
    return calls


def test_question_travels_with_the_report(fit_file: Path, tmp_path: Path, written, bitlaw) -> None:
    out = tmp_path / "new" / "page"
    words = ["--n-params", "7B", "--tokens", "1T", "--tolerance", "0.02", "--method-post", "gptq"]
    done = bitlaw("report", fit_file, "--out", out, *words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("For 7B parameters and 1T tokens, the model asked about:")
    assert "with parameters and tokens fixed" in done.out
    assert str(out / "index.html") in done.out
    question = {"n_params": 7e9, "tokens": 1e12, "tolerance": 0.02, "method_post": "gptq"}
    assert written[0].items() >= ({"source": "Fit"} | question).items()
    assert "group" not in written[0]


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
    assert done.out.startswith("For 400M parameters and 40B tokens, the largest logged run:")
    assert str(tmp_path / "demo" / "index.html") in done.out
    answer = json.loads(bitlaw("demo", "--out", tmp_path / "demo", "--json").out)
    assert answer["command"] == "demo"
    assert written[:1] == [{"source": "str", "law": None, "progress": False}]


@pytest.mark.slow
def test_a_real_report_of_a_fit(fit_file: Path, tmp_path: Path, bitlaw) -> None:
    done = bitlaw("report", fit_file, "--out", tmp_path / "page")
    assert done.code in (0, 1)
    assert (tmp_path / "page" / "index.html").is_file()
    summary = json.loads((tmp_path / "page" / "summary.json").read_text(encoding="utf-8"))
    assert summary["question"] in " ".join(done.out.split())
