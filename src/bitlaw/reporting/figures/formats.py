"""What each number format leaves effective, with the number of runs behind it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.inference.levels import NEW_LEVEL
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.reporting.words import figure_name

_ROW_HEIGHT = 0.26
_NAMES = {
    "eff_N": "eff_N, share of parameters left effective",
    "eff_D": "eff_D, share of tokens left effective",
}
_NEVER = "a format never measured"


def figure(formats: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """Median and 90 % interval of the factor of every format, one panel per factor.

    Parameters
    ----------
    formats
        ``reporting.formats.format_table`` of a fit.
    style
        The style.
    """
    tables = [table for _, table in formats.groupby("factor", sort=False)]
    heights = [_ROW_HEIGHT * len(table) + 0.75 for table in tables]
    with drawing(style):
        drawn = Figure(figsize=(style.width, sum(heights) + 0.1), dpi=style.dpi, layout="constrained")
        axes = drawn.subplots(len(tables), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axis, table in zip(axes, tables, strict=True):
            _panel(axis, table, style)
    return drawn


def _panel(axis: Axes, table: pd.DataFrame, style: Style) -> None:
    for row, one in enumerate(table.to_dict("records")):
        colour = style.quiet if one["format"] == NEW_LEVEL else style.colours[0]
        axis.plot([one["lo"], one["hi"]], [row, row], color=colour, linewidth=3, solid_capstyle="butt")
        axis.plot([one["median"]], [row], "o", color=colour, markersize=6.5, markeredgecolor="white")
        axis.annotate(
            _runs(int(one["runs"])),
            (1.0, row),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.small,
            color=style.quiet,
        )
    labels = [_NEVER if name == NEW_LEVEL else figure_name(str(name)) for name in table["format"]]
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0.0, 1.015)
    axis.set_xticks(np.linspace(0.0, 1.0, 6))
    axis.set_title(_NAMES[str(table["factor"].iloc[0])])


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}" if count else "no run"
