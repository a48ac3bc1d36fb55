"""Scores of predictive draws of the log loss of held-out runs."""

import numpy as np

COVERED = (0.5, 0.8, 0.9, 0.95)
_PROB = 0.9


def scores(draws: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """Means over points.

    Parameters
    ----------
    draws
        Of the log loss of a new run, shape (draws, points).
    measured
        Log loss, shape (points,).

    Returns
    -------
    dict
        ``coverage_50`` to ``coverage_95`` of equal-tailed intervals; ``width`` of the 90 % interval;
        ``error`` and ``signed_error`` of the median, measured less predicted; ``crps``
        (continuous ranked probability score) and ``interval_score`` of the 90 % interval
        (doi 10.1198/016214506000001437), lower is better.

    Examples
    --------
    >>> one = scores(np.array([[0.0], [1.0]]), np.array([0.5]))
    >>> one["crps"], one["coverage_90"], one["signed_error"]
    (0.25, 1.0, 0.0)
    """
    found = {}
    for prob in COVERED:
        lo, hi = np.quantile(draws, [0.5 - prob / 2, 0.5 + prob / 2], axis=0)
        found[f"coverage_{100 * prob:.0f}"] = float(((lo <= measured) & (measured <= hi)).mean())
        if prob == _PROB:
            missed = np.maximum(lo - measured, 0.0) + np.maximum(measured - hi, 0.0)
            found["width"] = float((hi - lo).mean())
            found["interval_score"] = float((hi - lo + 2 / (1 - prob) * missed).mean())
    error = measured - np.median(draws, axis=0)
    return found | {
        "error": float(np.abs(error).mean()),
        "signed_error": float(error.mean()),
        "crps": float(_crps(draws, measured).mean()),
    }


def _crps(draws: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """E|X − y| − E|X − X'|/2, the second from the order statistics."""
    count = len(draws)
    weight = (2 * np.arange(1, count + 1) - count - 1) / count**2
    return np.abs(draws - measured).mean(axis=0) - weight @ np.sort(draws, axis=0)
