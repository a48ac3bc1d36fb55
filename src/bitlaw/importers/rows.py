"""Rows of a run table from logged runs: one each, or the reason why not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bitlaw.importers.evaluations import number
from bitlaw.importers.logged import LoggedRun, Skipped
from bitlaw.importers.matching import Match
from bitlaw.importers.pattern import NamePattern
from bitlaw.importers.text import printable, shown, storable
from bitlaw.runs.cells import read_cell
from bitlaw.runs.columns import BY_NAME, COUNTS, KEY
from bitlaw.runs.loss_units import LOSS_UNIT_BY_NAME
from bitlaw.runs.raw import is_empty
from bitlaw.runs.validate import FLOPS_PER_PARAMETER_AND_TOKEN
from bitlaw.units import suffixed_count

Row = dict[str, float | str]

_INFINITE = 1.7e308
"""MLflow's databases store infinity as the largest double."""

_NEVER_FROM_A_FIELD = ("loss",)


@dataclass(frozen=True)
class Choice:
    """How runs become rows.

    Parameters
    ----------
    match
        Column to field.
    constants
        Column to the value of every run.
    loss_unit
        Unit of the logged losses.
    last
        How many evaluations the loss is averaged over; 1 for the final value.
    pattern
        Columns read from the runs' names, or None.
    unfinished
        Whether runs that did not end well are rows, too.
    """

    match: Match
    constants: Mapping[str, float | str]
    loss_unit: str
    last: int = 1
    pattern: NamePattern | None = None
    unfinished: bool = False


def row_of(run: LoggedRun, choice: Choice) -> Row | Skipped:
    """The row of one run, its loss in nats/token; or why it has none.

    A loss that is not finite makes the run diverged, whatever its tracker says of how it ended.
    """
    row: Row = {"run_id": storable(run.name).strip() or storable(run.key)}
    named = choice.pattern.read(run.name) if choice.pattern else {}
    if named is None:
        return Skipped(shown(run.name), "its name does not fit the pattern")
    raw: dict[str, object] = {**choice.constants, **named}
    raw |= {column: run.fields.get(field) for column, field in choice.match.fields.items()}
    for column, value in raw.items():
        if column in _NEVER_FROM_A_FIELD or is_empty(value):
            continue
        cell = read_cell(BY_NAME[column], _counted(column, value))
        if column == "loss_se":
            cell = read_cell(LOSS_UNIT_BY_NAME[choice.loss_unit].loss_se, value)
        if cell.problem:
            return Skipped(shown(run.name), f"{_where(column, choice)}: {printable(cell.problem)}")
        if cell.value is not None:
            row[column] = storable(cell.value) if isinstance(cell.value, str) else cell.value
    return _with_loss(run, row, choice) or _with_sizes(run, row, choice)


def set_apart(
    rows: Sequence[tuple[LoggedRun, Row]], are_models: bool
) -> tuple[list[tuple[LoggedRun, Row]], list[Skipped]]:
    """Rows whose keys are unique: runs of one name get their tracker's key added; repeats are left out.

    Parameters
    ----------
    rows
        Runs with their rows.
    are_models
        Whether equal names mean the same model, so that nothing may be added to them.
    """
    kept: list[tuple[LoggedRun, Row]] = []
    skipped: list[Skipped] = []
    seen: dict[tuple[object, ...], str] = {}
    counts: dict[object, int] = {}
    for _, row in rows:
        counts[_key(row)] = counts.get(_key(row), 0) + 1
    for run, row in rows:
        if counts[_key(row)] > 1 and not are_models and "bits_post" not in row:
            row = row | {"run_id": f"{row['run_id']} ({storable(run.key)})"}
        if _key(row) in seen:
            values = ", ".join(f"{name} {printable(str(row[name]))}" for name in KEY if name in row)
            skipped.append(Skipped(shown(run.key), f"repeats {values} of {seen[_key(row)]}"))
            continue
        seen[_key(row)] = shown(run.key)
        kept.append((run, row))
    return kept, skipped


def _with_loss(run: LoggedRun, row: Row, choice: Choice) -> Skipped | None:
    """Put the loss into a row; return why it cannot be, if so."""
    field = choice.match.fields.get("loss", "")
    if row.get("status") == "diverged" and is_empty(run.fields.get(field)):
        return None
    values, why = _losses(run, field, choice)
    if why:
        return Skipped(shown(run.name), why)
    unit = LOSS_UNIT_BY_NAME[choice.loss_unit]
    if not all(math.isfinite(value) and abs(value) < _INFINITE for value in values):
        row["status"] = "diverged"
        row.pop("loss_se", None)
        return None
    if run.unfinished and not choice.unfinished and row.get("status") != "diverged":
        return Skipped(
            shown(run.name), f"it is not finished ({printable(run.unfinished)}); --unfinished imports it"
        )
    for value in values:
        if problem := read_cell(unit.loss, value).problem:
            return Skipped(shown(run.name), f"{_where('loss', choice)}: {problem}")
    loss = sum(unit.to_nats(value) for value in values) / len(values)
    vocabulary = row.get("vocab_size")
    bound = math.log(vocabulary) if isinstance(vocabulary, float) else math.inf
    if loss > bound and "bits_post" not in row and row.get("status") != "diverged":
        return Skipped(
            shown(run.name),
            f"{_where('loss', choice)}: {loss:.6g} nats/token is worse than guessing, ln(vocab_size) = "
            f"{bound:.4g}; if its unit is another, say --loss-unit bits or perplexity",
        )
    row["loss"] = loss
    if isinstance(error := row.get("loss_se"), float):
        row["loss_se"] = unit.se_to_nats(error, values[-1])
    return None


def _losses(run: LoggedRun, field: str, choice: Choice) -> tuple[tuple[float, ...], str]:
    """The evaluations behind a loss, and why there are none."""
    if "loss" in choice.constants:
        return (float(choice.constants["loss"]),), ""
    raw = run.fields.get(field)
    if is_empty(raw):
        return (), f"it has no {printable(field)}"
    if choice.last > 1:
        found = run.evaluations.get(field, ())
        if len(found) < choice.last:
            return (), f"it has {len(found)} evaluations of {printable(field)}, not {choice.last}"
        return tuple(islice(found, len(found) - choice.last, None)), ""
    cell = read_cell(BY_NAME["loss"], raw)
    if cell.problem and "not a number" in cell.problem:
        return (), f"{_where('loss', choice)}: {printable(cell.problem)}"
    return (number(raw),), ""


def _with_sizes(run: LoggedRun, row: Row, choice: Choice) -> Row | Skipped:
    """The row with parameters and tokens, derived from compute where it has to be."""
    sizes = {name: row[name] for name in COUNTS if isinstance(row.get(name), float)}
    if "n_params" not in sizes and {"flops", "tokens"} <= set(sizes):
        row["n_params"] = float(sizes["flops"]) / (FLOPS_PER_PARAMETER_AND_TOKEN * float(sizes["tokens"]))
    for name, instead in (("n_params", ""), ("tokens", "flops")):
        if name not in row and instead not in row:
            return Skipped(shown(run.name), f"it has no {_where(name, choice)}")
    return row


def _counted(column: str, value: object) -> object:
    count = suffixed_count(value) if column in COUNTS and isinstance(value, str) else None
    return value if count is None else count


def _where(column: str, choice: Choice) -> str:
    field = choice.match.fields.get(column, column)
    return column if field == column else f"{column} ({printable(field)})"


def _key(row: Row) -> tuple[object, ...]:
    return tuple(row.get(name, "") for name in KEY)
