"""Numbers as people read them: counts, digits that carry information, and intervals that name themselves."""

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

LOSS_UNIT = "nats/token"

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_SUFFIXED = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([kmbt])\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Interval:
    """An interval that carries its probability and kind with its ends.

    Parameters
    ----------
    median, lo, hi
        Posterior median and the ends of the interval, in ``unit``.
    prob
        Probability inside, for example 0.9.
    kind
        ``"ETI"``, equal-tailed.
    unit
        Unit of the three numbers; empty for a pure number.
    """

    median: float
    lo: float
    hi: float
    prob: float = 0.9
    kind: str = "ETI"
    unit: str = ""

    def __str__(self) -> str:
        """For example ``2.481 (90 % ETI 2.470–2.492) nats/token``."""
        digits = decimals_for(self.lo, self.hi)
        text = (
            f"{self.median:.{digits}f} ({100 * self.prob:g} % {self.kind} "
            f"{self.lo:.{digits}f} to {self.hi:.{digits}f})"
        )
        return f"{text} {self.unit}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """The interval as plain JSON types."""
        return asdict(self)


def decimals_for(lo: float, hi: float, significant: int = 2) -> int:
    """Decimals needed so that the width of an interval shows ``significant`` digits (at most 8).

    Examples
    --------
    >>> decimals_for(2.470, 2.492)
    3
    >>> decimals_for(1.0, 1.0)
    3
    """
    width = abs(hi - lo)
    if not math.isfinite(width) or width == 0:
        return 3
    return min(8, max(0, significant - 1 - math.floor(math.log10(width))))


def format_count(value: float) -> str:
    """A count of parameters or tokens with its suffix.

    Examples
    --------
    >>> format_count(331776), format_count(7e9), format_count(512)
    ('332k', '7B', '512')
    """
    for scale, suffix in _SUFFIXES:
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.4g}"


def suffixed_count(text: str) -> float | None:
    """The count that a number with k, M, B or T means; None where the text is no such thing.

    Examples
    --------
    >>> suffixed_count("7B"), suffixed_count("6.74 B"), suffixed_count("7e9")
    (7000000000.0, 6740000000.0, None)
    """
    found = _SUFFIXED.fullmatch(text)
    if found is None:
        return None
    scales = {suffix.lower(): scale for scale, suffix in _SUFFIXES}
    return float(found[1]) * scales[found[2].lower()]


def format_amount(value: float) -> str:
    """GPU-hours or money: three digits that carry information, thousands set apart.

    Examples
    --------
    >>> format_amount(0.01234), format_amount(702.4), format_amount(1234567.0)
    ('0.0123', '702', '1,234,567')
    """
    return f"{value:,.0f}" if 100 <= abs(value) < 1e9 else f"{value:.3g}"


def format_duration(hours: float) -> str:
    """A time in days, hours, minutes or seconds, whichever leaves few digits.

    Examples
    --------
    >>> format_duration(65.8), format_duration(2.5), format_duration(0.2), format_duration(0.001)
    ('2.74 days', '2.5 hours', '12 minutes', '3.6 seconds')
    """
    for name, length in (("days", 24.0), ("hours", 1.0), ("minutes", 1.0 / 60.0)):
        if hours >= (2.0 if name == "days" else 1.0) * length:
            return f"{format_amount(hours / length)} {name}"
    return f"{format_amount(3600.0 * hours)} seconds"


def format_bits(bits: float) -> str:
    """A bit-width without needless decimals.

    Examples
    --------
    >>> format_bits(4.0), format_bits(4.25)
    ('4', '4.25')
    """
    return f"{bits:g}"


def format_probability(probability: float) -> str:
    """A probability in percent that never claims certainty.

    Examples
    --------
    >>> format_probability(0.9999), format_probability(0.42), format_probability(0.0)
    ('> 99.9 %', '42 %', '< 0.1 %')
    """
    if probability > 0.999:
        return "> 99.9 %"
    if probability < 0.001:
        return "< 0.1 %"
    return (
        f"{100 * probability:.1f} %"
        if probability > 0.99 or probability < 0.01
        else f"{100 * probability:.0f} %"
    )
