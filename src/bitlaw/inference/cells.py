"""The effect that runs of one corpus, size, tokens and seed share, in coordinates that sample well.

An effect u ~ N(0, σ_cell²) mixes badly sampled as itself where the noise hides it, and badly as
σ_cell z where the data pin the level of its cell down. So it is sampled as a level that moves between
the two with the information that the rows of a cell hold, r = σ_cell² Σ 1/scale²: it is sampled as
z = (u + w (ln L̂ - reference)) / s, where s = σ_cell / √(1 + r) is the spread of u given its cell's rows,
w = r / (1 + r), and the reference is the measured log loss of the cell's most precise run, for which
the law expects L̂. For any s and w, u has exactly the prior N(0, σ_cell²).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.distributions import sample_normal
from bitlaw.inference.rows import Rows

_BITS = ("bits_weights", "bits_activations", "bits_kv")


def cell_effects(rows: Rows, log_loss: Any, expected: Any, scale: Any, sigma_cell: Any) -> Any:
    """Effect of each cell on log loss.

    Parameters
    ----------
    rows
        The arranged run table.
    log_loss, expected, scale
        Of the block of trained rows: measured log loss, what the law expects of it, and its noise.
    sigma_cell
        Spread of the effects, a scalar or one value per trained row.
    """

    def sum_by_cell(values: Any, cell: np.ndarray) -> Any:
        return pt.inc_subtensor(pt.zeros(rows.cells)[cell], values)

    narrowing, shift, spread = _coordinates(rows, log_loss, expected, scale, sigma_cell, sum_by_cell)
    level = sample_normal("cell_level", shift / spread, narrowing, dims="cell")
    return pm.Deterministic("cell_effect", _effect(level, shift, spread), dims="cell")


def drawn_cell_effects(
    rows: Rows, level: np.ndarray, expected: np.ndarray, scale: np.ndarray, sigma_cell: np.ndarray
) -> np.ndarray:
    """The same at draws, from the levels that were sampled; shape (samples, cells).

    Parameters
    ----------
    rows
        The arranged run table.
    level
        Draws of ``cell_level``, shape (samples, cells).
    expected, scale
        As for ``cell_effects``, shape (samples, trained rows).
    sigma_cell
        Spread of the effects, shape (samples, 1) or (samples, trained rows).
    """

    def sum_by_cell(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
        return values @ (cell[:, None] == np.arange(rows.cells))

    log_loss = np.log(rows.trained.loss)
    _, shift, spread = _coordinates(rows, log_loss, expected, scale, sigma_cell, sum_by_cell)
    return np.asarray(_effect(level, shift, spread))


def _coordinates(
    rows: Rows,
    log_loss: Any,
    expected: Any,
    scale: Any,
    sigma_cell: Any,
    sum_by_cell: Callable[[Any, np.ndarray], Any],
) -> tuple[Any, Any, Any]:
    """√(1 + r), w (ln L̂ - reference) and s of each cell."""
    most_precise = _most_precise_row(rows)
    member = np.flatnonzero(rows.trained.cell >= 0)
    is_shared = sigma_cell.ndim == 0 or sigma_cell.shape[-1] == 1
    between = sigma_cell if is_shared else sigma_cell[..., most_precise]
    information = between**2 * sum_by_cell(1.0 / scale[..., member] ** 2, rows.trained.cell[member])
    narrowing = (1.0 + information) ** 0.5
    weight = information / (1.0 + information)
    return narrowing, weight * (expected - log_loss)[..., most_precise], between / narrowing


def _effect(level: Any, shift: Any, spread: Any) -> Any:
    return spread * level - shift


def _most_precise_row(rows: Rows) -> np.ndarray:
    """Of each cell, the trained row with the most bits; any row where it has none."""
    block = rows.trained
    columns = rows.run_columns
    bits = sum(columns[name][block.run] for name in _BITS)
    row = np.zeros(rows.cells, dtype=int)
    for index in np.lexsort((bits, ~columns["is_quantized"][block.run])):
        if block.cell[index] >= 0:
            row[block.cell[index]] = index
    return row
