"""What training in fewer bits costs, against bits, one panel per tensor kind."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bitlaw.inference.fit import Fit
from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.reporting.curves import POINTS, penalty_band
from bitlaw.reporting.figures.legend import legend
from bitlaw.reporting.observed import Cell, busiest_cells, precision_penalties, shown_group
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, panels
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT

_ALL = tuple(column for _, column, _ in TENSOR_KINDS)
KINDS: Mapping[str, tuple[str, ...]] = {
    "all three" if count == len(TENSOR_KINDS) else " and ".join(name for _, _, name in kinds): tuple(
        column for _, column, _ in kinds
    )
    for count in range(1, len(TENSOR_KINDS) + 1)
    for kinds in combinations(TENSOR_KINDS, count)
}
"""Tensor kinds quantized together, and their run-table columns."""

_MOST_BITS = 8.0


def figure(fit: Fit, style: Style = DEFAULT_STYLE) -> Figure:
    """Measured loss over the 16-bit run of the same seed, and the law with its 90 % interval.

    Parameters
    ----------
    fit
        A fit whose law has a training-precision term, with quantized runs and their 16-bit twins.
    style
        The style.
    """
    penalties = precision_penalties(fit)
    cells = busiest_cells(penalties)
    shown = [name for name, columns in KINDS.items() if len(_of_kind(penalties, columns))]
    with drawing(style):
        columns = 4 if all(len(KINDS[name]) in (1, len(_ALL)) for name in shown) else 3
        height = 3.6 if len(shown) == 1 else 2.9 if len(shown) <= columns else 2.4
        drawn, axes = panels(style, len(shown), columns, height)
        for axis, name in zip(axes, shown, strict=True):
            _panel(axis, fit, _of_kind(penalties, KINDS[name]), KINDS[name], cells, style)
            axis.set_title(name)
            axis.axhline(0.0, color=style.quiet, linewidth=0.8)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        drawn.supxlabel("bits in training (the other tensors at 16)", fontsize=style.small)
        drawn.supylabel(f"loss over 16 bits, {LOSS_UNIT}", fontsize=style.small)
        legend(
            drawn,
            [cell.label for cell in cells],
            style,
            "law's mean, 90 %",
            f"parameters, tokens{shown_group(fit)}",
            columns=3,
        )
    return drawn


def measured_kinds(fit: Fit) -> dict[str, float]:
    """The panels there are points for, and the fewest bits in each.

    Empty for a law whose training terms do not read bits, and where no run has a 16-bit twin.
    """
    if not fit.law.training_columns & set(_ALL):
        return {}
    penalties = precision_penalties(fit)
    of_kind = {name: _of_kind(penalties, columns) for name, columns in KINDS.items()}
    return {name: float(rows["bits"].min()) for name, rows in of_kind.items() if len(rows)}


def _of_kind(penalties: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The runs in which exactly these columns are below 16 bits, and equal."""
    keep = np.ones(len(penalties), dtype=bool)
    for column in _ALL:
        keep &= (penalties[column] < UNQUANTIZED_BITS).to_numpy() == (column in columns)
    rows = penalties[keep]
    return rows[rows[list(columns)].max(axis=1) == rows[list(columns)].min(axis=1)].assign(
        bits=rows[columns[0]]
    )


def _panel(
    axis: Axes,
    fit: Fit,
    penalties: pd.DataFrame,
    kinds: tuple[str, ...],
    cells: tuple[Cell, ...],
    style: Style,
) -> None:
    bits = np.linspace(penalties["bits"].min(), max(_MOST_BITS, penalties["bits"].max()), POINTS)
    for cell, colour, marker in zip(cells, style.colours, style.markers, strict=False):
        points = cell.rows(penalties)
        if points.empty:
            continue
        law = penalty_band(fit, cell.n_params, cell.tokens, kinds, bits)
        axis.fill_between(law.x, law.lo, law.hi, color=colour, alpha=style.band, linewidth=0)
        axis.plot(law.x, law.median, color=colour)
        axis.plot(
            points["bits"],
            points["penalty"],
            marker,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
