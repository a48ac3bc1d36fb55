"""A mapping file: foreign column names, constants and the loss unit, so that no table needs editing."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bitlaw.errors import InputError, did_you_mean
from bitlaw.runs.cells import read_cell, show_cell
from bitlaw.runs.columns import BY_NAME, LOSS_UNITS
from bitlaw.runs.files import decode_text, read_bytes
from bitlaw.runs.loss_units import LOSS_UNIT_BY_NAME
from bitlaw.runs.raw import RawTable

_TABLES = ("columns", "constants")
_KEYS: tuple[str, ...] = ("loss_unit", *_TABLES, *BY_NAME)


@dataclass(frozen=True)
class ColumnMapping:
    """How a foreign table becomes a run table.

    Parameters
    ----------
    columns
        Canonical column name to its name in the foreign table.
    constants
        Canonical column name to the value that every row has.
    loss_unit
        Unit of ``loss`` and ``loss_se`` in the foreign table: nats or bits per token, or perplexity.
    source
        Path to name in messages.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, float | str] = field(default_factory=dict)
    loss_unit: str = "nats"
    source: str = "mapping"


def read_mapping(path: str | Path) -> ColumnMapping:
    """Read a mapping file.

    Parameters
    ----------
    path
        TOML. Top-level or ``[columns]``: ``canonical = "foreign"``; ``[constants]``:
        ``canonical = value``; ``loss_unit`` is "nats", "bits" or "perplexity".

    Raises
    ------
    InputError
        For a file that cannot be read, invalid TOML, unknown keys, foreign names that are not text,
        constants that no cell could hold, and columns given twice. All problems together.
    """
    where = Path(path)
    try:
        raw = tomllib.loads(decode_text(where, read_bytes(where)))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from error
    problems = [f"{where}: {name}: must be a table, [{name}]" for name in _TABLES if not _is_table(raw, name)]
    problems += [f"{where}: {key}: unknown key; {_hint(key)}" for key in raw if key not in _KEYS]
    in_table, constants = (raw.get(name, {}) if _is_table(raw, name) else {} for name in _TABLES)
    renamed = {key: value for key, value in raw.items() if key in BY_NAME}
    problems += [f"{where}: {name}: given twice, also in [columns]" for name in in_table if name in renamed]
    mapping = ColumnMapping(renamed | in_table, constants, raw.get("loss_unit", "nats"), str(where))
    problems += mapping_problems(mapping)
    if problems:
        raise InputError(problems)
    return mapping


def mapping_problems(mapping: ColumnMapping) -> list[str]:
    """What is wrong with a mapping whatever the table, one sentence each."""
    problems = [*_unit_problems(mapping), *_unknown_names(mapping)]
    for name, foreign in mapping.columns.items():
        if not isinstance(foreign, str) or not foreign.strip():
            problems.append(
                f"{mapping.source}: {name}: {show_cell(foreign)} is not a column name; valid: "
                f"text, or put a value that all rows share under [constants]"
            )
        if name in mapping.constants:
            problems.append(f"{mapping.source}: {name}: both renamed and a constant; keep one of the two")
    foreign_names = Counter(foreign for foreign in mapping.columns.values() if isinstance(foreign, str))
    for foreign, count in foreign_names.items():
        if count > 1:
            names = ", ".join(name for name, other in mapping.columns.items() if other == foreign)
            problems.append(f'{mapping.source}: {names}: all renamed from the one column "{foreign}"')
    return problems + _constant_problems(mapping)


def apply_mapping(table: RawTable, mapping: ColumnMapping) -> RawTable:
    """The table under canonical names, with a column for each constant.

    A column that already has the canonical name of a renamed one gives way: it is kept as
    "NAME (unmapped)" and ignored. The loss keeps its unit; ``validate`` converts it.

    Parameters
    ----------
    table
        Cells under foreign names.
    mapping
        What to rename and add.

    Raises
    ------
    InputError
        If the mapping itself is wrong, names a column that the table lacks, or sets a constant for a
        column that the table has. All problems together.
    """
    problems = mapping_problems(mapping)
    if problems:
        raise InputError(problems)
    has = list(table.columns)
    for name, foreign in mapping.columns.items():
        if foreign not in table.columns:
            close = did_you_mean(foreign, has)
            hint = (
                f"{close} it has: {', '.join(has)}"
                if close.startswith("did")
                else f"it has: {', '.join(has)}"
            )
            problems.append(f'{mapping.source}: {name}: {table.source} has no column "{foreign}"; {hint}')
    used = set(mapping.columns.values())
    problems += [
        f"{mapping.source}: constants.{name}: {table.source} already has that column; remove one of the two"
        for name in mapping.constants
        if name in table.columns and name not in used
    ]
    if problems:
        raise InputError(problems)
    canonical = {foreign: name for name, foreign in mapping.columns.items()}
    columns = {_new_name(name, canonical): cells for name, cells in table.columns.items()}
    columns |= {name: [value] * table.n_rows for name, value in mapping.constants.items()}
    renamed = {name: foreign for name, foreign in mapping.columns.items() if name != foreign}
    return replace(table, columns=columns, foreign=renamed)


def _new_name(name: str, canonical: Mapping[str, str]) -> str:
    if name in canonical:
        return canonical[name]
    return f"{name} (unmapped)" if name in canonical.values() else name


def _is_table(raw: dict[str, Any], name: str) -> bool:
    return isinstance(raw.get(name, {}), dict)


def _hint(key: str) -> str:
    if key in LOSS_UNITS:
        return f'did you mean loss_unit = "{key}"?'
    return did_you_mean(key, _KEYS)


def _unit_problems(mapping: ColumnMapping) -> list[str]:
    unit = mapping.loss_unit
    if unit in LOSS_UNITS:
        return []
    return [
        f"{mapping.source}: loss_unit: {show_cell(unit)} is unknown; {did_you_mean(str(unit), LOSS_UNITS)}"
    ]


def _unknown_names(mapping: ColumnMapping) -> list[str]:
    problems = []
    for table, names in (("columns", mapping.columns), ("constants", mapping.constants)):
        for name in names:
            if name == "loss_unit":
                problems.append(
                    f"{mapping.source}: {table}.loss_unit: belongs above the first [table] of the file"
                )
            elif name not in BY_NAME:
                problems.append(
                    f"{mapping.source}: {table}.{name}: unknown column; {did_you_mean(name, list(BY_NAME))}"
                )
    return problems


def _constant_problems(mapping: ColumnMapping) -> list[str]:
    problems = []
    for name, value in mapping.constants.items():
        column = BY_NAME.get(name)
        if column is None:
            continue
        if name in ("loss", "loss_se") and mapping.loss_unit in LOSS_UNITS:
            column = getattr(LOSS_UNIT_BY_NAME[mapping.loss_unit], name)
        cell = read_cell(column, value)
        if cell.problem:
            problems.append(f"{mapping.source}: constants.{name}: {cell.problem}")
        elif cell.value is None:
            problems.append(f"{mapping.source}: constants.{name}: is empty; remove the line or give a value")
    return problems
