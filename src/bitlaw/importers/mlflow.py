"""MLflow: a tracking store, as an ``mlruns`` folder, a database or a server."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bitlaw.errors import InputError
from bitlaw.importers.evaluations import LastEvaluations
from bitlaw.importers.extras import missing, need
from bitlaw.importers.logged import Asked, Log, LoggedRun, Skipped
from bitlaw.importers.names import may_be_loss
from bitlaw.importers.text import printable, shown

PREFIXES = ("params.", "metrics.", "tags.")
_PAGE = 1000
_DATABASES = (".db", ".sqlite", ".sqlite3")
_NO_RUN_FOLDERS = ("tags", "traces", "datasets", "models")
_ENVIRONMENT = {
    "MLFLOW_ALLOW_FILE_STORE": "true",  # else it refuses to read a folder that it wrote
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # else a wrong address takes minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a store is read, and nobody told
}


def read(source: str, asked: Asked) -> Log:
    """Read all runs of all experiments that are not deleted.

    Parameters
    ----------
    source
        An ``mlruns`` folder, a SQLite file, or a tracking URI such as ``sqlite:///mlflow.db`` or
        ``http://localhost:5000``.
    asked
        How many evaluations to keep, and of what.

    Raises
    ------
    InputError
        If there is no such store, MLflow cannot read it, or is not installed.
    """
    uri = tracking_uri(source)
    with _environment(_ENVIRONMENT):
        tracking = need("mlflow.tracking", "mlflow", "MLflow stores")
        errors = need("mlflow.exceptions", "mlflow", "MLflow stores")
        if not uri.startswith(("http", "file")):
            need("sqlalchemy", "mlflow", "MLflow databases")
        try:
            client = tracking.MlflowClient(tracking_uri=uri)
            return _log(client, uri, asked)
        except errors.MlflowException as error:
            raise InputError(f"{printable(source)}: MLflow says: {_first_line(error)}") from error
        except ModuleNotFoundError as error:  # MLflow imports what a kind of store needs when it opens one
            raise missing(error, "mlflow", "MLflow stores") from error


def tracking_uri(source: str) -> str:
    """The URI of a store, once it is sure to exist: MLflow would make one that does not.

    Raises
    ------
    InputError
        If there is no store at a local path.
    """
    scheme, _, rest = source.partition("://")
    if rest and scheme not in ("sqlite", "file"):
        return source
    path = Path(rest.removeprefix("/") if scheme == "sqlite" else unquote(rest)) if rest else Path(source)
    if not path.exists():
        raise InputError(f"{printable(source)}: there is no such file or folder")
    if path.is_dir():
        if not any(path.glob("*/meta.yaml")):
            raise InputError(
                f"{printable(source)}: no runs in this folder; valid: an mlruns folder, a SQLite file, "
                "or a tracking URI"
            )
        return path.resolve().as_uri()
    if not rest and path.suffix.lower() not in _DATABASES:
        raise InputError(
            f"{printable(source)}: no MLflow store; valid: an mlruns folder, a SQLite file ({', '.join(_DATABASES)}), "
            "or a tracking URI"
        )
    if not _has_runs(path):
        raise InputError(f"{printable(source)}: this is no SQLite database of MLflow")
    return f"sqlite:///{path.resolve()}"


def _has_runs(path: Path) -> bool:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            found = connection.execute(
                "select count(*) from sqlite_master where name in ('runs', 'experiments')"
            )
            return bool(found.fetchone()[0] == 2)
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def _log(client: Any, uri: str, asked: Asked) -> Log:
    skipped: list[Skipped] = []
    folder = Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else None
    found = list(_searched(client) if folder is None else _in_folder(client, folder, skipped))
    skipped += [
        Skipped(shown(_name(run)), "it was deleted in MLflow")
        for _, run in found
        if run.info.lifecycle_stage != "active"
    ]
    active = [(experiment, run) for experiment, run in found if run.info.lifecycle_stage == "active"]
    runs = tuple(_run(run, experiment, client, asked) for experiment, run in active)
    return Log(runs, tuple(skipped), PREFIXES)


def _searched(client: Any) -> Iterator[tuple[str, Any]]:
    """Every run with the name of its experiment, the first that was started first."""
    everything = need("mlflow.entities", "mlflow", "MLflow stores").ViewType.ALL
    for experiment in _pages(client.search_experiments):
        runs = _pages(client.search_runs, [experiment.experiment_id], run_view_type=everything)
        for run in sorted(runs, key=lambda run: (run.info.start_time or 0, run.info.run_id)):
            yield experiment.name, run


def _in_folder(client: Any, top: Path, skipped: list[Skipped]) -> Iterator[tuple[str, Any]]:
    """The same of a folder, run by run: a broken one would end a search with its error, or go missing."""
    errors = need("mlflow.exceptions", "mlflow", "MLflow stores")
    yaml = need("yaml", "mlflow", "MLflow stores")
    for place in sorted(path.parent for path in top.glob("*/meta.yaml")):
        runs = []
        try:
            name = client.get_experiment(place.name).name
        except (errors.MlflowException, yaml.YAMLError, OSError, ValueError) as error:
            skipped.append(Skipped(str(place), f"MLflow cannot read this experiment: {_first_line(error)}"))
            continue
        for folder in sorted(place.glob("*/")):
            if folder.name in _NO_RUN_FOLDERS:
                continue
            try:
                runs.append(client.get_run(folder.name))
            except (errors.MlflowException, yaml.YAMLError, OSError, ValueError) as error:
                skipped.append(Skipped(str(folder), f"MLflow cannot read this run: {_first_line(error)}"))
        for run in sorted(runs, key=lambda run: (run.info.start_time or 0, run.info.run_id)):
            yield name, run


def _pages(search: Any, *what: Any, **how: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(*what, max_results=_PAGE, page_token=token, **how)
        yield from page
        token = page.token
        if not token:
            return


def _run(run: Any, experiment: str, client: Any, asked: Asked) -> LoggedRun:
    fields: dict[str, object] = {"experiment": experiment}
    fields |= {f"params.{name}": value for name, value in run.data.params.items()}
    fields |= {f"metrics.{name}": value for name, value in run.data.metrics.items()}
    fields |= {f"tags.{name}": text for name, text in run.data.tags.items() if not name.startswith("mlflow.")}
    evaluations = {}
    if asked.last > 1:
        for name in run.data.metrics:
            if may_be_loss(f"metrics.{name}", asked.loss, PREFIXES):
                held = LastEvaluations(asked.last)
                history = client.get_metric_history(run.info.run_id, name)
                for metric in sorted(history, key=lambda metric: (metric.timestamp, metric.step)):
                    held.add(metric.value, metric.step)
                evaluations[f"metrics.{name}"] = held.values()
    ended = run.info.status == "FINISHED"
    return LoggedRun(_name(run), run.info.run_id, fields, evaluations, "" if ended else run.info.status)


def _name(run: Any) -> str:
    return str(run.info.run_name or run.info.run_id)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment set while something runs, where the user has not set them."""
    absent = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(absent)
    try:
        yield
    finally:
        for name in absent:
            os.environ.pop(name, None)


def _first_line(error: Exception) -> str:
    return printable((str(error).strip() or type(error).__name__).splitlines()[0])
