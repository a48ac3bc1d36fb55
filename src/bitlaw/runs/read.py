"""Read a run table: the file, the mapping, validation and exclusion, in that order."""

from pathlib import Path

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.runs.exclude import exclude_rows
from bitlaw.runs.files import read_file
from bitlaw.runs.headers import header_findings
from bitlaw.runs.mapping import ColumnMapping, apply_mapping, read_mapping
from bitlaw.runs.table import RunTable
from bitlaw.runs.validate import validate

FEWEST_ROWS = 2


def read_runs(path: str | Path, mapping: str | Path | ColumnMapping | None = None) -> RunTable:
    """Read logged training runs.

    Parameters
    ----------
    path
        A .csv, .tsv, .jsonl, .ndjson or .parquet file with one row per evaluated loss.
    mapping
        A mapping, the path of a mapping file, or None where the table has canonical names and nats.

    Returns
    -------
    RunTable
        Usable rows in nats/token, excluded rows with reasons, and findings.

    Raises
    ------
    InputError
        If the file or the mapping cannot be used, with all problems of the table together, or if
        fewer than two rows are usable.
    """
    where = Path(path)
    table = read_file(where)
    if mapping is None:
        mapping = ColumnMapping()
    elif not isinstance(mapping, ColumnMapping):
        mapping = read_mapping(mapping)
    table = apply_mapping(table, mapping)
    frame = validate(table, mapping.loss_unit)
    nothing = frame.iloc[:0].assign(reason="")
    findings = header_findings(table)
    runs = exclude_rows(RunTable(frame, nothing, where.name, findings))
    if len(runs.frame) < FEWEST_ROWS:
        raise InputError(_too_few(runs, str(where)))
    wide = _unquantized_post(runs)
    return RunTable(runs.frame, runs.excluded, runs.source, runs.findings + wide)


def _too_few(runs: RunTable, where: str) -> str:
    usable, out = len(runs.frame), len(runs.excluded)
    reasons = ", ".join(
        f"{count} {reason}" for reason, count in runs.excluded["reason"].value_counts().items()
    )
    left_out = f" ({out} left out: {reasons})" if out else ""
    rows = "row" if usable == 1 else "rows"
    return (
        f"{where}: {usable} usable {rows}{left_out}; a law cannot be fitted to fewer than {FEWEST_ROWS} rows"
    )


def _unquantized_post(runs: RunTable) -> tuple[Finding, ...]:
    count = int((runs.frame["bits_post"] >= UNQUANTIZED_BITS).sum())
    if not count:
        return ()
    message = (
        f"{count} rows have bits_post of {UNQUANTIZED_BITS:g} or more and count as quantized after training."
    )
    advice = "Leave bits_post empty in the rows of runs that were not quantized after training."
    return (Finding("runs.post_bits", Status.WARN, float(count), UNQUANTIZED_BITS, message, advice),)
