"""The effect that runs of one corpus, size, tokens and seed share, in coordinates that sample well.

An effect u ~ N(0, σ_cell²) mixes badly sampled as itself where the noise hides it, and badly as
σ_cell z where the data pin the level of its cell down. So it is sampled as a level that moves between
the two with the information Σ 1/scale² that the rows of a cell hold: z = (u + w (ln L̂ - reference)) / s,
where s is the spread of u given its cell's rows, w = 1 - s²/σ_cell², and the reference is the measured
log loss of the cell's most precise run, for which the law expects L̂. For any s and w, u has exactly
the prior N(0, σ_cell²).
"""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.rows import Rows

_BITS = ("bits_weights", "bits_activations", "bits_kv")


def cell_effects(rows: Rows, log_loss: Any, expected: Any, scale: Any, sigma_cell: Any) -> Any:
    """Effect of each cell on log loss, with a zero in last place that index -1 picks.

    Parameters
    ----------
    rows
        The arranged run table.
    log_loss, expected, scale
        Of the block of trained rows: measured log loss, what the law expects of it, and its noise.
    sigma_cell
        Spread of the effects, a scalar or one value per trained row.
    """
    if not rows.cells:
        return pt.zeros(1)
    most_precise = _most_precise_row(rows)
    member = np.flatnonzero(rows.trained.cell >= 0)
    between = sigma_cell[most_precise] if sigma_cell.ndim else sigma_cell
    none = pt.zeros(rows.cells)[rows.trained.cell[member]]
    information = pt.inc_subtensor(none, 1.0 / scale[member] ** 2)
    variance = 1.0 / (1.0 / between**2 + information)
    weight = 1.0 - variance / between**2
    shift = weight * (expected - log_loss)[most_precise]
    spread = pt.sqrt(variance)
    level = pm.Normal("cell_level", shift / spread, between / spread, dims="cell")
    effect = pm.Deterministic("cell_effect", spread * level - shift, dims="cell")
    return pt.concatenate([effect, pt.zeros(1)])


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
