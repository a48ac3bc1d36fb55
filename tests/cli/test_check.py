import json
from pathlib import Path

import pytest

from bitlaw.workflow.preparing import check


@pytest.fixture
def left_out(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    rows = [f"r{n}{d},{n}e6,{d}e8,{3 - n / 10 - d / 10},," for n in (1, 2, 3) for d in (1, 2, 3)]
    rows += ["bad,1e6,1e8,,diverged,", "odd,1e6,5e8,2.9,,wrong data"]
    path.write_text("run_id,n_params,tokens,loss,status,exclude\n" + "\n".join(rows) + "\n")
    return path


def test_summary_exclusions_and_findings(left_out: Path, bitlaw) -> None:
    done = bitlaw("check", left_out, "--law", "chinchilla")
    assert (done.code, done.err) == (0, "")
    for text in ("training runs", "3 values from 1M to 3M", "Left out: 2 rows", "diverged", "wrong data"):
        assert text in done.out
    _, findings = check(left_out, "chinchilla")
    for finding in findings:
        assert finding.code in done.out


def test_json(left_out: Path, bitlaw) -> None:
    answer = json.loads(bitlaw("check", left_out, "--law", "chinchilla", "--json").out)
    assert answer["command"] == "check"
    assert answer["table"]["rows"] == 9
    assert answer["table"]["n_params"] == {"distinct": 3, "lowest": 1e6, "highest": 3e6}
    assert answer["excluded"] == [
        {"row": 10, "run_id": "bad", "reason": "diverged"},
        {"row": 11, "run_id": "odd", "reason": "wrong data"},
    ]
    assert answer["status"] == "WARN"


def test_help_documents_the_columns(bitlaw) -> None:
    assert "bits_activations: Training precision of the activations." in bitlaw("check", "--help").out
