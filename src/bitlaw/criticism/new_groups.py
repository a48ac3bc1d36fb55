"""Groups, formats and methods asked about that were never measured. NumPy only."""

import pandas as pd

from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL, level_names, varying

FEWEST_GROUPS = 5
"""Groups from which a spread can be learned; of fewer, its prior decides most of the width."""

_NAMES = {"scheme": "format", "scheme_backward": "backward format", "method_post": "post-training method"}


def new_group_findings(fit: Fit, points: pd.DataFrame) -> tuple[Finding, ...]:
    """One WARN ``groups.new`` per column in which a point is of the level ``new``.

    The value is the number of measured groups, whose spread the constants are drawn from.

    Parameters
    ----------
    fit
        The fit.
    points
        Points to predict, canonical run-table columns.
    """
    found = []
    for column in dict.fromkeys((*fit.pool, *fit.law.by)):
        measured = fit.levels(column)
        names = varying(fit.law, fit.pool, {column: True})
        if names and NEW_LEVEL not in measured and (level_names(points, column) == NEW_LEVEL).any():
            found.append(_finding(_NAMES.get(column, column), measured, tuple(names)))
    return tuple(found)


def _finding(what: str, measured: tuple[str, ...], constants: tuple[str, ...]) -> Finding:
    few = len(measured) < FEWEST_GROUPS
    if len(measured) < 2:
        spread = f"the prior of a spread, for {len(measured)} {what} was measured"
    else:
        spread = f"the spread between {len(measured)} groups ({', '.join(measured)})"
        spread += ", so few that the prior of the spread decides much of the width" if few else ""
    return Finding(
        "groups.new",
        Status.WARN,
        float(len(measured)),
        float(FEWEST_GROUPS),
        f'{what.capitalize()} "{NEW_LEVEL}" was never measured: its constants ({", ".join(constants)}) are '
        f"drawn from {spread}.",
        f"Log a few runs of that {what}, or ask about one that was measured.",
    )
