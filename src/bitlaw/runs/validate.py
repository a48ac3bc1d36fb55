"""From unchecked cells to a frame of typed columns, with every problem of the table named at once."""

import math

import pandas as pd

from bitlaw.errors import InputError
from bitlaw.runs.cells import Cell, read_cell, valid_values
from bitlaw.runs.columns import BY_NAME, COLUMNS, Column
from bitlaw.runs.consistency import consistency_problems
from bitlaw.runs.headers import header_problems, missing_columns, unknown_columns
from bitlaw.runs.loss_units import LOSS_UNIT_BY_NAME, LossUnit
from bitlaw.runs.problems import first_problems
from bitlaw.runs.raw import RawTable

FLOPS_PER_PARAMETER_AND_TOKEN = 6.0

_NOT_VALIDATED_WHERE_EXCLUDED = ("loss", "loss_se")

Cells = dict[str, list[Cell]]


def validate(table: RawTable, loss_unit: str = "nats") -> pd.DataFrame:
    """Check every cell and every relation between rows, and build the frame of a RunTable.

    Parameters
    ----------
    table
        Cells under canonical names.
    loss_unit
        Unit of ``loss`` and ``loss_se``; the frame has nats/token.

    Returns
    -------
    pandas.DataFrame
        All rows, excluded ones too. Canonical columns but ``flops`` first, numbers as float64 with
        NaN and text with "" where absent; then the other columns as they are. Its index is the row
        number, from 1. ``loss`` and ``loss_se`` of rows to be excluded are NaN where invalid.

    Raises
    ------
    InputError
        With all problems of the table together, the first 20 in full.
    """
    unit = LOSS_UNIT_BY_NAME[loss_unit]
    specs = {name: _spec(name, unit) for name in BY_NAME}
    cells = {
        name: [read_cell(specs[name], raw) for raw in table.columns[name]]
        for name in BY_NAME
        if name in table.columns
    }
    excluded = _to_be_excluded(cells, table.n_rows)
    by_row = _cell_problems(table, cells, specs, excluded)
    frame = _frame(table, cells, unit)
    by_row += consistency_problems(table, frame, _invalid(cells), excluded, loss_unit)
    by_row.sort(key=lambda problem: problem[0])
    problems = header_problems(table) + [text for _, text in by_row]
    if problems:
        raise InputError(first_problems(problems, table.source))
    return frame


def _spec(name: str, unit: LossUnit) -> Column:
    return {"loss": unit.loss, "loss_se": unit.loss_se}.get(name, BY_NAME[name])


def _to_be_excluded(cells: Cells, n_rows: int) -> list[bool]:
    empty = [Cell(None)] * n_rows
    pairs = zip(cells.get("status", empty), cells.get("exclude", empty), strict=True)
    return [status.value == "diverged" or exclude.value is not None for status, exclude in pairs]


def _cell_problems(
    table: RawTable, cells: Cells, specs: dict[str, Column], excluded: list[bool]
) -> list[tuple[int, str]]:
    problems = []
    for name, column in cells.items():
        for row, cell in enumerate(column, start=1):
            if excluded[row - 1] and name in _NOT_VALIDATED_WHERE_EXCLUDED:
                continue
            text = cell.problem
            if not text and cell.value is None and specs[name].required and name != "tokens":
                text = f"is empty; valid: {valid_values(specs[name])}"
            if text:
                problems.append((row, f"{table.place(row, name)}: {text}"))
    return problems + _token_problems(table, cells)


def _token_problems(table: RawTable, cells: Cells) -> list[tuple[int, str]]:
    if "tokens" in missing_columns(table):
        return []
    valid = valid_values(BY_NAME["tokens"])
    empty = [Cell(None)] * table.n_rows
    pairs = zip(cells.get("tokens", empty), cells.get("flops", empty), strict=True)
    return [
        (row, f"{table.place(row, 'tokens')}: is empty, and so is flops; valid: {valid}, or flops = 6 N D")
        for row, (tokens, flops) in enumerate(pairs, start=1)
        if tokens == flops == Cell(None)
    ]


def _invalid(cells: Cells) -> set[tuple[int, str]]:
    return {
        (row, name)
        for name, column in cells.items()
        for row, cell in enumerate(column, start=1)
        if cell.problem
    }


def _frame(table: RawTable, cells: Cells, unit: LossUnit) -> pd.DataFrame:
    index = pd.RangeIndex(1, table.n_rows + 1)
    columns = {column.name: _series(column, cells.get(column.name, []), index) for column in COLUMNS}
    loss = columns["loss"]
    errors = zip(columns["loss_se"], loss, strict=True)
    columns["loss_se"] = pd.Series([unit.se_to_nats(error, value) for error, value in errors], index)
    columns["loss"] = loss.map(unit.to_nats)
    per_token = FLOPS_PER_PARAMETER_AND_TOKEN * columns["n_params"]
    columns["tokens"] = columns["tokens"].fillna(columns.pop("flops") / per_token)
    others = {name: pd.Series(list(table.columns[name]), index) for name in unknown_columns(table)}
    return pd.DataFrame(columns | others, index=index)


def _series(column: Column, cells: list[Cell], index: pd.RangeIndex) -> pd.Series:
    absent = column.default if column.default is not None else "" if column.kind == "text" else math.nan
    values = [absent if cell.value is None else cell.value for cell in cells] or [absent] * len(index)
    return pd.Series(values, index, dtype=str if column.kind == "text" else float)
