"""What was measured, as the figures show it."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.inference.fit import Fit
from bitlaw.reporting.grouping import precision_of
from bitlaw.reporting.words import figure_name
from bitlaw.units import format_count

_CELL = ["corpus", "n_params", "tokens", "seed"]
_TRAINING_BITS = ["bits_weights", "bits_activations", "bits_kv"]
_HOW_QUANTIZED = ("format", "format_backward", "method", "method_post")


def group_columns(fit: Fit) -> tuple[str, ...]:
    """Columns pooled over that say which runs these are, not how they were quantized."""
    return tuple(column for column in fit.pool if column not in _HOW_QUANTIZED)


def shown_rows(fit: Fit) -> pd.DataFrame:
    """The rows the figures show: all, or those of the largest run's group where constants are pooled."""
    rows, largest = fit.rows, fit.largest_run()
    for column in group_columns(fit):
        rows = rows[rows[column] == largest[column]]
    return rows


_LONGEST = 40


def shown_group(fit: Fit) -> str:
    """The group that curves show, to stand in a sentence: "(corpus web)"; empty without pooling."""
    largest = fit.largest_run()
    named = [f"{column} {figure_name(str(largest[column]), _LONGEST)}" for column in group_columns(fit)]
    return f" ({', '.join(named)})" if named else ""


def trained_rows(fit: Fit) -> pd.DataFrame:
    """The shown rows evaluated as trained."""
    rows = shown_rows(fit)
    return rows[rows["bits_post"].isna()]


def paired_gaps(fit: Fit, every_group: bool = False) -> pd.DataFrame:
    """Post-training rows whose run was also evaluated as trained, with ``gap`` in nats/token.

    Parameters
    ----------
    fit
        The fit.
    every_group
        Whether those of all groups of a pooled fit are wanted, not of the shown one alone.
    """
    rows = fit.rows if every_group else shown_rows(fit)
    own = rows[rows["bits_post"].isna()].drop_duplicates("run_id").set_index("run_id")["loss"]
    post = rows[rows["bits_post"].notna()]
    before = post["run_id"].map(own).astype(np.float64)
    return post.assign(gap=post["loss"] - before).dropna(subset="gap")


def most_common(values: pd.Series, default: object) -> object:
    """The value that occurs most often, ``default`` where there is none."""
    counts = values[(values != "") & values.notna()].value_counts()
    return counts.index[0] if len(counts) else default


def token_range(frame: pd.DataFrame) -> tuple[float, float]:
    """Fewest and most tokens, at least a factor of 1.5 apart."""
    lo, hi = float(frame["tokens"].min()), float(frame["tokens"].max())
    return (lo, hi) if hi / lo >= 1.5 else (lo / math.sqrt(1.5), hi * math.sqrt(1.5))


@dataclass(frozen=True)
class Cell:
    """Training runs of one size and one number of tokens."""

    n_params: float
    tokens: float

    @property
    def label(self) -> str:
        """For example ``24.6k, 1M tokens``."""
        return f"{format_count(self.n_params)}, {format_count(self.tokens)} tokens"

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of this cell."""
        return frame[(frame["n_params"] == self.n_params) & (frame["tokens"] == self.tokens)]


def precision_penalties(fit: Fit) -> pd.DataFrame:
    """The shown quantized training runs with ``penalty``: their loss over that of their 16-bit twin.

    A twin is a 16-bit run of the same corpus, parameters, tokens and seed, so that what a seed does to
    a loss cancels; runs without one are left out.
    """
    trained = trained_rows(fit)
    unquantized = np.array([one.is_unquantized for one in precision_of(trained)], dtype=bool)
    twins = trained[unquantized].groupby(_CELL, dropna=False)["loss"].mean().rename("twin").reset_index()
    merged = trained[~unquantized].merge(twins, on=_CELL)
    return merged.assign(penalty=merged["loss"] - merged["twin"])


def busiest_cells(penalties: pd.DataFrame, most: int = 4) -> tuple[Cell, ...]:
    """The cells with the most distinct training precisions, by size and tokens."""
    distinct = penalties.drop_duplicates(["n_params", "tokens", *_TRAINING_BITS])
    counts = distinct.groupby(["n_params", "tokens"]).size().sort_values(ascending=False, kind="stable")
    keys = counts.index[:most].to_frame().to_numpy(np.float64)
    cells = [Cell(float(n), float(d)) for n, d in keys]
    return tuple(sorted(cells, key=lambda cell: (cell.n_params, cell.tokens)))
