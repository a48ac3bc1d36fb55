"""What a command prints: words, tables and findings for people, one JSON object for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bitlaw.finding import Finding, Status, overall_status
from bitlaw.units import format_probability

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from bitlaw.inference.fit import Fit

NOT_CONVERGED = "This fit did not converge: its numbers may be wrong. The findings say what to do."

_WIDTH_OF_A_FILE = 160
_STYLES = {
    Status.PASS: "green",
    Status.NOT_RUN: "dim",
    Status.WARN: "yellow",
    Status.FAIL: "bold red",
    Status.REFUSED: "bold red",
}


class Result(Protocol):
    """What a decision hands over to be printed."""

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to bear in mind."""
        ...

    def sentence(self) -> str:
        """The answer in words."""
        ...

    def table(self) -> "pd.DataFrame":
        """The numbers."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain JSON types."""
        ...


def exit_code(*statuses: Status) -> int:
    """1 where convergence FAILed or the answer is REFUSED, else 0.

    Examples
    --------
    >>> exit_code(Status.PASS, Status.WARN), exit_code(Status.FAIL)
    (0, 1)
    """
    return int(any(status in (Status.FAIL, Status.REFUSED) for status in statuses))


def print_result(command: str, fit: "Fit", result: Result, as_json: bool) -> int:
    """Print a decision, marked where its fit did not converge, and return the exit code."""
    mark_unconverged(fit.status, as_json)
    if as_json:
        print_json(command, result.status, result.findings, result.to_dict())
    else:
        print_text(result.sentence())
        print_table(result.table())
        print_findings(result.findings)
    return exit_code(fit.status, result.status)


def mark_unconverged(status: Status, as_json: bool) -> None:
    """Say that a fit did not converge, if so; beside JSON, on stderr."""
    if status is Status.FAIL:
        if as_json:
            print(f"bitlaw: {NOT_CONVERGED}", file=sys.stderr)
        else:
            print_text(f"{Status.FAIL}: {NOT_CONVERGED}", style="bold red")


def print_json(
    command: str, status: Status, findings: Iterable[Finding], result: Mapping[str, Any] | None = None
) -> None:
    """Print the envelope on stdout: command, status, findings, and the result's own keys."""
    from bitlaw.decisions.intervals import json_value

    envelope = {"command": command, "status": str(status), "findings": [item.to_dict() for item in findings]}
    own = {key: value for key, value in (result or {}).items() if key not in envelope}
    print(json.dumps(json_value(envelope | own), allow_nan=False, ensure_ascii=False, indent=2))


def print_text(text: str, style: str = "") -> None:
    """Print a paragraph."""
    _console().print(text, style=style, markup=False, highlight=False)


def print_findings(findings: Sequence[Finding], show_passed: bool = False) -> None:
    """Print findings, worst first; passed ones are counted unless asked for."""
    shown = [item for item in findings if show_passed or item.status is not Status.PASS]
    passed = len(findings) - len(shown)
    order = (Status.REFUSED, Status.FAIL, Status.WARN, Status.NOT_RUN, Status.PASS)
    grid = _grid()
    for item in sorted(shown, key=lambda item: order.index(item.status)):
        grid.add_row(_styled(str(item.status), _STYLES[item.status]), _finding_text(item))
    if passed:
        grid.add_row(_styled("PASS", _STYLES[Status.PASS]), f"{passed} more check{'s' if passed > 1 else ''}")
    if grid.row_count:
        print_text(f"\nFindings: {overall_status(findings)}", style="bold")
        _console().print(grid, highlight=False)


def print_table(frame: "pd.DataFrame", title: str = "") -> None:
    """Print a table; where there is no room for its columns, one block per row."""
    columns = [str(name).replace("_", " ") for name in frame.columns]
    rows = [
        [_cell(str(name), value) for name, value in zip(frame.columns, row, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    print_rows(columns, rows, title)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print rows of text under a header; where there is no room, one block per row."""
    console = _console()
    widest = [max([len(name), *(len(row[at]) for row in rows)]) for at, name in enumerate(columns)]
    if title:
        print_text(f"\n{title}", style="bold")
    if sum(widest) + 2 * len(widest) > console.width and len(columns) > _MOST_COLUMNS_WRAPPED:
        for row in rows:
            console.print(_block(columns, row), highlight=False)
        return
    table = _plain_table()
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_styled(text) for text in row))
    console.print(table, highlight=False)


_MOST_COLUMNS_WRAPPED = 4
_AS_PROBABILITY = ("probability", "within")


def _cell(column: str, value: object) -> str:
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if value is None or value != value:
        return "–"
    if isinstance(value, float):
        return format_probability(value) if column.startswith(_AS_PROBABILITY) else f"{value:.4g}"
    return str(value)


def _block(columns: Sequence[str], row: Sequence[str]) -> "Table":
    grid = _grid()
    for name, text in zip(columns, row, strict=True):
        if text:
            grid.add_row(_styled(name, "dim"), _styled(text))
    grid.add_row("", "")
    return grid


def _finding_text(item: Finding) -> object:
    text = _styled(item.message)
    text.append(f" {item.advice}" if item.advice else "", style="italic")
    text.append(f"  {item.code}", style="dim")
    return text


def _console() -> "Console":
    import os

    from rich.console import Console

    console = Console(file=sys.stdout, soft_wrap=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_A_FILE
    return console


def _grid() -> "Table":
    from rich.table import Table

    return Table.grid(padding=(0, 2))


def _plain_table() -> "Table":
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def _styled(text: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(text, style=style)
