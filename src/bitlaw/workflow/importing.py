"""From the tools where runs are logged to a run table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bitlaw.errors import InputError, did_you_mean
from bitlaw.importers.assemble import assemble
from bitlaw.importers.imported import Imported
from bitlaw.importers.kinds import read_log
from bitlaw.importers.logged import Asked
from bitlaw.importers.pattern import name_pattern
from bitlaw.importers.where import runs_where
from bitlaw.importers.write import require_table_path, write_imported
from bitlaw.runs.columns import BY_NAME, LOSS_UNITS
from bitlaw.runs.mapping import ColumnMapping, mapping_problems, read_mapping


def import_runs(
    source: str | Path,
    kind: str,
    *,
    out: str | Path | None = None,
    fields: Mapping[str, str] | None = None,
    constants: Mapping[str, float | str] | None = None,
    mapping: str | Path | ColumnMapping | None = None,
    loss_unit: str | None = None,
    last: int = 1,
    pattern: str | None = None,
    where: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    unfinished: bool = False,
) -> Imported:
    """Make a run table of runs logged elsewhere.

    Parameters
    ----------
    source
        A file, a folder, a URI or a project, by kind.
    kind
        "wandb", "mlflow", "tensorboard", "huggingface", "llama.cpp" or "jsonl".
    out
        Path of the table, .csv; its mapping file is written beside it. None writes nothing.
    fields
        Column to the source's name of it; columns that are left out are found by their usual names, and an
        empty name leaves a column out.
    constants
        Column to the value that all runs have.
    mapping
        A mapping, or the path of a mapping file, with the source's names; ``fields`` and ``constants`` come
        before it.
    loss_unit
        Unit of the logged losses, "nats", "bits" or "perplexity"; None for the mapping's, else the source's own,
        else nats.
    last
        The loss is the mean of this many last evaluations; 1 for the final value.
    pattern
        Regular expression on the names of runs, whose named groups are columns.
    where
        Field to the value that the runs to import have in it.
    keep
        Fields to keep as further columns.
    unfinished
        Whether to import runs, too, that did not end well by their tracker's word.

    Returns
    -------
    Imported
        The table, where its columns come from, and what was not imported and why.

    Raises
    ------
    InputError
        For input that cannot be worked with; nothing is written then.
    """
    name = str(source)
    if out is not None:
        require_table_path(Path(out), None if isinstance(mapping, ColumnMapping) else mapping)
    if last < 1:
        raise InputError(f"last {last}: valid: a whole number from 1")
    asked = _mapping(fields or {}, constants or {}, mapping)
    unit = loss_unit if loss_unit is not None else _stated_unit(mapping, asked)
    if unit and unit not in LOSS_UNITS:
        raise InputError(f'loss unit "{unit}": unknown; {did_you_mean(unit, LOSS_UNITS)}')
    groups = name_pattern(pattern) if pattern is not None else None
    _require_one_origin(asked, groups.columns if groups else ())
    wanted = Asked(last, asked.columns.get("loss", ""), asked.columns.get("run_id", ""))
    log = runs_where(read_log(kind, name, wanted), where or {}, name)
    imported = assemble(log, kind, name, asked, unit, last, groups, keep, unfinished)
    return imported if out is None else write_imported(imported, Path(out))


def _mapping(
    fields: Mapping[str, str],
    constants: Mapping[str, float | str],
    mapping: str | Path | ColumnMapping | None,
) -> ColumnMapping:
    """What the user says, all of it: single fields and constants come before a mapping file."""
    stated = ColumnMapping(source="import")
    if isinstance(mapping, ColumnMapping):
        stated = mapping
    elif mapping is not None:
        stated = read_mapping(mapping)
    told = {**fields, **constants}
    columns = {name: field for name, field in stated.columns.items() if name not in told}
    kept = {name: value for name, value in stated.constants.items() if name not in told}
    whole = replace(stated, columns={**columns, **fields}, constants={**kept, **constants})
    named = {name: field for name, field in whole.columns.items() if field}
    problems = mapping_problems(replace(whole, columns=named))
    problems += [
        f"{whole.source}: columns.{name}: unknown column; {did_you_mean(name, list(BY_NAME))}"
        for name, field in whole.columns.items()
        if not field and name not in BY_NAME
    ]
    if problems:
        raise InputError(problems)
    return whole


def _stated_unit(mapping: str | Path | ColumnMapping | None, read: ColumnMapping) -> str:
    """The unit a mapping states, if it is not the default: a source may have one of its own."""
    return "" if mapping is None or read.loss_unit == ColumnMapping().loss_unit else read.loss_unit


def _require_one_origin(mapping: ColumnMapping, captured: Sequence[str]) -> None:
    twice = [name for name in captured if mapping.columns.get(name) or name in mapping.constants]
    if twice:
        raise InputError(
            [f"{name}: read from the names of runs, and given otherwise; keep one" for name in twice]
        )
