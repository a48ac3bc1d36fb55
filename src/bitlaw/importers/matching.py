"""Which field of the source each column of the run table comes from: the user's word, else usual names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bitlaw.errors import InputError
from bitlaw.importers.logged import Log, LoggedRun
from bitlaw.importers.names import USUAL, usual_fields, without_prefix
from bitlaw.importers.text import printable
from bitlaw.runs.columns import BY_NAME, COLUMNS, Column
from bitlaw.runs.mapping import ColumnMapping
from bitlaw.runs.raw import is_empty

_MOST_FIELDS_LISTED = 60
_SLIP = 0.8
"""Similarity (difflib ratio) from which a name is taken for a slip of another."""


@dataclass(frozen=True)
class Match:
    """Where columns come from.

    Parameters
    ----------
    fields
        Column to the field of the source.
    origins
        Column to how that field was chosen: ``"given"``, ``"usual name"`` or ``"source"``.
    """

    fields: Mapping[str, str]
    origins: Mapping[str, str]


def match_fields(log: Log, mapping: ColumnMapping, captured: Iterable[str], source: str) -> Match:
    """Find the field of every column.

    Parameters
    ----------
    log
        Runs as logged.
    mapping
        What the user says: columns by the source's names, constants. An empty name leaves a column out.
    captured
        Columns that are read from the runs' names.
    source
        To name in messages.

    Raises
    ------
    InputError
        For fields no run has, columns for which several fields would do, and needed columns without a
        field, with the fields there are and the line to write. All problems together.
    """
    has = fields_of(log.runs)
    elsewhere = {*captured, *mapping.constants}
    fields: dict[str, str] = {}
    origins: dict[str, str] = {}
    problems: list[str] = []
    given = {name for named in mapping.columns.values() for name in _named(named, has, log)}
    for column in BY_NAME:
        if column in elsewhere:
            continue
        if column in mapping.columns:
            if named := mapping.columns[column]:
                found = _named(named, has, log)
                problems += _named_problem(column, named, found, source, has, log)
                fields[column], origins[column] = (found or [named])[0], "given"
        elif log.defaults.get(column) in has:
            fields[column], origins[column] = log.defaults[column], "source"
        elif column in USUAL:
            found = usual_fields(column, [name for name in has if name not in given], log.prefixes)
            if len(found) > 1 and not _same(log.runs, found):
                problems.append(_ambiguous(column, found, source))
            if found:
                fields[column], origins[column] = found[0], "usual name"
    missing = [
        column
        for column in COLUMNS
        if column.required and column.name not in (*fields, *elsewhere, *_stand_in(column, fields, elsewhere))
    ]
    problems += [_missing(column, source) for column in missing if column.name != "run_id"]
    if problems:
        raise InputError([*problems, f"{source}: the fields of its runs: {_listed(has)}"])
    return Match(fields, origins)


def fields_of(runs: Iterable[LoggedRun]) -> dict[str, None]:
    """Names of all fields that hold something in some run, in the order they are first met."""
    return dict.fromkeys(name for run in runs for name, value in run.fields.items() if not is_empty(value))


def _named(named: str, has: Iterable[str], log: Log) -> list[str]:
    if named in has:
        return [named]
    return [name for name in has if without_prefix(name, log.prefixes) == named]


def _named_problem(
    column: str, named: str, found: list[str], source: str, has: Iterable[str], log: Log
) -> list[str]:
    if len(found) == 1:
        return []
    if found:
        return [_ambiguous(column, found, source)]
    near = get_close_matches(named, list(has), n=1, cutoff=_SLIP) or usual_fields(column, has, log.prefixes)
    hint = f'; did you mean "{printable(near[0])}"?' if near else ""
    return [f'{source}: {column}: no run has a field "{printable(named)}"{hint}']


def _ambiguous(column: str, found: list[str], source: str) -> str:
    names = ", ".join(printable(name) for name in found)
    return (
        f"{source}: {column}: several fields could be it: {names}; say which: --field "
        f"{column}={printable(found[0])}, or in a mapping file (--map): {column} = {_quoted(found[0])}"
    )


def _same(runs: Iterable[LoggedRun], fields: list[str]) -> bool:
    return all(len({_as_number(run.fields.get(name)) for name in fields}) == 1 for run in runs)


def _as_number(value: object) -> object:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value


def _stand_in(column: Column, fields: Mapping[str, str], elsewhere: Iterable[str]) -> tuple[str, ...]:
    """What makes up for a needed column: compute for tokens; compute and tokens for parameters."""
    have = {*fields, *elsewhere}
    if column.name == "tokens" and "flops" in have:
        return ("tokens",)
    if column.name == "n_params" and {"flops", "tokens"} <= have:
        return ("n_params",)
    return ()


def _missing(column: Column, source: str) -> str:
    number = "" if column.name == "loss" else f"; the same for all runs: --set {column.name}=NUMBER"
    instead = " (nor flops, which could stand in for it)" if column.name == "tokens" else ""
    return (
        f"{source}: {column.name}: no run has a field that is usually called so{instead}: {column.meaning} Say "
        f"which it is: --field {column.name}=FIELD, or in a mapping file (--map): "
        f'{column.name} = "FIELD"{number}'
    )


def _listed(has: Iterable[str]) -> str:
    names = [printable(name) for name in has]
    more = len(names) - _MOST_FIELDS_LISTED
    return (", ".join(names[:_MOST_FIELDS_LISTED]) or "none") + (f", and {more} more" if more > 0 else "")


def _quoted(name: str) -> str:
    import json

    return json.dumps(printable(name), ensure_ascii=False)
