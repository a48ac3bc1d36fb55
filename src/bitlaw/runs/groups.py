"""Columns whose groups constants can be pooled over."""

from bitlaw.errors import InputError, did_you_mean
from bitlaw.runs.columns import BY_NAME
from bitlaw.runs.table import RunTable

_NO_GROUPS = ("run_id", "status", "exclude")


def require_groups(table: RunTable, pool: str) -> None:
    """Check that a column to pool over has a group in every row.

    Raises
    ------
    InputError
        For a column that is absent, holds numbers, names runs, or is empty in some row.
    """
    texts = [str(name) for name in table.frame.columns if name not in BY_NAME or BY_NAME[name].kind == "text"]
    groups = [name for name in texts if name not in _NO_GROUPS]
    if pool not in groups:
        what = "no column of groups" if pool in table.frame else "no such column"
        raise InputError(f'{table.source}: pool "{pool}": {what}; {did_you_mean(pool, groups)}')
    empty = table.frame[pool].isna() | (table.frame[pool].astype(str) == "")
    if empty.any():
        what = "is empty" if empty.all() else f"is empty in {int(empty.sum())} of {len(empty)} rows"
        raise InputError(f'{table.source}: pool "{pool}": the column {what}; valid: a group in every row')
