"""The effect that runs of one corpus, size, tokens and seed share, in coordinates that sample well.

An effect u ~ N(0, σ_cell²) mixes badly sampled as itself where the noise hides it, and badly as
σ_cell z where the data pin the level of its cell down. So it is sampled as a level that moves between
the two with the information n/σ² a cell holds: z = (u + w (ln L16 - reference)) / s, where s is the
spread of u given its cell's rows, w = 1 - s²/σ_cell², and the reference is the measured log loss of
the cell's most precise run. For any s and w, u has exactly the prior N(0, σ_cell²).
"""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.rows import Rows
from bitlaw.laws.evaluate import train
from bitlaw.laws.law import Law, Reference

_BITS = ("bits_weights", "bits_activations", "bits_kv")


def cell_effects(law: Law, p: dict[str, Any], rows: Rows, reference: Reference, log_loss: Any) -> Any:
    """Effect of each cell on log loss, with a zero in last place that index -1 picks.

    Parameters
    ----------
    law, rows, reference
        What the model is built from.
    p
        Parameters by training run, noise scales included.
    log_loss
        Measured log losses of the block of trained rows.
    """
    if not rows.cells:
        return pt.zeros(1)
    most_precise, count = _most_precise_row(rows)
    run = rows.trained.run[most_precise]
    columns = {name: values[run] for name, values in rows.run_columns.items()}
    here = {name: value[run] if value.ndim else value for name, value in p.items()}
    unquantized = pt.log(train(law, here, columns, reference, pt).unquantized)
    variance = 1.0 / (1.0 / here["sigma_cell"] ** 2 + count / here["sigma"] ** 2)
    weight = 1.0 - variance / here["sigma_cell"] ** 2
    shift = weight * (unquantized - log_loss[most_precise])
    spread = pt.sqrt(variance)
    level = pm.Normal("cell_level", shift / spread, here["sigma_cell"] / spread, dims="cell")
    effect = pm.Deterministic("cell_effect", spread * level - shift, dims="cell")
    return pt.concatenate([effect, pt.zeros(1)])


def _most_precise_row(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Of each cell, the trained row with the most bits, and the number of trained rows (may be 0)."""
    block = rows.trained
    bits = sum(rows.run_columns[name][block.run] for name in _BITS)
    row = np.zeros(rows.cells, dtype=int)
    for index in np.argsort(bits, kind="stable"):
        if block.cell[index] >= 0:
            row[block.cell[index]] = index
    count = np.bincount(block.cell[block.cell >= 0], minlength=rows.cells)
    return row, count.astype(np.float64)
