import math

import pytest

from bitlaw.errors import InputError
from bitlaw.runs.mapping import ColumnMapping, apply_mapping, read_mapping
from bitlaw.runs.raw import RawTable

TABLE = RawTable({"name": ["a", "b"], "val_loss": ["2", "3"], "note": ["", "odd"]}, "runs.csv")


def test_top_level_and_columns_table_mean_the_same(write):
    top = read_mapping(write("a.toml", 'loss_unit = "bits"\nloss = "val_loss"\nexclude = "note"\n'))
    table = read_mapping(
        write("b.toml", 'loss_unit = "bits"\n[columns]\nloss = "val_loss"\nexclude = "note"\n')
    )
    assert dict(top.columns) == dict(table.columns) == {"loss": "val_loss", "exclude": "note"}
    assert top.loss_unit == table.loss_unit == "bits"


def test_constants_and_default_unit(write):
    mapping = read_mapping(write("m.toml", '[constants]\nvocab_size = 32000\ncorpus = "c4"\n'))
    assert dict(mapping.constants) == {"vocab_size": 32000, "corpus": "c4"}
    assert mapping.loss_unit == "nats"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("loss = ", "not valid TOML"),
        ('los = "val"', 'los: unknown key; did you mean "loss"?'),
        ('constant = "val"', 'constant: unknown key; did you mean "constants"?'),
        ('bits = "val"', 'bits: unknown key; did you mean loss_unit = "bits"?'),
        ('[columns]\nexlude = "note"', 'columns.exlude: unknown column; did you mean "exclude"?'),
        ("[constants]\nvocabsize = 2", 'constants.vocabsize: unknown column; did you mean "vocab_size"?'),
        ('[constants]\nloss_unit = "bits"', "constants.loss_unit: belongs above the first [table]"),
        ("columns = 3", "columns: must be a table, [columns]"),
        ('loss_unit = "bit"', 'loss_unit: "bit" is unknown; did you mean "bits"?'),
        ("loss_unit = 3", "loss_unit: 3 is unknown; valid: nats, bits, perplexity"),
        ("vocab_size = 32000", "vocab_size: 32000 is not a column name"),
        ('loss = " "', 'loss: " " is not a column name'),
        ('loss = "v"\n[columns]\nloss = "w"', "loss: given twice, also in [columns]"),
        ('seed = "v"\n[constants]\nseed = 1', "seed: both renamed and a constant"),
        ('n_params = "n"\ntokens = "n"', 'n_params, tokens: all renamed from the one column "n"'),
        ("[constants]\nbits_kv = 64", "constants.bits_kv: 64 is out of range; valid: a number from 1 to 32"),
        ('[constants]\nseed = "x"', 'constants.seed: "x" is not a number'),
        ("[constants]\nseed = true", "constants.seed: True is not a number"),
        ('[constants]\ncorpus = ""', "constants.corpus: is empty"),
        (
            'loss_unit = "perplexity"\n[constants]\nloss = 0.5',
            "constants.loss: 0.5 is out of range; valid: a number above 1",
        ),
    ],
)
def test_mistakes_name_file_and_key(write, text, problem):
    path = write("m.toml", text)
    with pytest.raises(InputError) as caught:
        read_mapping(path)
    assert any(line.startswith(f"{path}: ") and problem in line for line in caught.value.problems)


def test_all_mistakes_together(write):
    path = write("m.toml", 'los = "a"\nloss_unit = "bit"\n[constants]\nseed = 1.5\n')
    with pytest.raises(InputError) as caught:
        read_mapping(path)
    assert len(caught.value.problems) == 3


def test_missing_mapping_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_mapping(tmp_path / "absent.toml")


def test_renames_and_constants_are_applied():
    mapping = ColumnMapping({"run_id": "name", "loss": "val_loss"}, {"vocab_size": 50})
    table = apply_mapping(TABLE, mapping)
    assert dict(table.columns) == {
        "run_id": ["a", "b"],
        "loss": ["2", "3"],
        "note": ["", "odd"],
        "vocab_size": [50, 50],
    }
    assert table.place(2, "loss") == 'runs.csv: row 2, column "loss" (mapped from "val_loss")'


def test_a_column_in_the_way_of_a_renamed_one_is_kept_and_ignored():
    table = RawTable({"loss": ["9"], "val_loss": ["2"]}, "runs.csv")
    mapped = apply_mapping(table, ColumnMapping({"loss": "val_loss"}))
    assert dict(mapped.columns) == {"loss (unmapped)": ["9"], "loss": ["2"]}


def test_names_can_be_swapped():
    table = RawTable({"tokens": ["1"], "n_params": ["2"]}, "runs.csv")
    mapped = apply_mapping(table, ColumnMapping({"tokens": "n_params", "n_params": "tokens"}))
    assert dict(mapped.columns) == {"n_params": ["1"], "tokens": ["2"]}


def test_a_column_the_table_lacks():
    with pytest.raises(InputError) as caught:
        apply_mapping(TABLE, ColumnMapping({"exclude": "nota", "seed": "zzz"}, source="m.toml"))
    assert caught.value.problems == (
        'm.toml: exclude: runs.csv has no column "nota"; did you mean "note"? it has: name, val_loss, note',
        'm.toml: seed: runs.csv has no column "zzz"; it has: name, val_loss, note',
    )


def test_a_constant_for_a_column_the_table_has():
    table = RawTable({"seed": ["1"]}, "runs.csv")
    with pytest.raises(InputError, match=r"constants\.seed: runs\.csv already has that column"):
        apply_mapping(table, ColumnMapping(constants={"seed": 2}))


def test_a_mapping_built_in_python_is_checked_too():
    with pytest.raises(InputError, match=r"constants\.seed: nan is not finite"):
        apply_mapping(TABLE, ColumnMapping(constants={"seed": math.nan}))
