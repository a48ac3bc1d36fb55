"""What the fitted law would have logged on its own rows: replicates for predictive checks. NumPy only."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bitlaw.inference.columns import take
from bitlaw.inference.draws import law_parameters
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation, gap_scale, trained_scale
from bitlaw.inference.rows import Rows
from bitlaw.laws.evaluate import Trained, log_post_degradation, train

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
    """Log losses as trained: cells share new effects as in the data, and every row has new noise.

    Diverged runs bound the loss and have none to replicate.
    """
    block = rows.trained
    p, trained = trained_rows(fit, rows, block.row)
    expected = np.log(trained.loss)
    samples = len(expected)
    cell = rng.standard_normal((samples, rows.cells + 1))
    cell[:, -1] = 0.0  # index -1: rows without a cell
    effect = cell[:, block.cell] * _scale(p, "sigma_cell")
    student = rng.standard_t(np.broadcast_to(p["nu"], expected.shape))
    noise = student * trained_scale(p, trained, block.relative_error, np)
    frame = rows.frame.iloc[block.row]
    return Replicates(frame, expected, np.log(block.loss), expected + effect + noise, block.cell)


def replicate_gaps(fit: Fit, rows: Rows, rng: np.random.Generator) -> Replicates:
    """Paired degradations: runs share new effects as in the data, and every row has a new error."""
    block = rows.paired
    columns = take(rows.columns, block.row)
    p, trained = trained_rows(fit, rows, block.row)
    log_delta = log_post_degradation(fit.law, p, columns, trained.log_n, fit.reference, np)
    expected = degradation(log_delta, block.loss_trained, columns["ceiling"], np)
    effect = rng.standard_normal((len(expected), len(rows.run_ids)))[:, block.run] * _scale(p, "tau")
    with_effect = degradation(log_delta + effect, block.loss_trained, columns["ceiling"], np)
    freedom = np.broadcast_to(p["nu_gap"], expected.shape)
    error = rng.standard_t(freedom) * gap_scale(p, with_effect, np)
    return Replicates(rows.frame.iloc[block.row], expected, block.gap, with_effect + error, block.run)


def trained_rows(fit: Fit, rows: Rows, index: np.ndarray) -> tuple[dict[str, np.ndarray], Trained]:
    """Parameters at rows of the frame, and their runs as the law has them trained."""
    p = law_parameters(fit, rows.frame.iloc[index])
    return p, train(fit.law, p, take(rows.columns, index), fit.reference, np)


def _scale(p: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Draws of a noise scale; 0 where the fit has none."""
    return p.get(name, np.zeros((1, 1)))
