"""Tables on a terminal: on one line per row where they fit, else folded, else one block per row."""

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bitlaw.importers.text import printable
from bitlaw.runs.columns import COUNTS
from bitlaw.units import format_count, format_probability

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_WIDTH_OF_A_FILE = 160
_GAP = 2
_AS_PROBABILITY = ("probability", "within")
_INTERVAL = re.compile(r"(?P<median>\S+) \((?P<kind>[\d.]+ % ETI) (?P<ends>\S+ to \S+)\) ?(?P<unit>\S*)")

Rows = Sequence[Sequence[str]]


def console() -> "Console":
    """Where to print: as wide as the terminal, or wide enough for a file."""
    from rich.console import Console

    terminal = Console(file=sys.stdout)
    if not terminal.is_terminal and "COLUMNS" not in os.environ:
        terminal.width = _WIDTH_OF_A_FILE
    return terminal


def styled(text: str, style: str = "") -> "Text":
    """Text as it is: square brackets in it mean nothing, and letters that steer a terminal are escaped."""
    from rich.text import Text

    return Text(printable(text, keep="\n"), style=style)


def plain_table(header: bool = True) -> "Table":
    """A table without lines."""
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=header, header_style="bold")


def print_table(frame: "pd.DataFrame") -> None:
    """Print the table of a decision, without its empty columns; what intervals share moves to the header."""
    names = [str(name) for name in frame.columns]
    cells = [[_cell(name, value) for value in frame[name]] for name in frame.columns]
    for at, column in enumerate(cells):
        names[at], cells[at] = _shortened(names[at], column)
    filled = [at for at, column in enumerate(cells) if any(column)]
    print_rows([names[at] for at in filled], list(zip(*(cells[at] for at in filled), strict=True)))


def print_rows(columns: Sequence[str], rows: Rows, title: str = "", fold: bool = False) -> None:
    """Print rows of text.

    Parameters
    ----------
    columns
        Names; empty for a table without header.
    rows
        Texts; empty where there is none.
    title
        Printed above.
    fold
        Whether texts are sentences, to be folded into columns of any width, and never into blocks.
    """
    terminal = console()
    if title:
        terminal.print(f"\n{title}", style="bold", highlight=False, markup=False)
    if fold:
        terminal.print(_table(columns, rows, [None] * len(columns)), highlight=False)
        return
    folded = [[text.replace(" (", "\n(") for text in row] for row in rows]
    for candidate in (rows, folded):
        widths = [_width(name, [row[at] for row in candidate]) for at, name in enumerate(columns)]
        if sum(widths) + _GAP * len(widths) <= terminal.width:
            terminal.print(_table(columns, candidate, widths), highlight=False)
            return
    for row in rows:
        terminal.print(_block(columns, row), highlight=False)


def _width(name: str, texts: Sequence[str]) -> int:
    """Characters a column needs when its name is folded between words, and its texts between lines."""
    lines = [line for text in texts for line in text.split("\n")]
    return max(len(part) for part in (*name.split(), *lines, ""))


def _table(columns: Sequence[str], rows: Rows, widths: Sequence[int | None]) -> "Table":
    table = plain_table(header=any(columns))
    for name, width in zip(columns, widths, strict=True):
        table.add_column(styled(name), width=width)
    for row in rows:
        table.add_row(*(styled(text) for text in row))
    return table


def _block(columns: Sequence[str], row: Sequence[str]) -> "Table":
    block = plain_table(header=False)
    for name, text in zip(columns, row, strict=True):
        if text:
            block.add_row(styled(name, "dim"), styled(text, "bold" if block.row_count == 0 else ""))
    block.add_row("", "")
    return block


def _shortened(name: str, column: list[str]) -> tuple[str, list[str]]:
    """A column of intervals with what they share in its name."""
    found = [_INTERVAL.fullmatch(text) for text in column]
    known = [match for match in found if match is not None]
    shared = {(match["kind"], match["unit"]) for match in known}
    if len(known) < len(column) or len(shared) != 1:
        return name.replace("_", " "), column
    kind, unit = shared.pop()
    shown = name.replace("_", " ")
    if unit not in ("", "x") and not shown.endswith(unit):
        shown = f"{shown}, {unit}"
    return f"{shown} ({kind})", [_interval(match["median"], match["ends"]) for match in known]


def _interval(median: str, ends: str) -> str:
    return median if ends == f"{median} to {median}" else f"{median} ({ends})"


def _cell(column: str, value: object) -> str:
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        if column in COUNTS:
            return format_count(value)
        return format_probability(value) if column.startswith(_AS_PROBABILITY) else f"{value:.4g}"
    return str(value)
