"""Scores of predictive draws of the log loss of held-out runs."""

import numpy as np

from bitlaw.criticism.fold_scores import PROB, PROBS
from bitlaw.criticism.proper_scores import central_interval, crps, inside, interval_score


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
        ``coverage_50`` to ``coverage_95`` of equal-tailed intervals; ``width`` and ``interval_score`` of
        the 90 % interval; ``error`` and ``signed_error`` of the median, measured less predicted;
        ``crps``. Lower scores are better.

    Examples
    --------
    >>> one = scores(np.array([[0.0], [2.0]]), np.array([1.0]))
    >>> one["crps"], one["coverage_90"], one["signed_error"]
    (0.0, 1.0, 0.0)
    """
    lo, hi = central_interval(draws, PROB)
    error = measured - np.median(draws, axis=0)
    within = inside(draws, measured, PROBS).mean(axis=1)
    covered = {f"coverage_{100 * prob:.0f}": float(share) for prob, share in zip(PROBS, within, strict=True)}
    return covered | {
        "width": float((hi - lo).mean()),
        "interval_score": float(interval_score(lo, hi, measured, PROB).mean()),
        "error": float(np.abs(error).mean()),
        "signed_error": float(error.mean()),
        "crps": float(crps(draws, measured).mean()),
    }
