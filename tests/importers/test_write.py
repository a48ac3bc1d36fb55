import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bitlaw.errors import InputError
from bitlaw.importers.assemble import assemble
from bitlaw.importers.imported import Imported
from bitlaw.importers.logged import Log, LoggedRun, Skipped
from bitlaw.importers.write import mapping_text, table_text, write_imported
from bitlaw.runs.files import read_file
from bitlaw.runs.mapping import ColumnMapping, read_mapping
from bitlaw.runs.read import read_runs
from trackers import HOSTILE


def imported(
    names: tuple[str, ...] = ("a", "b"), skipped: tuple[Skipped, ...] = (), **fields: object
) -> Imported:
    runs = tuple(
        LoggedRun(name, f"id{at}", {"n_params": 1e7, "tokens": 1e9, "eval_loss": 3.0 + at / 7, **fields})
        for at, name in enumerate(names)
    )
    return assemble(Log(runs, skipped), "jsonl", "logs", ColumnMapping(), keep=list(fields))


def test_table_and_mapping_round_trip(tmp_path):
    made = imported(HOSTILE, (Skipped("x\ny", "broken\n\u202e"),))
    done = write_imported(made, tmp_path / "new" / "runs.csv")
    assert done.written == (str(tmp_path / "new" / "runs.csv"), str(tmp_path / "new" / "runs.map.toml"))
    plain = read_runs(tmp_path / "new" / "runs.csv")
    mapped = read_runs(tmp_path / "new" / "runs.csv", tmp_path / "new" / "runs.map.toml")
    assert plain.content_hash() == mapped.content_hash() == made.run_table().content_hash()
    assert plain.frame["run_id"].tolist() == [name.strip() for name in HOSTILE]
    assert plain.frame["loss"].tolist() == made.frame["loss"].tolist(), "no digit is lost"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["runs.csv", "runs.map.toml"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(st.characters(codec=None), max_size=30), min_size=1, max_size=4), st.text(max_size=20)
)
@example(names=[""], note="\r")
def test_any_text_comes_through_as_text(tmp_path_factory, names, note):
    made = imported(tuple(names), (Skipped(note, note),), note=note if note.strip() else "-")
    path = tmp_path_factory.mktemp("table") / "runs.csv"
    path.write_text(table_text(made), encoding="utf-8", newline="")
    cells = read_file(path).columns
    assert len(cells["run_id"]) == len(names)
    assert [cell.strip() for cell in cells["run_id"]] == made.frame["run_id"].tolist()
    mapping = tomllib.loads(mapping_text(made, path.name))
    assert mapping["columns"]["run_id"] == "run_id"


def test_very_long_names_are_cut(tmp_path):
    made = imported(("x" * 200_000, "b"))
    write_imported(made, tmp_path / "runs.csv")
    assert read_runs(tmp_path / "runs.csv").frame["run_id"].tolist() == ["x" * 1000 + "…", "b"]


def test_the_mapping_says_where_columns_come_from_and_what_is_missing(tmp_path):
    made = imported(skipped=(Skipped("bad.jsonl", "the reason"),), lr=3e-4)
    write_imported(made, tmp_path / "runs.csv")
    text = (tmp_path / "runs.map.toml").read_text(encoding="utf-8")
    assert 'loss = "loss"  # eval_loss, by its usual name; final value' in text
    assert "# Not imported: bad.jsonl: the reason" in text
    assert "# Other columns of the table: loss_rule, logged_as, lr" in text
    assert read_mapping(tmp_path / "runs.map.toml").loss_unit == "nats"


def test_nothing_half_written(tmp_path, monkeypatch):
    (tmp_path / "runs.csv").write_text("before", encoding="utf-8")

    def full(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match=r"runs.csv: cannot be written: No space left on device"):
        write_imported(imported(), tmp_path / "runs.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
    assert (tmp_path / "runs.csv").read_text(encoding="utf-8") == "before"
