"""From logged runs to the run table: fields matched, rows made, origins and findings recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.importers.imported import Imported, raw_table
from bitlaw.importers.kept import asked_fields, column_name, varying_settings
from bitlaw.importers.logged import Log, LoggedRun, Skipped
from bitlaw.importers.matching import Match, match_fields
from bitlaw.importers.pattern import NamePattern
from bitlaw.importers.rows import Choice, Row, row_of, set_apart
from bitlaw.importers.text import printable, storable
from bitlaw.runs.columns import BY_NAME
from bitlaw.runs.loss_units import LOSS_UNIT_BY_NAME
from bitlaw.runs.mapping import ColumnMapping
from bitlaw.runs.problems import first_problems
from bitlaw.runs.raw import is_empty
from bitlaw.runs.validate import validate

_MOST_REASONS = 5
_DERIVED = "flops / (6 tokens)"
_ELSEWHERE = {
    "run_id": "name of the run",
    "n_params": _DERIVED,
    "status": "diverged where the loss is not finite",
    "loss": "of diverged runs only",
}
"""Where columns come from that no field, pattern or constant gives."""


def assemble(
    log: Log,
    kind: str,
    source: str,
    mapping: ColumnMapping,
    loss_unit: str = "",
    last: int = 1,
    pattern: NamePattern | None = None,
    keep: Sequence[str] = (),
    unfinished: bool = False,
) -> Imported:
    """Make a run table of logged runs.

    Parameters
    ----------
    log
        What the source holds.
    kind, source
        To name in messages.
    mapping
        The user's word on fields and constants.
    loss_unit
        Unit of the logged losses; empty for the source's own.
    last
        How many evaluations the loss is averaged over; 1 for the final value.
    pattern
        Columns read from the runs' names, or None.
    keep
        Fields to keep as further columns.
    unfinished
        Whether runs that did not end well are rows, too.

    Raises
    ------
    InputError
        If there are no runs, no field for a needed column, no run that has what is needed, or if rows
        contradict each other.
    """
    if not log.runs:
        raise InputError(_nothing(f"{source}: there are no runs in it", log.skipped))
    captured = pattern.columns if pattern else ()
    match = match_fields(log, mapping, captured, source)
    unit = loss_unit or log.loss_unit
    choice = Choice(match, mapping.constants, unit, last, pattern, unfinished)
    made = [(run, row_of(run, choice)) for run in log.runs]
    rows = [(run, row) for run, row in made if not isinstance(row, Skipped)]
    rows, repeated = set_apart(rows, log.names_are_models or "run_id" in match.fields)
    skipped = (*log.skipped, *(row for _, row in made if isinstance(row, Skipped)), *repeated)
    if not rows:
        count = len(log.runs)
        what = "its only run cannot" if count == 1 else f"none of its {count} runs can"
        raise InputError(_nothing(f"{source}: {what} be imported", skipped))
    rule = log.loss_rule or ("final value" if last == 1 else f"mean of the last {last} evaluations")
    frame = _frame(rows, log, match, asked_fields(keep, log, source), rule)
    validate(raw_table(frame, source))
    origins = _origins(frame, log, match, mapping, captured, unit, rule)
    findings = (*_findings(frame, log, match, skipped, origins), *log.findings)
    return Imported(kind, source, frame, origins, skipped, findings)


def _frame(
    rows: Sequence[tuple[LoggedRun, Row]], log: Log, match: Match, asked: Sequence[str], rule: str
) -> pd.DataFrame:
    names = [name for name in BY_NAME if any(name in row for _, row in rows) or name == "loss"]
    columns: dict[str, list[object]] = {name: [row.get(name) for _, row in rows] for name in names}
    runs = [run for run, _ in rows]
    settings = varying_settings(runs, {*match.fields.values(), *asked})
    columns["loss_rule"] = [None if row.get("loss") is None else rule for _, row in rows]
    columns["logged_as"] = [storable(run.key) for run in runs]
    for field in dict.fromkeys((*asked, *settings)):
        columns.setdefault(column_name(field), [_kept(run.fields.get(field)) for run in runs])
    return pd.DataFrame(columns, dtype=object)


def _kept(value: object) -> object:
    if is_empty(value):
        return None
    return storable(value) if isinstance(value, str) else value


def _origins(
    frame: pd.DataFrame,
    log: Log,
    match: Match,
    mapping: ColumnMapping,
    captured: Sequence[str],
    unit: str,
    rule: str,
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in frame:
        if name not in BY_NAME:
            continue
        field = match.fields.get(str(name), "")
        how = {"usual name": ", by its usual name", "source": "", "given": ""}[
            match.origins.get(str(name), "given")
        ]
        if field:
            found[name] = f"{log.origins.get(field, printable(field))}{how}"
        elif name in captured:
            found[name] = "the pattern"
        elif name in mapping.constants:
            found[name] = "the same for all"
        else:
            found[name] = {"run_id": "name of the run", "n_params": "flops / (6 tokens)"}.get(
                name, "not finite"
            )
    converted = "" if unit == "nats" else f", from {LOSS_UNIT_BY_NAME[unit].loss.unit}"
    found["loss"] = f"{found['loss']}; {rule}{converted}"
    return found


def _findings(
    frame: pd.DataFrame, log: Log, match: Match, skipped: Sequence[Skipped], origins: Mapping[str, str]
) -> tuple[Finding, ...]:
    found = []
    if skipped:
        things = "1 thing was" if len(skipped) == 1 else f"{len(skipped)} things were"
        message = f"{things} not imported, each with its reason."
        advice = "Runs left out for the loss they reached bias a fit; the others do not."
        found.append(Finding("import.skipped", Status.WARN, float(len(skipped)), 0.0, message, advice))
    usual = [name for name, how in match.origins.items() if how == "usual name" and name in frame]
    if usual:
        message = f"Found by their usual names: {', '.join(f'{name} = {origins[name]}' for name in usual)}."
        found.append(Finding("import.usual_names", Status.PASS, float(len(usual)), None, message))
    if origins.get("n_params") == _DERIVED:
        message = "n_params was not logged; it is flops / (6 tokens), right as far as flops is 6 N D."
        advice = "If you know the parameters, say --set n_params=NUMBER or --field n_params=FIELD."
        found.append(Finding("import.derived_params", Status.WARN, None, None, message, advice))
    return tuple(found)


def _nothing(what: str, skipped: Sequence[Skipped]) -> list[str]:
    why = Counter(item.why for item in skipped)
    if len(why) <= _MOST_REASONS and len(skipped) > _MOST_REASONS:
        reasons = [f"{what}: {count} of them: {reason}" for reason, count in why.items()]
    else:
        reasons = [f"{what}: {item.what}: {item.why}" for item in skipped]
    return first_problems(reasons or [what], what, limit=_MOST_REASONS)
