"""Columns kept beside the run table's own: what tells the runs apart, and what the user asks for."""

from collections.abc import Iterable, Sequence

from bitlaw.errors import InputError, did_you_mean
from bitlaw.importers.logged import Log, LoggedRun
from bitlaw.importers.matching import fields_of
from bitlaw.importers.names import without_prefix
from bitlaw.importers.text import printable
from bitlaw.runs.columns import BY_NAME
from bitlaw.runs.headers import LIKELY_TYPO, nearest_column
from bitlaw.runs.raw import is_empty

SETTINGS: tuple[str, ...] = ("config.", "params.", "hparams.")
"""Prefixes of fields that were chosen before training, as against measured."""

_MOST_KEPT = 30
_MOST_LEVELS = 20


def asked_fields(keep: Iterable[str], log: Log, source: str) -> list[str]:
    """The fields a user asks to keep.

    Raises
    ------
    InputError
        If no run has one of them.
    """
    has = list(fields_of(log.runs))
    found: list[str] = []
    problems = []
    for name in keep:
        same = [field for field in has if name in (field, without_prefix(field, log.prefixes))]
        found += same[:1]
        if not same:
            problems.append(
                f'{source}: keep: no run has a field "{printable(name)}"; {did_you_mean(name, has)}'
            )
    if problems:
        raise InputError(problems)
    return found


def varying_settings(runs: Sequence[LoggedRun], used: Iterable[str]) -> list[str]:
    """Settings with 2 to 20 values among the runs, the first 30 of them: what else may explain a loss."""
    used = set(used)
    names = [name for name in fields_of(runs) if name.startswith(SETTINGS) and name not in used]
    levels = {name: len({_level(run.fields.get(name)) for run in runs}) for name in names}
    found = [name for name in names if 1 < levels[name] <= _MOST_LEVELS]
    return [name for name in found if column_name(name) == name][:_MOST_KEPT]


def column_name(field: str) -> str:
    """The name of a kept field as a column: one that no reader takes for a column of the run table.

    Examples
    --------
    >>> column_name("config.lr"), column_name("Tokens")
    ('config.lr', 'logged: Tokens')
    """
    name = printable(field).strip()
    close = name in BY_NAME or nearest_column(name)[1] >= LIKELY_TYPO
    return f"logged: {name}" if close or not name else name


def _level(value: object) -> object:
    return None if is_empty(value) else value
