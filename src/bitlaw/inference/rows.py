"""A run table arranged for the likelihood: training runs, cells, levels, and blocks of losses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bitlaw.inference.columns import law_columns
from bitlaw.inference.levels import Factor, factor
from bitlaw.laws.law import Law, Reference

_CELL = ["corpus", "n_params", "tokens", "seed"]
_PRECISION = ["bits_weights", "bits_activations", "bits_kv", "bits_gradients", "format", "method"]
_CAPACITY_BITS = ("bits_weights", "bits_activations", "bits_kv", "bits_gradients")
_UNMEASURED_SCALE = 4.0
"""Scale of a floor whose tensor kind was never quantized in the table; nothing but the prior informs it."""


@dataclass(frozen=True)
class Block:
    """Rows that enter the likelihood alike.

    Parameters
    ----------
    run, cell, row
        Index of each row's run, of its cell (-1 = none), and of the row in the frame.
    loss
        What was measured, nats/token.
    relative_error
        Standard error of it as a share of it; 0 where unknown.
    loss_trained
        Measured loss of the run as trained; NaN where there is none.
    """

    run: np.ndarray
    cell: np.ndarray
    row: np.ndarray
    loss: np.ndarray
    relative_error: np.ndarray
    loss_trained: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Measured degradation, nats/token."""
        return self.loss - self.loss_trained

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.run)

    def at_distinct(self, alike: np.ndarray) -> "Block":
        """The same rows, with the number of the distinct run that theirs is like (see ``distinct_runs``)."""
        return replace(self, run=alike[self.run])


@dataclass(frozen=True)
class Rows:
    """Everything the likelihood takes from a run table.

    Parameters
    ----------
    frame
        The rows, as in the run table.
    run_ids, cells
        Labels of training runs, and number of cells with two or more precisions.
    pool
        Columns pooled over.
    factors
        Columns with two levels or more that constants may differ over.
    first
        Index of the first row of each run.
    columns
        Law columns, one value per row of ``frame``.
    trained, diverged, paired, unpaired
        The blocks of losses: as trained, of runs that diverged (bounds from below), after
        post-training quantization with and without the run's own loss.
    """

    frame: pd.DataFrame
    run_ids: tuple[str, ...]
    cells: int
    pool: tuple[str, ...]
    factors: dict[str, Factor]
    first: np.ndarray
    columns: dict[str, np.ndarray]
    trained: Block
    diverged: Block
    paired: Block
    unpaired: Block

    @property
    def run_columns(self) -> dict[str, np.ndarray]:
        """Law columns of each training run."""
        return {name: values[self.first] for name, values in self.columns.items()}

    def distinct_runs(self, sees_loss: bool) -> tuple[np.ndarray, np.ndarray]:
        """Runs that differ in what a law sees, and for each run which of them it is like.

        Seeds repeat the rest of a run, and a law need not be evaluated for each.

        Parameters
        ----------
        sees_loss
            Whether the law takes the loss as trained as data.
        """
        unseen = {"bits_post"} if sees_loss else {"bits_post", "loss_trained"}
        seen = [values for name, values in self.run_columns.items() if name not in unseen]
        seen += [code for code in self.codes(self.first).values()]
        known = np.nan_to_num(np.stack([np.asarray(values, np.float64) for values in seen], axis=1))
        _, distinct, alike = np.unique(known, axis=0, return_index=True, return_inverse=True)
        return distinct, alike

    def codes(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """Level of selected rows of the frame in every factor."""
        return {column: factor.code[index] for column, factor in self.factors.items()}


def arrange(law: Law, frame: pd.DataFrame, pool: Sequence[str] = ()) -> Rows:
    """Arrange usable rows for the likelihood.

    Parameters
    ----------
    law
        The law to be fitted; it decides which formats and methods have constants of their own.
    frame
        Rows it can explain, canonical columns. Rows with ``status`` diverged bound a loss from below.
    pool
        Columns whose groups are partially pooled; a column with one group falls back to none.
    """
    frame = frame.reset_index(drop=True)
    run, run_ids = pd.factorize(frame["run_id"])
    first = np.unique(run, return_index=True)[1]
    is_post = frame["bits_post"].notna().to_numpy()
    is_diverged = (frame["status"] == "diverged").to_numpy() & ~is_post
    own_loss = frame[~is_post & ~is_diverged].set_index("run_id")["loss"]
    loss_trained = frame["run_id"].map(own_loss).to_numpy(np.float64)
    is_paired = is_post & ~np.isnan(loss_trained)
    cell = np.full(len(frame), -1) if is_post.all() else _cells(frame, ~is_paired)
    loss = frame["loss"].to_numpy(np.float64)
    relative_error = frame["loss_se"].fillna(0.0).to_numpy(np.float64) / loss
    factors = {column: factor(frame, column) for column in dict.fromkeys((*pool, *law.by))}
    factors = {column: found for column, found in factors.items() if len(found.names) > 1}

    def block(mask: np.ndarray) -> Block:
        row = np.flatnonzero(mask)
        return Block(run[row], cell[row], row, loss[row], relative_error[row], loss_trained[row])

    return Rows(
        frame=frame,
        run_ids=tuple(str(name) for name in run_ids),
        cells=0 if law.base.is_observed else int(cell.max(initial=-1)) + 1,
        pool=tuple(column for column in pool if column in factors),
        factors=factors,
        first=first,
        columns=law_columns(frame) | {"loss_trained": loss_trained},
        trained=block(~is_post & ~is_diverged),
        diverged=block(is_diverged),
        paired=block(is_paired),
        unpaired=block(is_post & ~is_paired),
    )


def reference_scales(frame: pd.DataFrame) -> Reference:
    """Geometric means of parameters and tokens over training runs, and the smallest measured bits."""
    runs = frame.drop_duplicates("run_id")
    smallest = {}
    for column in _CAPACITY_BITS:
        bits = float(runs[column].min())
        smallest[column] = bits if bits < 16 else _UNMEASURED_SCALE
    return Reference(
        n_params=float(np.exp(np.log(runs["n_params"]).mean())),
        tokens=float(np.exp(np.log(runs["tokens"]).mean())),
        smallest_bits=smallest,
    )


def _cells(frame: pd.DataFrame, modelled: np.ndarray) -> np.ndarray:
    """Cell of each row modelled on the loss itself; -1 where a cell holds a single precision."""
    cell = np.full(len(frame), -1)
    rows = frame[modelled]
    precisions = rows.drop_duplicates(_CELL + _PRECISION).groupby(_CELL, dropna=False).size()
    shared = precisions[precisions >= 2].index
    keys = pd.MultiIndex.from_frame(rows[_CELL])
    cell[modelled] = shared.get_indexer(keys)
    return cell
