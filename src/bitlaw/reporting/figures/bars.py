"""Horizontal bars, one per option, with their values written beside them."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from bitlaw.reporting.style import Style


def labelled_bars(
    axis: Axes, values: Sequence[float], texts: Sequence[str], colours: Sequence[str], style: Style
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
    """
    axis.barh(range(len(values)), values, height=0.62, color=list(colours))
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        axis.annotate(
            text,
            (value, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.small,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
        )
    axis.set_ylim(len(values) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
