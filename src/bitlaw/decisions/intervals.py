"""Draws summarised: intervals, Monte Carlo errors, and what JSON may hold of them."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bitlaw.errors import InputError
from bitlaw.units import Interval, decimals_for, format_count

_LARGEST_PLAIN = 1e6


def interval_of(draws: np.ndarray, prob: float, unit: str = "") -> Interval:
    """Median and equal-tailed interval of draws.

    Parameters
    ----------
    draws
        Shape (samples,); infinite values are allowed, NaN is left out, and nothing left gives NaN.
    prob
        Probability inside.
    unit
        Unit of the draws.

    Examples
    --------
    >>> interval_of(np.array([1.0, 2.0, np.inf]), 0.5)
    Interval(median=2.0, lo=1.0, hi=inf, prob=0.5, kind='ETI', unit='')
    """
    known = np.sort(draws[~np.isnan(draws)])
    tails = (0.5, 0.5 - prob / 2, 0.5 + prob / 2)
    if known.size == 0:
        median, lo, hi = (math.nan,) * 3
    elif np.isfinite(known).all():
        median, lo, hi = (float(value) for value in np.quantile(known, tails))
    else:  # interpolating towards infinity would give NaN, so order statistics
        median, lo, hi = (float(known[round(tail * (known.size - 1))]) for tail in tails)
    return Interval(median, lo, hi, prob, unit=unit)


def mean_of(draws: np.ndarray) -> float:
    """Mean over draws; inf where their sum is beyond floating point.

    Examples
    --------
    >>> mean_of(np.array([1.0, 2.0])), mean_of(np.array([1e308, 1e308]))
    (1.5, inf)
    """
    with np.errstate(over="ignore"):
        return float(draws.mean())


def monte_carlo_error(probability: float, samples: float) -> float:
    """Standard error √(p (1 - p) / S) of a probability counted over S draws.

    Examples
    --------
    >>> monte_carlo_error(0.5, 100)
    0.05
    """
    return math.sqrt(probability * (1.0 - probability) / samples)


def indistinguishable(first: float, second: float, samples: int) -> bool:
    """Whether two probabilities of exclusive events differ by at most two Monte Carlo errors.

    Over S draws the variance of the difference is (p + q - (p - q)²)/S. An event that never
    happened ties with nothing.

    Examples
    --------
    >>> indistinguishable(0.42, 0.40, 1000), indistinguishable(0.7, 0.1, 1000)
    (True, False)
    """
    difference = first - second
    variance = max(0.0, first + second - difference**2) / samples
    return min(first, second) > 0 and abs(difference) <= 2.0 * math.sqrt(variance)


def require_probability(name: str, value: float) -> None:
    """Raise InputError unless 0 < value < 1."""
    if not 0.0 < value < 1.0:
        raise InputError(f"{name} is {value:g}; valid: between 0 and 1, for example 0.9")


def json_value(value: Any) -> Any:
    """Plain JSON types: intervals as mappings, tuples as lists, and None for NaN and infinity.

    Examples
    --------
    >>> json_value({"bits": (16.0, np.float64(8.0)), "compute": math.inf})
    {'bits': [16.0, 8.0], 'compute': None}
    """
    if isinstance(value, Interval):
        return json_value(value.to_dict())
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [json_value(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def interval_text(interval: Interval) -> str:
    """An interval in words; significant digits where decimals would be too many or show nothing.

    Examples
    --------
    >>> interval_text(Interval(2.481, 2.470, 2.492, unit="nats/token"))
    '2.481 (90 % ETI 2.470 to 2.492) nats/token'
    >>> interval_text(Interval(5.3, 4.1, math.inf, unit="x"))
    '5.3 (90 % ETI 4.1 to inf) x'
    >>> interval_text(Interval(0.003, 0.0001, 15.0))
    '0.003 (90 % ETI 0.0001 to 15)'
    """
    ends = (interval.median, interval.lo, interval.hi)
    smallest_shown = 10.0 ** -decimals_for(interval.lo, interval.hi)
    lost = 0 < abs(interval.median) < smallest_shown
    if all(abs(end) < _LARGEST_PLAIN for end in ends) and not lost:
        return str(interval)
    return _words(interval, *(f"{end:.3g}" for end in ends))


def count_text(interval: Interval) -> str:
    """An interval of counts with suffixes.

    Examples
    --------
    >>> count_text(Interval(5.3e9, 4.1e9, math.inf, unit="tokens"))
    '5.3B (90 % ETI 4.1B to inf) tokens'
    """
    ends = (interval.median, interval.lo, interval.hi)
    return _words(interval, *(format_count(end) if math.isfinite(end) else f"{end}" for end in ends))


def drift_text(included: bool, drift: float | None, beyond: bool, of: str = "the loss") -> str:
    """What an answer says about structural error; nothing where there is none to speak of.

    Parameters
    ----------
    included
        Whether drift was asked for.
    drift
        Its part in what is answered, a standard deviation of a logarithm; None where it is left out.
    beyond
        Whether the answer is beyond the data.
    of
        What is answered.

    Examples
    --------
    >>> drift_text(True, 0.012, True)
    ' Structural error beyond the data is included (drift, 1.2 % of the loss).'
    >>> drift_text(True, 0.0, False), drift_text(False, None, True)
    ('', ' Without structural error beyond the data.')
    """
    if included and drift:
        return f" Structural error beyond the data is included (drift, {100 * drift:.2g} % of {of})."
    return " Without structural error beyond the data." if beyond and not included else ""


def nats_text(value: float) -> str:
    """A loss difference with two significant digits.

    Examples
    --------
    >>> nats_text(0.01234), nats_text(0.0), nats_text(math.inf)
    ('0.012', '0', 'inf')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.2g}" if abs(value) >= _LARGEST_PLAIN else f"{value:.{decimals_for(0.0, value)}f}"


def _words(interval: Interval, median: str, lo: str, hi: str) -> str:
    return f"{median} ({100 * interval.prob:g} % {interval.kind} {lo} to {hi}) {interval.unit}".rstrip()
