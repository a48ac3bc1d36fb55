"""Draws of several laws as one, each law's in proportion to its weight."""

from collections.abc import Sequence

import numpy as np


def stack_rows(weights: np.ndarray, samples: Sequence[int]) -> list[np.ndarray]:
    """Which draws each law contributes to the stack, evenly thinned and none twice.

    Parameters
    ----------
    weights
        One per law, sum to 1.
    samples
        Number of draws of each law.

    Returns
    -------
    list of numpy.ndarray
        Indices of draws per law; as many in all as keep the proportions.

    Examples
    --------
    >>> [len(rows) for rows in stack_rows(np.array([0.75, 0.25, 0.0]), [3000, 3000, 3000])]
    [3000, 1000, 0]
    """
    total = min(count / weight for count, weight in zip(samples, weights, strict=True) if weight > 0)
    shares = [min(count, round(total * weight)) for count, weight in zip(samples, weights, strict=True)]
    return [
        ((np.arange(share) + 0.5) * count / max(share, 1)).astype(int)
        for share, count in zip(shares, samples, strict=True)
    ]


def pooled(draws: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Draws of several laws as one array, each law's in proportion to its weight.

    Parameters
    ----------
    draws
        One array per law, draws along the first axis.
    weights
        One per law; sum to 1.

    Examples
    --------
    >>> pooled([np.array([1, 2, 3, 4]), np.array([5, 6])], np.array([0.5, 0.5])).tolist()
    [2, 4, 5, 6]
    """
    rows = stack_rows(weights, [len(own) for own in draws])
    return np.concatenate([own[chosen] for own, chosen in zip(draws, rows, strict=True)])
