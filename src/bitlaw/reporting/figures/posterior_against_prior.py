"""What the data added: prior and posterior interval of every constant."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.reporting.words import range_text, share_text, symbol
from bitlaw.units import Interval

_EDGES = (-0.45, 1.45)
_ROW_HEIGHT = 0.245
_DRAWN = ("constant", "noise")
_TOP = -1.3


def figure(constants: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """Each constant on its own scale, on which the prior's 90 % interval runs from 0 to 1.

    Parameters
    ----------
    constants
        ``criticism.contraction.contraction_table`` of a fit; constants and noise scales are drawn.
    style
        The style.
    """
    constants = constants[constants["kind"].isin(_DRAWN)].reset_index(drop=True)
    with drawing(style):
        drawn = Figure(
            figsize=(style.width, _ROW_HEIGHT * len(constants) + 1.1), dpi=style.dpi, layout="constrained"
        )
        axis, numbers = drawn.subplots(1, 2, sharey=True, width_ratios=(1.0, 0.85))
        axis.set_xlim(*_EDGES)
        axis.set_ylim(len(constants) - 0.4, _TOP)
        for row, constant in enumerate(constants.to_dict("records")):
            _row(axis, row, constant, style)
            _numbers(numbers, row, constant, style)
        _decorate(axis, constants)
        _head(numbers, style)
    return drawn


def position(value: float, lo: float, hi: float) -> float:
    """Where a value lies in the prior's interval, on the logarithmic scale where that is positive.

    Examples
    --------
    >>> position(10.0, 1.0, 100.0), position(0.0, -1.0, 1.0)
    (0.5, 0.5)
    """
    if lo > 0:
        if value <= 0:
            return -math.inf
        value, lo, hi = math.log(value), math.log(lo), math.log(hi)
    return (value - lo) / (hi - lo)


def _row(axis: Axes, row: int, constant: dict, style: Style) -> None:
    lo, hi = constant["prior_lo"], constant["prior_hi"]
    ends = [position(constant[f"posterior_{end}"], lo, hi) for end in ("lo", "median", "hi")]
    left, middle, right = (min(max(end, _EDGES[0]), _EDGES[1]) for end in ends)
    axis.plot([0.0, 1.0], [row, row], color="#d0d0d0", linewidth=8, solid_capstyle="butt")
    axis.plot([left, right], [row, row], color=style.colours[0], linewidth=3, solid_capstyle="butt")
    axis.plot([middle], [row], "o", color=style.colours[0], markeredgecolor="white", clip_on=False)


def _numbers(axis: Axes, row: int, constant: dict, style: Style) -> None:
    interval = Interval(*(constant[f"posterior_{end}"] for end in ("median", "lo", "hi")))
    contraction = share_text(constant["contraction"])
    axis.text(0.0, row, range_text(interval), va="center", fontsize=style.small)
    axis.text(1.0, row, contraction, va="center", ha="right", fontsize=style.small)


def _decorate(axis: Axes, constants: pd.DataFrame) -> None:
    units = [f" ({unit})" if unit else "" for unit in constants["unit"]]
    labels = [f"{symbol(name)}{unit}" for name, unit in zip(constants["name"], units, strict=True)]
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(axis="y", length=0)
    axis.set_xticks([0.0, 0.5, 1.0], ["5 %", "prior", "95 %"])
    axis.grid(False)
    for spine in ("left", "bottom"):
        axis.spines[spine].set_visible(False)
    axis.tick_params(axis="x", length=0, labeltop=True, labelbottom=False, pad=-8)


def _head(numbers: Axes, style: Style) -> None:
    numbers.set_xlim(0.0, 1.0)
    numbers.set_axis_off()
    for x, text, side in ((0.0, "posterior, 90 % ETI", "left"), (1.0, "contraction", "right")):
        numbers.text(x, _TOP + 0.3, text, va="center", ha=side, fontsize=style.small, color=style.quiet)
