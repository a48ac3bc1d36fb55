"""Columns whose groups constants can be pooled over."""

from collections.abc import Sequence

from bitlaw.errors import InputError, did_you_mean
from bitlaw.runs.columns import BY_NAME
from bitlaw.runs.table import RunTable

_MOST_COLUMNS = 2
_NO_GROUPS = ("run_id", "status", "exclude")


def require_groups(table: RunTable, pool: Sequence[str]) -> None:
    """Check that columns to pool over have a group in every row.

    Parameters
    ----------
    table
        The run table.
    pool
        None, one or two columns.

    Raises
    ------
    InputError
        For more than two columns or the same twice, and for a column that is absent, holds numbers,
        names runs, or is empty in some row.
    """
    if len(pool) > _MOST_COLUMNS or len(set(pool)) < len(pool):
        raise InputError(f"{table.source}: pool {', '.join(pool)}: valid: one or two different columns")
    texts = [str(name) for name in table.frame.columns if name not in BY_NAME or BY_NAME[name].kind == "text"]
    groups = [name for name in texts if name not in _NO_GROUPS]
    for column in pool:
        if column not in groups:
            what = "no column of groups" if column in table.frame else "no such column"
            raise InputError(f'{table.source}: pool "{column}": {what}; {did_you_mean(column, groups)}')
        empty = table.frame[column].isna() | (table.frame[column].astype(str) == "")
        if empty.any():
            what = "is empty" if empty.all() else f"is empty in {int(empty.sum())} of {len(empty)} rows"
            valid = "valid: a group in every row"
            raise InputError(f'{table.source}: pool "{column}": the column {what}; {valid}')
