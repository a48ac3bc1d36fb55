"""Rows of a figure in groups, each below the name of its group, shared by panels side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from bitlaw.reporting.style import Style


@dataclass(frozen=True)
class GroupedRows:
    """Where rows are, counted from the top.

    Parameters
    ----------
    places
        Of every row, group after group.
    labels
        What each is called.
    names
        Names of groups by their place; none where there is one group.
    """

    places: tuple[float, ...]
    labels: tuple[str, ...]
    names: dict[float, str]

    @property
    def height(self) -> float:
        """How many rows high they are, names included."""
        return self.places[-1] + 1.0


def grouped_rows(groups: Mapping[str, Sequence[str]]) -> GroupedRows:
    """Rows below the names of their groups.

    Parameters
    ----------
    groups
        Labels of the rows of each group, by its name.

    Examples
    --------
    >>> rows = grouped_rows({"h100": ["16 bits", "8 bits"], "b200": ["16 bits"]})
    >>> rows.places, rows.names
    ((1.0, 2.0, 4.0), {0.0: 'h100', 3.0: 'b200'})
    """
    places: list[float] = []
    names: dict[float, str] = {}
    place = 0.0
    for name, labels in groups.items():
        if len(groups) > 1:
            names[place] = name
            place += 1.0
        places += [place + row for row in range(len(labels))]
        place += len(labels)
    return GroupedRows(tuple(places), tuple(label for own in groups.values() for label in own), names)


def label_rows(axis: Axes, rows: GroupedRows, style: Style, shown: bool = True) -> None:
    """Put the rows on an axis, from the top down: their labels, the names of groups, a line between groups.

    Parameters
    ----------
    axis
        Where to.
    rows
        The rows.
    style
        The style.
    shown
        Whether labels and names are written; panels to the right of another leave them out.
    """
    every = {**dict(zip(rows.places, rows.labels, strict=True)), **rows.names}
    axis.set_yticks(sorted(every), [every[place] for place in sorted(every)])
    for place, text in zip(sorted(every), axis.get_yticklabels(), strict=True):
        if place in rows.names:
            text.set_fontweight("bold")
    for place in list(rows.names)[1:]:
        axis.axhline(place - 0.5, color=style.grid, linewidth=0.9)
    axis.set_ylim(rows.height - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0, labelleft=shown)
