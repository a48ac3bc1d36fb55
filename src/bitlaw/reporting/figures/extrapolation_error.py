"""How far predictions of a backtest were off, and how wide their intervals were, against extrapolation."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bitlaw.reporting.style import DEFAULT_STYLE, Style, count_ticks, drawing, log_losses, padded

_SIZE = 4.0
_LOWEST_SHARE = 5e-3
"""Errors smaller than this share of the largest are drawn on the lower edge."""


def figure(errors: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """Every loss held out: its error on the left, the half-width of its interval on the right.

    Parameters
    ----------
    errors
        As ``error_table`` of a backtest gives it.
    style
        The style.
    """
    with drawing(style):
        drawn = Figure(figsize=(style.width, 3.9), dpi=style.dpi, layout="constrained")
        left, right = drawn.subplots(1, 2, sharex=True, sharey=True)
        most = float(errors[["error", "half_width"]].to_numpy().max())
        lowest = _LOWEST_SHARE * most
        for place, (_, own) in enumerate(errors.groupby("fold")):
            _points(left, own["ratio"], own["error"], lowest, place, style)
            _points(right, own["ratio"], own["half_width"], lowest, place, style)
        left.set_title("absolute error of log loss")
        right.set_title("half-width of the 90 % interval")
        _axes(left, errors["ratio"], lowest, most)
        drawn.supxlabel("compute over that of the largest run fitted", fontsize=style.small)
        labels = [f"{rows} rows fitted" for rows in errors.groupby("fold")["fitted"].first()]
        handles = [line for line in left.lines if not str(line.get_label()).startswith("_")]
        drawn.legend(
            handles,
            labels,
            loc="outside upper left",
            ncols=4,
            alignment="left",
            columnspacing=1.2,
            handletextpad=0.3,
            borderaxespad=0.0,
        )
    return drawn


def _points(axis: Axes, ratio: pd.Series, values: pd.Series, lowest: float, place: int, style: Style) -> None:
    """Points of one fold; those below the axis hollow, on its lower edge."""
    colour = style.colours[place % len(style.colours)]
    marker = style.markers[place % len(style.markers)]
    below = values < lowest
    axis.plot(
        ratio[~below],
        values[~below],
        marker,
        color=colour,
        markersize=_SIZE,
        alpha=0.75,
        markeredgecolor="white",
        markeredgewidth=0.3,
        label=f"fold {place}",
    )
    if below.any():
        axis.plot(
            ratio[below],
            np.full(int(below.sum()), lowest),
            marker,
            color="none",
            markeredgecolor=colour,
            markersize=_SIZE,
            clip_on=False,
        )


def _axes(axis: Axes, ratio: pd.Series, lowest: float, most: float) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    ends = padded(float(ratio.min()), float(ratio.max()))
    axis.set_xlim(*ends)
    axis.xaxis.set_major_locator(FixedLocator(count_ticks(*ends, most=6)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}x"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_ylim(lowest, 1.3 * most)
    log_losses(axis.yaxis, lowest, 1.3 * most)
