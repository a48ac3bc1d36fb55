"""Drift as a random walk away from the data: what a run part of the way out says of the error further out."""

import numpy as np
import pandas as pd

from bitlaw.inference.distance import beyond_post, beyond_sizes, beyond_training
from bitlaw.inference.drift import clipped
from bitlaw.inference.fit import Fit
from bitlaw.laws.evaluate import StructuralError

_JITTER = 1e-9


def drift_walk(fit: Fit, points: pd.DataFrame, seed: int = 0) -> StructuralError | None:
    """Draws of the law's error at many points, as spread at each as in ``structural_error``.

    There every point of a draw moves together, so that a run just outside the data would give away the
    error at any distance. A refit says otherwise: its drift starts anew from the hull that the run has
    widened, which leaves what lies beyond the run as unknown as before. That is a random walk: errors at v and w,
    decades from the hull, have the covariance ω² (|v| + |w| - |v - w|)/2, Lévy's Brownian motion, and those
    of penalties at distances x and y the covariance ω_δ² min(x, y).

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns, shape (points,).
    seed
        Seed of the walks; their scales are the draws of the fit's drift.

    Returns
    -------
    StructuralError
        Arrays of shape (samples, points), or 0; None where no point is beyond the data.
    """
    n_params, tokens = (points[name].to_numpy(np.float64) for name in ("n_params", "tokens"))
    rng = np.random.default_rng(list(f"{seed} walk {fit.law.name}".encode()))
    away = np.stack(beyond_sizes(fit.hull, n_params, tokens), axis=1)
    omega, omega_penalty = (fit.drift[name].to_numpy()[:, None] for name in ("omega", "omega_penalty"))
    error = StructuralError(
        log_loss=0.0 if fit.law.base.is_observed else _scaled(omega, _plane_walk(away, len(omega), rng)),
        log_penalty=_scaled(
            omega_penalty, _line_walk(beyond_training(fit, points, n_params, tokens), len(omega), rng)
        ),
        log_degradation=_scaled(
            omega_penalty, _line_walk(beyond_post(fit, points, n_params, tokens), len(omega), rng)
        ),
    )
    return error if any(np.any(part) for part in vars(error).values()) else None


def levy_covariance(vectors: np.ndarray) -> np.ndarray:
    """Covariance (|v| + |w| - |v - w|)/2 of Lévy's Brownian motion from the origin.

    Parameters
    ----------
    vectors
        Shape (points, axes).

    Examples
    --------
    >>> levy_covariance(np.array([[1.0, 0.0], [3.0, 0.0], [-2.0, 0.0]])).tolist()
    [[1.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, 2.0]]
    """
    length = np.hypot(*vectors.T)
    apart = np.hypot(*(vectors[:, None, :] - vectors[None, :, :]).transpose(2, 0, 1))
    return 0.5 * (length[:, None] + length[None, :] - apart)


def _plane_walk(away: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray | float:
    distinct, which = np.unique(away, axis=0, return_inverse=True)
    outside = np.hypot(*distinct.T) > 0
    if not outside.any():
        return 0.0
    walked = np.zeros((samples, len(distinct)))
    covariance = levy_covariance(distinct[outside])
    root = np.linalg.cholesky(covariance + _JITTER * np.eye(len(covariance)))
    walked[:, outside] = rng.standard_normal((samples, len(root))) @ root.T
    return walked[:, which]


def _line_walk(distance: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray | float:
    distinct, which = np.unique(distance, return_inverse=True)
    if not distinct.any():
        return 0.0
    steps = np.sqrt(np.diff(distinct, prepend=0.0))
    return np.cumsum(steps * rng.standard_normal((samples, len(steps))), axis=1)[:, which]


def _scaled(scale: np.ndarray, walked: np.ndarray | float) -> np.ndarray | float:
    return 0.0 if np.ndim(walked) == 0 else clipped(scale * walked)
