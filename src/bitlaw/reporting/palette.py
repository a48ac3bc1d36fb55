"""The colours of page and figures, in the light and in the dark scheme: readable, and apart for the colour-blind."""

from dataclasses import dataclass

SERIES: tuple[str, ...] = ("#0072B2", "#D55E00", "#009E73", "#A05484", "#61561A", "#2A3D73")
"""Hues of Okabe and Ito, ordered so that neighbours differ.

Purple, amber and sky blue are darkened: on the page's panels they have a contrast of 2.9, 2.1 and 2.2, and graphics
need 3. The shades were searched for, as far apart as they get for the colour-blind.
"""


@dataclass(frozen=True)
class Colour:
    """One colour of the page.

    Parameters
    ----------
    name
        Its CSS variable, without the dashes.
    light, dark
        Its value in each scheme, as CSS and Matplotlib's SVG write it.
    """

    name: str
    light: str
    dark: str


_DARK_SERIES = ("#4ba3e3", "#f0824a", "#2fbf95", "#dfa0c6", "#f0b429", "#a5d8f6")

FIGURE: tuple[Colour, ...] = (
    Colour("paper", "#ffffff", "#17181a"),
    Colour("ink", "#1a1a1a", "#e8e8e8"),
    Colour("figure-quiet", "#6b6b6b", "#9a9a9a"),
    Colour("figure-grid", "#e4e4e4", "#34373a"),
    Colour("figure-faded", "#b9c6d0", "#4f5c66"),
    Colour("figure-prior", "#d0d0d0", "#4a4d50"),
    Colour("figure-new", "#d9d9d9", "#45484b"),
    *(
        Colour(f"series-{place}", light.lower(), dark)
        for place, (light, dark) in enumerate(zip(SERIES, _DARK_SERIES, strict=True), start=1)
    ),
)
"""What figures are drawn in; a light value names the colour, so that no two share one."""

PAGE: tuple[Colour, ...] = (
    Colour("quiet", "#595959", "#adadad"),
    Colour("panel", "#f6f7f8", "#1f2124"),
    Colour("line", "#d8d8d8", "#3d4043"),
    Colour("mark", "#e8f1f8", "#20374a"),
    Colour("link", "#005a8d", "#7cc4f0"),
    Colour("alarm", "#a40000", "#ff9b8f"),
    Colour("on-badge", "#fefefe", "#121212"),
    Colour("low", "#00684c", "#5fd3ad"),
    Colour("moderate", "#7a5200", "#f0b429"),
    Colour("high", "#a33a00", "#ff9a66"),
    Colour("refuse", "#8a0f2e", "#ff8fa3"),
)
"""What the rest of the page is drawn in; risk grades are said in words too, never by colour alone."""

COLOURS = (*FIGURE, *PAGE)


def variable(name: str) -> str:
    """The CSS variable of a colour.

    Examples
    --------
    >>> variable("ink")
    '--ink'
    """
    return f"--{name}"


def scheme(which: str) -> str:
    """The variables of the ``"light"`` or ``"dark"`` scheme, as CSS declarations.

    Examples
    --------
    >>> scheme("dark").split("; ")[0]
    '--paper: #17181a'
    """
    return "; ".join(f"{variable(colour.name)}: {getattr(colour, which)}" for colour in COLOURS)
