"""Splits beyond the measured bits, tokens per parameter or sizes, to measure the drift of penalties."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from held_out import trained_only

from bitlaw import RunTable, load_law
from bitlaw.criticism.levels import SAME_SIZE
from bitlaw.inference.columns import schemes
from bitlaw.inference.distance import Range, log_ratio
from bitlaw.inference.hull import convex_hull, hull_vector
from bitlaw.laws.law import Law

TRAINED, POST = "in training", "after training"
HELD_OUT = 0.3
"""Share of the runs with the penalty, those with the most tokens per parameter or compute, that is held out."""

RATIO, HULL = "tokens per parameter", "size"
DISTANCES = (RATIO, HULL)
"""What is extrapolated besides bits: D/N out of the range of the rows that have the penalty, or (N, D) out
of their convex hull; both in decades."""

_BY = {
    "D/N": lambda frame: frame["tokens"] / frame["n_params"],
    "N D": lambda frame: frame["tokens"] * frame["n_params"],
}

_CELL = ["corpus", "family", "n_params", "tokens", "seed"]
_BITS = ("bits_weights", "bits_activations", "bits_kv")


@dataclass(frozen=True)
class PenaltySplit:
    """Penalties beyond the fitted ones.

    Parameters
    ----------
    table, direction
        Which table, and what is extrapolated: ``bits``, ``D/N`` or ``N D``.
    kind
        ``in training`` or ``after training``.
    train
        Rows fitted.
    low, high
        Held-out rows with the penalty, and what each is compared with: the same run or cell without it.
    beyond
        By each of ``DISTANCES``: decades plus bits beyond the fitted rows that have the penalty, per
        held-out row.
    law
        The law to fit.
    """

    table: str
    direction: str
    kind: str
    train: RunTable
    low: pd.DataFrame
    high: pd.DataFrame
    beyond: dict[str, np.ndarray]
    law: Law

    @property
    def label(self) -> str:
        """Such as ``quest_qat penalty, bits``."""
        return f"{self.table} penalty, {self.direction}"


def penalty_splits(quest: RunTable, tables: RunTable, sweep: RunTable) -> Iterator[PenaltySplit]:
    """Every split.

    Parameters
    ----------
    quest
        Quantization-aware training.
    tables
        Public tables of post-training quantization.
    sweep
        The embedded sweep, all rows.
    """
    trained = sweep.without(sweep.frame["bits_post"].notna(), "quantized after training")
    for name, table in (("quest_qat", quest), ("sweep_qat", trained)):
        yield from _of_training(name, table)
    yield _lowest_after("ptq_tables", tables, load_law("ptq-gap"))
    yield _lowest_after("sweep_ptq", sweep, load_law("bitlaw-default"))
    for direction in _BY:
        yield _most_after("sweep_ptq", sweep, direction)


def _of_training(name: str, table: RunTable) -> Iterator[PenaltySplit]:
    """The lowest bits of every tensor kind, then the runs with the most tokens per parameter."""
    frame = table.frame
    is_low = schemes(frame) != ""
    reference = frame[~is_low].drop_duplicates(_CELL).set_index(_CELL, drop=False)
    paired = is_low & pd.MultiIndex.from_frame(frame[_CELL]).isin(reference.index)
    lowest = {column: frame[column].min() for column in _BITS}
    held_out = {
        "bits": pd.concat([(frame[c] == low) & (low < 16) for c, low in lowest.items()], axis=1).any(axis=1)
    }
    for direction, of in _BY.items():
        size = of(frame)
        held_out[direction] = (1 + SAME_SIZE) * size > size[is_low].quantile(1 - HELD_OUT)
    for direction, out in held_out.items():
        train = table.without(out, "held out")
        low = frame[out & paired]
        high = reference.loc[pd.MultiIndex.from_frame(low[_CELL])].set_axis(low.index)
        seen = train.frame[is_low[train.frame.index]]
        bits = np.max([np.maximum(seen[c].min() - low[c], 0.0) for c in _BITS], axis=0)
        yield PenaltySplit(
            name, direction, TRAINED, train, low, high, _beyond(bits, low, seen), trained_only("coupled")
        )


def _lowest_after(name: str, table: RunTable, law: Law) -> PenaltySplit:
    """Of every family and method with several bit-widths after training, the lowest."""
    frame = table.frame
    after = frame[frame["bits_post"].notna()]
    bits = after.groupby(["family", "method_post"])["bits_post"]
    lowest = after[(after["bits_post"] == bits.transform("min")) & (bits.transform("nunique") > 1)]
    train = table.without(pd.Series(frame.index.isin(lowest.index), frame.index), "held out")
    seen = train.frame[train.frame["bits_post"].notna()]
    # A method has constants of its own, so what is beyond is beyond the rows of that method.
    fitted = seen.groupby("method_post")["bits_post"].min()
    least = lowest["method_post"].map(fitted)
    lowest = lowest[least.notna()]
    bits = np.maximum(least[lowest.index] - lowest["bits_post"], 0.0).to_numpy(np.float64)
    return PenaltySplit(
        name, "bits", POST, train, lowest, _as_trained(frame, lowest), _beyond(bits, lowest, seen), law
    )


def _most_after(name: str, table: RunTable, direction: str) -> PenaltySplit:
    """Runs with the most tokens per parameter, or compute, with all their rows after training."""
    frame = table.frame
    size = _BY[direction](frame)
    out = size > _BY[direction](frame.drop_duplicates("run_id")).quantile(1 - HELD_OUT)
    train = table.without(out, "held out")
    low = frame[out & frame["bits_post"].notna()]
    seen = train.frame[train.frame["bits_post"].notna()]
    law = load_law("bitlaw-default")
    beyond = _beyond(np.zeros(len(low)), low, seen)
    return PenaltySplit(name, direction, POST, train, low, _as_trained(frame, low), beyond, law)


def _as_trained(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    own = frame[frame["bits_post"].isna()].set_index("run_id", drop=False)
    return own.loc[rows["run_id"]].set_axis(rows.index)


def _beyond(bits: np.ndarray, rows: pd.DataFrame, seen: pd.DataFrame) -> dict[str, np.ndarray]:
    """Bits beyond, and decades beyond the fitted rows with the penalty by either distance."""
    fitted = log_ratio(seen)
    ratio = Range(fitted.min(), fitted.max()).excess(log_ratio(rows))
    own, hull = (np.log10(one[["n_params", "tokens"]].to_numpy(np.float64)) for one in (rows, seen))
    size = np.linalg.norm(hull_vector(convex_hull(hull), own), axis=1)
    return {RATIO: bits + ratio, HULL: bits + size}
