"""Which of several options or plans has the lowest loss, draw by draw."""

import numpy as np


def lowest_wins(loss: np.ndarray, competing: np.ndarray) -> np.ndarray:
    """Which option has the lowest loss in each draw, shape (samples, options).

    Parameters
    ----------
    loss
        Shape (samples, options).
    competing
        Whether each may be chosen, shape (options,). One that may not wins where it would beat all that may.

    Examples
    --------
    >>> loss = np.array([[1.0, 2.0, 0.5], [2.0, 1.0, 1.5]])
    >>> lowest_wins(loss, np.array([True, True, False])).tolist()
    [[True, False, True], [False, True, False]]
    """
    among = np.where(competing, loss, np.inf)
    lowest = among.min(axis=1, keepdims=True)
    first = (among.argmin(axis=1)[:, None] == np.arange(loss.shape[1])) & competing
    return first | (~competing & (loss < lowest))
