"""Arranging a run table: blocks, cells, groups and reference scales."""

import numpy as np
import pandas as pd
import pytest

from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.registry import load_law
from designs import base_design, law_design, precision_design

LAW = load_law("kumar2024-coupled")


def test_rows_fall_into_trained_paired_and_unpaired_blocks() -> None:
    design = precision_design().assign(loss=2.0)
    orphan = design["bits_post"].isna() & (design["run_id"] == design["run_id"].iloc[0])
    rows = arrange(LAW, design[~orphan])
    assert len(rows.trained.run) == design["bits_post"].isna().sum() - 1
    assert set(rows.frame["run_id"].iloc[rows.unpaired.row]) == {design["run_id"].iloc[0]}
    assert len(rows.paired.run) + len(rows.unpaired.run) == design["bits_post"].notna().sum()
    np.testing.assert_array_equal(rows.paired.gap, 0.0)


def test_cells_need_two_precisions_of_one_corpus_size_tokens_and_seed() -> None:
    assert arrange(LAW, base_design().assign(loss=2.0)).cells == 0
    rows = arrange(LAW, precision_design().assign(loss=2.0))
    assert rows.cells == 5 * 2
    cell_of_run = pd.Series(rows.trained.cell, index=np.array(rows.run_ids)[rows.trained.run])
    together = cell_of_run.filter(regex=r"^n10000000_d400000000_.*_s0$")
    assert together.nunique() == 1
    assert len(together) == 6


def test_reference_scales_are_geometric_means_over_runs_not_rows() -> None:
    reference = reference_scales(precision_design())
    assert reference.n_params == pytest.approx(np.exp(np.log([1e7, 1e7, 4e7, 1.6e8, 1.6e8]).mean()))
    # Gradients are never quantized there: 4 bits stand for a floor that nothing informs.
    assert dict(reference.smallest_bits) == {
        "bits_weights": 3.0,
        "bits_activations": 4.0,
        "bits_kv": 3.0,
        "bits_gradients": 4.0,
    }


def test_diverged_runs_are_bounds_and_no_row_is_paired_with_one() -> None:
    design = precision_design().assign(loss=2.0)
    first = design["run_id"].iloc[0]
    own = (design["run_id"] == first) & design["bits_post"].isna()
    rows = arrange(LAW, design.assign(status=np.where(own, "diverged", "ok")))
    assert rows.frame["run_id"].iloc[rows.diverged.row].tolist() == [first]
    assert len(rows.trained) == design["bits_post"].isna().sum() - 1
    assert set(rows.frame["run_id"].iloc[rows.unpaired.row]) == {first}
    assert np.isnan(rows.unpaired.loss_trained).all()


def test_every_row_is_in_one_block() -> None:
    design = precision_design().assign(loss=2.0)
    rows = arrange(LAW, design)
    in_blocks = np.concatenate(
        [block.row for block in (rows.trained, rows.diverged, rows.paired, rows.unpaired)]
    )
    assert sorted(in_blocks) == list(range(len(design)))


def test_standard_errors_are_shares_of_the_loss_and_unknown_ones_are_zero() -> None:
    design = base_design().assign(loss=4.0)
    design["loss_se"] = np.where(np.arange(len(design)) == 0, 0.02, np.nan)
    error = arrange(load_law("chinchilla"), design).trained.relative_error
    assert error[0] == pytest.approx(0.005)
    assert not error[1:].any()


def test_a_law_of_degradations_has_no_cells() -> None:
    law = load_law("ptq-gap")
    rows = arrange(law, law_design(law).assign(loss=2.5))
    assert rows.cells == 0
    assert len(rows.paired)


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("chinchilla", {"corpus"}), ("quartet2025", {"corpus", "scheme", "scheme_backward"}),
        ("bitlaw-default", {"corpus", "method_post"}),
    ],
)  # fmt: skip
def test_factors_are_the_pooled_columns_and_the_laws_own(name: str, factors: set[str]) -> None:
    law = load_law(name)
    design = law_design(law).assign(loss=2.5, family="only")
    design["corpus"] = np.where(pd.factorize(design["run_id"])[0] % 2, "web", "code")
    rows = arrange(law, design, ("corpus", "family"))
    assert rows.pool == ("corpus",)
    assert set(rows.factors) == factors
    codes = rows.codes(rows.trained.row)
    assert set(codes) == factors
    assert codes["corpus"].min() == 0
    if "scheme" in factors:
        assert codes["scheme"].min() == -1
