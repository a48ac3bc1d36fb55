import math
from datetime import date
from decimal import Decimal

import pytest

from bitlaw.runs.cells import Cell, read_cell, show_cell, valid_values
from bitlaw.runs.columns import BY_NAME, COLUMNS


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("raw", [None, "", "  \t"])
def test_empty_cells_hold_nothing(column, raw):
    assert read_cell(column, raw) == Cell(None)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("tokens", " 1e9 ", 1e9),
        ("tokens", 10**18, 1e18),
        ("tokens", Decimal("2.5"), 2.5),
        ("bits_weights", "1", 1.0),
        ("bits_weights", 32, 32.0),
        ("seed", "3.0", 3.0),
        ("seed", -1, -1.0),
        ("loss_se", "0", 0.0),
        ("run_id", 7, "7"),
        ("run_id", 7.0, "7"),
        ("run_id", 7.5, "7.5"),
        ("run_id", " a b ", "a b"),
        ("status", "diverged", "diverged"),
        ("exclude", "noisy", "noisy"),
    ],
)
def test_valid_cells(name, raw, value):
    assert read_cell(BY_NAME[name], raw) == Cell(value)


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("tokens", "abc", '"abc" is not a number; valid: a number above 0 (tokens)'),
        ("tokens", "1_000", '"1_000" is not a number'),
        ("tokens", "1,000", '"1,000" is not a number'),
        ("tokens", True, "True is not a number"),
        ("tokens", [1], "[1] is not a number"),
        ("tokens", date(2024, 1, 2), "2024-01-02 is not a number"),
        ("tokens", 0, "0 is out of range; valid: a number above 0 (tokens)"),
        ("tokens", "-2", '"-2" is out of range'),
        ("tokens", "NaN", '"NaN" is not finite; valid: a number above 0 (tokens)'),
        ("tokens", math.inf, "inf is not finite"),
        ("tokens", 10**400, "is not finite"),
        ("bits_post", "nan", "or empty where there is no value"),
        ("bits_post", "0.9", "valid: a number from 1 to 32 (bits)"),
        ("bits_kv", 33, "33 is out of range"),
        ("seed", "1.5", '"1.5" is not whole; valid: a whole number'),
        ("loss_se", "-0.1", "valid: a number of at least 0 (nats/token)"),
        ("vocab_size", "1", "valid: a number of at least 2 (tokens)"),
        ("status", "divergd", 'did you mean "diverged"?'),
        ("status", "zzz", "valid: ok, diverged"),
        ("exclude", "False", "valid: a reason in words"),
        ("exclude", 0, "valid: a reason in words"),
        ("exclude", True, "True is not text"),
        ("corpus", math.nan, "nan is not text"),
        ("corpus", {"a": 1}, "is not text; valid: text"),
    ],
)
def test_invalid_cells_name_the_value_and_what_is_valid(name, raw, problem):
    cell = read_cell(BY_NAME[name], raw)
    assert cell.value is None
    assert problem in cell.problem


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_default_is_a_valid_cell_or_empty(column):
    assert read_cell(column, column.default).problem == ""


def test_long_cells_are_shortened():
    assert show_cell("x" * 500) == '"' + "x" * 60 + '…"'


def test_valid_values_of_every_kind():
    assert valid_values(BY_NAME["run_id"]) == "text"
    assert valid_values(BY_NAME["seed"]) == "a whole number"
    assert valid_values(BY_NAME["group_size"]) == "a number of at least 1 (elements)"
