from dataclasses import replace

from bitlaw.runs.raw import RawTable
from bitlaw.runs.table import RunTable
from bitlaw.runs.validate import validate


def runs() -> RunTable:
    cells = {
        "run_id": ["a", "a", "b"],
        "n_params": ["1e6"] * 3,
        "tokens": ["1e8"] * 3,
        "loss": ["3", "3.1", "2.9"],
        "bits_post": ["", "4", ""],
        "host": ["x", "y", "z"],
    }
    frame = validate(RawTable(cells, "runs.csv"))
    return RunTable(frame, frame.iloc[:0].assign(reason=""), "runs.csv")


def test_training_and_post_rows_are_the_table():
    table = runs()
    assert list(table.training.index) == [1, 3]
    assert list(table.post.index) == [2]


def test_without_moves_rows_with_their_reason_in_order():
    table = runs()
    first = table.without(table.frame["run_id"] == "b", "late")
    second = first.without(first.frame["bits_post"].notna(), "no term")
    assert list(second.frame.index) == [1]
    assert dict(second.excluded["reason"]) == {2: "no term", 3: "late"}
    assert len(table.frame) == 3


def test_without_no_rows_is_the_same_table():
    table = runs()
    assert table.without(table.frame["run_id"] == "zzz", "none") is table


def test_the_hash_follows_the_measurements_only():
    table = runs()
    renamed = replace(table, source="other.csv", frame=table.frame.drop(columns="host"))
    assert renamed.content_hash() == table.content_hash()
    changed = replace(table, frame=table.frame.assign(loss=table.frame["loss"] + 1e-6))
    assert changed.content_hash() != table.content_hash()
    fewer = table.without(table.frame["run_id"] == "b", "late")
    assert fewer.content_hash() != table.content_hash()
