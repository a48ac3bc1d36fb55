"""Degradation after post-training quantization against bits, one curve per model, one panel per method."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.reporting.curves import POINTS, Band, band
from bitlaw.reporting.figures.degradation_against_tokens import smallest_shown
from bitlaw.reporting.figures.legend import legend
from bitlaw.reporting.grouping import MOST_PANELS, SIXTEEN
from bitlaw.reporting.observed import group_columns, paired_gaps
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, panels
from bitlaw.reporting.words import figure_name
from bitlaw.units import LOSS_UNIT, format_count

_MARGIN_BITS = 0.4


@dataclass(frozen=True)
class Model:
    """Runs of one group, size and length.

    Parameters
    ----------
    label
        For example ``llama2 6.74B, 2T tokens``.
    rows
        Their rows quantized after training, with ``gap`` in nats/token.
    """

    label: str
    rows: pd.DataFrame


def figure(fit: Fit, style: Style = DEFAULT_STYLE) -> Figure:
    """Measured degradation of runs trained at 16 bits, and the law with the 90 % interval of a new run.

    Parameters
    ----------
    fit
        A fit whose law has a post-training term, with paired post-training rows; of a pooled one the
        models of all groups are drawn.
    style
        The style.
    """
    gaps = SIXTEEN.rows(paired_gaps(fit, every_group=True))
    methods = gaps["method_post"].value_counts().index[:MOST_PANELS]
    gaps = gaps[gaps["method_post"].isin(methods)]
    models = busiest_models(fit, gaps, len(style.colours))
    gaps, floor = pd.concat([model.rows for model in models]), smallest_shown(fit)
    floor = max(floor, float(gaps["gap"][gaps["gap"] >= floor].min()) / 3.0)
    lowest, highest = float(gaps["bits_post"].min()), float(gaps["bits_post"].max())
    with drawing(style):
        drawn, axes = panels(style, len(methods), 3, 2.35 if len(methods) > 1 else 4.0)
        for axis, method in zip(axes, methods, strict=True):
            for model, colour, marker in zip(models, style.colours, style.markers, strict=False):
                rows = model.rows[model.rows["method_post"] == method]
                if len(rows):
                    _series(axis, fit, rows, floor, colour, marker, style)
            axis.set_title(figure_name(str(method)) or "method not named")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        first = axes[0]
        first.set_xlim(lowest - _MARGIN_BITS, highest + _MARGIN_BITS)
        first.set_yscale("log")
        first.set_ylim(floor / 1.5, max(float(gaps["gap"].max()), 1e-3) * 2.5)
        first.yaxis.set_major_locator(LogLocator(numticks=6))
        first.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        first.yaxis.set_minor_locator(NullLocator())
        drawn.supxlabel("bits of the weights after training", fontsize=style.small)
        drawn.supylabel(f"degradation, {LOSS_UNIT}", fontsize=style.small)
        legend(
            drawn,
            [model.label for model in models],
            style,
            "law, 90 % of new runs",
            "parameters, tokens",
            columns=3,
        )
    return drawn


def busiest_models(fit: Fit, gaps: pd.DataFrame, most: int) -> tuple[Model, ...]:
    """The models, by group, size and length, with the most rows; first the busiest of each method."""
    keys = [*group_columns(fit), "n_params", "tokens"]
    counts = gaps.groupby(keys).size().sort_values(ascending=False, kind="stable")
    leaders = gaps.groupby(["method_post", *keys]).size().sort_values(ascending=False, kind="stable")
    first = {key[0]: key[1:] for key in reversed(list(leaders.index))}
    chosen = list(dict.fromkeys([*first.values(), *counts.index]))[:most]
    models = []
    for key in sorted(chosen):
        *group, n_params, tokens = key
        keep = np.ones(len(gaps), dtype=bool)
        for column, value in zip(keys, key, strict=True):
            keep &= (gaps[column] == value).to_numpy()
        name = " ".join([*(figure_name(str(one)) for one in group), format_count(n_params)])
        models.append(Model(f"{name}, {format_count(tokens)} tokens", gaps[keep]))
    return tuple(models)


def _series(
    axis: Axes, fit: Fit, rows: pd.DataFrame, floor: float, colour: str, marker: str, style: Style
) -> None:
    law = _law(fit, rows)
    lo, median, hi = (np.maximum(values, floor / 10.0) for values in (law.lo, law.median, law.hi))
    axis.fill_between(law.x, lo, hi, color=colour, alpha=style.band / 2.0, linewidth=0)
    axis.plot(law.x, median, color=colour)
    below = (rows["gap"] < floor).to_numpy()
    edges: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.5}
    axis.plot(rows["bits_post"][~below], rows["gap"][~below], marker, color=colour, **edges)
    hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": colour}
    axis.plot(rows["bits_post"][below], np.full(below.sum(), floor), marker, **hollow)


def _law(fit: Fit, rows: pd.DataFrame) -> Band:
    """The law at a model over the bits it was measured at, and a little beyond."""
    ends = rows["bits_post"].min() - _MARGIN_BITS / 2, rows["bits_post"].max() + _MARGIN_BITS / 2
    bits = np.linspace(*ends, POINTS)
    points = rows.iloc[np.zeros(POINTS, int)].assign(bits_post=bits)
    draws = loss_draws(fit, points)
    return band(bits, draws.new_run_degradation, draws.degradation)
