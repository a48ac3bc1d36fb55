import pandas as pd
import pytest

from bitlaw.finding import Finding, Status
from bitlaw.runs.exclude import DIVERGED, WORSE_THAN_GUESSING, exclude_rows, include_diverged
from bitlaw.runs.raw import RawTable
from bitlaw.runs.table import RunTable
from bitlaw.runs.validate import validate


def runs(*rows: dict[str, object]) -> RunTable:
    basis = {"n_params": 1e6, "tokens": 1e8, "loss": 3.0, "vocab_size": 100.0}
    filled = [basis | row for row in rows]
    names = list(dict.fromkeys(name for row in filled for name in row))
    frame = validate(RawTable({name: [row.get(name) for row in filled] for name in names}, "runs"))
    earlier = Finding("runs.ignored_columns", Status.PASS, 1.0, None, "one")
    return RunTable(frame, frame.iloc[:0].assign(reason=""), "runs", (earlier,))


def test_nothing_to_exclude_changes_nothing():
    table = runs({"run_id": "a"}, {"run_id": "b"})
    kept = exclude_rows(table)
    pd.testing.assert_frame_equal(kept.frame, table.frame)
    assert kept.excluded.empty
    assert kept.findings == table.findings


def test_diverged_runs_are_counted_among_training_runs():
    table = runs(
        {"run_id": "a"},
        {"run_id": "b", "status": "diverged", "loss": None},
        {"run_id": "c"},
        {"run_id": "c", "bits_post": 4},
    )
    kept = exclude_rows(table)
    assert list(kept.frame.index) == [1, 3, 4]
    assert list(kept.excluded["reason"]) == [DIVERGED]
    assert [finding.code for finding in kept.findings] == ["runs.ignored_columns", "runs.excluded"]
    finding = kept.findings[1]
    assert finding.status == Status.WARN
    assert finding.value == 1
    assert finding.message == "1 of 3 training runs diverged: b."
    assert finding.advice


def test_diverged_ptq_rows_are_told_apart():
    table = runs({"run_id": "a"}, {"run_id": "a", "bits_post": 2, "status": "diverged", "loss": None})
    assert "0 of 1 training runs diverged, and 1 PTQ rows: a." in exclude_rows(table).findings[1].message


def test_reasons_come_from_the_table_and_each_has_one_finding():
    table = runs(
        {"run_id": "a"},
        {"run_id": "b", "exclude": "noisy"},
        {"run_id": "c", "exclude": "restarted"},
        {"run_id": "d", "exclude": "noisy"},
    )
    kept = exclude_rows(table)
    assert dict(kept.excluded["reason"]) == {2: "noisy", 3: "restarted", 4: "noisy"}
    assert [finding.message for finding in kept.findings[1:]] == [
        '2 rows are left out as "noisy": b, d.',
        '1 row is left out as "restarted": c.',
    ]


@pytest.mark.parametrize(("loss", "out"), [(4.60, False), (4.61, True)])
def test_ptq_rows_worse_than_guessing(loss, out):
    table = runs({"run_id": "a"}, {"run_id": "a", "bits_post": 2, "loss": loss})
    kept = exclude_rows(table)
    assert list(kept.excluded["reason"]) == ([WORSE_THAN_GUESSING] if out else [])


def test_without_a_vocabulary_nothing_is_worse_than_guessing():
    table = runs({"run_id": "a"}, {"run_id": "a", "bits_post": 2, "loss": 40.0, "vocab_size": None})
    assert exclude_rows(table).excluded.empty


def test_at_most_five_runs_are_named():
    rows = [{"run_id": f"r{row}", "exclude": "noisy"} for row in range(8)]
    finding = exclude_rows(runs({"run_id": "a"}, *rows)).findings[1]
    assert finding.value == 8
    assert finding.message.endswith("r0, r1, r2, r3, r4 and 3 more.")


def test_every_row_is_kept_or_excluded_once():
    table = runs(
        {"run_id": "a", "status": "diverged", "exclude": "noisy", "loss": None},
        {"run_id": "b", "bits_post": 2, "loss": 9.0, "exclude": "noisy"},
        {"run_id": "c"},
    )
    kept = exclude_rows(table)
    assert sorted([*kept.frame.index, *kept.excluded.index]) == [1, 2, 3]
    assert list(kept.excluded.index) == [1, 2]
    assert list(kept.excluded["reason"]) == [DIVERGED, "noisy"]


def test_diverged_runs_with_a_loss_come_back_as_bounds():
    table = exclude_rows(
        runs(
            {"run_id": "a"},
            {"run_id": "b", "status": "diverged", "loss": None},
            {"run_id": "c", "status": "diverged", "loss": 4.0},
        )
    )
    bounds = include_diverged(table)
    assert list(bounds.frame["run_id"]) == ["a", "c"]
    assert list(bounds.excluded["run_id"]) == ["b"]
    assert "reason" not in bounds.frame
    finding = bounds.findings[-1]
    assert (finding.code, finding.status, finding.value) == ("runs.bounds", Status.WARN, 1.0)


def test_without_a_diverged_loss_there_is_no_bound_and_it_says_so():
    table = exclude_rows(runs({"run_id": "a"}, {"run_id": "b", "status": "diverged", "loss": None}))
    bounds = include_diverged(table)
    pd.testing.assert_frame_equal(bounds.frame, table.frame)
    assert bounds.findings[-1].status is Status.NOT_RUN
