import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bitlaw.errors import InputError
from bitlaw.importers.logged import Asked
from bitlaw.importers.wandb import api_run
from bitlaw.runs.read import read_runs
from bitlaw.workflow.importing import import_runs
from trackers import HOSTILE
from trackers import wandb_record as record


def test_json_lines_with_nested_names_and_hostile_ones(write, tmp_path):
    path = write("runs.jsonl", [record(name, at) for at, name in enumerate(HOSTILE)])
    out = tmp_path / "table.csv"
    imported = import_runs(path, "wandb", out=out)
    table = read_runs(out, out.with_suffix(".map.toml")).frame
    assert table["run_id"].tolist() == [name.strip() for name in HOSTILE]
    assert table["n_params"].tolist() == [1e7 * (at + 1) for at in range(len(HOSTILE))]
    assert table["loss"].tolist() == pytest.approx([3.5 - 0.1 * at for at in range(len(HOSTILE))])
    assert imported.origins["n_params"] == "config.model.n_params, by its usual name"
    assert imported.origins["loss"] == "summary.eval/loss, by its usual name; final value"
    assert "config.lr" in table
    assert not imported.skipped


def test_a_csv_exported_from_the_table_of_runs(tmp_path):
    path = tmp_path / "export.csv"
    rows = [
        ["a", "finished", "10000000", "2e9", "3.5", '"quoted", with commas'],
        ["b", "crashed", "20000000", "2e9", "3.4", ""],
        ["c", "finished", "40000000", "2e9", "NaN", ""],
        ["d", "finished", "80000000", "2e9", "", ""],
    ]
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerows([["Name", "State", "model.size", "train/tokens", "eval/loss", "Notes"], *rows])
    imported = import_runs(path, "wandb", fields={"n_params": "model.size"})
    assert imported.frame["run_id"].tolist() == ["a", "c"]
    assert imported.frame["status"].tolist() == [None, "diverged"]
    assert imported.frame["loss"].tolist() == [3.5, None]
    assert [(item.what, item.why) for item in imported.skipped] == [
        ('"b"', "it is not finished (crashed); --unfinished imports it"),
        ('"d"', "it has no eval/loss"),
    ]


def test_a_csv_written_from_the_api_with_settings_as_python_text(tmp_path):
    path = tmp_path / "project.csv"
    with path.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["", "summary", "config", "name"])
        for at in range(3):
            made = record(f"run {at}", at)
            writer.writerow([at, str(made["summary"]), str(made["config"]), made["name"]])
    imported = import_runs(path, "wandb")
    assert imported.frame["n_params"].tolist() == [1e7, 2e7, 3e7]
    assert imported.frame["run_id"].tolist() == ["run 0", "run 1", "run 2"]


def test_json_as_the_server_sends_it(write):
    runs = []
    for at in range(2):
        made = record(f"run {at}", at)
        wrapped = {name: {"value": value, "desc": None} for name, value in made["config"].items()}
        runs.append({"name": f"id{at}", "displayName": f"run {at}", "config": json.dumps(wrapped),
                     "summaryMetrics": json.dumps(made["summary"]), "state": "finished"})  # fmt: skip
    path = write("runs.json", json.dumps(runs))
    assert import_runs(path, "wandb").frame["n_params"].tolist() == [1e7, 2e7]


def test_runs_of_one_name_are_told_apart_by_their_ids(write):
    path = write("runs.jsonl", [record("same", 0), record("same", 1), record("other", 2)])
    imported = import_runs(path, "wandb")
    assert imported.frame["run_id"].tolist() == ["same (id0)", "same (id1)", "other"]


def test_an_export_without_a_needed_field_lists_those_it_has(write):
    made = [record("a", 0), record("b", 1)]
    for run in made:
        run["config"]["model"] = {"size": 3}
    with pytest.raises(InputError) as caught:
        import_runs(write("runs.jsonl", made), "wandb")
    missing, has = caught.value.problems
    assert "n_params: no run has a field that is usually called so: Non-embedding parameters." in missing
    assert (
        'in a mapping file (--map): n_params = "FIELD"; the same for all runs: --set n_params=NUMBER'
        in missing
    )
    assert "the fields of its runs: " in has
    for field in ("config.model.size", "config.lr", "summary.eval/loss", "summary.tokens"):
        assert field in has


def test_the_mapping_line_of_the_message_works(write, tmp_path):
    made = [record("a", 0), record("b", 1)]
    for run in made:
        run["config"]["model"] = {"size": 3e7}
    path = write("runs.jsonl", made)
    mapping = write("mine.toml", 'n_params = "config.model.size"\n[constants]\nvocab_size = 32000\n')
    imported = import_runs(path, "wandb", mapping=mapping, out=tmp_path / "runs.csv")
    assert imported.frame["n_params"].tolist() == [3e7, 3e7]
    assert imported.frame["vocab_size"].tolist() == [32000, 32000]


def test_losses_that_could_both_be_meant(write):
    made = [record("a", 0, **{"val/loss": 3.0}), record("b", 1, **{"val/loss": 2.9})]
    with pytest.raises(
        InputError, match=r"loss: several fields could be it: summary.eval/loss, summary.val/loss; say"
    ):
        import_runs(write("runs.jsonl", made), "wandb")


def test_an_export_has_no_evaluations_to_average(write):
    with pytest.raises(InputError, match="an export has final values only"):
        import_runs(write("runs.jsonl", [record("a")]), "wandb", last=5)


def test_a_project_needs_a_key(monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(InputError, match="WANDB_API_KEY has to be set"):
        import_runs("team/project", "wandb")


def test_what_is_neither_export_nor_project(tmp_path):
    with pytest.raises(InputError, match="no source of runs; valid: an export"):
        import_runs(tmp_path, "wandb")
    with pytest.raises(InputError, match="there is no such file"):
        import_runs(tmp_path / "absent.csv", "wandb")


def test_an_empty_export(write):
    with pytest.raises(InputError, match="there are no runs in it"):
        import_runs(write("runs.jsonl", ""), "wandb")


class Summary(dict):
    """A summary of the API: a mapping by ``keys`` and items."""


def test_a_run_of_the_api():
    made = record("run", 1)
    rows = [{"eval/loss": loss} for loss in (4.0, 3.6, 3.4)]
    run = SimpleNamespace(
        **made | {"summary": Summary(made["summary"])},
        scan_history=lambda keys: [row for row in rows if set(keys) <= set(row)],
    )
    logged = api_run(run, Asked(last=2))
    assert logged.fields["config.model.n_params"] == 2e7
    assert logged.evaluations == {"summary.eval/loss": (3.6, 3.4)}
    assert (logged.name, logged.key, logged.unfinished) == ("run", "id1", "")


def test_files_are_closed(write, tmp_path: Path):
    path = write("runs.jsonl", [record("a", 0), record("b", 1)])
    import_runs(path, "wandb")
    path.unlink()
