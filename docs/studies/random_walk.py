"""The scale of the stated drift, and the covariance of a random walk in size."""

import numpy as np

from bitlaw.inference.drift import DRIFT_PRIOR

OMEGA, SPREAD = DRIFT_PRIOR.loss
"""Median of ω, log loss per root decade, and standard deviation of ln ω, as stated."""


def walk(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Covariance of two-sided Brownian motions from the origin, summed over axes.

    Parameters
    ----------
    one, other
        Decades from the origin, shape (points, axes).

    Returns
    -------
    numpy.ndarray
        Shape (points of one, points of the other).

    Examples
    --------
    >>> walk(np.array([[1.0, -2.0]]), np.array([[3.0, -1.0], [-1.0, -1.0]])).tolist()
    [[2.0, 1.0]]
    """
    a, b = one[:, None, :], other[None, :, :]
    return np.where(a * b > 0, np.minimum(np.abs(a), np.abs(b)), 0.0).sum(axis=2)
