"""The last evaluations of a metric, with those that a resumed run repeats counted once."""

import math
from collections import deque


class LastEvaluations:
    """The last few values of one metric, in the order of their steps.

    A run that is resumed from a checkpoint logs some steps again: a value at a step takes the place of
    all earlier values at that step or later.

    Parameters
    ----------
    last
        How many to keep; more are held, so that repeated steps do not use them up.

    Examples
    --------
    >>> found = LastEvaluations(2)
    >>> for step, value in ((1, 3.0), (2, 2.0), (3, 9.0), (3, 1.9)):
    ...     found.add(value, step)
    >>> found.values()
    (2.0, 1.9)
    """

    _MOST_REPEATED = 1000

    def __init__(self, last: int) -> None:
        self._last = last
        self._held: deque[tuple[float | None, float]] = deque(maxlen=last + self._MOST_REPEATED)

    def add(self, value: float, step: float | None = None) -> None:
        """Take in the next logged value.

        Parameters
        ----------
        value
            The metric.
        step
            Where in training; None where that is not logged.
        """
        if step is not None:
            while self._held and _at_or_after(self._held[-1][0], step):
                self._held.pop()
        self._held.append((step, number(value)))

    def values(self) -> tuple[float, ...]:
        """The last values, oldest first."""
        return tuple(value for _, value in list(self._held)[-self._last :])


def number(value: object) -> float:
    """A number, or the text of one, as a float: infinite where it is too large for one.

    Examples
    --------
    >>> number("3.1"), number(10**400)
    (3.1, inf)
    """
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf


def _at_or_after(held: float | None, step: float) -> bool:
    return held is not None and held >= step
