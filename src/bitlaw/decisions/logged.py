"""What was logged in a precision: how many runs diverged, and whether the data reach there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.question import TENSORS
from bitlaw.inference.columns import backward_schemes, schemes
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS


@dataclass(frozen=True)
class Diverged:
    """Logged training runs in a precision, and how many of them diverged."""

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
    scheme, backward
        Forward and backward format of each run with its bits, shape (runs,); empty where unquantized.
    diverged, used
        Whether each run diverged, and whether the fit used it; shape (runs,).
    """

    bits: Mapping[str, np.ndarray]
    scheme: np.ndarray
    backward: np.ndarray
    diverged: np.ndarray
    used: np.ndarray

    def diverged_at(self, option: OnOffer) -> Diverged:
        """Count the runs logged in exactly this precision, and the diverged among them."""
        there = self._trained_in(option)
        return Diverged(int((there & self.diverged).sum()), int(there.sum()))

    def reach(self, option: OnOffer) -> bool:
        """Whether the used runs' bits reach around this bit-width for every tensor kind.

        For a format: whether a used run was trained in it.
        """
        if option.format is not None:
            return bool((self._trained_in(option) & self.used).any())
        asked = {column: bits for column, bits in option.columns.items() if column in self.bits}
        return all(
            bool(self.bits[column][self.used].min() <= capped <= self.bits[column][self.used].max())
            for column, capped in ((column, min(bits, UNQUANTIZED_BITS)) for column, bits in asked.items())
        )

    def _trained_in(self, option: OnOffer) -> np.ndarray:
        if option.format is None:
            there = np.ones(len(self.used), dtype=bool)
            for column, bits in self.bits.items():
                there &= bits == min(option.columns.get(column, UNQUANTIZED_BITS), UNQUANTIZED_BITS)
            return there
        point = points_of([option], [1.0], [1.0], {})
        backward = backward_schemes(point)[0]
        there = self.scheme == schemes(point)[0]
        return there & (self.backward == backward) if backward else there


def logged_runs(fit: Fit) -> LoggedRuns:
    """The training runs behind a fit: its rows and those excluded, one per ``run_id``."""
    tables = [frame.assign(used=frame is fit.rows) for frame in (fit.rows, fit.excluded) if len(frame)]
    runs = pd.concat(tables).drop_duplicates("run_id")
    return LoggedRuns(
        bits={
            column: np.minimum(runs[column].to_numpy(np.float64), UNQUANTIZED_BITS)
            for column in TENSORS.values()
        },
        scheme=schemes(runs).to_numpy(object),
        backward=backward_schemes(runs).to_numpy(object),
        diverged=(runs["status"] == "diverged").to_numpy(bool),
        used=runs["used"].to_numpy(bool),
    )
