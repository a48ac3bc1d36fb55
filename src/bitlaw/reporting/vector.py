"""A figure as SVG that stands inside a page: small, its colours by name so that they follow the page's scheme."""

import io
import re
import warnings
from collections.abc import Mapping
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

from bitlaw.reporting.palette import COLOURS, variable
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.reporting.words import printable

_SVG, _HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_VARIABLES = {colour.light: f"var({variable(colour.name)})" for colour in COLOURS}
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DROPPED = ("font-family",)
_NOT_INHERITED = ("opacity", "clip-path")
_DECIMALS = 2
_NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)\s*")


def svg(figure: Figure, name: str, style: Style = DEFAULT_STYLE) -> str:
    """The figure as an SVG element to stand inside HTML, the same text for the same figure.

    Coordinates keep a hundredth of a point; identifiers begin with ``name``, so that those of two figures differ; text
    is text, in the page's font; colours of the palette are CSS variables of the page.

    Parameters
    ----------
    figure
        The figure.
    name
        Of the figure, unique in the page.
    style
        The style it was drawn in.
    """
    buffer = io.BytesIO()
    with (
        warnings.catch_warnings(),
        drawing(style),
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}),
    ):
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from font", UserWarning
        )  # the page's fonts draw it
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = ElementTree.fromstring(printable(buffer.getvalue().decode()))
    for parent in (drawn, *drawn):
        for child in [one for one in parent if one.tag in (f"{_SVG}metadata", f"{_SVG}style")]:
            parent.remove(child)
    _simplify(drawn, name, _referenced(drawn))
    outer = {
        "viewBox": drawn.get("viewBox", ""),
        "role": "img",
        "aria-labelledby": f"{name}-finding",
        "style": "stroke-linejoin:round;stroke-linecap:butt",
    }
    drawn.attrib.clear()
    drawn.attrib.update(outer)
    return ElementTree.tostring(drawn, encoding="unicode")


def _referenced(drawn: ElementTree.Element) -> set[str]:
    """Identifiers that something in the drawing points to."""
    found = set()
    for element in drawn.iter():
        for value in element.attrib.values():
            found.update(_REFERENCE.findall(value))
        if _HREF in element.attrib:
            found.add(element.attrib[_HREF][1:])
    return found


def _simplify(element: ElementTree.Element, name: str, referenced: set[str]) -> None:
    """Take from an element and what is in it whatever does not change the picture."""
    element.tag = element.tag.removeprefix(_SVG)
    element.tail = None
    if element.tag not in ("text", "tspan"):
        element.text = None
    element.attrib = dict(_attribute(*item, name) for item in element.items() if _kept(*item, referenced))
    for child in element:
        _simplify(child, name, referenced)
    element[:] = [one for child in element for one in (child if _is_plain(child) else [child])]
    _hoist_style(element)


def _kept(attribute: str, value: str, referenced: set[str]) -> bool:
    if attribute == "id":
        return value in referenced
    return not (attribute == "transform" and _NO_TURN.fullmatch(value))


def _attribute(attribute: str, value: str, name: str) -> tuple[str, str]:
    if attribute == "id":
        return attribute, f"{name}-{value}"
    if attribute == _HREF:
        return "href", f"#{name}-{value[1:]}"
    value = _REFERENCE.sub(lambda found: f"url(#{name}-{found[1]})", value)
    if attribute == "style":
        return attribute, _style_text(_style_of(value))
    if attribute in ("fill", "stroke"):  # of hatches
        return attribute, _VARIABLES.get(value, value)
    if attribute == "d":
        value = re.sub(r"\s*([MLCQz])\s*", r"\1", value)
    return attribute, _NUMBER.sub(_rounded, value).strip()


def _is_plain(element: ElementTree.Element) -> bool:
    """Whether an element only holds others."""
    return element.tag == "g" and not element.attrib


def _hoist_style(element: ElementTree.Element) -> None:
    """What all parts of a group are drawn alike in, once for the group."""
    if element.tag != "g" or len(element) < 2:
        return
    styles = [_style_of(child.get("style", "")) for child in element]
    alike = {
        key: value
        for key, value in styles[0].items()
        if key not in _NOT_INHERITED and all(own.get(key) == value for own in styles)
    }
    if not alike:
        return
    element.set("style", _style_text(_style_of(element.get("style", "")) | alike))
    for child, own in zip(element, styles, strict=True):
        left = {key: value for key, value in own.items() if key not in alike}
        if left:
            child.set("style", _style_text(left))
        else:
            del child.attrib["style"]


def _style_of(text: str) -> dict[str, str]:
    parts = (part.partition(":") for part in text.split(";") if part.strip())
    return {key.strip(): value.strip() for key, _, value in parts if key.strip() not in _DROPPED}


def _style_text(style: Mapping[str, str]) -> str:
    return ";".join(f"{key}:{_VARIABLES.get(value, value)}" for key, value in style.items())


def _rounded(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
