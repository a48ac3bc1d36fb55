"""Public tables by others, read as they are; they lie beside the project, not in it."""

from pathlib import Path

import numpy as np
import pytest

from bitlaw.finding import Status
from bitlaw.runs.mapping import ColumnMapping
from bitlaw.runs.read import read_runs

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public run tables are not in {DATA}")


def test_chinchilla_with_its_notes_as_reasons():
    table = read_runs(DATA / "chinchilla_digitised.csv", ColumnMapping({"exclude": "note"}))
    assert (len(table.frame), len(table.excluded)) == (240, 5)
    assert set(table.excluded["reason"]) == {"excluded by Epoch AI (5 highest losses)"}
    assert [(finding.code, finding.value) for finding in table.findings] == [("runs.excluded", 5.0)]
    assert table.frame["tokens"].between(1e8, 1e12).all()
    assert table.excluded["loss"].min() > table.frame["loss"].median()


def test_quest_has_every_row():
    table = read_runs(DATA / "quest_qat.csv")
    assert len(table.training) == 122
    assert set(table.frame["bits_weights"]) == {1.0, 2.0, 3.0, 4.0, 8.0, 16.0}
    assert table.findings == ()


def test_gadre_keeps_its_other_column():
    table = read_runs(DATA / "gadre_overtraining.csv")
    assert len(table.frame) == 104
    assert table.frame["loss_se"].between(1e-4, 1e-2).all()
    assert "n_params_total" in table.frame
    assert [(finding.code, finding.status) for finding in table.findings] == [
        ("runs.ignored_columns", Status.PASS)
    ]


def test_post_training_quantization_has_a_training_row_per_run():
    table = read_runs(DATA / "ptq_perplexity_tables.csv")
    assert len(table.frame) == 192
    assert table.training["run_id"].is_unique
    assert set(table.post["run_id"]) <= set(table.training["run_id"])
    assert len(table.post) == 144
    assert np.isfinite(table.frame["loss"]).all()
