"""Loss against compute, out of the data: law, intervals with and without drift, runs measured and held out."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bitlaw.reporting.fan import SAME, Fan
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing, log_losses, padded
from bitlaw.units import LOSS_UNIT

_LAW, _HELD_OUT = 0, 1
_NEW, _WIDE, _NARROW, _MEDIAN, _ON, _OFF, _PREDICTED = _LABELS = (
    "a new run, 90 % interval",
    "the law, 90 % interval with drift",
    "the law, 90 % interval without drift",
    "the law, median",
    "runs on this way",
    "runs off this way",
    "held out, with its predicted 90 % interval",
)
_MOST_TICKS = 7
_DARKER = 0.45
_RIGHT = 0.75
"""Share of the width beyond which a mark is labelled on its left."""


def figure(shown: Fan, style: Style = DEFAULT_STYLE) -> Figure:
    """The fan.

    Parameters
    ----------
    shown
        What ``fan`` made of a fit.
    style
        The style.
    """
    with drawing(style):
        drawn = Figure(figsize=(style.width, 4.4), dpi=style.dpi, layout="constrained")
        axis = drawn.subplots()
        _law(axis, shown, style)
        _runs(axis, shown, style)
        _axes(axis, shown)
        _marks(axis, shown, style)
        drawn.legend(
            handles=_ordered(axis),
            loc="outside upper left",
            ncols=2,
            alignment="left",
            columnspacing=1.4,
            handlelength=1.8,
            borderaxespad=0.0,
        )
    return drawn


def _ordered(axis: Axes) -> list[Artist]:
    """What the legend explains: what was measured, then the law."""
    by_label = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    return [by_label[label] for label in _LABELS if label in by_label]


def _law(axis: Axes, shown: Fan, style: Style) -> None:
    colour, new = style.colours[_LAW], shown.new_run
    for ends, label in ((new.lo, _NEW), (new.hi, None)):
        axis.plot(new.x, ends, color=colour, linewidth=1.0, linestyle=(0, (4, 2)), label=label)
    wide = shown.law_with_drift
    if wide is not None:
        axis.fill_between(wide.x, wide.lo, wide.hi, color=colour, alpha=style.band, linewidth=0, label=_WIDE)
    law = shown.law
    axis.fill_between(law.x, law.lo, law.hi, color=colour, alpha=_DARKER, linewidth=0, label=_NARROW)
    axis.plot(new.x, new.median, color=colour, label=_MEDIAN)


def _runs(axis: Axes, shown: Fan, style: Style) -> None:
    held = shown.held_out
    own = shown.measured.drop(index=held.index)
    on, off = own[own["near"]], own[~own["near"]]
    if len(off):
        axis.plot(
            off["compute"],
            off["loss"],
            "o",
            color="none",
            markeredgecolor=style.quiet,
            markersize=3.6,
            markeredgewidth=0.7,
            label=_OFF,
        )
    if len(on):
        axis.plot(on["compute"], on["loss"], "o", color=style.ink, label=_ON)
    if held.empty:
        return
    colour = style.colours[_HELD_OUT]
    axis.vlines(held["compute"], held["lo"], held["hi"], color=colour, linewidth=1.2)
    axis.plot(
        held["compute"],
        held["loss"],
        style.markers[_HELD_OUT],
        color=colour,
        markeredgecolor="white",
        markeredgewidth=0.5,
        label=_PREDICTED,
    )


def _axes(axis: Axes, shown: Fan) -> None:
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(*padded(shown.law.x[0], shown.law.x[-1], share=0.02))
    decades = range(int(np.ceil(np.log10(shown.law.x[0]))), int(np.floor(np.log10(shown.law.x[-1]))) + 1)
    step = -(-len(decades) // _MOST_TICKS)
    axis.xaxis.set_major_locator(FixedLocator([10.0**decade for decade in decades[::step]]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"1e{np.log10(value):.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    lowest = [shown.new_run.lo.min(), shown.measured["loss"].min(), shown.held_out["lo"].min()]
    highest = [shown.new_run.hi.max(), shown.measured["loss"].max(), shown.held_out["hi"].max()]
    ends = padded(float(np.nanmin(lowest)), float(np.nanmax(highest)), share=0.04)
    axis.set_ylim(*ends)
    log_losses(axis.yaxis, *ends)
    axis.set_xlabel("training compute 6 N D, FLOP")
    axis.set_ylabel(f"validation loss, {LOSS_UNIT}")


def _marks(axis: Axes, shown: Fan, style: Style) -> None:
    """Where the data end, and what is asked about."""
    first, last = shown.law.x[[0, -1]]
    marks = [(shown.edge, "edge of the data", "-"), (shown.asked, "asked about", (0, (1, 2)))]
    if shown.edge and shown.asked and 1 / SAME <= shown.asked / shown.edge <= SAME:
        marks = [(shown.asked, "edge of the data, asked about", "-")]
    for at, text, dashes in marks:
        if at is None:
            continue
        axis.axvline(at, color=style.quiet, linewidth=1.0, linestyle=dashes, zorder=1)
        at_right = np.log(at / first) > _RIGHT * np.log(last / first)
        axis.annotate(
            text,
            (at, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if at_right else 4, -3),
            textcoords="offset points",
            ha="right" if at_right else "left",
            va="top",
            fontsize=style.small,
            color=style.quiet,
        )
