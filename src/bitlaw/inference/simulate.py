"""Known-truth run tables: what a law with given constants would have logged on a design."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bitlaw.inference.columns import take
from bitlaw.inference.likelihood import degradation, gap_scale, unpaired_scale
from bitlaw.inference.rows import Rows, arrange, reference_scales
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation, trained_loss
from bitlaw.laws.law import Law, Reference


def simulate_losses(
    law: Law,
    constants: Mapping[str, float],
    design: pd.DataFrame,
    seed: int,
    reference: Reference | None = None,
) -> pd.DataFrame:
    """The design with losses drawn from the law and its noise.

    Parameters
    ----------
    law
        The law that is true here.
    constants
        Its constants and noise scales by name (``sigma``, ``nu``, and where they apply
        ``sigma_cell``, ``kappa``, ``tau``, ``sigma_gap``).
    design
        Canonical run-table columns; ``loss`` is replaced.
    seed
        Seed of the noise.
    reference
        Scales the constants are stated at; those of the design by default.

    Returns
    -------
    pandas.DataFrame
        A copy of the design with ``loss`` in nats/token.
    """
    frame = design.assign(loss=1.0)
    reference = reference or reference_scales(frame)
    rows = arrange(frame)
    rng = np.random.default_rng(seed)
    p = {name: np.float64(value) for name, value in constants.items()}
    columns = rows.run_columns
    log_n = log_effective_params(law, p, columns, reference, np)
    expected = trained_loss(law, p, columns, log_n, reference, np)
    cell = np.append(rng.normal(0.0, p.get("sigma_cell", 0.0), rows.cells), 0.0)
    loss = np.full(len(frame), np.nan)
    trained = rows.trained
    own = np.full(len(rows.run_ids), np.nan)
    noise = p["sigma"] * rng.standard_t(p["nu"], len(trained.run))
    own[trained.run] = expected[trained.run] * np.exp(cell[trained.cell] + noise)
    loss[trained.row] = own[trained.run]
    if law.post is not None:
        _add_post(law, p, rows, reference, (log_n, expected, own, cell), loss, rng)
    return design.assign(loss=loss)


def _add_post(
    law: Law,
    p: dict[str, np.float64],
    rows: Rows,
    reference: Reference,
    runs: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    loss: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Fill in the losses after post-training quantization, paired where the run's own loss exists."""
    log_n, expected, own, cell = runs
    effect = rng.normal(0.0, p["tau"], len(rows.run_ids))
    for block in (rows.paired, rows.unpaired):
        columns = take(rows.columns, block.row)
        log_delta = log_post_degradation(law, p, columns, log_n[block.run], reference, np)
        log_delta = log_delta + effect[block.run]
        if block is rows.paired:
            gap = degradation(log_delta, own[block.run], columns["ceiling"], np)
            error = gap_scale(p, gap, np) * rng.standard_normal(len(gap))
            loss[block.row] = own[block.run] + gap + error
        else:
            before = expected[block.run]
            gap = degradation(log_delta, before, columns["ceiling"], np)
            scale = unpaired_scale(p, gap, before + gap, np)
            noise = scale * rng.standard_t(p["nu"], len(gap))
            loss[block.row] = (before + gap) * np.exp(cell[block.cell] + noise)
