"""Files named on the command line: opened, or checked to be writable, before anything is computed."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError

if TYPE_CHECKING:
    from bitlaw.inference.fit import Fit
    from bitlaw.runs.table import RunTable

FIT_SUFFIX = ".nc"


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


def open_runs(path: Path, mapping: Path | None) -> "RunTable":
    """The run table in a file.

    Raises
    ------
    InputError
        If table or mapping cannot be used.
    """
    from bitlaw.workflow.preparing import as_table

    if path.suffix.lower() == FIT_SUFFIX:
        raise InputError(f"{path}: this is a fit by its name; valid: a run table (.csv, .jsonl, .parquet)")
    return as_table(path, mapping)


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
