"""Scores of probabilistic predictions against what was measured; smaller is better, but for the log score."""

from collections.abc import Sequence

import numpy as np


def crps(draws: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score, E|X - y| - E|X - X'|/2 (Gneiting & Raftery 2007).

    The second expectation is over pairs of different draws, so that the score of few draws is not biased
    (fair CRPS; Ferro 2014), and is computed from sorted draws.

    Parameters
    ----------
    draws
        Shape (samples, points), two samples at least.
    observed
        Shape (points,), in the same unit.

    Returns
    -------
    numpy.ndarray
        Shape (points,), in the unit of the draws.

    Examples
    --------
    >>> crps(np.array([[0.0], [2.0]]), np.array([1.0])).tolist()
    [0.0]
    >>> crps(np.array([[1.0], [1.0]]), np.array([3.0])).tolist()
    [2.0]
    """
    samples = len(draws)
    rank = 2.0 * np.arange(1, samples + 1) - samples - 1.0
    apart = 2.0 * (rank[:, None] * np.sort(draws, axis=0)).sum(axis=0) / (samples * (samples - 1.0))
    return np.abs(draws - observed).mean(axis=0) - apart / 2.0


def interval_score(lo: np.ndarray, hi: np.ndarray, observed: np.ndarray, prob: float) -> np.ndarray:
    """Width of an interval, plus 2/(1 - prob) times how far the measurement lies outside (Gneiting & Raftery 2007).

    Parameters
    ----------
    lo, hi
        Ends of the central interval.
    observed
        What was measured.
    prob
        Probability inside.

    Examples
    --------
    >>> interval_score(np.zeros(3), np.ones(3), np.array([0.5, 1.1, -0.1]), 0.9).round(6).tolist()
    [1.0, 3.0, 3.0]
    """
    outside = np.maximum(lo - observed, 0.0) + np.maximum(observed - hi, 0.0)
    return (hi - lo) + 2.0 / (1.0 - prob) * outside


def central_interval(draws: np.ndarray, prob: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the equal-tailed interval of draws, shape (points,) each."""
    lo, hi = np.quantile(draws, [0.5 - prob / 2, 0.5 + prob / 2], axis=0)
    return lo, hi


def inside(draws: np.ndarray, observed: np.ndarray, probs: Sequence[float]) -> np.ndarray:
    """Whether each measurement lies in the equal-tailed intervals of its draws.

    Parameters
    ----------
    draws
        Shape (samples, points).
    observed
        Shape (points,).
    probs
        Probabilities of the intervals.

    Returns
    -------
    numpy.ndarray
        Shape (len(probs), points).
    """
    intervals = [central_interval(draws, prob) for prob in probs]
    return np.array([(lo <= observed) & (observed <= hi) for lo, hi in intervals])


def probability_integral_transform(draws: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Share of the draws at or below each measurement; uniform where predictions are calibrated.

    Examples
    --------
    >>> probability_integral_transform(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.5])).tolist()
    [0.5]
    """
    return (draws <= observed).mean(axis=0)
