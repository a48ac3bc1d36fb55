"""Where the uncertainty of each answer comes from: shares of its variance as stacked bars."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing

SOURCES: Mapping[str, str] = {
    "prior": "the prior",
    "constants": "the law's constants",
    "drift": "drift beyond the data",
    "noise": "noise of a new run",
}
"""The parts of an answer's variance, in the order they are drawn, in words."""

_HATCHES = ("", "///", "...", "")
_COLOURS = (4, 0, 1)
_LEAST_WRITTEN = 0.07


def figure(
    labels: Sequence[str], shares: Sequence[Mapping[str, float]], style: Style = DEFAULT_STYLE
) -> Figure:
    """One bar per answer, from the top down.

    Parameters
    ----------
    labels
        The answers.
    shares
        Of each, the share of every source of ``SOURCES``; they sum to 1.
    style
        The style.

    Raises
    ------
    ValueError
        If shares do not sum to 1, or a source is unknown.
    """
    for label, own in zip(labels, shares, strict=True):
        if set(own) - set(SOURCES) or not np.isclose(sum(own.values()), 1.0, atol=1e-6):
            raise ValueError(
                f"shares of {label} are {dict(own)}; valid: shares of {set(SOURCES)} that sum to 1"
            )
    colours = (*(style.colours[place] for place in _COLOURS), style.quiet)
    with drawing(style):
        drawn = Figure(figsize=(style.width, 0.34 * len(labels) + 1.0), dpi=style.dpi, layout="constrained")
        axis = drawn.subplots()
        left = np.zeros(len(labels))
        for (source, words), colour, hatch in zip(SOURCES.items(), colours, _HATCHES, strict=True):
            widths = np.array([own.get(source, 0.0) for own in shares])
            axis.barh(
                range(len(labels)),
                100 * widths,
                left=100 * left,
                height=0.66,
                color=colour,
                edgecolor="white",
                linewidth=0.5,
                hatch=hatch,
                label=words,
            )
            _percents(axis, widths, left, style)
            left += widths
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.4, -0.6)
        axis.set_xlim(0, 100)
        axis.set_xlabel("share of the variance, %")
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
        drawn.legend(
            loc="outside upper left", ncols=4, alignment="left", columnspacing=1.2, handlelength=1.4,
            borderaxespad=0.0,
        )  # fmt: skip
    return drawn


def _percents(axis: Axes, widths: np.ndarray, left: np.ndarray, style: Style) -> None:
    """The percentage in the middle of every part that is wide enough for it."""
    for row, (width, start) in enumerate(zip(widths, left, strict=True)):
        if width >= _LEAST_WRITTEN:
            axis.annotate(
                f"{100 * width:.0f}",
                (100 * (start + width / 2), row),
                ha="center",
                va="center",
                fontsize=style.small,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
            )
