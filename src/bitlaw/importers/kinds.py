"""The kinds of sources by name; a new one is one more file and one more entry here."""

from collections.abc import Callable
from importlib import import_module

from bitlaw.errors import InputError, did_you_mean
from bitlaw.importers.logged import Asked, Log
from bitlaw.importers.text import shown

KINDS: dict[str, tuple[str, str]] = {
    "wandb": (
        "bitlaw.importers.wandb",
        "Weights & Biases: an exported .csv, .jsonl or .json, or ENTITY/PROJECT",
    ),
    "mlflow": ("bitlaw.importers.mlflow", "MLflow: an mlruns folder, a SQLite file, or a tracking URI"),
    "tensorboard": ("bitlaw.importers.tensorboard", "TensorBoard: a folder of event files"),
    "huggingface": ("bitlaw.importers.trainer_state", "Trainer: a trainer_state.json, or a folder of runs"),
    "llama.cpp": ("bitlaw.importers.llama_cpp", "llama-perplexity: a log, or a folder of logs"),
    "jsonl": ("bitlaw.importers.step_logs", "JSON-lines step logs: a file, or a folder with a file per run"),
}
"""Kind to the module that reads it, and what the source may be."""


def read_log(kind: str, source: str, asked: Asked) -> Log:
    """Read a source of some kind.

    Raises
    ------
    InputError
        If the kind is unknown, or the source cannot be read.
    """
    if kind not in KINDS:
        raise InputError(f'kind of source "{kind}": unknown; {did_you_mean(kind, list(KINDS))}')
    read: Callable[[str, Asked], Log] = import_module(KINDS[kind][0]).read
    try:
        return read(source, asked)
    except OSError as error:
        raise InputError(f"{shown(source)}: cannot be read: {error.strerror or error}") from error
