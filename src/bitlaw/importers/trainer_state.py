"""Hugging Face Trainer: ``trainer_state.json``, one file, or a folder of runs and their checkpoints."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitlaw.importers.evaluations import LastEvaluations
from bitlaw.importers.files import find_files, name_below
from bitlaw.importers.flatten import flatten
from bitlaw.importers.logged import Asked, Log, LoggedRun, Skipped
from bitlaw.importers.text import printable

FILE = "trainer_state.json"
_CHECKPOINT = "checkpoint-"
_COUNTED = "num_input_tokens_seen"
_PREFIXES = ("config.", "log.")


@dataclass(frozen=True)
class _State:
    """One trainer_state.json."""

    path: Path
    run: str
    content: dict[str, Any]

    @property
    def step(self) -> float:
        """How far training had come."""
        step = self.content.get("global_step")
        return float(step) if isinstance(step, int | float) else -1.0


def read(source: str, asked: Asked) -> Log:
    """Read what the Trainer saved: of each run, the state that came furthest.

    Losses are those of evaluations during training (``eval_loss``); ``train_loss`` is a mean over all of
    training and ``loss`` one over batches, so neither is taken unless asked for. Tokens are
    ``num_input_tokens_seen``, where the Trainer was told to count them. ``total_flos`` is, for most models,
    6 times tokens times parameters without embeddings. From ``config.json`` beside the state come the
    settings of the model.

    Parameters
    ----------
    source
        A trainer_state.json, or a folder with such files below it.
    asked
        How many evaluations to keep.

    Raises
    ------
    InputError
        If there is no such file.
    """
    skipped: list[Skipped] = []
    paths = find_files(source, (FILE,), "Trainer states")
    states = [state for path in paths if (state := _state(path, source, skipped)) is not None]
    furthest: dict[str, _State] = {}
    for state in states:
        if state.run not in furthest or state.step > furthest[state.run].step:
            furthest[state.run] = state
    older = [state for state in states if furthest[state.run] is not state]
    skipped += [
        Skipped(str(state.path), f"an earlier state of {printable(state.run)}, step {state.step:g}")
        for state in older
    ]
    runs = tuple(_run(state, asked, skipped) for state in furthest.values())
    return Log(runs, tuple(skipped), _PREFIXES, defaults={"flops": "total_flos", "tokens": _COUNTED})


def _state(path: Path, source: str, skipped: list[Skipped]) -> _State | None:
    content = _json(path, skipped)
    if content is None:
        return None
    if not isinstance(content.get("log_history"), list):
        skipped.append(Skipped(str(path), "it has no log_history; valid: a file that the Trainer saved"))
        return None
    folder = path.parent.parent if path.parent.name.startswith(_CHECKPOINT) else path.parent
    top = Path(source) if Path(source).is_dir() else folder
    inside = folder == top or top not in folder.parents
    return _State(path, folder.resolve().name if inside else name_below(folder / "_", source)[:-2], content)


def _json(path: Path, skipped: list[Skipped]) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        skipped.append(Skipped(str(path), f"not readable JSON: {error}"))
        return None
    if not isinstance(content, dict):
        skipped.append(Skipped(str(path), "not a JSON object"))
        return None
    return content


def _run(state: _State, asked: Asked, skipped: list[Skipped]) -> LoggedRun:
    own = {key: value for key, value in state.content.items() if key != "log_history"}
    fields = flatten({key: value for key, value in own.items() if not isinstance(value, dict)})
    fields |= _settings(state.path.parent, skipped)
    held: dict[str, LastEvaluations] = {}
    for entry in state.content["log_history"]:
        if isinstance(entry, dict):
            logged = {key: value for key, value in flatten(entry).items() if value is not None}
            fields |= {key: value for key, value in logged.items() if key not in own}
            for name, value in _numbers(logged.items()):
                step = logged.get("step")
                kept = held.setdefault(name, LastEvaluations(asked.last))
                kept.add(value, step if isinstance(step, int | float) else None)
    if not fields.get(_COUNTED):  # 0 where the Trainer was not told to count
        fields.pop(_COUNTED, None)
    evaluations = {name: values.values() for name, values in held.items()}
    return LoggedRun(state.run, str(state.path), fields, evaluations)


def _settings(folder: Path, skipped: list[Skipped]) -> dict[str, object]:
    path = folder / "config.json"
    content = _json(path, skipped) if path.is_file() else None
    return flatten(content, "config.") if content else {}


def _numbers(pairs: Iterable[tuple[str, object]]) -> Iterable[tuple[str, float]]:
    return ((name, value) for name, value in pairs if isinstance(value, int | float))
