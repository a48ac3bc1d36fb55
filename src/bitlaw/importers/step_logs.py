"""JSON-lines step logs: a file per run, or runs told apart by a field; read line by line."""

from dataclasses import dataclass, field

from bitlaw.importers.evaluations import LastEvaluations
from bitlaw.importers.files import find_files, json_lines, name_below
from bitlaw.importers.flatten import flatten
from bitlaw.importers.logged import Asked, Log, LoggedRun, Skipped
from bitlaw.importers.names import may_be_loss

SUFFIXES = (".jsonl", ".ndjson")
RUN_NAMES = ("run_id", "run", "run_name")
"""Fields that tell runs apart within a file, where the user names none."""

STEP_NAMES = ("step", "global_step", "_step", "iteration", "iter")


@dataclass
class _Run:
    """A run while it is read."""

    name: str
    fields: dict[str, object] = field(default_factory=dict)
    evaluations: dict[str, LastEvaluations] = field(default_factory=dict)


def read(source: str, asked: Asked) -> Log:
    """Read step logs.

    Every field keeps its last value: settings from whatever line has them, the final value of each metric.

    Parameters
    ----------
    source
        A .jsonl or .ndjson file, or a folder of them.
    asked
        How many evaluations to keep, of what, and the field that tells runs apart.

    Raises
    ------
    InputError
        If there is no such file, or none in the folder.
    """
    skipped: list[Skipped] = []
    runs: dict[object, _Run] = {}
    losses = _LossNames(asked.loss)
    named_by = (asked.run,) if asked.run else RUN_NAMES
    for path in find_files(source, SUFFIXES, "step logs"):
        lines = 0
        for row in json_lines(path, skipped):
            lines += 1
            key = _key(row, named_by) or path
            run = runs.get(key)
            if run is None:
                run = runs[key] = _Run(name_below(path, source) if key is path else str(key))
            _take(row, run, asked, losses)
        if not lines:
            skipped.append(Skipped(str(path), "it has no JSON objects"))
    logged = (
        LoggedRun(
            run.name,
            run.name,
            flatten(run.fields),
            {name: held.values() for name, held in run.evaluations.items()},
        )
        for run in runs.values()
    )
    return Log(tuple(logged), tuple(skipped))


def _key(row: dict[str, object], named_by: tuple[str, ...]) -> str:
    """The name of a line's run; empty where it has none."""
    for name in named_by:
        value = row.get(name)
        if value is not None and isinstance(value, str | int | float):
            return str(value)
    return ""


def _take(row: dict[str, object], run: _Run, asked: Asked, losses: "_LossNames") -> None:
    values = row.values()
    if dict in map(type, values):
        row = flatten(row)
    if None in values:
        row = {name: value for name, value in row.items() if value is not None}
    run.fields.update(row)
    if asked.last > 1:
        for name in losses.of(row):
            value = row[name]
            if isinstance(value, int | float):
                held = run.evaluations.setdefault(name, LastEvaluations(asked.last))
                held.add(value, _step(row))


class _LossNames:
    """Which fields may be the loss, decided once for each name."""

    def __init__(self, asked: str) -> None:
        self._asked = asked
        self._seen: set[str] = set()
        self._losses: set[str] = set()

    def of(self, row: dict[str, object]) -> set[str]:
        """The fields of a line that may be the loss."""
        if not self._seen.issuperset(row):
            self._losses |= {name for name in row if may_be_loss(name, self._asked)}
            self._seen.update(row)
        return self._losses.intersection(row)


def _step(row: dict[str, object]) -> float | None:
    for name in STEP_NAMES:
        value = row.get(name)
        if isinstance(value, int | float):
            return float(value)
    return None
