"""How every figure looks: colours that survive colour blindness, sizes that can be read, axes with units."""

import io
import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bitlaw.reporting.palette import SERIES
from bitlaw.units import format_count

MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P")
"""One per colour, so that no distinction rests on colour alone."""


@dataclass(frozen=True)
class Style:
    """How figures are drawn.

    Parameters
    ----------
    width
        Inches; at 100 pixels an inch this is the width a reader sees.
    dpi
        Pixels an inch in the file, for sharp print and dense screens.
    font, small
        Sizes in points of titles and labels, and of ticks, legends and annotations.
    ink, quiet, faded, grid
        Colours of text, of what is secondary, of options that do not stand out, and of grid lines.
    colours, markers
        One of each for every series.
    band
        Opacity of intervals.
    """

    width: float = 7.2
    dpi: int = 200
    font: float = 10.0
    small: float = 9.0
    ink: str = "#1a1a1a"
    quiet: str = "#6b6b6b"
    faded: str = "#b9c6d0"
    grid: str = "#e4e4e4"
    colours: tuple[str, ...] = SERIES
    markers: tuple[str, ...] = MARKERS
    band: float = 0.18


DEFAULT_STYLE = Style()


@contextmanager
def drawing(style: Style) -> Iterator[None]:
    """Matplotlib's settings for the time a figure is drawn; nothing outside changes."""
    settings: dict[Any, Any] = {
        "font.family": ["DejaVu Sans"],
        "font.size": style.font,
        "text.parse_math": False,  # names of runs, groups and methods hold any letter
        "axes.titlesize": style.font,
        "axes.titlelocation": "left",
        "axes.labelsize": style.small,
        "axes.edgecolor": style.quiet,
        "axes.labelcolor": style.ink,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": style.grid,
        "grid.linewidth": 0.7,
        "text.color": style.ink,
        "xtick.labelsize": style.small,
        "ytick.labelsize": style.small,
        "xtick.color": style.quiet,
        "ytick.color": style.quiet,
        "xtick.labelcolor": style.ink,
        "ytick.labelcolor": style.ink,
        "legend.fontsize": style.small,
        "legend.frameon": False,
        "lines.linewidth": 1.6,
        "lines.markersize": 4.5,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
    }
    with matplotlib.rc_context(settings):
        yield


def panels(style: Style, count: int, columns: int, panel_height: float) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels that share both axes, in even rows of at most ``columns``, none empty.

    Parameters
    ----------
    style
        The style; call inside ``drawing``.
    count, columns
        Number of panels, and the most in one row.
    panel_height
        Inches per row.
    """
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    figure = Figure(figsize=(style.width, panel_height * rows + 0.3), dpi=style.dpi, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    for axis in axes[count:]:
        axis.remove()
    for index, axis in enumerate(axes[:count]):
        axis.tick_params(labelbottom=index + columns >= count)
    return figure, axes[:count]


def png(figure: Figure, style: Style = DEFAULT_STYLE) -> bytes:
    """The figure as PNG, the same bytes for the same figure."""
    buffer = io.BytesIO()
    with drawing(style):
        figure.savefig(buffer, format="png", dpi=style.dpi, metadata={"Software": None})
    return buffer.getvalue()


def count_ticks(lo: float, hi: float, most: int = 5) -> list[float]:
    """Round numbers inside a range for a logarithmic axis, as many as fit.

    Examples
    --------
    >>> count_ticks(1e6, 16e6)
    [1000000.0, 2000000.0, 3000000.0, 5000000.0, 10000000.0]
    >>> count_ticks(1e6, 1e13, most=4)
    [1000000.0, 100000000.0, 10000000000.0, 1000000000000.0]
    """
    decades = range(math.floor(math.log10(lo)) - 1, math.ceil(math.log10(hi)) + 1)
    inside = (lo / 1.02, hi * 1.02)
    finest = [
        mantissa * 10.0**decade
        for decade in decades
        for mantissa in (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8)
    ]
    candidates = [finest]
    for mantissas in ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3)):
        candidates.append([mantissa * 10.0**decade for decade in decades for mantissa in mantissas])
    candidates += [[10.0**decade for decade in decades if decade % step == 0] for step in (1, 2, 3, 6)]
    for ticks in candidates:
        kept = [tick for tick in ticks if inside[0] <= tick <= inside[1]]
        if len(kept) <= most:
            return kept
    return [10.0 ** math.floor(math.log10(hi))]


def log_counts(axis: Axis, values: Iterable[float], most: int = 5) -> None:
    """A logarithmic axis of counts, labelled 1M, 2M, 4M: at the values themselves where they are few.

    Parameters
    ----------
    axis
        ``axes.xaxis`` or ``axes.yaxis``, its scale already logarithmic.
    values
        The data.
    most
        Most labels.
    """
    distinct = sorted({float(value) for value in values})
    apart = all(later / earlier > 1.3 for earlier, later in itertools.pairwise(distinct))
    ticks = distinct if len(distinct) <= most and apart else count_ticks(distinct[0], distinct[-1], most)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_count(value)))
    axis.set_minor_locator(NullLocator())


def log_losses(axis: Axis, lo: float, hi: float) -> None:
    """A logarithmic axis of losses, labelled with plain numbers."""
    axis.set_major_locator(FixedLocator(count_ticks(lo, hi, most=5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def padded(lo: float, hi: float, share: float = 0.06) -> tuple[float, float]:
    """A positive range a little wider on a logarithmic axis, so that points at its ends are whole.

    Examples
    --------
    >>> padded(1.0, 100.0, share=0.5)
    (0.1, 1000.0)
    """
    room = share * max(math.log10(hi / lo), 0.3)
    return lo * 10.0**-room, hi * 10.0**room
