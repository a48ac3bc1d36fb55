"""Loss against tokens: the measured runs and the law, one panel per training precision."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.inference.fit import Fit
from bitlaw.reporting.curves import POINTS, loss_band
from bitlaw.reporting.grouping import Precision, precisions, shown_rows, size_groups, token_range
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, log_counts, padded, panels
from bitlaw.units import LOSS_UNIT

SIXTEEN = Precision(16.0, 16.0, 16.0)


def figure(fit: Fit, style: Style = DEFAULT_STYLE) -> Figure:
    """Measured losses as trained and the law with the 90 % interval of a new run.

    Parameters
    ----------
    fit
        The fit; of a pooled one the group of the largest run is drawn.
    style
        The style.
    """
    rows = shown_rows(fit)
    trained = rows[rows["bits_post"].isna()]
    shown = precisions(trained)
    with drawing(style):
        drawn, axes = panels(style, len(shown), 3, 2.35 if len(shown) > 1 else 4.0, sharex=True, sharey=True)
        for axis, precision in zip(axes, shown, strict=True):
            _panel(axis, fit, precision, style)
            axis.set_title(precision.label)
        lo, hi = token_range(trained)
        axes[0].set_xscale("log")
        axes[0].set_xlim(*padded(lo, hi))
        for axis in axes:
            log_counts(axis.xaxis, lo, hi, most=4 if len(shown) > 1 else 7)
        drawn.supxlabel("training tokens", fontsize=style.small)
        drawn.supylabel(f"validation loss, {LOSS_UNIT}", fontsize=style.small)
        _legend(drawn, axes, style)
    return drawn


def _panel(axis: Axes, fit: Fit, precision: Precision, style: Style) -> None:
    rows = shown_rows(fit)
    trained = rows[rows["bits_post"].isna()]
    tokens = np.geomspace(*token_range(trained), POINTS)
    here = precision.rows(trained)
    series = zip(size_groups(trained["n_params"]), style.colours, style.markers, strict=False)
    for group, colour, marker in series:
        points = group.rows(here)
        if precision != SIXTEEN and points.empty:
            continue
        law = loss_band(fit, group.n_params, tokens, precision)
        axis.fill_between(law.x, law.lo, law.hi, color=colour, alpha=style.band, linewidth=0)
        axis.plot(law.x, law.median, color=colour)
        if precision != SIXTEEN:
            unquantized = loss_band(fit, group.n_params, tokens, SIXTEEN)
            axis.plot(law.x, unquantized.median, color=style.quiet, linewidth=1.0, linestyle=(0, (4, 3)))
        axis.plot(
            points["tokens"], points["loss"], marker, color=colour, markeredgecolor="white", markeredgewidth=0.5
        )


def _legend(drawn: Figure, axes: list[Axes], style: Style) -> None:
    pass
