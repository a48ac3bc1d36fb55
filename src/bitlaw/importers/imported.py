"""What was imported: the run table, where each of its columns comes from, and what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bitlaw.finding import Finding, Status, overall_status
from bitlaw.importers.logged import Skipped
from bitlaw.runs.exclude import exclude_rows
from bitlaw.runs.headers import header_findings
from bitlaw.runs.raw import RawTable
from bitlaw.runs.table import RunTable
from bitlaw.runs.validate import validate


@dataclass(frozen=True)
class Imported:
    """A run table made from a source, with its origin.

    Parameters
    ----------
    kind
        What kind of source.
    source
        The source as it was given.
    frame
        Rows under canonical names, losses in nats/token; then the columns that are kept beside. Cells
        without a value are None.
    origins
        Canonical column to where it comes from, in words.
    skipped
        What was not imported, and why.
    findings
        What to bear in mind.
    written
        Paths of table and mapping file, where they were written.
    """

    kind: str
    source: str
    frame: pd.DataFrame
    origins: Mapping[str, str]
    skipped: tuple[Skipped, ...]
    findings: tuple[Finding, ...]
    written: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    def run_table(self) -> RunTable:
        """The validated run table, as ``read_runs`` gives it.

        Raises
        ------
        InputError
            If rows contradict each other.
        """
        table = raw_table(self.frame, self.source)
        frame = validate(table)
        nothing = frame.iloc[:0].assign(reason="")
        return exclude_rows(RunTable(frame, nothing, self.source, header_findings(table)))

    def sentence(self) -> str:
        """What was imported, in words."""
        rows, runs = len(self.frame), self.frame["run_id"].nunique()
        diverged = int((self.frame["status"] == "diverged").sum()) if "status" in self.frame else 0
        what = f"{_counted(rows, 'row')} of {_counted(runs, 'run')} from {self.source} ({self.kind})"
        also = f"; {diverged} diverged" if diverged else ""
        return f"Imported {what}{also}; {len(self.skipped)} not imported."

    def table(self) -> pd.DataFrame:
        """One row per canonical column: where it comes from, and what it holds."""
        return pd.DataFrame(
            [
                {"column": name, "from": origin, "values": _described(self.frame.get(name))}
                for name, origin in self.origins.items()
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but the rows, as plain JSON types."""
        return {
            "kind": self.kind,
            "source": self.source,
            "rows": len(self.frame),
            "runs": int(self.frame["run_id"].nunique()),
            "columns": dict(self.origins),
            "kept": [str(name) for name in self.frame if name not in self.origins],
            "skipped": [item.to_dict() for item in self.skipped],
            "written": list(self.written),
        }

    def saved_as(self, *paths: str) -> "Imported":
        """The same, with the paths it was written to."""
        return replace(self, written=paths)


def raw_table(frame: pd.DataFrame, source: str) -> RawTable:
    """A frame as unchecked cells."""
    return RawTable({str(name): frame[name].tolist() for name in frame}, source)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _described(values: "pd.Series | None") -> str:
    from bitlaw.units import format_count

    known = [] if values is None else [value for value in values if value is not None]
    numbers = [value for value in known if isinstance(value, float)]
    if not known:
        return "none"
    if not numbers:
        different = len(set(known))
        return str(known[0]) if different == 1 else f"{different} different"
    low, high = min(numbers), max(numbers)
    return format_count(low) if low == high else f"{format_count(low)} to {format_count(high)}"
