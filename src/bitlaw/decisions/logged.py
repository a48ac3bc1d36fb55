"""What was logged at a bit-width: how many runs diverged, and whether the data reach there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.decisions.question import TENSORS
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS


@dataclass(frozen=True)
class Diverged:
    """Logged training runs at a bit-width, and how many of them diverged."""

    runs: int
    of: int

    def __str__(self) -> str:
        """For example ``1 of 4``."""
        return f"{self.runs} of {self.of}"


@dataclass(frozen=True)
class LoggedRuns:
    """The training runs of a table, used and excluded.

    Parameters
    ----------
    bits
        Training precision per run-table column, arrays of shape (runs,); 16 and more are 16.
    diverged, used
        Whether each run diverged, and whether the fit used it; shape (runs,).
    """

    bits: Mapping[str, np.ndarray]
    diverged: np.ndarray
    used: np.ndarray

    def diverged_at(self, training_bits: Mapping[str, float]) -> Diverged:
        """Count the runs logged at exactly these bits, and the diverged among them."""
        there = np.ones(len(self.used), dtype=bool)
        for column, bits in training_bits.items():
            there &= self.bits[column] == min(bits, UNQUANTIZED_BITS)
        return Diverged(int((there & self.diverged).sum()), int(there.sum()))

    def reach(self, bits: float, tensors: tuple[str, ...]) -> bool:
        """Whether the used runs' bits reach around this bit-width for every tensor kind."""
        capped = min(bits, UNQUANTIZED_BITS)
        measured = (self.bits[TENSORS[name]][self.used] for name in tensors)
        return all(bool(values.min() <= capped <= values.max()) for values in measured)


def logged_runs(fit: Fit) -> LoggedRuns:
    """The training runs behind a fit: its rows and those excluded, one per ``run_id``."""
    tables = [frame.assign(used=frame is fit.rows) for frame in (fit.rows, fit.excluded) if len(frame)]
    runs = pd.concat(tables).drop_duplicates("run_id")
    return LoggedRuns(
        bits={
            column: np.minimum(runs[column].to_numpy(np.float64), UNQUANTIZED_BITS)
            for column in TENSORS.values()
        },
        diverged=(runs["status"] == "diverged").to_numpy(bool),
        used=runs["used"].to_numpy(bool),
    )
