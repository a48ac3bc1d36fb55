"""Predicted against observed losses, and what is left over by bits."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bitlaw.reporting.grouping import precision_of, reading_order
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, log_losses
from bitlaw.reporting.words import bits_text
from bitlaw.units import LOSS_UNIT, format_bits

_MOST_ROWS = 18
_SCATTER_HEIGHT = 3.3


def figure(residuals: pd.DataFrame, rows: pd.DataFrame, style: Style = DEFAULT_STYLE) -> Figure:
    """Every row with the 90 % interval of a new run; residuals of the loss by bits beside it.

    Parameters
    ----------
    residuals
        ``criticism.residuals.residual_table`` of a fit.
    rows
        The fit's rows, which say what each was trained in.
    style
        The style.
    """
    post = residuals["bits_post"].notna()
    trained, after = residuals[~post], residuals[post]
    by_precision, by_bits = _precision_labels(rows.loc[trained["row"]]), _post_labels(after)
    lines = len(set(by_precision)), len(set(by_bits))
    height = max(_SCATTER_HEIGHT + (0.2 * lines[1] + 0.9 if lines[1] else 0.0), 0.2 * lines[0] + 0.9)
    with drawing(style):
        drawn = Figure(figsize=(style.width, height), dpi=style.dpi, layout="constrained")
        halves = list(drawn.subfigures(1, 2 if lines[0] else 1, squeeze=False).flat)
        ratios = (_SCATTER_HEIGHT, 0.2 * lines[1] + 0.9) if lines[1] else (1.0,)
        axes = list(halves[0].subplots(len(ratios), 1, height_ratios=ratios, squeeze=False).flat)
        _scatter(axes[0], trained, after, style)
        if lines[1]:
            _strip(axes[1], after, by_bits, style.colours[1], style)
            axes[1].set_title("quantized after training")
        if lines[0]:
            axis = halves[1].subplots()
            _strip(axis, trained, by_precision, style.colours[0], style)
            axis.set_title("as trained")
    return drawn


def _scatter(axis: Axes, trained: pd.DataFrame, after: pd.DataFrame, style: Style) -> None:
    values = pd.concat([trained, after])[["observed", "predicted"]].to_numpy()
    ends = (values.min() / 1.03, values.max() * 1.03)
    axis.plot(ends, ends, color=style.quiet, linewidth=1.0)
    for rows, colour, marker, label in (
        (after, style.colours[1], "s", "quantized after training"),
        (trained, style.colours[0], "o", "as trained"),
    ):
        if rows.empty:
            continue
        axis.vlines(rows["predicted"], rows["lo"], rows["hi"], color=colour, alpha=0.35, linewidth=1.0)
        axis.plot(
            rows["predicted"],
            rows["observed"],
            marker,
            color=colour,
            markersize=3.6,
            markeredgecolor="white",
            markeredgewidth=0.3,
            label=label,
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(*ends)
    axis.set_ylim(*ends)
    log_losses(axis.xaxis, *ends)
    log_losses(axis.yaxis, *ends)
    axis.set_xlabel(f"predicted loss, {LOSS_UNIT}")
    axis.set_ylabel(f"observed loss, {LOSS_UNIT}")
    axis.legend(loc="upper left", handletextpad=0.3, borderaxespad=0.2)


def _strip(axis: Axes, rows: pd.DataFrame, labels: list[str], colour: str, style: Style) -> None:
    """Residuals as points, one line per label, with the median of each."""
    order = list(dict.fromkeys(sorted(labels, key=_label_order)))
    percent = 100.0 * np.expm1(rows["residual"].to_numpy())
    at = np.array([order.index(label) for label in labels])
    axis.axvline(0.0, color=style.quiet, linewidth=1.0)
    axis.plot(percent, at, "o", color=colour, markersize=3.2, alpha=0.55, markeredgewidth=0)
    medians = [np.median(percent[at == row]) for row in range(len(order))]
    axis.plot(medians, range(len(order)), "|", color=style.ink, markersize=9, markeredgewidth=1.6)
    axis.set_yticks(range(len(order)), [label for _, label in map(_split, order)])
    axis.set_ylim(len(order) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    most = 1.1 * max(float(np.abs(percent).max()), 0.01)
    axis.set_xlim(-most, most)
    axis.set_xlabel("residual of the loss, %")


def _precision_labels(rows: pd.DataFrame) -> list[str]:
    """Training precision of each row; only the fewest bits where there would be too many lines."""
    precisions = precision_of(rows)
    if len(set(precisions)) <= _MOST_ROWS:
        order = {one: index for index, one in enumerate(sorted(set(precisions), key=reading_order))}
        return [f"{order[one]:03d}|{one.label}" for one in precisions]
    return [f"{99 - min(one.bits):06.2f}|fewest {bits_text(min(one.bits))}" for one in precisions]


def _post_labels(rows: pd.DataFrame) -> list[str]:
    """Bits after training of each row; whole bits where there would be too many lines."""
    bits = rows["bits_post"]
    if bits.nunique() <= _MOST_ROWS:
        return [f"{99 - value:06.2f}|to {bits_text(value)}" for value in bits]
    whole = np.floor(bits)
    return [f"{99 - value:06.2f}|{format_bits(value)} to {format_bits(value + 1)} bits" for value in whole]


def _label_order(label: str) -> str:
    return _split(label)[0]


def _split(label: str) -> tuple[str, str]:
    order, _, text = label.partition("|")
    return order, text
