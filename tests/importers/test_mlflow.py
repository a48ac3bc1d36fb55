import sqlite3
from pathlib import Path

import pytest

from bitlaw.errors import InputError
from bitlaw.importers.mlflow import tracking_uri
from bitlaw.runs.read import read_runs
from bitlaw.workflow.importing import import_runs
from trackers import HOSTILE, fill_mlflow


@pytest.fixture(params=["database", "uri", "server"])
def store(request: pytest.FixtureRequest, mlflow_database: Path) -> str:
    if request.param == "server":
        return request.getfixturevalue("mlflow_server")
    return str(mlflow_database) if request.param == "database" else f"sqlite:///{mlflow_database}"


def test_a_store_becomes_a_run_table(store, tmp_path):
    out = tmp_path / "runs.csv"
    imported = import_runs(store, "mlflow", out=out)
    table = read_runs(out, out.with_suffix(".map.toml"))
    assert sorted(table.frame["run_id"]) == sorted(name.strip() for name in HOSTILE)
    first = table.frame[table.frame["run_id"] == HOSTILE[0]].iloc[0]
    assert (first["n_params"], first["tokens"], first["loss"]) == (1e7, 5e8, 3.5)
    assert imported.origins["loss"] == "metrics.eval_loss, by its usual name; final value"
    assert imported.origins["n_params"].startswith("params.model.n_params")
    assert dict(first)["params.lr"] == "0.0003"


def test_ways_to_end(mlflow_database):
    imported = import_runs(mlflow_database, "mlflow")
    reasons = {item.what: item.why for item in imported.skipped}
    assert reasons == {
        '"crashed"': "it is not finished (FAILED); --unfinished imports it",
        '"deleted"': "it was deleted in MLflow",
    }
    burst = imported.frame[imported.frame["run_id"] == "burst"].iloc[0]
    assert (burst["status"], burst["loss"]) == ("diverged", None)
    with_it = import_runs(mlflow_database, "mlflow", unfinished=True)
    assert "crashed" in set(with_it.frame["run_id"])


def test_mean_of_the_last_evaluations(mlflow_database):
    imported = import_runs(mlflow_database, "mlflow", last=3, where={"experiment": "scaling"})
    assert imported.frame["loss"].tolist() == pytest.approx([3.6 - 0.01 * at for at in range(len(HOSTILE))])
    assert set(imported.frame["loss_rule"]) == {"mean of the last 3 evaluations"}
    assert [item.what for item in imported.skipped if "experiment" in item.why] == ["2 runs"]


def test_a_folder_and_a_run_in_it_that_is_broken(tmp_path, mlflow_client, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    ids = fill_mlflow(mlflow_client((tmp_path / "mlruns").as_uri()), ["one", "two", "three"])
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    (meta,) = (tmp_path / "mlruns").glob(f"*/{ids['two']}/meta.yaml")
    meta.write_text("status: [", encoding="utf-8")
    imported = import_runs(tmp_path / "mlruns", "mlflow")
    assert set(imported.frame["run_id"]) == {"one", "three", "burst"}
    (broken,) = [item for item in imported.skipped if item.what == str(meta.parent)]
    assert broken.why.startswith("MLflow cannot read this run: ")


def test_nothing_is_made_where_there_is_no_store(tmp_path):
    missing = tmp_path / "mlflow.db"
    with pytest.raises(InputError, match="there is no such file or folder"):
        import_runs(f"sqlite:///{missing}", "mlflow")
    assert not missing.exists()


def test_a_database_of_something_else(tmp_path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("create table things (name text)")
    connection.close()
    size = path.stat().st_size
    with pytest.raises(InputError, match="this is no SQLite database of MLflow"):
        import_runs(path, "mlflow")
    assert path.stat().st_size == size


def test_a_folder_without_runs(tmp_path):
    with pytest.raises(InputError, match=r"no runs in this folder; valid: an mlruns folder"):
        import_runs(tmp_path, "mlflow")


def test_a_server_that_is_not_there(mlflow_client):
    with pytest.raises(InputError, match="MLflow says: "):
        import_runs("http://127.0.0.1:9", "mlflow")


@pytest.mark.parametrize("uri", ["http://localhost:5000", "postgresql://user@host/runs"])
def test_addresses_are_left_as_they_are(uri):
    assert tracking_uri(uri) == uri
