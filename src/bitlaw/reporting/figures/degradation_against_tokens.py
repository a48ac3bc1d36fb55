"""Degradation after post-training quantization against tokens, one curve per model size."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bitlaw.inference.fit import Fit
from bitlaw.reporting.curves import POINTS, degradation_band
from bitlaw.reporting.figures.legend import legend
from bitlaw.reporting.grouping import MOST_PANELS, SIXTEEN, SizeGroup, size_groups
from bitlaw.reporting.observed import most_common, paired_gaps, shown_group, token_range
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, log_counts, padded, panels
from bitlaw.reporting.words import bits_text
from bitlaw.units import LOSS_UNIT


def figure(fit: Fit, style: Style = DEFAULT_STYLE) -> Figure:
    """Measured degradation of runs trained at 16 bits, and the law with the 90 % interval of a new run.

    Parameters
    ----------
    fit
        A fit whose law has a post-training term, with paired post-training rows.
    style
        The style.
    """
    gaps = SIXTEEN.rows(paired_gaps(fit))
    method = str(most_common(gaps["method_post"], ""))
    gaps = gaps[gaps["method_post"] == method]
    floor = smallest_shown(fit)
    groups = size_groups(gaps["n_params"])
    bits = gaps["bits_post"].value_counts().index[:MOST_PANELS].sort_values()
    lo, hi = token_range(gaps)
    with drawing(style):
        drawn, axes = panels(style, len(bits), 3, 2.35 if len(bits) > 1 else 4.0)
        for axis, one in zip(axes, bits, strict=True):
            _panel(axis, fit, gaps[gaps["bits_post"] == one], groups, float(one), method, floor, style)
            axis.set_title(f"to {bits_text(one)}")
        first = axes[0]
        first.set_xscale("log")
        first.set_yscale("log")
        first.set_xlim(*padded(lo, hi))
        first.set_ylim(floor / 1.5, _highest(gaps))
        first.yaxis.set_major_locator(LogLocator(numticks=6))
        first.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        first.yaxis.set_minor_locator(NullLocator())
        for axis in axes:
            log_counts(axis.xaxis, gaps["tokens"], most=5 if len(bits) > 1 else 8)
        drawn.supxlabel("training tokens", fontsize=style.small)
        drawn.supylabel(f"degradation, {LOSS_UNIT}", fontsize=style.small)
        legend(
            drawn,
            [group.label for group in groups],
            style,
            "law, 90 % of new runs",
            f"parameters{shown_group(fit)}",
        )
    return drawn


def has_lengths(gaps: pd.DataFrame) -> bool:
    """Whether some size was trained for two or more lengths, so that tokens make an axis."""
    return len(gaps) > 0 and bool((gaps.groupby("n_params")["tokens"].nunique() > 1).any())


def smallest_shown(fit: Fit) -> float:
    """Below this a degradation is measurement error; it is drawn hollow, on this line."""
    return float(10.0 ** np.floor(np.log10(np.median(fit.draws("sigma_gap"))))) / 2.0


def _highest(gaps: pd.DataFrame) -> float:
    return float(max(gaps["gap"].max(), 1e-3)) * 2.5


def _panel(
    axis: Axes,
    fit: Fit,
    gaps: pd.DataFrame,
    groups: tuple[SizeGroup, ...],
    bits: float,
    method: str,
    floor: float,
    style: Style,
) -> None:
    tokens = np.geomspace(*token_range(gaps), POINTS)
    for group, colour, marker in zip(groups, style.colours, style.markers, strict=False):
        points = group.rows(gaps)
        if points.empty:
            continue
        law = degradation_band(fit, tokens, group.n_params, tokens, np.array(bits), method)
        lo, median, hi = (np.maximum(values, floor / 10.0) for values in (law.lo, law.median, law.hi))
        axis.fill_between(law.x, lo, hi, color=colour, alpha=style.band, linewidth=0)
        axis.plot(law.x, median, color=colour)
        below = points["gap"] < floor
        axis.plot(
            points["tokens"][~below],
            points["gap"][~below],
            marker,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
        axis.plot(
            points["tokens"][below],
            np.full(below.sum(), floor),
            marker,
            markerfacecolor="white",
            markeredgecolor=colour,
        )
