"""Points to predict and plans to compare: from the flags of one point, or from a table of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError
from bitlaw.runs.cells import read_cell, valid_values
from bitlaw.runs.columns import BY_NAME, COLUMNS, Column

if TYPE_CHECKING:
    import pandas as pd

    from bitlaw.runs.raw import RawTable

NOT_CONDITIONS: tuple[str, ...] = ("run_id", "loss", "loss_se", "seed", "status", "exclude")
"""Columns that describe what came of a run, not the conditions it is predicted for."""

POINT_COLUMNS: tuple[Column, ...] = tuple(column for column in COLUMNS if column.name not in NOT_CONDITIONS)
"""Columns with a flag of their own in ``bitlaw predict``."""


def point_from_flags(flags: Mapping[str, float | str | None]) -> "pd.DataFrame":
    """One point, from the flags that were given.

    Parameters
    ----------
    flags
        Value of every column in ``POINT_COLUMNS``; None where its flag is absent.

    Raises
    ------
    InputError
        Unless ``n_params`` is given with exactly one of ``tokens`` and ``flops``.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if "n_params" not in given or ("tokens" in given) == ("flops" in given):
        raise InputError(
            "a point needs --n-params, and --tokens or --flops (6 N D); many points at once: --points FILE"
        )
    return _frame({name: [value] for name, value in given.items()})


def points_from_file(path: Path, also: Sequence[Column] = ()) -> "pd.DataFrame":
    """Points, one per row of a table with the columns of a run table; ``loss`` is not needed.

    Parameters
    ----------
    path
        The table.
    also
        Columns that are read besides, where they are there; an empty cell is NaN.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing or nearly a known one, or a cell holds what
        its column cannot. All problems together.
    """
    from bitlaw.runs.files import read_file

    return _points_of(read_file(path), also)


def plans_from_file(path: Path) -> "pd.DataFrame":
    """Plans, one per row of a table with the columns of a run table, called by ``name`` or ``run_id``.

    Raises
    ------
    InputError
        As for ``points_from_file``.
    """
    from bitlaw.runs.files import read_file

    table = read_file(path)
    names = table.columns.get("name", [None] * table.n_rows)
    return _points_of(table).assign(name=["" if name is None else str(name) for name in names])


def _points_of(table: "RawTable", also: Sequence[Column] = ()) -> "pd.DataFrame":
    """The points in a table, every canonical column of them, and those asked for besides."""
    from bitlaw.runs.problems import first_problems

    specs = BY_NAME | {column.name: column for column in also}
    columns = {name: cells for name, cells in table.columns.items() if name in specs}
    read = {name: [read_cell(specs[name], raw) for raw in cells] for name, cells in columns.items()}
    problems = _header_problems(table) + [
        f"{table.place(row, name)}: {cell.problem}"
        for name, cells in read.items()
        for row, cell in enumerate(cells, start=1)
        if cell.problem
    ]
    values = {name: [cell.value for cell in cells] for name, cells in read.items()}
    if not problems:
        problems = _size_problems(table, values)
    if problems:
        raise InputError(first_problems(problems, table.source))
    beside = {column.name: values.pop(column.name) for column in also if column.name in values}
    values = {name: cells for name, cells in values.items() if name == "run_id" or name not in NOT_CONDITIONS}
    frame = _frame(values)
    return frame.assign(**{name: [float(cell or "nan") for cell in cells] for name, cells in beside.items()})


def _header_problems(table: "RawTable") -> list[str]:
    from bitlaw.runs.headers import SURE_TYPO, nearest_column, unknown_columns

    problems = []
    for name in unknown_columns(table):
        near, similarity = nearest_column(name)
        if similarity >= SURE_TYPO and near not in table.columns:
            problems.append(f'{table.source}: column "{name}" is unknown; did you mean "{near}"?')
    for needed, instead in (("n_params", ""), ("tokens", "flops")):
        if needed not in table.columns and instead not in table.columns:
            either = f" (and so is {instead}, which could stand in for it)" if instead else ""
            has = ", ".join(table.columns)
            problems.append(f'{table.source}: column "{needed}" is missing{either}; the table has: {has}')
    return problems


def _size_problems(table: "RawTable", values: Mapping[str, list[float | str | None]]) -> list[str]:
    empty: list[float | str | None] = [None] * table.n_rows
    tokens, flops = values.get("tokens", empty), values.get("flops", empty)
    sizes = {"n_params": values["n_params"], "tokens": [a or b for a, b in zip(tokens, flops, strict=True)]}
    return [
        f"{table.place(row, name)}: is empty; valid: {valid_values(BY_NAME[name])}"
        for name, cells in sizes.items()
        for row, value in enumerate(cells, start=1)
        if value is None
    ]


def _frame(values: dict[str, list[float | str | None]]) -> "pd.DataFrame":
    """Points with every canonical column; empty cells take their column's default."""
    import pandas as pd

    from bitlaw.decisions.costs import tokens_bought
    from bitlaw.inference.draws import points_frame

    frame = pd.DataFrame(
        {
            name: pd.Series(cells, dtype=object if BY_NAME[name].kind == "text" else float)
            for name, cells in values.items()
        }
    )
    for name in frame:
        default = BY_NAME[str(name)].default
        if default is not None:
            frame[name] = frame[name].fillna(default)
    if "flops" in frame:
        bought = [
            float(tokens_bought(flops, n_params, 1.0))
            for flops, n_params in zip(frame["flops"], frame["n_params"], strict=True)
        ]
        known = frame["tokens"] if "tokens" in frame else pd.Series(float("nan"), frame.index)
        frame["tokens"] = known.fillna(pd.Series(bought, frame.index))
        frame = frame.drop(columns="flops")
    return points_frame(**{str(name): cells.tolist() for name, cells in frame.items()})
