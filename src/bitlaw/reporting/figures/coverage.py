"""Observed against nominal coverage of the intervals of a backtest, with drift and without."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing


def figure(coverage: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """Shares of losses inside their intervals, by probability of the interval.

    Parameters
    ----------
    coverage
        As ``coverage_table`` of a backtest gives it.
    style
        The style.
    """
    with drawing(style):
        drawn = Figure(figsize=(style.width, 3.9), dpi=style.dpi, layout="constrained")
        axis = drawn.subplots()
        nominal = 100 * coverage["prob"]
        axis.plot([0, 100], [0, 100], color=style.quiet, linewidth=1.0, label="as promised")
        axis.fill_between(
            nominal,
            100 * coverage["lo"],
            100 * coverage["hi"],
            color=style.quiet,
            alpha=style.band,
            linewidth=0,
            label="what chance allows, were rows independent",
        )
        _series(axis, coverage, "without_drift", "without drift", style, 1, "--")
        _series(axis, coverage, "with_drift", "with drift", style, 0, "-")
        axis.set_xticks(nominal, [f"{value:g}" for value in nominal])
        lowest = 100 * float(coverage[["with_drift", "without_drift", "lo"]].to_numpy().min())
        axis.set_xlim(nominal.min() - 3, 100)
        axis.set_ylim(max(0.0, min(lowest, nominal.min()) - 5), 101)
        axis.set_xlabel("probability of the interval, %")
        axis.set_ylabel("losses inside, %")
        axis.legend(loc="upper left")
    return drawn


def _series(
    axis: Axes, coverage: pd.DataFrame, column: str, label: str, style: Style, place: int, dashes: str
) -> None:
    axis.plot(
        100 * coverage["prob"],
        100 * coverage[column],
        color=style.colours[place],
        marker=style.markers[place],
        markersize=6,
        markeredgecolor="white",
        markeredgewidth=0.5,
        linestyle=dashes,
        label=label,
    )
