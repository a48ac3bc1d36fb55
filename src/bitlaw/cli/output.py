"""What a command prints: words, tables and findings for people, one JSON object for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bitlaw.cli.tables import console, plain_table, print_table, styled
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.importers.text import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.text import Text

    from bitlaw.inference.fit import Fit

NOT_CONVERGED = "This fit did not converge: its numbers may be wrong. The findings say what to do."

_WORST_FIRST = (Status.FAIL, Status.REFUSED, Status.WARN, Status.NOT_RUN, Status.PASS)
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


def print_result(command: str, fit: "Fit", result: Result, as_json: bool, quiet: bool = False) -> int:
    """Print a decision, marked where its fit did not converge, and return the exit code."""
    mark_unconverged(fit.status, as_json or quiet)
    if as_json:
        print_json(command, result.status, result.findings, result.to_dict())
    elif quiet:
        print_plain(result.sentence())
    else:
        print_text(result.sentence())
        print_table(result.table())
        print_findings(result.findings)
    return exit_code(fit.status, result.status)


def mark_unconverged(status: Status, aside: bool) -> None:
    """Say that a fit did not converge, if so; on stderr beside JSON, and where one answer alone is asked for."""
    if status is Status.FAIL:
        if aside:
            print(f"bitlaw: {NOT_CONVERGED}", file=sys.stderr)
        else:
            print_text(f"{Status.FAIL}: {NOT_CONVERGED}", style="bold red")


def print_json(
    command: str, status: Status, findings: Iterable[Finding], result: Mapping[str, Any] | None = None
) -> None:
    """Print the envelope on stdout: command, status, findings, and the result's own keys."""
    envelope = {"command": command, "status": str(status), "findings": [item.to_dict() for item in findings]}
    own = {key: value for key, value in (result or {}).items() if key not in envelope}
    print_object(envelope | own)


def print_object(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout; NaN and infinity as null."""
    from bitlaw.decisions.intervals import json_value

    print(json.dumps(json_value(content), allow_nan=False, ensure_ascii=False, indent=2))


def print_plain(text: str) -> None:
    """Print what was asked for and nothing else, a line to a paragraph however wide the terminal is."""
    print(printable(text, keep="\n"))


def print_text(text: str, style: str = "") -> None:
    """Print a paragraph."""
    console().print(printable(text, keep="\n"), style=style, markup=False, highlight=False)


def print_findings(findings: Sequence[Finding], show_passed: bool = False) -> None:
    """Print findings, worst first; passed ones are counted unless asked for."""
    shown = [item for item in findings if show_passed or item.status is not Status.PASS]
    passed = sum(item.status is Status.PASS for item in findings)
    counted = f" ({passed} passed)" if passed else ""
    print_text(f"\nFindings: {overall_status(findings)}{counted}", style="bold")
    grid = plain_table(header=False)
    for item in sorted(shown, key=lambda item: _WORST_FIRST.index(item.status)):
        grid.add_row(styled(str(item.status), _STYLES[item.status]), _finding_text(item))
    if shown:
        console().print(grid, highlight=False)


def _finding_text(item: Finding) -> "Text":
    text = styled(item.message if item.message.endswith((".", "!", "?")) else f"{item.message}.")
    text.append(f" {item.advice}" if item.advice else "", style="italic")
    text.append(f"  {item.code}", style="dim")
    return text
