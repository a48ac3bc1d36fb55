"""What a notebook shows of a result: its sentence, findings and table, as HTML in which no text is markup."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Protocol

from bitlaw.finding import Finding, Status, overall_status

_MOST_ROWS = 60


class Told(Protocol):
    """A result that says itself in words and in numbers."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to bear in mind."""
        ...

    def sentence(self) -> str:
        """The answer in words."""
        ...

    def table(self) -> Any:
        """The numbers, a pandas DataFrame."""
        ...


def result_html(result: Told) -> str:
    """The sentence of a result, what to bear in mind, and its table.

    Parameters
    ----------
    result
        A fit, a prediction or a decision. Its texts come from run tables and files of others, so every
        ``<`` in them is text.
    """
    said = "".join(f"<p>{escape(part)}</p>" for part in result.sentence().split("\n\n"))
    table = result.table()
    return f"<div>{said}{findings_html(result.findings)}{table_html(list(table), table.to_numpy().tolist())}</div>"


def findings_html(findings: Iterable[Finding]) -> str:
    """What did not pass, folded behind its worst status; empty where everything passed.

    Examples
    --------
    >>> findings_html([Finding("a.b", Status.WARN, None, None, "2 < 3.", "Log more.")])
    '<details><summary>Findings: WARN</summary><ul><li>WARN: 2 &lt; 3. Log more.</li></ul></details>'
    """
    own = tuple(findings)
    told = [item for item in own if item.status not in (Status.PASS, Status.NOT_RUN)]
    if not told:
        return ""
    items = (f"<li>{item.status}: {escape(f'{item.message} {item.advice}'.strip())}</li>" for item in told)
    return f"<details><summary>Findings: {overall_status(own)}</summary><ul>{''.join(items)}</ul></details>"


def table_html(columns: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A table without its empty columns, cut where it gets long.

    Parameters
    ----------
    columns
        Names.
    rows
        Cells; NaN and None are shown as empty.

    Examples
    --------
    >>> print(table_html(["run", "none"], [["<b>", None]]))
    <table><thead><tr><th>run</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>
    """
    cells = [[_text(value) for value in row] for row in rows]
    kept = [at for at in range(len(columns)) if any(row[at] for row in cells)]
    head = "".join(f"<th>{escape(str(columns[at]))}</th>" for at in kept)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(row[at])}</td>' for at in kept)}</tr>" for row in cells[:_MOST_ROWS]
    )
    more = len(cells) - _MOST_ROWS
    cut = f"<p>… and {more} more rows, in table()</p>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{cut}"


def _text(value: object) -> str:
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
