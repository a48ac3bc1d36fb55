import sys

import pytest

from bitlaw.errors import InputError
from bitlaw.workflow.importing import import_runs


@pytest.mark.parametrize(
    ("kind", "library", "name"),
    [("mlflow", "mlflow", "mlruns"), ("tensorboard", "tensorboard", "events.out.tfevents.1")],
)
def test_a_tracker_that_is_not_installed(tmp_path, monkeypatch, kind, library, name):
    for module in [module for module in sys.modules if module.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "meta.yaml").write_text("", encoding="utf-8")
    (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(
        InputError, match=rf"{library} is not installed; pip install 'bitlaw\[{kind}\]' brings it"
    ):
        import_runs(tmp_path, kind)


def test_the_api_of_weights_and_biases_is_not_installed(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"wandb is not installed; pip install 'bitlaw\[wandb\]' brings it"):
        import_runs("team/project", "wandb")


def test_what_databases_of_mlflow_need_is_not_installed(mlflow_database, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(
        InputError, match=r"sqlalchemy is not installed; pip install 'bitlaw\[mlflow\]' brings it"
    ):
        import_runs(mlflow_database, "mlflow")
