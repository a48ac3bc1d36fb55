"""An equation in plain text as HTML: indices below, powers above, names in italics."""

import re

from markupsafe import Markup, escape

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+(?:-[a-z]+)*")
_QUANTITY = re.compile(r"([A-Za-zα-ωΑ-Ω]\u0304?)([0-9]|[A-Za-z](?![A-Za-z]))?")
_INDEX = re.compile(r"_([A-Za-zα-ω0-9]+)")
_INDEXED_BY_A_DIGIT = re.compile(r"[A-Z][0-9](?![A-Za-z0-9])")
_POWER = re.compile(r"-?[A-Za-zα-ω0-9.]+(?:_[A-Za-zα-ω0-9]+)?")


def equation(text: str) -> Markup:
    """An equation as the library writes it, as HTML; words in it stay upright.

    Parameters
    ----------
    text
        With ``_`` before an index and ``^`` before a power, which is a name, a number or in brackets.

    Examples
    --------
    >>> equation("L = E + a (N/N̄)^-α")
    Markup('<i>L</i> = <i>E</i> + <i>a</i> (<i>N</i>/<i>N̄</i>)<sup>−<i>α</i></sup>')
    >>> equation("e^(-P_x/c_x) < 1")
    Markup('<i>e</i><sup>(−<i>P</i><sub>x</sub>/<i>c</i><sub>x</sub>)</sup> &lt; 1')
    """
    made, place = Markup(), 0
    while place < len(text):
        word = None if _INDEXED_BY_A_DIGIT.match(text, place) else _WORD.match(text, place)
        quantity, index = _QUANTITY.match(text, place), _INDEX.match(text, place)
        if text[place] == "^":
            end = _end_of_power(text, place + 1)
            made += Markup("<sup>{}</sup>").format(equation(text[place + 1 : end]))
            place = end
        elif index is not None:
            made += Markup("<sub>{}</sub>").format(index[1])
            place = index.end()
        elif word is not None:
            made += escape(word[0])
            place = word.end()
        elif quantity is not None:
            made += Markup("<i>{}</i>").format(quantity[1])
            made += Markup("<sub>{}</sub>").format(quantity[2]) if quantity[2] else Markup()
            place = quantity.end()
        else:
            made += escape("\N{MINUS SIGN}" if text[place] == "-" else text[place])
            place += 1
    return made


def _end_of_power(text: str, start: int) -> int:
    """Where a power ends: at the bracket that closes it, or at the end of its name or number."""
    if text[start : start + 1] != "(":
        found = _POWER.match(text, start)
        return start + 1 if found is None else found.end()
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place + 1
    return len(text)
