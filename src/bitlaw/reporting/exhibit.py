"""A figure as the page holds it: drawn, with its finding in words."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from bitlaw.inference.fit import Fit
from bitlaw.reporting.observed import shown_group
from bitlaw.reporting.style import Style
from bitlaw.reporting.vector import svg


@dataclass(frozen=True)
class Exhibit:
    """A figure as the page holds it.

    Parameters
    ----------
    name
        Its anchor.
    image
        The drawing, as an SVG element.
    finding
        What it shows, with numbers; also its alternative text.
    reading
        How to read it.
    """

    name: str
    image: str
    finding: str
    reading: str


def one_group(fit: Fit) -> str:
    """That curves of a pooled fit show one of its groups."""
    group = shown_group(fit)
    return f" Of the groups pooled over that of the largest run is shown{group}." if group else ""


def exhibit(name: str, figure: Figure, finding: str, reading: str, style: Style) -> Exhibit:
    """A figure drawn; parameters as of ``Exhibit``, and the style it is drawn in."""
    return Exhibit(name, svg(figure, name, style), finding, reading)
