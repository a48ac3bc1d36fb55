"""Whether fewer bits pay: the break-even speed-up of each precision against the speed-up it has."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.reporting.figures.bars import labelled_bars
from bitlaw.reporting.figures.grouped_rows import GroupedRows, grouped_rows, label_rows
from bitlaw.reporting.style import DEFAULT_STYLE, Style, count_ticks, drawing
from bitlaw.units import format_probability

_EVEN = 0.5
_LARGEST = 64.0
"""The axis ends at twice the largest speed-up, or break-even up to this one; an arrow says that it goes on."""


def figure(decisions: Mapping[str, PrecisionDecision], style: Style = DEFAULT_STYLE) -> Figure:
    """Intervals of the break-even speed-up with the speed-up that each precision has, and P(it pays).

    Parameters
    ----------
    decisions
        One decision by any name, or one per chip by the chip's.
    style
        The style.
    """
    shown = {name: paying_options(decision) for name, decision in decisions.items()}
    options = [option for own in shown.values() for option in own]
    rows = grouped_rows({name: [option.called for option in own] for name, own in shown.items() if own})
    with drawing(style):
        drawn = Figure(figsize=(style.width, 0.29 * rows.height + 1.35), dpi=style.dpi, layout="constrained")
        left, right = drawn.subplots(1, 2, width_ratios=(1.8, 1.0))
        _intervals(left, options, rows, style)
        values = [option.probability_pays or 0.0 for option in options]
        colours = [_bar_colour(option, style) for option in options]
        labelled_bars(
            right, values, [format_probability(value) for value in values], colours, style, rows.places
        )
        right.set_xlim(0.0, 1.36)
        right.set_xticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])
        right.set_xlabel("P(it pays)")
        for axis in (left, right):
            label_rows(axis, rows, style, shown=axis is left)
        drawn.legend(
            loc="outside upper left", ncols=3, columnspacing=1.2, handlelength=1.6, borderaxespad=0.0
        )
    return drawn


def paying_options(decision: PrecisionDecision) -> tuple[PrecisionOption, ...]:
    """The options below 16 bits, which may pay or not."""
    return tuple(option for option in decision.options if option.probability_pays is not None)


def _intervals(axis: Axes, options: Sequence[PrecisionOption], rows: GroupedRows, style: Style) -> None:
    speeds = [1.0 / option.cost for option in options]
    ends = [(option.break_even.lo, option.break_even.median, option.break_even.hi) for option in options]
    known = [end for own in ends for end in own if math.isfinite(end) and end <= _LARGEST]
    right = 2.0 * max([*speeds, *known, 2.0])
    left = 0.9 * min([*speeds, *known, 1.0])
    axis.set_xscale("log")
    axis.set_xlim(left, right)
    axis.axvline(1.0, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
    prob = 100 * options[0].break_even.prob
    inside, said = _inside(left, right), set[str]()
    for place, option, speed, (lo, median, hi) in zip(rows.places, options, speeds, ends, strict=True):
        colour = style.quiet if option.refused else style.colours[0]
        end = min(hi, inside)
        axis.plot([min(lo, 0.88 * inside), end], [place] * 2, color=colour, linewidth=4, solid_capstyle="butt",
                  label=_once(said, f"break-even, {prob:g} % {option.break_even.kind}"))  # fmt: skip
        if median < 0.88 * inside:
            axis.plot([median], [place], "o", color=colour, markersize=7, markeredgecolor="white")
        if hi > end:
            axis.annotate(
                "",
                (right, place),
                xytext=(-14, 0),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 4, "shrinkA": 0, "shrinkB": 0},
            )
        axis.plot(
            [speed],
            [place],
            "D",
            color=style.colours[1] if option.speed_measured else "white",
            markeredgecolor=style.colours[1],
            markersize=6.5,
            markeredgewidth=1.4,
            linestyle="",
            label=_once(said, _kind(option)),
        )
    ticks = [tick for tick in _ticks(left, right) if left <= tick <= right]
    axis.xaxis.set_major_locator(FixedLocator(ticks))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("speed-up over 16 bits")


def _bar_colour(option: PrecisionOption, style: Style) -> str:
    """What probably pays stands out; what is refused does not."""
    if option.refused:
        return style.quiet
    return style.colours[0] if (option.probability_pays or 0.0) > _EVEN else style.faded


def _kind(option: PrecisionOption) -> str:
    """What the speed-up of an option rests on."""
    if option.speed_measured is None:
        return "assumed speed-up, in proportion to bits"
    return "measured speed-up" if option.speed_measured else "speed-up by peaks"


def _inside(left: float, right: float) -> float:
    """Where a line that goes on beyond a logarithmic axis ends, so that its arrow is seen."""
    return float(left * (right / left) ** 0.97)


def _once(said: set[str], label: str) -> str:
    """A label for the legend, which a leading underscore keeps out of it the second time."""
    if label in said:
        return "_"
    said.add(label)
    return label


def _ticks(left: float, right: float) -> list[float]:
    fine = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0]
    coarse = [0.5, *(float(2**power) for power in range(8))]
    return fine if right <= 4.5 else (coarse if right <= 200.0 else count_ticks(left, right))
