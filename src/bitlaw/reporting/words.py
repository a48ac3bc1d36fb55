"""Words and numbers as the report prints them."""

import math
import re
from collections.abc import Iterable, Sequence

from bitlaw.decisions.on_offer import Key, key_text
from bitlaw.finding import Finding, Status
from bitlaw.units import Interval, decimals_for, format_bits

_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "kappa": "κ",
    "tau": "τ",
    "sigma": "σ",
    "nu": "ν",
}
_SAMPLED = {
    "mean_loss": "L̄",
    "floor_share": "E/L̄",
    "n_share": "share of N",
    "slope_n": "slope in N",
    "slope_d": "slope in D",
    "slope": "slope in N and D",
}
NONE_ON_OFFER = "none on offer"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONGEST_NAME = 80


def symbol(name: str) -> str:
    """A constant as it is written in the equations.

    Examples
    --------
    >>> symbol("gamma_post"), symbol("gamma_D"), symbol("alpha"), symbol("P0_w"), symbol("slope_n")
    ('γ_post', 'γ_D', 'α', 'P0_w', 'slope in N')
    """
    if name in _SAMPLED:
        return _SAMPLED[name]
    first, _, rest = name.partition("_")
    return f"{_GREEK.get(first, first)}{'_' if rest else ''}{rest}"


def printable(text: str) -> str:
    r"""Text without what neither a page nor UTF-8 can hold: control characters, lone surrogates.

    Examples
    --------
    >>> printable("a\x00b") == "a\ufffdb"
    True
    """
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def short_name(name: str) -> str:
    """A run's name, cut where it would fill the page.

    Examples
    --------
    >>> len(short_name("x" * 500))
    81
    """
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def figure_name(name: str, longest: int = 24) -> str:
    r"""A name as a figure holds it: on one line, its middle left out where it is long, for variants differ at the end.

    Matplotlib leaves what begins with an underscore out of legends, so that such a name begins with a space.

    Examples
    --------
    >>> figure_name("gptq-" * 20)
    'gptq-gptq-g…q-gptq-gptq-'
    >>> figure_name("_a\nb")
    ' _a b'
    """
    line = " ".join(printable(name).split())
    half = (longest - 1) // 2
    short = line if len(line) <= longest else f"{line[:half]}…{line[-half - 1 :]}"
    return f" {short}" if short.startswith("_") else short


def range_text(interval: Interval) -> str:
    """Median and ends without their unit and kind, for a table whose header states both.

    Examples
    --------
    >>> range_text(Interval(2.481, 2.470, 2.492))
    '2.481 (2.470 to 2.492)'
    >>> range_text(Interval(3.0, 2.0, math.inf)), range_text(Interval(math.nan, math.nan, math.nan))
    ('3.0 (2.0 to ∞)', 'none')
    >>> range_text(Interval(0.00014, 0.00003, 0.0025))
    '0.00014 (0.00003 to 0.0025)'
    """
    ends = (interval.median, interval.lo, interval.hi)
    if any(math.isnan(end) for end in ends):
        return "none"
    finite = [end for end in ends if math.isfinite(end)]
    digits = decimals_for(min(finite), max(finite)) if len(finite) > 1 else 1
    lost = len(finite) > 1 and 0.0 < min(finite) < 0.5 * 10.0**-digits
    median, lo, hi = (_significant_number(end) if lost else _number(end, digits) for end in ends)
    return f"{median} ({lo} to {hi})"


def cell_text(interval: Interval) -> str:
    """As ``range_text``, to be broken in a narrow cell before the bracket only."""
    return whole_bracket(range_text(interval))


def whole_bracket(text: str) -> str:
    r"""Keep what is in brackets on one line.

    Examples
    --------
    >>> whole_bracket("1.5 (1.4 to 1.6)")
    '1.5 (1.4\xa0to\xa01.6)'
    """
    before, bracket, inside = text.partition("(")
    return before + bracket + inside.replace(" ", "\N{NO-BREAK SPACE}")


def _number(value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def _significant_number(value: float) -> str:
    """Two significant digits without an exponent."""
    if math.isinf(value):
        return "∞"
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}".rstrip("0").rstrip(".")


def share_text(contraction: float) -> str:
    """A contraction, which never claims to be complete.

    Examples
    --------
    >>> share_text(0.9987), share_text(0.42), share_text(-0.031)
    ('> 0.99', '0.42', '−0.03')
    """
    return "> 0.99" if contraction > 0.99 else f"{max(contraction, -9.99):.2f}".replace("-", "−")


def significant(value: float | None) -> str:
    """A number of a finding, three significant digits.

    Examples
    --------
    >>> significant(1.00559), significant(0.00075), significant(937.2), significant(None)
    ('1.01', '0.00075', '937', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"


def joined(items: Iterable[str]) -> str:
    """A list in a sentence.

    Examples
    --------
    >>> joined(["16", "8", "6"]), joined(["16"])
    ('16, 8 and 6', '16')
    """
    words = list(items)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def bits_text(bits: float) -> str:
    """A bit-width with its noun.

    Examples
    --------
    >>> bits_text(8.0), bits_text(1.0), bits_text(4.25)
    ('8 bits', '1 bit', '4.25 bits')
    """
    return f"{format_bits(bits)} bit{'' if bits == 1 else 's'}"


def bits_list(bits: Sequence[float]) -> str:
    """Bit-widths in a sentence.

    Examples
    --------
    >>> bits_list((16.0, 8.0)), bits_list((8.0,))
    ('16 and 8 bits', '8 bits')
    """
    return (
        f"{joined(format_bits(value) for value in bits[:-1])} and {bits_text(bits[-1])}"
        if bits[1:]
        else (bits_text(bits[0]) if bits else "")
    )


def gist(finding: Finding, laws: Iterable[str] = ()) -> str:
    """The first clause of a finding's message, to stand in a list.

    Parameters
    ----------
    finding
        The finding.
    laws
        Names of laws, which then stand behind the clause where the message begins with them.

    Examples
    --------
    >>> gist(Finding("a.b", Status.WARN, 3.0, 1.0, "3 of 9 diverged (33 %; 1 % is fine): tune longer."))
    '3 of 9 diverged (33 %; 1 % is fine)'
    >>> gist(Finding("a.b", Status.WARN, 3.0, 1.0, "coupled: 3 diverged; tune longer."), ["coupled"])
    '3 diverged (coupled)'
    """
    whose, message = by_law(finding.message, laws)
    return first_clause(message) + (f" ({whose})" if whose else "")


def first_clause(message: str) -> str:
    """A message up to the first semicolon, colon or full stop outside of brackets.

    Examples
    --------
    >>> first_clause("7B parameters is 4.3 decades above the largest fitted run (332k): no evidence.")
    '7B parameters is 4.3 decades above the largest fitted run (332k)'
    """
    depth = 0
    for position, character in enumerate(message):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and message[position : position + 2] in ("; ", ": ", ". "):
            return message[:position]
    return message.rstrip(".")


def by_law(message: str, laws: Iterable[str]) -> tuple[str, str]:
    """The names of laws a message begins with, joined by commas and ended by a colon, and the rest of it.

    Examples
    --------
    >>> by_law("a, b: all is well.", ["a", "b"]), by_law("a: b.", [])
    (('a, b', 'all is well.'), ('', 'a: b.'))
    """
    start, colon, rest = message.partition(": ")
    if colon and set(start.split(", ")) <= set(laws):
        return start, rest
    return "", message


def of_status(findings: Iterable[Finding], status: Status) -> list[Finding]:
    """The findings with this status."""
    return [finding for finding in findings if finding.status is status]


def precision_text(key: Key | None) -> str:
    """An answer in a few words.

    Examples
    --------
    >>> precision_text(8.0), precision_text("mxfp4"), precision_text(None)
    ('8 bits', 'mxfp4', 'none on offer')
    """
    if key is None:
        return NONE_ON_OFFER
    return key_text(key) if isinstance(key, str) else bits_text(key)


def options_list(keys: Sequence[Key]) -> str:
    """Precisions on offer in a sentence: bit-widths together, then formats.

    Examples
    --------
    >>> options_list([8.0, 6.0, "mxfp4"]), options_list([4.0])
    ('8 and 6 bits, and mxfp4', '4 bits')
    """
    bits = [key for key in keys if not isinstance(key, str)]
    formats = [key for key in keys if isinstance(key, str)]
    parts = [*([bits_list(bits)] if bits else []), *([joined(formats)] if formats else [])]
    return ", and ".join(parts)
