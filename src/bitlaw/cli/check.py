"""``bitlaw check``: validate a run table, and say what it can and cannot identify."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitlaw.cli.files import open_runs
from bitlaw.cli.options import Json, LawName, MapFile, Pool, Quiet, Runs
from bitlaw.cli.output import exit_code, print_findings, print_json, print_plain, print_text
from bitlaw.cli.table_summary import columns_help, exclusions, summarise
from bitlaw.cli.tables import print_rows
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.laws.registry import DEFAULT_LAW
from bitlaw.units import format_count

if TYPE_CHECKING:
    from bitlaw.runs.table import RunTable

EXAMPLE = f"""Examples:

bitlaw check runs.csv

bitlaw check runs.csv --map mapping.toml --law chinchilla --json

{columns_help()}
"""


def check(
    runs: Runs,
    mapping: MapFile = None,
    law: LawName = DEFAULT_LAW,
    pool: Pool = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Validate a run table and say which of a law's constants it can identify. Nothing is fitted."""
    from bitlaw.laws.registry import load_law
    from bitlaw.workflow import preparing

    asked = load_law(law)
    table, findings = preparing.check(open_runs(runs, mapping), asked, pool=pool)
    status = overall_status(findings)
    if as_json:
        result = {"law": asked.name, "table": summarise(table), "excluded": exclusions(table)}
        print_json("check", status, findings, result)
    elif quiet:
        print_plain(_verdict(runs, asked.name, findings))
    else:
        print_text(f"{runs} for law {asked.name}")
        print_summary(table)
        print_findings(findings, show_passed=True)
    return exit_code(status)


def _verdict(runs: Path, law: str, findings: Sequence[Finding]) -> str:
    """In one line, whether anything is to be looked at before fitting."""
    warned = [finding.code for finding in findings if finding.status is Status.WARN]
    told = f"to look at: {', '.join(warned)}" if warned else "nothing to look at"
    return f"{runs} can be fitted with law {law}; {told}."


def print_summary(table: "RunTable") -> None:
    """Print what a table holds, and the rows left out with their reasons."""
    rows = [[name.replace("_", " "), _text(value)] for name, value in summarise(table).items()]
    print_rows(["", ""], rows, fold=True)
    left_out = exclusions(table)
    if left_out:
        rows = [
            [str(item["row"]), str(item["run_id"]), str(item["reason"])] for item in left_out[:_MOST_LISTED]
        ]
        print_rows(["row", "run_id", "reason"], rows, f"Left out: {len(left_out)} rows", fold=True)
        if len(left_out) > _MOST_LISTED:
            print_text(f"… and {len(left_out) - _MOST_LISTED} more (all of them: --json)")


_MOST_LISTED = 10


def _text(value: Any) -> str:
    if isinstance(value, dict):
        lowest, highest = (format_count(value[end]) for end in ("lowest", "highest"))
        return f"{value['distinct']} values from {lowest} to {highest}"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
