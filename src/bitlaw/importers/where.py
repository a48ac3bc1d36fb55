"""Some of a source's runs: those with given values in given fields."""

from collections.abc import Mapping
from dataclasses import replace

from bitlaw.errors import InputError, did_you_mean
from bitlaw.importers.logged import Log, LoggedRun, Skipped
from bitlaw.importers.matching import fields_of
from bitlaw.importers.names import without_prefix
from bitlaw.importers.text import printable


def runs_where(log: Log, where: Mapping[str, str], source: str) -> Log:
    """The log with only the runs whose fields have the given values; the others are counted.

    Parameters
    ----------
    log
        All runs.
    where
        Field to value, as text.
    source
        To name in messages.

    Raises
    ------
    InputError
        If no run has such a field.
    """
    has = list(fields_of(log.runs))
    problems = []
    for name, value in where.items():
        fields = [field for field in has if name in (field, without_prefix(field, log.prefixes))]
        if not fields:
            hint = did_you_mean(name, has)
            problems.append(f'{source}: where: no run has a field "{printable(name)}"; {printable(hint)}')
            continue
        kept = tuple(run for run in log.runs if _has(run, fields[0], value))
        others = len(log.runs) - len(kept)
        runs = "1 run" if others == 1 else f"{others} runs"
        gone = (Skipped(runs, f"{printable(name)} is not {printable(value)}"),)
        log = replace(log, runs=kept, skipped=log.skipped + (gone if others else ()))
    if problems:
        raise InputError(problems)
    return log


def _has(run: LoggedRun, field: str, value: str) -> bool:
    found = run.fields.get(field)
    return found is not None and str(found).strip() == value.strip()
