"""The legend that figures of several models share."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bitlaw.reporting.style import Style

SIXTEEN_BITS_DASHES = (0, (4, 3))
_MOST_IN_A_ROW, _COLUMNS = 6, 4


def legend(
    drawn: Figure,
    labels: Sequence[str],
    style: Style,
    interval: str,
    title: str,
    sixteen: bool = False,
    columns: int | None = None,
) -> None:
    """Put a legend of models, the interval and the 16-bit law above the panels.

    Parameters
    ----------
    drawn
        The figure.
    labels
        Models, in the order of the style's colours and markers.
    style
        The style.
    interval
        What the band is.
    title
        What the labels are.
    sixteen
        Whether dashed lines show the law at 16 bits.
    columns
        Entries in a row; by default all of them, or four where they are many.
    """
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, marker=marker, markeredgecolor="white", markeredgewidth=0.5, label=label)
        for label, colour, marker in zip(labels, style.colours, style.markers, strict=False)
    ]
    handles.append(Patch(color=style.quiet, alpha=style.band, linewidth=0, label=interval))
    if sixteen:
        dashes, quiet = SIXTEEN_BITS_DASHES, style.quiet
        handles.append(Line2D([], [], color=quiet, linewidth=1.0, linestyle=dashes, label="same at 16 bits"))
    in_a_row = _COLUMNS if len(handles) > _MOST_IN_A_ROW else len(handles)
    shown = drawn.legend(
        handles=handles,
        loc="outside upper left",
        ncols=columns or in_a_row,
        title=title,
        title_fontsize=style.small,
        alignment="left",
        columnspacing=1.2,
        handlelength=1.6,
        borderaxespad=0.0,
    )
    shown.set_in_layout(True)
