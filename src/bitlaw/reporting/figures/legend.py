"""The legend that figures of several model sizes share."""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bitlaw.reporting.grouping import SizeGroup
from bitlaw.reporting.style import Style

SIXTEEN_BITS_DASHES = (0, (4, 3))


def size_legend(
    drawn: Figure,
    groups: tuple[SizeGroup, ...],
    style: Style,
    interval: str,
    sixteen: bool = False,
    group: str = "",
) -> None:
    """Put a legend of sizes, the interval and the 16-bit law above the panels.

    Parameters
    ----------
    drawn
        The figure.
    groups
        Sizes, in the order of the style's colours.
    style
        The style.
    interval
        What the band is.
    sixteen
        Whether dashed lines show the law at 16 bits.
    group
        Group of a pooled fit that is shown, in brackets; empty without pooling.
    """
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=group.label,
        )
        for group, colour, marker in zip(groups, style.colours, style.markers, strict=False)
    ]
    handles.append(Patch(color=style.quiet, alpha=style.band, linewidth=0, label=interval))
    if sixteen:
        handles.append(
            Line2D(
                [],
                [],
                color=style.quiet,
                linewidth=1.0,
                linestyle=SIXTEEN_BITS_DASHES,
                label="same at 16 bits",
            )
        )
    legend = drawn.legend(
        handles=handles,
        loc="outside upper left",
        ncols=4 if len(handles) > 6 else len(handles),
        title=f"parameters{group}",
        title_fontsize=style.small,
        alignment="left",
        columnspacing=1.2,
        handlelength=1.6,
        borderaxespad=0.0,
    )
    legend.set_in_layout(True)
