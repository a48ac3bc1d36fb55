"""A table as it was found: named columns of unchecked cells, and where each row stands in its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RawTable:
    """Unchecked cells by column.

    Parameters
    ----------
    columns
        Cells of each column, all of the same length: text from CSV; text, numbers, booleans, None
        and nested values from JSONL and Parquet.
    source
        Path to name in messages.
    lines
        Line of each row in the source; empty where the format has no lines.
    foreign
        Foreign name of each canonical column that a mapping renamed.
    """

    columns: Mapping[str, Sequence[object]]
    source: str
    lines: tuple[int, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Number of rows of data."""
        return max((len(cells) for cells in self.columns.values()), default=0)

    def place(self, row: int, column: str = "") -> str:
        """Where a cell stands, to begin a message with.

        Parameters
        ----------
        row
            Row number, 1 for the first row of data.
        column
            Column name; empty for the whole row.

        Examples
        --------
        >>> RawTable({"val": ["2.1"]}, "runs.csv", lines=(2,), foreign={"loss": "val"}).place(1, "loss")
        'runs.csv: row 1 (line 2), column "loss" (mapped from "val")'
        """
        line = f" (line {self.lines[row - 1]})" if self.lines else ""
        return f"{self.source}: row {row}{line}" + (f", {self.label(column)}" if column else "")

    def label(self, column: str) -> str:
        """A column's name for a message, with the name it has in the source."""
        mapped = f' (mapped from "{self.foreign[column]}")' if column in self.foreign else ""
        return f'column "{column}"{mapped}'


def is_empty(cell: object) -> bool:
    """Whether a cell holds nothing: None, or text of only white space."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
