"""Log predictive density of measured losses: the likelihood of a new run, averaged over draws. NumPy only."""

import numpy as np
import pandas as pd
from scipy import special, stats

from bitlaw.inference.draws import LossDraws, law_parameters, point_columns
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import gap_scale, trained_scale, unpaired_scale
from bitlaw.inference.parameters import at_index
from bitlaw.laws.evaluate import train

_LARGEST_EFFECT = 30.0


def log_predictive_density(
    fit: Fit, rows: pd.DataFrame, draws: LossDraws, measured: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Log density of ln(loss) at each measured row: ln of the mean over draws of the Student-t density, nats.

    Location and scale are those of each draw: the law's mean as ``draws`` has it, an effect of the cell and
    of the run drawn anew, and the noise of the likelihood. The bound on the degradation is applied before
    the effect of the run.

    Parameters
    ----------
    fit
        The fit.
    rows
        Canonical columns, with the measured ``loss``.
    draws
        Draws of the law at these rows.
    measured
        Loss of each run as trained, nats/token, where it was used as known; all rows are then quantized
        after training, and their noise is that of paired degradations.
    seed
        Seed of the effects.

    Returns
    -------
    numpy.ndarray
        Shape (rows,).
    """
    p = law_parameters(fit, rows)
    columns = point_columns(fit, rows, measured)
    loss = rows["loss"].to_numpy(np.float64)
    shape = draws.trained.shape
    rng = np.random.default_rng([seed, 1])
    zero = np.zeros((shape[0], 1))
    run_effect = np.clip(rng.standard_normal(shape) * p.get("tau", zero), -_LARGEST_EFFECT, _LARGEST_EFFECT)
    gap = draws.degradation * np.exp(run_effect)
    if measured is not None:
        density = stats.t.logpdf(loss, p["nu_gap"], draws.trained + gap, gap_scale(p, gap, np)) + np.log(loss)
        return _log_mean(density)
    cell = rng.standard_normal(shape) * p.get("sigma_cell", zero)
    expected = draws.trained + gap
    law = train(fit.law, p, columns, fit.reference, np)
    scale = np.broadcast_to(trained_scale(p, law, 0.0, np), shape).copy()
    after = rows["bits_post"].notna().to_numpy()
    if after.any():
        own = at_index(p, np.flatnonzero(after))
        scale[:, after] = unpaired_scale(own, gap[:, after], expected[:, after], scale[:, after], np)
    return _log_mean(stats.t.logpdf(np.log(loss), p["nu"], np.log(expected) + cell, scale))


def _log_mean(density: np.ndarray) -> np.ndarray:
    return special.logsumexp(density, axis=0) - np.log(len(density))
