"""The scale of the drift as first stated, and the covariance of a random walk in size."""

import numpy as np

OMEGA, SPREAD = 0.01, 0.8
"""Median of ω, log loss per root decade, and standard deviation of ln ω, stated before anything here was measured."""


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
