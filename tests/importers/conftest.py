"""Sources made by the tools themselves: MLflow stores and its server, TensorBoard event files."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from trackers import HOSTILE, fill_mlflow

Write = Callable[[str, object], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text, JSON, or JSON lines (from a list) below a temporary folder, and return the path."""

    def write_file(name: str, content: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = "".join(json.dumps(item) + "\n" for item in content)
        elif not isinstance(content, str):
            content = json.dumps(content)
        path.write_text(content, encoding="utf-8", newline="")
        return path

    return write_file


@pytest.fixture(scope="session")
def mlflow_client() -> Callable[[str], Any]:
    """A client of a store, made where it does not exist."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    tracking = pytest.importorskip("mlflow.tracking", reason="pip install 'bitlaw[mlflow]'")
    return lambda uri: tracking.MlflowClient(tracking_uri=uri)


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory, mlflow_client) -> Path:
    """A SQLite store of MLflow with runs in it."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    before = Path.cwd()
    os.chdir(path.parent)  # MLflow puts artifact folders into the current one
    try:
        fill_mlflow(mlflow_client(f"sqlite:///{path}"), HOSTILE)
    finally:
        os.chdir(before)
    return path


_SERVER = """
import sys
from werkzeug.serving import make_server
from mlflow.server import app
server = make_server("127.0.0.1", 0, app)
print(server.port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def mlflow_server(mlflow_database: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a tracking server of MLflow on this machine, over the SQLite store."""
    pytest.importorskip("flask", reason="MLflow's server needs flask")
    variables = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{mlflow_database}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path),
    }
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    )
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    assert port.isdigit(), "the server did not start"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)
        server.stdout.close()


@pytest.fixture
def write_events(tmp_path: Path) -> Callable[..., Path]:
    """Write an event file with TensorBoard's own writer: scalars by tag, values in the order of steps."""
    writing = pytest.importorskip(
        "tensorboard.summary.writer.event_file_writer", reason="pip install 'bitlaw[tensorboard]'"
    )
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    def write_run(
        folder: str,
        scalars: Mapping[str, Sequence[float]],
        settings: Mapping[str, object] | None = None,
        first_step: int = 1,
        suffix: str = "",
    ) -> Path:
        path = tmp_path / "logs" / folder
        before = set(path.glob("*"))
        writer = writing.EventFileWriter(str(path), filename_suffix=suffix)
        if settings:
            writer.add_event(Event(summary=_session_start(settings), wall_time=1.0))
        for tag, values in scalars.items():
            for step, value in enumerate(values, start=first_step):
                kept = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.add_event(Event(summary=kept, step=step, wall_time=float(step)))
        writer.close()
        return next(iter(set(path.glob("*")) - before))

    return write_run


def _session_start(settings: Mapping[str, object]) -> Any:
    """What ``SummaryWriter.add_hparams`` writes; TensorBoard's own function for it needs TensorFlow."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo

    start = SessionStartInfo()
    for name, value in settings.items():
        kind = "string_value" if isinstance(value, str) else "number_value"
        setattr(start.hparams[name], kind, value)
    content = HParamsPluginData(session_start_info=start, version=metadata.PLUGIN_DATA_VERSION)
    kept = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content.SerializeToString())
    about = SummaryMetadata(plugin_data=kept)
    return Summary(value=[Summary.Value(tag=metadata.SESSION_START_INFO_TAG, metadata=about)])
