"""What a part of a study hands over to the page."""

from dataclasses import dataclass
from typing import Any

from store import Compared, Fitted


@dataclass(frozen=True)
class Section:
    """One part of a study.

    Parameters
    ----------
    numbers
        Everything its text says, as plain JSON types.
    shown
        What its figures show beyond that.
    fits, comparisons
        For the table of all fits.
    """

    numbers: dict[str, Any]
    shown: dict[str, Any]
    fits: tuple[Fitted, ...]
    comparisons: tuple[Compared, ...] = ()
