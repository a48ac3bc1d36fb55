"""Common practice: Chinchilla by Huber loss on log loss, bootstrapped, with resampled residuals.

The Huber loss of arXiv 2203.15556 (δ = 1e-3) minimised by L-BFGS from a grid of starts, its uncertainty
by bootstrap as in arXiv 2404.10102. Sizes are centred, which moves no optimum and makes starts comparable.
"""

from itertools import product

import numpy as np
import pandas as pd
from scipy import optimize, special

DELTA = 1e-3
RESAMPLED = 200
RESIDUALS = 20
"""Residuals drawn for each bootstrap fit."""

_STARTS = tuple(
    product((0.1, 0.3, 0.7), (0.1, 0.3, 0.7), (-4.0, -1.5, 0.0), (-4.0, -1.5, 0.0), (-1.0, 0.0, 0.7))
)
_NEAR = ((1.0, 1.0), (0.5, 1.0), (1.0, 0.5))
"""Factors on the exponents of the fit to all rows, from which a bootstrap fit starts."""


def predictive_draws(train: pd.DataFrame, test: pd.DataFrame, seed: int = 0) -> np.ndarray:
    """Draws of the log loss of new runs, shape (draws, points).

    Parameters
    ----------
    train, test
        Runs fitted and runs predicted: ``n_params``, ``tokens`` and, of those fitted, ``loss``.
    seed
        Of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    centre = _sizes(train).mean(axis=0)
    sizes, ahead = _sizes(train) - centre, _sizes(test) - centre
    log_loss = np.log(train["loss"].to_numpy(np.float64))
    found = _best(sizes, log_loss, np.array(_STARTS))
    residuals = log_loss - _log_mean(found, sizes)[0]
    near = np.array([found * np.r_[factors, 1.0, 1.0, 1.0] for factors in _NEAR])
    draws = []
    for _ in range(RESAMPLED):
        rows = rng.integers(len(train), size=len(train))
        expected = _log_mean(_best(sizes[rows], log_loss[rows], near), ahead)[0]
        draws.append(expected + rng.choice(residuals, (RESIDUALS, len(test))))
    return np.concatenate(draws)


def _best(sizes: np.ndarray, log_loss: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """α, β, ln a, ln b and ln E of the lowest Huber loss found from the starts."""
    found = [
        optimize.minimize(_objective, start, (sizes, log_loss), jac=True, method="L-BFGS-B")
        for start in starts
    ]
    return min(found, key=lambda result: result.fun).x


def _objective(constants: np.ndarray, sizes: np.ndarray, log_loss: np.ndarray) -> tuple[float, np.ndarray]:
    mean, slopes = _log_mean(constants, sizes)
    error = (mean - log_loss) / DELTA
    # In units of δ, or the optimiser takes its small gradients for an optimum.
    return float(special.huber(1.0, error).sum()), np.clip(error, -1.0, 1.0) @ slopes / DELTA


def _log_mean(constants: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log loss of the law, and its derivatives by the constants."""
    alpha, beta, log_a, log_b, log_e = constants
    terms = np.stack(
        [log_a - alpha * sizes[:, 0], log_b - beta * sizes[:, 1], np.full(len(sizes), log_e)], axis=1
    )
    mean = special.logsumexp(terms, axis=1)
    share = np.exp(terms - mean[:, None])
    return mean, np.column_stack([-share[:, :2] * sizes, share])


def _sizes(frame: pd.DataFrame) -> np.ndarray:
    return np.log(frame[["n_params", "tokens"]].to_numpy(np.float64))
