"""Each bit-width after training: the degradation of a new run against the tolerance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.reporting.figures.bars import labelled_bars
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.reporting.words import bits_text
from bitlaw.units import LOSS_UNIT, format_probability

_WHOLE_MARKER = 1.6
"""A median nearer to the edge than this factor would be drawn over the arrow there."""


def figure(decision: PostTrainingDecision, style: Style = DEFAULT_STYLE) -> Figure:
    """Intervals of the degradation on a logarithmic axis, and the probability of staying within tolerance.

    Parameters
    ----------
    decision
        The decision.
    style
        The style.
    """
    options = decision.options
    with drawing(style):
        drawn = Figure(figsize=(style.width, 0.29 * len(options) + 1.3), dpi=style.dpi, layout="constrained")
        left, right = drawn.subplots(1, 2, width_ratios=(1.6, 1.0))
        _intervals(left, decision, style)
        left.set_yticks(range(len(options)), [f"to {bits_text(option.bits_post)}" for option in options])
        values = [option.probability_safe for option in options]
        colours = [_colour(decision, option.bits_post, style, style.faded) for option in options]
        labelled_bars(right, values, [format_probability(value) for value in values], colours, style)
        right.axvline(decision.confidence, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
        right.set_xlim(0.0, 1.36)
        right.set_xticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])
        right.tick_params(labelleft=False)
        right.set_xlabel("P(within tolerance)")
    return drawn


def _intervals(axis: Axes, decision: PostTrainingDecision, style: Style) -> None:
    ends = np.array([(o.degradation.lo, o.degradation.median, o.degradation.hi) for o in decision.options])
    smallest = min(decision.tolerance, *ends[ends > 0].tolist()) if (ends > 0).any() else decision.tolerance
    floor = max(smallest, decision.tolerance / 100.0) / 2.0
    axis.set_xscale("log")
    axis.set_xlim(floor, max(ends.max(), decision.tolerance) * 2.0)
    for row, (option, (lo, median, hi)) in enumerate(zip(decision.options, ends, strict=True)):
        colour = _colour(decision, option.bits_post, style, style.colours[1])
        start = floor * 1.15 if lo <= floor else lo
        axis.plot([start, max(hi, start)], [row, row], color=colour, linewidth=4, solid_capstyle="butt")
        if median > floor * _WHOLE_MARKER:
            marker = "D" if option.is_measured else "o"
            axis.plot([median], [row], marker, color=colour, markersize=7, markeredgecolor="white")
        if lo <= floor:
            axis.annotate(
                "",
                (floor, row),
                xytext=(14, 0),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 4, "shrinkA": 0, "shrinkB": 0},
            )
    axis.axvline(decision.tolerance, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
    axis.annotate(
        f"tolerance {decision.tolerance:g}",
        (decision.tolerance, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        fontsize=style.small,
    )
    axis.set_ylim(len(ends) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(LogLocator(numticks=7))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    whose = "a new run" if decision.measured is None else "this run (diamonds: measured)"
    axis.set_xlabel(f"degradation of {whose}, {LOSS_UNIT}, {100 * decision.prob:g} % ETI")


def _colour(decision: PostTrainingDecision, bits: float, style: Style, otherwise: str) -> str:
    safe = decision.smallest_safe_bits
    return style.colours[0] if safe is not None and bits >= safe else otherwise
