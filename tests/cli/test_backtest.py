import json
from pathlib import Path

import pytest

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.backtest_findings import backtest_findings
from bitlaw.criticism.fold_scores import PredictedRow, Scores
from bitlaw.criticism.fold_task import FoldRecord
from bitlaw.inference.executors import LocalProcesses, Serial
from bitlaw.inference.folds import DroppedFold

ROW = PredictedRow(7, "run7", 1e8, 1e10, 0.5, 0.3, 1.0, 1.01, 0.98, 1.02, 0.2, 0.004, 3.1)
SCORES = Scores({0.5: 0.4, 0.8: 0.6, 0.9: 0.75, 0.95: 0.8}, 0.012, -0.004, 0.05, 0.01, 0.09, 2.5)
FOLD = FoldRecord(
    "compute", "runs of more than 1e+18 FLOP", 0.4, 20, 1, 0, 12.5, SCORES, SCORES, 1.01, 0.0, 1, True, (ROW,)
)
DROPPED = DroppedFold("compute", "runs of more than 2e+18 FLOP", 0.55, "6 rows to fit, and 10 are needed")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Calls of ``bitlaw.backtest``, which returns a record made without sampling."""
    calls = []

    def without_sampling(runs: object, law: object, **options: object) -> Backtest:
        calls.append({"rows": len(runs.frame), "law": law.name} | options)
        findings = backtest_findings((FOLD,), (DROPPED,), SCORES)
        return Backtest(law.name, "runs.csv", 30, (FOLD,), (DROPPED,), findings)

    monkeypatch.setattr("bitlaw.workflow.backtesting.backtest", without_sampling)
    return calls


def test_scores_by_fold_are_shown(runs_file: Path, asked: list[dict], fitted, bitlaw) -> None:
    done = bitlaw("backtest", runs_file, "--law", "coupled", "--kind", "compute, bits", "--folds", "8")
    assert (done.code, done.err) == (0, "")
    options = {"pool": None, "kinds": ("compute", "bits"), "folds": 8, "executor": Serial(), "seed": 0}
    assert asked == [{"rows": len(fitted.rows), "law": "coupled", "on_fold": None} | options]
    for text in (
        "Of 1 losses that coupled was not fitted to (1 fold, up to 12.5x the compute of those fitted)",
        "its 90 % intervals hold 75 %",
        "predictions are 0.004 too high on average",
        "dropped: 6 rows to fit, and 10 are needed",
        "backtest.coverage",
    ):
        assert text in " ".join(done.out.split()), text


def test_json(runs_file: Path, asked: list[dict], bitlaw) -> None:
    answer = json.loads(bitlaw("backtest", runs_file, "--executor", "processes", "--json").out)
    assert (answer["command"], answer["status"]) == ("backtest", "WARN")
    assert answer["coverage"] == {"0.5": 0.4, "0.8": 0.6, "0.9": 0.75, "0.95": 0.8}
    (fold,) = answer["folds"]
    assert (fold["cut"], fold["n_train"], fold["n_test"], fold["max_ratio"]) == (0.4, 20, 1, 12.5)
    assert (fold["mae_log"], fold["width"], fold["crps"], fold["interval_score"]) == (0.012, 0.05, 0.01, 0.09)
    assert fold["rows"][0]["run_id"] == "run7"
    assert answer["dropped"][0]["reason"] == "6 rows to fit, and 10 are needed"
    assert isinstance(asked[0]["executor"], LocalProcesses)
    assert asked[0]["kinds"] == ("compute",)


def test_a_table_too_small_is_not_run_with_code_0(runs_file: Path, bitlaw) -> None:
    done = bitlaw("backtest", runs_file, "--law", "chinchilla", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["status"]) == (0, "NOT_RUN")
    assert (answer["runs"], answer["folds"], answer["coverage"]) == (9, [], None)
    shown = bitlaw("backtest", runs_file, "--law", "chinchilla")
    assert "9 usable runs, and 12 are needed" in " ".join(shown.out.split())


def test_a_scheduler_that_does_not_answer_is_bad_input(
    fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bitlaw
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("bitlaw.inference.executors._CONNECT_SECONDS", 1)
    path = tmp_path / "runs.csv"
    fitted.rows[fitted.rows["bits_post"].isna()].to_csv(path, index=False)
    done = bitlaw(
        "backtest", path, "--law", "kumar2024", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9"
    )
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("bitlaw: --scheduler tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert len(done.err.splitlines()) == 1
