"""One fit per law on the command line: opened together, answered together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.cli.files import open_fit
from bitlaw.cli.output import Result, print_result
from bitlaw.finding import Status

if TYPE_CHECKING:
    from bitlaw.inference.fit import Fit


def open_fits(paths: Sequence[Path]) -> "list[Fit]":
    """The fit in each file.

    Raises
    ------
    InputError
        If one is no Fit file.
    """
    return [open_fit([path]) for path in paths]


def print_answer(
    command: str, fits: "Sequence[Fit]", result: Result, as_json: bool, quiet: bool = False
) -> int:
    """Print an answer, marked where one of the fits did not converge, and return the exit code."""
    unconverged = [fit for fit in fits if fit.status is Status.FAIL]
    return print_result(command, (unconverged or list(fits))[0], result, as_json, quiet)
