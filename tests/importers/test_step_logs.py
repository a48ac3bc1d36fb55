import json

import pytest

from bitlaw.errors import InputError
from bitlaw.runs.read import read_runs
from bitlaw.workflow.importing import import_runs
from trackers import HOSTILE
from trackers import step_lines as steps


def test_a_file_per_run(write, tmp_path):
    write("logs/a.jsonl", steps())
    write("logs/more/b.ndjson", steps(shift=-0.5, n_params=4e7))
    import_runs(tmp_path / "logs", "jsonl", out=tmp_path / "runs.csv")
    table = read_runs(tmp_path / "runs.csv").frame
    assert table["run_id"].tolist() == ["a", "more/b"]
    assert table["loss"].tolist() == pytest.approx([3.0, 2.5])
    assert table["n_params"].tolist() == [1e7, 4e7]
    assert table["tokens"].tolist() == [1e9, 1e9]
    assert set(table["loss_rule"]) == {"final value"}


def test_runs_told_apart_by_a_field(write):
    lines = [line for pair in zip(*(steps(name) for name in HOSTILE), strict=True) for line in pair]
    imported = import_runs(write("all.jsonl", lines), "jsonl")
    assert imported.frame["run_id"].tolist() == [name.strip() for name in HOSTILE]
    named = [{"trial": line["run_id"]} | {k: v for k, v in line.items() if k != "run_id"} for line in lines]
    imported = import_runs(write("named.jsonl", named), "jsonl", fields={"run_id": "trial"})
    assert len(imported.frame) == len(HOSTILE)


@pytest.mark.parametrize(("last", "loss"), [(1, 3.0), (2, 3.1), (5, 3.4)])
def test_mean_of_the_last_evaluations(write, last, loss):
    imported = import_runs(write("a.jsonl", steps()), "jsonl", last=last)
    assert imported.frame["loss"].tolist() == pytest.approx([loss])
    assert imported.frame["loss_rule"].tolist() == [
        "final value" if last == 1 else f"mean of the last {last} evaluations"
    ]


def test_too_few_evaluations(write):
    with pytest.raises(InputError, match="it has 5 evaluations of eval_loss, not 6"):
        import_runs(write("a.jsonl", steps()), "jsonl", last=6)


def test_a_resumed_run_counts_repeated_steps_once(write):
    lines = [*steps(), *({"step": step, "eval_loss": 2.0} for step in (8, 10))]
    imported = import_runs(write("a.jsonl", lines), "jsonl", last=3)
    assert imported.frame["loss"].tolist() == pytest.approx([(3.4 + 2.0 + 2.0) / 3])


def test_the_loss_of_batches_is_not_taken_unless_asked_for(write):
    lines = [{"step": 1, "loss": 3.0, "train_loss": 3.1, "n_params": 1e7, "tokens": 1e9}]
    path = write("a.jsonl", lines)
    with pytest.raises(InputError, match="loss: no run has a field that is usually called so"):
        import_runs(path, "jsonl")
    assert import_runs(path, "jsonl", fields={"loss": "loss"}).frame["loss"].tolist() == [3.0]


def test_lines_that_are_no_objects_are_named(write):
    good = "".join(json.dumps(line) + "\n" for line in steps())
    text = f'{good}\n  [1]\n{{"step": 11, "eval_l'
    path = write("a.jsonl", text)
    imported = import_runs(path, "jsonl")
    assert [item.what for item in imported.skipped] == [f"{path}: line 13", f"{path}: line 14"]
    assert imported.skipped[0].why == "not a JSON object"
    assert imported.skipped[1].why.startswith("malformed JSON: ")
    assert imported.frame["loss"].tolist() == [3.0]


def test_many_bad_lines_are_counted(write):
    text = "".join(json.dumps(line) + "\n" for line in steps()) + "oops\n" * 30
    imported = import_runs(write("a.jsonl", text), "jsonl")
    assert len(imported.skipped) == 21
    assert imported.skipped[-1].why == "and 10 more lines that are no JSON objects"


def test_white_space_around_an_object_and_a_byte_order_mark(write):
    text = "\ufeff" + "".join(f"  {json.dumps(line)}\t\r\n" for line in steps())
    imported = import_runs(write("a.jsonl", text), "jsonl")
    assert not imported.skipped
    assert imported.frame["loss"].tolist() == [3.0]


def test_bytes_that_are_no_text(write, tmp_path):
    write("logs/a.jsonl", steps())
    (tmp_path / "logs" / "b.jsonl").write_bytes(b"\xff\xfe{}")
    imported = import_runs(tmp_path / "logs", "jsonl")
    assert imported.frame["run_id"].tolist() == ["a"]
    assert "not UTF-8 text" in imported.skipped[0].why


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_is_a_diverged_run(write, tmp_path, value):
    lines = [*steps(), {"step": 12, "eval_loss": value}]
    write("logs/a.jsonl", lines)
    write("logs/b.jsonl", steps())
    write("logs/c.jsonl", steps())
    import_runs(tmp_path / "logs", "jsonl", out=tmp_path / "runs.csv")
    table = read_runs(tmp_path / "runs.csv")
    assert table.frame["run_id"].tolist() == ["b", "c"]
    assert table.excluded[["run_id", "reason"]].to_numpy().tolist() == [["a", "diverged"]]


def test_no_runs(write, tmp_path):
    with pytest.raises(InputError, match=r"no runs in this folder; valid: step logs \(.jsonl, .ndjson\)"):
        import_runs(tmp_path, "jsonl")
    with pytest.raises(InputError, match="there is no such file or folder"):
        import_runs(tmp_path / "absent.jsonl", "jsonl")
    with pytest.raises(InputError, match="it has no JSON objects"):
        import_runs(write("a.jsonl", ""), "jsonl")


def test_json_that_is_nested_deeper_than_any_setting(write):
    deep = '{"a":' * 3000 + "1" + "}" * 3000
    text = "".join(json.dumps(line) + "\n" for line in steps()) + deep + "\n" + "[" * 200_000 + "\n"
    imported = import_runs(write("a.jsonl", text), "jsonl")
    assert imported.frame["loss"].tolist() == [3.0]
    assert imported.skipped[-1].why.startswith("malformed JSON: ")


def test_a_name_that_no_file_can_have():
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        import_runs("x" * 5000, "jsonl")
