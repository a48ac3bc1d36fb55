"""How groups differ: every group's constants beside the common value, one panel per constant."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.reporting.words import figure_name, symbol

_COLUMNS = 4
_ROW_HEIGHT = 0.24
_NEW = "#d9d9d9"
_LONGEST = 22


def figure(shown: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """Posterior interval per group, the common value, and where a new group would lie.

    Parameters
    ----------
    shown
        ``reporting.shrinkage.most_group_dependent`` of one column.
    style
        The style.
    """
    names = list(dict.fromkeys(shown["name"]))
    groups = sorted(dict.fromkeys(shown["group"]))
    rows = math.ceil(len(names) / _COLUMNS)
    columns = math.ceil(len(names) / rows)
    height = rows * (_ROW_HEIGHT * (len(groups) + 1) + 0.75) + 0.45
    with drawing(style):
        drawn = Figure(figsize=(style.width, height), dpi=style.dpi, layout="constrained")
        axes = list(drawn.subplots(rows, columns, squeeze=False, sharey=True).flat)
        for axis in axes[len(names) :]:
            axis.remove()
        for axis, name in zip(axes, names, strict=False):
            _panel(axis, shown[shown["name"] == name].set_index("group").loc[groups], style)
            axis.set_yticks(
                range(len(groups) + 1), ["common value", *(figure_name(group, _LONGEST) for group in groups)]
            )
            axis.set_ylim(len(groups) + 0.6, -0.6)
        _legend(drawn, style)
    return drawn


def _panel(axis: Axes, constant: pd.DataFrame, style: Style) -> None:
    first = constant.iloc[0]
    axis.axvspan(first["new_lo"], first["new_hi"], color=_NEW, alpha=0.55, linewidth=0)
    axis.axvline(first["common"], color=style.quiet, linewidth=1.0)
    _interval(axis, 0, first[["common", "common_lo", "common_hi"]].to_numpy(float), style.ink)
    for row, ends in enumerate(constant[["median", "lo", "hi"]].to_numpy(float), start=1):
        _interval(axis, row, ends, style.colours[0])
    ends = constant[["lo", "hi", "new_lo", "new_hi"]].to_numpy(float)
    room = 0.05 * float(np.ptp(ends))
    axis.set_xlim(float(ends.min()) - room, float(ends.max()) + room)
    unit = f" ({first['unit']})" if first["unit"] else ""
    axis.set_title(f"{symbol(str(first['name']))}{unit}")
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _interval(axis: Axes, row: int, ends: np.ndarray, colour: str) -> None:
    median, lo, hi = ends
    axis.plot([lo, hi], [row, row], color=colour, linewidth=2.4, solid_capstyle="butt")
    axis.plot([median], [row], "o", color=colour, markersize=6, markeredgecolor="white")


def _legend(drawn: Figure, style: Style) -> None:
    line: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgecolor": "white", "linewidth": 2.4}
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=style.colours[0], label="group, 90 %", **line),
        Line2D([], [], color=style.ink, label="common value, 90 %", **line),
        Patch(color=_NEW, alpha=0.55, linewidth=0, label="90 % of groups never measured"),
    ]
    drawn.legend(handles=handles, loc="outside upper left", ncols=3, columnspacing=1.4, borderaxespad=0.0)
