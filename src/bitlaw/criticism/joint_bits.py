"""Tensor kinds quantized together as they never were in a fitted run. NumPy only."""

import numpy as np
import pandas as pd

from bitlaw.finding import Finding, Status
from bitlaw.inference.distance import BITS, bits_values, measured_rows
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits

CODE = "extrapolation.joint_bits"

_NAMES = BITS | {"bits_post": "weights after training"}


def joint_bits_finding(fit: Fit, points: pd.DataFrame) -> Finding | None:
    """WARN where no fitted row has all of a point's low precisions at once, or fewer bits of each.

    Penalties grow as bits fall, so that a row with as few bits or fewer in every kind has shown how they
    combine. Kinds that lie below all fitted bits on their own are told apart from this.

    Parameters
    ----------
    fit
        The fit.
    points
        Points to predict, canonical columns.
    """
    rows = measured_rows(fit)
    read = [column for column in BITS if column in fit.law.training_columns]
    read += ["bits_post"] if fit.law.post is not None else []
    if len(read) < 2 or rows.empty:
        return None
    asked, fitted = (np.stack([_bits(frame, column) for column in read], axis=1) for frame in (points, rows))
    low = asked < UNQUANTIZED_BITS
    reached = (fitted[None] <= asked[:, None]) | ~low[:, None]
    alone, together = reached.any(axis=1).all(axis=1), reached.all(axis=2).any(axis=1)
    never = np.flatnonzero((low.sum(axis=1) > 1) & alone & ~together)
    if not len(never):
        return None
    point = int(never[0])
    which = ", ".join(
        f"{_NAMES[column]} at {format_bits(asked[point, index])}"
        for index, column in enumerate(read)
        if low[point, index]
    )
    return Finding(
        CODE,
        Status.WARN,
        0.0,
        1.0,
        f"No fitted run has so few bits in all of these at once ({which}): each was measured, how their "
        "penalties combine is the law's form.",
        "Log a run with all of them at these bits together.",
    )


def _bits(frame: pd.DataFrame, column: str) -> np.ndarray:
    return np.nan_to_num(bits_values(frame, column), nan=UNQUANTIZED_BITS)
