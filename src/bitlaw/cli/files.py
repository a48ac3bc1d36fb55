"""Files named on the command line: opened, or checked to be writable, before anything is computed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError, did_you_mean
from bitlaw.runs.columns import BY_NAME

if TYPE_CHECKING:
    from bitlaw.inference.fit import Fit
    from bitlaw.runs.table import RunTable

FIT_SUFFIX = ".nc"

_NO_GROUPS = ("run_id", "status", "exclude")


def open_fit(paths: Sequence[Path]) -> "Fit":
    """The fit in the one file given.

    Raises
    ------
    InputError
        If there are several, or it is no Fit file.
    """
    if len(paths) > 1:
        raise InputError(
            f"{len(paths)} fits given ({', '.join(map(str, paths))}); several laws at once are not "
            "supported yet: give one"
        )
    from bitlaw.inference.fit_file import load_fit

    return load_fit(paths[0])


def open_runs(path: Path, mapping: Path | None, pool: str | None) -> "RunTable":
    """The run table in a file, with a column to pool over if one is asked for.

    Raises
    ------
    InputError
        If table or mapping cannot be used, or the table has no column to pool over.
    """
    from bitlaw.workflow import as_table

    if path.suffix.lower() == FIT_SUFFIX:
        raise InputError(f"{path}: this is a fit by its name; valid: a run table (.csv, .jsonl, .parquet)")
    table = as_table(path, mapping)
    if pool is not None:
        _require_groups(table, path, pool)
    return table


def _require_groups(table: "RunTable", path: Path, pool: str) -> None:
    texts = [str(name) for name in table.frame.columns if name not in BY_NAME or BY_NAME[name].kind == "text"]
    groups = [name for name in texts if name not in _NO_GROUPS]
    if pool not in groups:
        what = "no column of groups" if pool in table.frame else "no such column"
        raise InputError(f'{path}: --pool "{pool}": {what}; {did_you_mean(pool, groups)}')
    empty = table.frame[pool].isna() | (table.frame[pool].astype(str) == "")
    if empty.any():
        what = "is empty" if empty.all() else f"is empty in {int(empty.sum())} of {len(empty)} rows"
        raise InputError(f'{path}: --pool "{pool}": the column {what}; valid: a group in every row')


def require_output_file(path: Path) -> None:
    """Check that a Fit file can be written here, without writing.

    Raises
    ------
    InputError
        For another suffix, a folder of that name, or a folder that cannot be made or written to.
    """
    if path.suffix != FIT_SUFFIX:
        raise InputError(f"--out {path}: valid: a file name that ends in {FIT_SUFFIX}")
    if path.is_dir():
        raise InputError(f"--out {path}: this is a folder; valid: the path of a file")
    require_output_folder(path.parent)


def require_output_folder(path: Path) -> None:
    """Check that files can be written to a folder, or that it can be made, without making it.

    Raises
    ------
    InputError
        If a file is in the way, or its nearest existing parent cannot be written to.
    """
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not existing.is_dir():
        raise InputError(f"--out {path}: {existing} is a file, not a folder; choose another place")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"--out {path}: {existing} cannot be written to; choose another place")
