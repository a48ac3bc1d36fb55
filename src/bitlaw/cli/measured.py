"""Losses of one checkpoint after quantization, from a table."""

from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError
from bitlaw.runs.cells import read_cell
from bitlaw.runs.columns import BY_NAME

if TYPE_CHECKING:
    import pandas as pd

_REQUIRED = ("bits_post", "loss")
_COLUMNS = (*_REQUIRED, "method_post", "loss_se")


def measured_from_file(path: Path) -> "pd.DataFrame":
    """Measured points of a checkpoint, one per row: ``bits_post``, ``loss``, ``method_post``, ``loss_se``.

    The last two may be missing; other columns are left alone. A row with an empty ``bits_post`` is the loss as
    trained.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, or a cell holds what its column cannot. All
        problems together.
    """
    import pandas as pd

    from bitlaw.runs.files import read_file
    from bitlaw.runs.problems import first_problems

    table = read_file(path)
    missing = [name for name in _REQUIRED if name not in table.columns]
    problems = [
        f'{table.source}: column "{name}" is missing; the table has: {", ".join(table.columns)}'
        for name in missing
    ]
    read = {
        name: [read_cell(BY_NAME[name], raw) for raw in table.columns[name]]
        for name in _COLUMNS
        if name in table.columns
    }
    problems += [
        f"{table.place(row, name)}: {cell.problem}"
        for name, cells in read.items()
        for row, cell in enumerate(cells, start=1)
        if cell.problem
    ]
    problems += [
        f"{table.place(row, 'loss')}: is empty; valid: a positive number (nats/token)"
        for row, cell in enumerate(read.get("loss", []), start=1)
        if cell.value is None and not cell.problem
    ]
    if problems:
        raise InputError(first_problems(problems, str(path)))
    return pd.DataFrame(
        {
            name: pd.Series(
                [cell.value for cell in cells], dtype=object if BY_NAME[name].kind == "text" else float
            )
            for name, cells in read.items()
        }
    )
