"""A run table arranged for the likelihood: training runs, cells, and three blocks of losses."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.inference.columns import law_columns
from bitlaw.laws.law import Reference

_CELL = ["corpus", "n_params", "tokens", "seed"]
_PRECISION = ["bits_weights", "bits_activations", "bits_kv", "bits_gradients", "format", "method"]
_CAPACITY_BITS = ("bits_weights", "bits_activations", "bits_kv")
_UNMEASURED_SCALE = 4.0
"""Scale of a floor whose tensor kind was never quantized in the table; nothing but the prior informs it."""


@dataclass(frozen=True)
class TrainedBlock:
    """Losses of runs as trained: index of the run, index of the cell (-1 = none), loss and its row."""

    run: np.ndarray
    cell: np.ndarray
    loss: np.ndarray
    row: np.ndarray


@dataclass(frozen=True)
class PostBlock:
    """Losses after post-training quantization.

    ``loss`` is what was measured; ``gap`` its difference to the run's own loss as trained (paired
    rows only, else NaN); ``cell`` and ``row`` as in the block of trained losses.
    """

    run: np.ndarray
    cell: np.ndarray
    loss: np.ndarray
    loss_trained: np.ndarray
    row: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Measured degradation, nats/token."""
        return self.loss - self.loss_trained


@dataclass(frozen=True)
class Rows:
    """Everything the likelihood takes from a run table.

    Parameters
    ----------
    frame
        The rows, as in the run table.
    run_ids, group_names, cells
        Labels of training runs, of the groups pooled over (one entry without pooling) and number
        of cells with two or more precisions.
    run_group
        Group of each run.
    columns
        Law columns, one value per row of ``frame``.
    run_columns
        Law columns of each training run.
    trained, paired, unpaired
        The three blocks of losses.
    """

    frame: pd.DataFrame
    run_ids: tuple[str, ...]
    group_names: tuple[str, ...]
    cells: int
    run_group: np.ndarray
    columns: dict[str, np.ndarray]
    run_columns: dict[str, np.ndarray]
    trained: TrainedBlock
    paired: PostBlock
    unpaired: PostBlock


def arrange(frame: pd.DataFrame, pool: str | None = None) -> Rows:
    """Arrange usable rows for the likelihood.

    Parameters
    ----------
    frame
        Rows a law can explain, canonical columns.
    pool
        Column whose groups are partially pooled; a column with one group falls back to none.
    """
    frame = frame.reset_index(drop=True)
    run, run_ids = pd.factorize(frame["run_id"])
    first = np.unique(run, return_index=True)[1]
    columns = law_columns(frame)
    group_names, run_group = _groups(frame, pool, first)
    is_post = frame["bits_post"].notna().to_numpy()
    own_loss = frame[~is_post].set_index("run_id")["loss"]
    loss_trained = frame["run_id"].map(own_loss).to_numpy(np.float64)
    is_paired = is_post & ~np.isnan(loss_trained)
    cell = np.full(len(frame), -1) if is_post.all() else _cells(frame, ~is_paired)
    loss = frame["loss"].to_numpy(np.float64)

    def post(mask: np.ndarray) -> PostBlock:
        return PostBlock(run[mask], cell[mask], loss[mask], loss_trained[mask], np.flatnonzero(mask))

    trained = ~is_post
    return Rows(
        frame=frame,
        run_ids=tuple(str(name) for name in run_ids),
        group_names=group_names,
        cells=int(cell.max(initial=-1)) + 1,
        run_group=run_group,
        columns=columns,
        run_columns={name: values[first] for name, values in columns.items()},
        trained=TrainedBlock(run[trained], cell[trained], loss[trained], np.flatnonzero(trained)),
        paired=post(is_paired),
        unpaired=post(is_post & ~is_paired),
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


def _groups(frame: pd.DataFrame, pool: str | None, first: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    if pool is None or frame[pool].nunique() < 2:
        return (), np.zeros(len(first), dtype=int)
    codes, names = pd.factorize(frame[pool].iloc[first], sort=True)
    return tuple(str(name) for name in names), codes


def _cells(frame: pd.DataFrame, modelled: np.ndarray) -> np.ndarray:
    """Cell of each row modelled on the loss itself; -1 where a cell holds a single precision."""
    cell = np.full(len(frame), -1)
    rows = frame[modelled]
    precisions = rows.drop_duplicates(_CELL + _PRECISION).groupby(_CELL, dropna=False).size()
    shared = precisions[precisions >= 2].index
    keys = pd.MultiIndex.from_frame(rows[_CELL])
    cell[modelled] = shared.get_indexer(keys)
    return cell
