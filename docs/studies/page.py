"""The page of a study, from its numbers and its template."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bitlaw.reporting.words import symbol
from bitlaw.units import decimals_for, format_count, format_probability

_MINUS = "\N{MINUS SIGN}"


def render(template: str, numbers: dict[str, Any]) -> str:
    """The page in Markdown, from a template beside this file."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "ci": interval,
        "pct": percent,
        "sig": significant,
        "signed": signed,
        "count": format_count,
        "symbol": symbol,
        "probability": format_probability,
    }
    return environment.get_template(template).render(numbers, pick=pick).strip() + "\n"


def interval(value: dict[str, float], times: float = 1.0, digits: int = 2) -> str:
    """Median and interval, times a factor, with so many digits of its width.

    Examples
    --------
    >>> interval({"median": 0.1561, "lo": 0.1213, "hi": 0.1871})
    '0.156 (0.121 to 0.187)'
    """
    median, lo, hi = (times * value[name] for name in ("median", "lo", "hi"))
    decimals = decimals_for(lo, hi, digits)
    return f"{median:.{decimals}f} ({lo:.{decimals}f} to {hi:.{decimals}f})".replace("-", _MINUS)


def percent(share: float, digits: int = 0) -> str:
    """A share in percent."""
    return f"{100 * share:.{digits}f} %"


def significant(value: float, digits: int = 2) -> str:
    """A number to so many significant digits, without an exponent."""
    return f"{value:#.{digits}g}".rstrip(".") if 1e-4 <= abs(value) < 10**digits else f"{value:.{digits}g}"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign.

    Examples
    --------
    >>> signed(3.21), signed(-0.02, 2)
    ('+3.2', '−0.02')
    """
    return f"{value:+.{digits}f}".replace("-", _MINUS)


def pick(rows: list[dict[str, Any]], name: str, value: str) -> dict[str, Any]:
    """The row of a list whose field has a value."""
    return next(row for row in rows if row[name] == value)
