"""What the fitted law would have logged on its own rows: replicates for predictive checks. NumPy only."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bitlaw.inference.columns import take
from bitlaw.inference.draws import law_parameters
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation, gap_scale
from bitlaw.inference.rows import Rows
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation, trained_loss

_MOST_SAMPLES = 400


@dataclass(frozen=True)
class Replicates:
    """Observed and replicated values with what the law expects, arrays of shape (samples, rows).

    Parameters
    ----------
    rows
        The rows, canonical columns.
    expected
        The law's expectation, without effects and noise.
    observed, replicated
        What was measured, shape (rows,), and what a repeated measurement gives.
    shared
        Index of the cell or run whose effect each row shares with others; -1 = none.
    """

    rows: pd.DataFrame
    expected: np.ndarray
    observed: np.ndarray
    replicated: np.ndarray
    shared: np.ndarray


def thinned(fit: Fit, most: int = _MOST_SAMPLES) -> Fit:
    """The fit with evenly spaced posterior draws, about ``most`` in all."""
    chains = fit.posterior.sizes["chain"]
    step = max(1, -(-chains * fit.posterior.sizes["draw"] // most))
    return replace(fit, posterior=fit.posterior.isel(draw=slice(None, None, step)))


def replicate_trained(fit: Fit, rows: Rows, rng: np.random.Generator) -> Replicates:
    """Log losses as trained: cells share new effects as in the data, and every row has new noise."""
    block = rows.trained
    frame = rows.frame.iloc[block.row]
    expected = np.log(_trained_loss(fit, rows, block.row))
    samples = len(expected)
    cell = rng.standard_normal((samples, rows.cells + 1)) * _scale(fit, "sigma_cell")
    cell[:, -1] = 0.0  # index -1: rows without a cell
    noise = rng.standard_t(np.broadcast_to(_scale(fit, "nu"), expected.shape)) * _scale(fit, "sigma")
    return Replicates(frame, expected, np.log(block.loss), expected + cell[:, block.cell] + noise, block.cell)


def replicate_gaps(fit: Fit, rows: Rows, rng: np.random.Generator) -> Replicates:
    """Paired degradations: runs share new effects as in the data, and every row has a new error."""
    block, law = rows.paired, fit.law
    frame = rows.frame.iloc[block.row]
    columns = take(rows.columns, block.row)
    p = law_parameters(fit, frame)
    log_n = log_effective_params(law, p, columns, fit.reference, np)
    log_delta = log_post_degradation(law, p, columns, log_n, fit.reference, np)
    expected = degradation(log_delta, block.loss_trained, columns["ceiling"], np)
    effect = (rng.standard_normal((len(expected), len(rows.run_ids))) * _scale(fit, "tau"))[:, block.run]
    with_effect = degradation(log_delta + effect, block.loss_trained, columns["ceiling"], np)
    scales = {name: _scale(fit, name) for name in ("sigma_gap", "kappa")}
    error = rng.standard_normal(expected.shape) * gap_scale(scales, with_effect, np)
    return Replicates(frame, expected, block.gap, with_effect + error, block.run)


def _trained_loss(fit: Fit, rows: Rows, index: np.ndarray) -> np.ndarray:
    columns = take(rows.columns, index)
    p = law_parameters(fit, rows.frame.iloc[index])
    log_n = log_effective_params(fit.law, p, columns, fit.reference, np)
    return trained_loss(fit.law, p, columns, log_n, fit.reference, np)


def _scale(fit: Fit, name: str) -> np.ndarray:
    """Draws of a noise scale, shape (samples, 1); 0 where the fit has none."""
    if name not in fit.posterior:
        return np.zeros((1, 1))
    return fit.draws(name)[:, None]
