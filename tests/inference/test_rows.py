"""Arranging a run table: blocks, cells, groups and reference scales."""

import numpy as np
import pandas as pd
import pytest

from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.inference.usable import usable_rows
from bitlaw.laws.registry import load_law
from bitlaw.runs.table import RunTable
from designs import base_design, precision_design


def table(frame: pd.DataFrame) -> RunTable:
    frame = frame.assign(loss=2.0)
    return RunTable(frame, frame.iloc[:0].assign(reason=""), "runs.csv")


def test_rows_fall_into_trained_paired_and_unpaired_blocks() -> None:
    design = precision_design().assign(loss=2.0)
    orphan = design["bits_post"].isna() & (design["run_id"] == design["run_id"].iloc[0])
    rows = arrange(design[~orphan])
    assert len(rows.trained.run) == design["bits_post"].isna().sum() - 1
    assert set(rows.frame["run_id"].iloc[rows.unpaired.row]) == {design["run_id"].iloc[0]}
    assert len(rows.paired.run) + len(rows.unpaired.run) == design["bits_post"].notna().sum()
    np.testing.assert_array_equal(rows.paired.gap, 0.0)


def test_cells_need_two_precisions_of_one_corpus_size_tokens_and_seed() -> None:
    assert arrange(base_design().assign(loss=2.0)).cells == 0
    rows = arrange(precision_design().assign(loss=2.0))
    assert rows.cells == 5 * 2
    cell_of_run = pd.Series(rows.trained.cell, index=np.array(rows.run_ids)[rows.trained.run])
    together = cell_of_run.filter(regex=r"^n10000000_d400000000_.*_s0$")
    assert together.nunique() == 1
    assert len(together) == 6


def test_reference_scales_are_geometric_means_over_runs_not_rows() -> None:
    reference = reference_scales(precision_design())
    assert reference.n_params == pytest.approx(np.exp(np.log([1e7, 1e7, 4e7, 1.6e8, 1.6e8]).mean()))
    assert dict(reference.smallest_bits) == {"bits_weights": 3.0, "bits_activations": 4.0, "bits_kv": 3.0}


def test_rows_a_law_has_no_term_for_are_excluded_with_a_reason() -> None:
    design = precision_design()
    design.loc[design.index[0], "format"] = "mxfp4"
    usable, findings = usable_rows(load_law("kumar2024-coupled"), table(design))
    assert len(usable.frame) + len(usable.excluded) == len(design)
    assert "no term for this format" in usable.excluded["reason"].iloc[0]
    usable, findings = usable_rows(load_law("coupled"), table(design))
    assert (usable.frame["bits_weights"] >= 16).all()
    assert usable.frame["bits_post"].isna().all()
    assert {finding.status for finding in findings} == {Status.WARN}
    reasons = set(usable.excluded["reason"])
    assert "law coupled has no term for post-training quantization" in reasons
    assert "law coupled has no term for bits_kv below 16" in reasons


def test_post_training_bits_at_or_above_training_bits_say_nothing() -> None:
    design = precision_design()
    row = design.index[design["bits_post"] == 4][0]
    design.loc[row, "bits_post"] = design.loc[row, "bits_weights"]
    usable, findings = usable_rows(load_law("kumar2024"), table(design))
    assert list(usable.excluded.index) == [row]
    assert "not below bits_weights" in findings[0].message


def test_too_few_usable_rows_is_an_input_error() -> None:
    quantized = precision_design()
    with pytest.raises(InputError, match=r"runs\.csv: law coupled can use 0 of \d+ rows"):
        usable_rows(load_law("coupled"), table(quantized[quantized["bits_weights"] == 3]))
