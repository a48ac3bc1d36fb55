"""TensorBoard: folders of event files, a run per folder, read record by record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitlaw.errors import InputError
from bitlaw.importers.evaluations import LastEvaluations
from bitlaw.importers.extras import need
from bitlaw.importers.logged import Asked, Log, LoggedRun, Skipped
from bitlaw.importers.names import may_be_loss
from bitlaw.importers.text import printable

MARK = "tfevents"
_SETTINGS = "_hparams_/session_start_info"
_PREFIX = "hparams."
_KIND = "TensorBoard event files"


@dataclass
class _Run:
    """A run while its files are read."""

    fields: dict[str, object] = field(default_factory=dict)
    evaluations: dict[str, LastEvaluations] = field(default_factory=dict)

    @property
    def has_settings_only(self) -> bool:
        """Whether it has hyperparameters and no metrics but theirs."""
        return all(name.startswith((_PREFIX, "hparam/")) for name in self.fields)


def read(source: str, asked: Asked) -> Log:
    """Read event files: the last value of each scalar, and hyperparameters of the HParams plugin.

    A run with a broken event file is left out, since its last loss may stand in it. A folder with
    hyperparameters only, as ``SummaryWriter.add_hparams`` makes below a run's own, counts to the run above.

    Parameters
    ----------
    source
        A folder with event files in it or below it, or one event file.
    asked
        How many evaluations to keep, and of what.

    Raises
    ------
    InputError
        If there is no event file, or tensorboard is not installed.
    """
    top = Path(source)
    if not top.exists():
        raise InputError(f"{printable(source)}: there is no such file or folder")
    files = [top] if top.is_file() else sorted(path for path in top.rglob(f"*{MARK}*") if path.is_file())
    if not files:
        raise InputError(
            f"{printable(source)}: no runs in this folder; valid: event files (events.out.tfevents.…) in it or below it"
        )
    records = _Records()
    runs: dict[Path, _Run] = {}
    skipped: list[Skipped] = []
    broken: dict[Path, Path] = {}
    for path in files:
        run = runs.setdefault(path.parent, _Run())
        try:
            for event in records.events(path):
                _take(event, run, asked, records)
        except records.broken as error:
            broken[path.parent] = path
            skipped.append(
                Skipped(
                    str(path),
                    f"broken: {_reason(error, path)}; its run is left out, as its last loss may be lost",
                )
            )
    for folder in [folder for folder, run in runs.items() if run.has_settings_only and folder.parent in runs]:
        settings = {
            name: value for name, value in runs.pop(folder).fields.items() if name.startswith(_PREFIX)
        }
        runs[folder.parent].fields = settings | runs[folder.parent].fields
    logged = []
    for folder, run in runs.items():
        name = _name(folder, top)
        if folder in broken:
            continue
        if not run.fields:
            skipped.append(Skipped(name, "its event files have no scalars"))
            continue
        evaluations = {metric: held.values() for metric, held in run.evaluations.items()}
        logged.append(LoggedRun(name, name, run.fields, evaluations))
    return Log(tuple(logged), tuple(skipped), (_PREFIX,))


class _Records:
    """Event files by TensorBoard's own reader, which needs no TensorFlow."""

    def __init__(self) -> None:
        # Not EventFileLoader: it ends in silence where a record is broken.
        reading = need("tensorboard.compat.tensorflow_stub.pywrap_tensorflow", "tensorboard", _KIND)
        errors = need("tensorboard.compat.tensorflow_stub.errors", "tensorboard", _KIND)
        decoding = need("google.protobuf.message", "tensorboard", _KIND)
        self._open: Any = reading.PyRecordReader_New
        self._ends: type[Exception] = errors.OutOfRangeError
        self._event: Any = need("tensorboard.compat.proto.event_pb2", "tensorboard", _KIND).Event
        self._array: Any = need("tensorboard.util.tensor_util", "tensorboard", _KIND).make_ndarray
        self._settings: Any = need("tensorboard.plugins.hparams.metadata", "tensorboard", _KIND)
        self.broken: tuple[type[Exception], ...] = (errors.DataLossError, decoding.DecodeError)

    def events(self, path: Path) -> Iterator[Any]:
        """The events of a file, in its order."""
        reader = self._open(str(path))
        while True:
            try:
                reader.GetNext()
            except self._ends:
                return
            yield self._event.FromString(reader.record())

    def scalar(self, value: Any) -> float | None:
        """The number in a summary's value; None where it holds something else."""
        if value.HasField("simple_value"):
            return float(value.simple_value)
        if value.HasField("tensor"):
            array = self._array(value.tensor)
            if array.size == 1 and array.dtype.kind in "fiu":
                return float(array.reshape(()))
        return None

    def settings(self, value: Any) -> dict[str, object]:
        """Hyperparameters, where a summary's value holds them."""
        content = value.metadata.plugin_data.content
        info = self._settings.parse_session_start_info_plugin_data(content)
        return {_PREFIX + name: _plain(item) for name, item in info.hparams.items()}


def _take(event: Any, run: _Run, asked: Asked, records: _Records) -> None:
    for value in event.summary.value:
        if value.tag == _SETTINGS:
            run.fields.update(records.settings(value))
            continue
        number = records.scalar(value)
        if number is None:
            continue
        run.fields[value.tag] = number
        if asked.last > 1 and may_be_loss(value.tag, asked.loss):
            run.evaluations.setdefault(value.tag, LastEvaluations(asked.last)).add(number, event.step)


def _plain(item: Any) -> object:
    kind = item.WhichOneof("kind")
    return getattr(item, kind) if kind in ("number_value", "string_value", "bool_value") else None


def _name(folder: Path, top: Path) -> str:
    return folder.relative_to(top).as_posix() if top.is_dir() and folder != top else folder.resolve().name


def _reason(error: Exception, path: Path) -> str:
    return str(error).removeprefix(f"{path} ").strip() or type(error).__name__
