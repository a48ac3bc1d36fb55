"""What was logged at a bit-width: how many runs diverged, and whether the data reach there."""

from dataclasses import dataclass

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


def diverged_runs(fit: Fit, training_bits: dict[str, float]) -> Diverged:
    """Count the training runs logged at these bits, used or excluded, and the diverged among them.

    Parameters
    ----------
    fit
        The fit.
    training_bits
        Bits per run-table column; 16 and more are alike.
    """
    counts = [_count(frame, training_bits) for frame in (fit.rows, fit.excluded) if len(frame)]
    return Diverged(sum(diverged for diverged, _ in counts), sum(runs for _, runs in counts))


def _count(frame: pd.DataFrame, training_bits: dict[str, float]) -> tuple[int, int]:
    trained = frame[frame["bits_post"].isna()]
    for column, bits in training_bits.items():
        trained = trained[trained[column].clip(upper=UNQUANTIZED_BITS) == min(bits, UNQUANTIZED_BITS)]
    diverged = trained[trained["status"] == "diverged"]
    return diverged["run_id"].nunique(), trained["run_id"].nunique()


def is_measured(fit: Fit, bits: float, tensors: tuple[str, ...]) -> bool:
    """Whether the fitted runs' training bits reach around this bit-width for every tensor kind."""
    capped = min(bits, UNQUANTIZED_BITS)
    measured = (fit.rows[TENSORS[name]].clip(upper=UNQUANTIZED_BITS) for name in tensors)
    return all(bool(column.min() <= capped <= column.max()) for column in measured)
