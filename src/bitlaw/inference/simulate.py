"""Known-truth run tables: what a law with given constants would have logged on a design."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bitlaw.inference.columns import take
from bitlaw.inference.likelihood import degradation, gap_scale, trained_scale, unpaired_scale
from bitlaw.inference.rows import Rows, arrange, reference_scales
from bitlaw.laws.evaluate import Trained, log_post_degradation, train
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
        ``sigma_cell``, ``kappa_train``, ``kappa``, ``tau``, ``sigma_gap``); numbers, or of the law as
        trained one value per training run.
    design
        Canonical run-table columns; ``loss`` is replaced, but for that of runs as trained where the
        law takes it as data.
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
    rows = arrange(law, frame)
    rng = np.random.default_rng(seed)
    p = {name: np.float64(value) for name, value in constants.items()}
    loss = np.full(len(frame), np.nan)
    own = np.full(len(rows.run_ids), np.nan)
    cell = np.append(rng.normal(0.0, p.get("sigma_cell", 0.0), rows.cells), 0.0)
    if law.base.is_observed:
        loss[rows.trained.row] = own[rows.trained.run] = design["loss"].to_numpy(float)[rows.trained.row]
        trained = Trained(np.log(rows.run_columns["n_params"] / reference.n_params), own, 0.0)
    else:
        trained = train(law, p, rows.run_columns, reference, np)
        block = rows.trained
        scale = np.broadcast_to(trained_scale(p, trained, 0.0, np), trained.loss.shape)[block.run]
        noise = scale * rng.standard_t(p["nu"], len(block))
        own[block.run] = trained.loss[block.run] * np.exp(cell[block.cell] + noise)
        loss[block.row] = own[block.run]
    if law.post is not None:
        _add_post(law, p, rows, reference, (trained, own, cell), loss, rng)
    return design.assign(loss=loss)


def _add_post(
    law: Law,
    p: dict[str, np.float64],
    rows: Rows,
    reference: Reference,
    runs: tuple[Trained, np.ndarray, np.ndarray],
    loss: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Fill in the losses after post-training quantization, paired where the run's own loss exists."""
    trained, own, cell = runs
    effect = rng.normal(0.0, p["tau"], len(rows.run_ids))
    for block in (rows.paired, rows.unpaired):
        columns = take(rows.columns, block.row)
        log_delta = log_post_degradation(law, p, columns, trained.log_n[block.run], reference, np)
        log_delta = log_delta + effect[block.run]
        if block is rows.paired:
            gap = degradation(log_delta, own[block.run], columns["ceiling"], np)
            error = gap_scale(p, gap, np) * rng.standard_t(p["nu_gap"], len(gap))
            loss[block.row] = own[block.run] + gap + error
        elif len(block):
            before = trained.loss[block.run]
            gap = degradation(log_delta, before, columns["ceiling"], np)
            scale = np.broadcast_to(trained_scale(p, trained, 0.0, np), trained.loss.shape)[block.run]
            noise = unpaired_scale(p, gap, before + gap, scale, np) * rng.standard_t(p["nu"], len(gap))
            loss[block.row] = (before + gap) * np.exp(cell[block.cell] + noise)
