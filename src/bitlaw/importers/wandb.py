"""Weights & Biases: an exported CSV, JSON lines of runs, or a project through the API."""

import ast
import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bitlaw.errors import InputError
from bitlaw.importers.extras import need
from bitlaw.importers.files import json_lines
from bitlaw.importers.flatten import flatten
from bitlaw.importers.logged import Asked, Log, LoggedRun, Skipped
from bitlaw.importers.names import may_be_loss
from bitlaw.importers.text import printable

KEY_VARIABLE = "WANDB_API_KEY"
PREFIXES = ("config.", "summary.")
_FINISHED = ("finished", "")
_NAMES = ("Name", "name", "display_name", "displayName", "run_name")
_IDS = ("ID", "id", "run_id")
_STATES = ("State", "state")
_SETTINGS = ("config",)
_SUMMARIES = ("summary", "summary_metrics", "summaryMetrics")


def read(source: str, asked: Asked) -> Log:
    """Read runs of Weights & Biases.

    Parameters
    ----------
    source
        A .csv exported from the table of runs or written from the API, a .jsonl or .json with an object per
        run (nested ``config`` and ``summary``), or ENTITY/PROJECT.
    asked
        How many evaluations to keep, and of what; more than one only through the API, as exports hold
        final values.

    Raises
    ------
    InputError
        If there is no such file, the API cannot be asked, or evaluations are asked of an export.
    """
    path = Path(source)
    reader = {
        ".csv": _csv_records,
        ".jsonl": _line_records,
        ".ndjson": _line_records,
        ".json": _json_records,
    }.get(path.suffix.lower())
    if reader is None:
        if path.exists() or source.count("/") != 1 or source.startswith((".", "/", "~")):
            raise InputError(
                f"{printable(source)}: no source of runs; valid: an export (.csv, .jsonl, .json), or ENTITY/PROJECT"
            )
        return _from_api(source, asked)
    if not path.is_file():
        raise InputError(f"{printable(source)}: there is no such file")
    if asked.last > 1:
        raise InputError(
            f"{printable(source)}: an export has final values only, so no mean of the last {asked.last}; "
            "valid: ENTITY/PROJECT through the API, or --last 1"
        )
    skipped: list[Skipped] = []
    runs = tuple(logged_run(record, f"row {at}") for at, record in enumerate(reader(path, skipped), start=1))
    return Log(runs, tuple(skipped), PREFIXES)


def logged_run(record: Mapping[str, object], place: str) -> LoggedRun:
    """One exported run: settings and summary flat, whether they come nested, as JSON text or flat already.

    Parameters
    ----------
    record
        What was exported of the run.
    place
        What to call a run without name and id.
    """
    fields: dict[str, object] = {}
    for name, value in record.items():
        if name in _SETTINGS and (nested := _nested(value)) is not None:
            fields |= flatten(_settings(nested), "config.")
        elif name in _SUMMARIES and (nested := _nested(value)) is not None:
            fields |= flatten(nested, "summary.")
        elif not isinstance(value, Mapping | list):
            fields[name] = value
    key = _first(record, _IDS) or _first(record, _NAMES) or place
    state = _first(record, _STATES)
    return LoggedRun(
        _first(record, _NAMES) or key,
        key,
        {name: value for name, value in fields.items() if "._wandb" not in name},
        unfinished="" if state.lower() in _FINISHED else state,
    )


def _first(record: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((str(record[name]) for name in names if record.get(name) not in (None, "")), "")


def _nested(value: object) -> Mapping[str, Any] | None:
    """A mapping, also from its JSON text or its Python text, which tables written by pandas hold."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _parsed(value.strip())
    return value if isinstance(value, Mapping) else None


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _settings(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without the ``{"value": …}`` that the server wraps each in."""
    return {
        name: item["value"]
        if isinstance(item, Mapping) and set(item) <= {"value", "desc"} and "value" in item
        else item
        for name, item in nested.items()
    }


def _csv_records(path: Path, skipped: list[Skipped]) -> Iterator[Mapping[str, object]]:
    before = csv.field_size_limit(2**31 - 1)  # a run's whole config may stand in one cell
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            for row in csv.DictReader(text):
                yield {name: value for name, value in row.items() if isinstance(name, str)}
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text: {error.reason}") from error
    except csv.Error as error:
        raise InputError(f"{path}: malformed CSV: {error}") from error
    finally:
        csv.field_size_limit(before)


def _line_records(path: Path, skipped: list[Skipped]) -> Iterator[Mapping[str, object]]:
    yield from json_lines(path, skipped)


def _json_records(path: Path, skipped: list[Skipped]) -> Iterator[Mapping[str, object]]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: malformed JSON: {error}") from error
    for at, record in enumerate(content if isinstance(content, list) else [content], start=1):
        if isinstance(record, Mapping):
            yield record
        else:
            skipped.append(Skipped(f"{path}: item {at}", "not a JSON object"))


def _from_api(source: str, asked: Asked) -> Log:
    if not os.environ.get(KEY_VARIABLE):
        raise InputError(
            f"{printable(source)}: no file of that name, and to ask the API for a project {KEY_VARIABLE} has to be "
            "set; valid: an export (.csv, .jsonl, .json), or ENTITY/PROJECT with a key"
        )
    library = need("wandb", "wandb", "Weights & Biases")
    errors = need("wandb.errors", "wandb", "Weights & Biases")
    try:
        runs = tuple(api_run(run, asked) for run in library.Api().runs(source))
    except (errors.Error, ValueError, OSError) as error:
        raise InputError(f"{printable(source)}: Weights & Biases says: {printable(str(error))}") from error
    return Log(runs, (), PREFIXES)


def api_run(run: Any, asked: Asked) -> LoggedRun:
    """A run as the API gives it: ``id``, ``name``, ``state``, ``config``, ``summary``, ``scan_history``."""
    logged = logged_run(
        {
            "id": run.id,
            "name": run.name,
            "state": run.state,
            "config": dict(run.config),
            "summary": {name: run.summary[name] for name in run.summary.keys()},  # noqa: SIM118
        },
        run.id,
    )
    if asked.last == 1:
        return logged
    evaluations = {}
    for name in logged.fields:
        if name.startswith("summary.") and may_be_loss(name, asked.loss, PREFIXES):
            metric = name.removeprefix("summary.")
            found = [row[metric] for row in run.scan_history(keys=[metric])]
            numbers = [float(value) for value in found if isinstance(value, int | float)]
            evaluations[name] = tuple(numbers[-asked.last :])
    return LoggedRun(logged.name, logged.key, logged.fields, evaluations, logged.unfinished)
