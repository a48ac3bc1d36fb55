"""Loss against tokens: the measured runs and the law, one panel per training precision."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.inference.fit import Fit
from bitlaw.reporting.curves import POINTS, loss_band
from bitlaw.reporting.figures.legend import SIXTEEN_BITS_DASHES, legend
from bitlaw.reporting.grouping import Precision, SizeGroup, precisions, size_groups
from bitlaw.reporting.observed import shown_group, token_range, trained_rows
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, log_counts, padded, panels
from bitlaw.units import LOSS_UNIT


def figure(fit: Fit, style: Style = DEFAULT_STYLE) -> Figure:
    """Measured losses as trained, and the law with the 90 % interval of a new run.

    Parameters
    ----------
    fit
        The fit; of a pooled one the group of the largest run is drawn.
    style
        The style.
    """
    trained = trained_rows(fit)
    groups, shown = size_groups(trained["n_params"]), precisions(trained, pool=fit.pool)
    lo, hi = token_range(trained)
    with drawing(style):
        drawn, axes = panels(style, len(shown), 3, 2.35 if len(shown) > 1 else 4.0)
        for axis, precision in zip(axes, shown, strict=True):
            _panel(axis, fit, trained, precision, groups, style)
            axis.set_title(precision.label)
        axes[0].set_xscale("log")
        axes[0].set_xlim(*padded(lo, hi))
        for axis in axes:
            log_counts(axis.xaxis, trained["tokens"], most=5 if len(shown) > 1 else 8)
        drawn.supxlabel("training tokens", fontsize=style.small)
        drawn.supylabel(f"validation loss, {LOSS_UNIT}", fontsize=style.small)
        interval, quantized = "law, 90 % of new runs", not all(one.is_unquantized for one in shown)
        labels, title = [group.label for group in groups], f"parameters{shown_group(fit)}"
        legend(drawn, labels, style, interval, title, quantized)
    return drawn


def _panel(
    axis: Axes,
    fit: Fit,
    trained: pd.DataFrame,
    precision: Precision,
    groups: tuple[SizeGroup, ...],
    style: Style,
) -> None:
    tokens = np.geomspace(*token_range(trained), POINTS)
    here = precision.rows(trained, fit.pool)
    for group, colour, marker in zip(groups, style.colours, style.markers, strict=False):
        points = group.rows(here)
        if points.empty:
            continue
        law = loss_band(fit, group.n_params, tokens, precision)
        axis.fill_between(law.x, law.lo, law.hi, color=colour, alpha=style.band, linewidth=0)
        axis.plot(law.x, law.median, color=colour)
        if not precision.is_unquantized:
            unquantized = loss_band(fit, group.n_params, tokens, precision.unquantized)
            axis.plot(
                law.x, unquantized.median, color=style.quiet, linewidth=1.0, linestyle=SIXTEEN_BITS_DASHES
            )
        axis.plot(
            points["tokens"],
            points["loss"],
            marker,
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
