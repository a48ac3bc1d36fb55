"""Horizontal bars, one per option, with their values written beside them."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from bitlaw.reporting.style import Style


def labelled_bars(
    axis: Axes,
    values: Sequence[float],
    texts: Sequence[str],
    colours: Sequence[str],
    style: Style,
    rows: Sequence[float] | None = None,
) -> None:
    """Bars from the top down.

    Parameters
    ----------
    axis
        Where to.
    values
        Lengths.
    texts
        What is written at the end of each bar.
    colours
        One per bar.
    style
        The style.
    rows
        Where each is from the top; one below the other by default.
    """
    places = list(range(len(values)) if rows is None else rows)
    axis.barh(places, values, height=0.62, color=list(colours))
    for row, value, text in zip(places, values, texts, strict=True):
        axis.annotate(
            text,
            (value, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.small,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
        )
    axis.set_ylim(max(places, default=0) + 0.6, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
