"""Splits beyond the measured bits or tokens per parameter, to measure the drift of penalties."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from held_out import trained_only

from bitlaw import RunTable, load_law
from bitlaw.criticism.levels import SAME_SIZE
from bitlaw.inference.columns import schemes
from bitlaw.laws.law import Law

TRAINED, POST = "in training", "after training"
HELD_OUT_RATIOS = 0.3
"""Share of the runs with the penalty, those with the most tokens per parameter, that is held out."""

_CELL = ["corpus", "family", "n_params", "tokens", "seed"]
_BITS = ("bits_weights", "bits_activations", "bits_kv")


@dataclass(frozen=True)
class PenaltySplit:
    """Penalties beyond the fitted ones.

    Parameters
    ----------
    table, direction
        Which table, and what is extrapolated: ``bits`` or ``D/N``.
    kind
        ``in training`` or ``after training``.
    train
        Rows fitted.
    low, high
        Held-out rows with the penalty, and what each is compared with: the same run or cell without it.
    beyond
        Decades of D/N plus bits beyond the fitted rows that have the penalty, per held-out row.
    law
        The law to fit.
    """

    table: str
    direction: str
    kind: str
    train: RunTable
    low: pd.DataFrame
    high: pd.DataFrame
    beyond: np.ndarray
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
    yield _longest_after("sweep_ptq", sweep)


def _of_training(name: str, table: RunTable) -> Iterator[PenaltySplit]:
    """The lowest bits of every tensor kind, then the runs with the most tokens per parameter."""
    frame = table.frame
    is_low = schemes(frame) != ""
    reference = frame[~is_low].drop_duplicates(_CELL).set_index(_CELL, drop=False)
    paired = is_low & pd.MultiIndex.from_frame(frame[_CELL]).isin(reference.index)
    lowest = {column: frame[column].min() for column in _BITS}
    held_out = pd.concat([(frame[c] == low) & (low < 16) for c, low in lowest.items()], axis=1).any(axis=1)
    ratio = frame["tokens"] / frame["n_params"]
    longest = (1 + SAME_SIZE) * ratio > ratio[is_low].quantile(1 - HELD_OUT_RATIOS)
    for direction, out in (("bits", held_out), ("D/N", longest)):
        train = table.without(out, "held out")
        low = frame[out & paired]
        high = reference.loc[pd.MultiIndex.from_frame(low[_CELL])].set_axis(low.index)
        seen = train.frame[is_low[train.frame.index]]
        missing = [np.maximum(seen[c].min() - low[c], 0.0) for c in _BITS]
        bits = np.max(missing, axis=0)
        yield PenaltySplit(
            name, direction, TRAINED, train, low, high, bits + _decades(low, seen), trained_only("coupled")
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
    beyond = np.maximum(least[lowest.index] - lowest["bits_post"], 0.0).to_numpy(np.float64)
    return PenaltySplit(
        name, "bits", POST, train, lowest, _as_trained(frame, lowest), beyond + _decades(lowest, seen), law
    )


def _longest_after(name: str, table: RunTable) -> PenaltySplit:
    """Runs with the most tokens per parameter, with all their rows after training."""
    frame = table.frame
    runs = frame.drop_duplicates("run_id")
    limit = (runs["tokens"] / runs["n_params"]).quantile(1 - HELD_OUT_RATIOS)
    out = frame["tokens"] / frame["n_params"] > limit
    train = table.without(out, "held out")
    low = frame[out & frame["bits_post"].notna()]
    seen = train.frame[train.frame["bits_post"].notna()]
    law = load_law("bitlaw-default")
    return PenaltySplit(name, "D/N", POST, train, low, _as_trained(frame, low), _decades(low, seen), law)


def _as_trained(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    own = frame[frame["bits_post"].isna()].set_index("run_id", drop=False)
    return own.loc[rows["run_id"]].set_axis(rows.index)


def _decades(rows: pd.DataFrame, seen: pd.DataFrame) -> np.ndarray:
    """Decades of D/N outside the range of the fitted rows with the penalty."""
    own, fitted = (np.log10(one["tokens"] / one["n_params"]).to_numpy(np.float64) for one in (rows, seen))
    return np.maximum(own - fitted.max(), 0.0) + np.maximum(fitted.min() - own, 0.0)
