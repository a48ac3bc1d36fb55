"""A fold sees its own rows and nothing of the others."""

import numpy as np
import pandas as pd
import pytest

from bitlaw.inference.compiled import CompiledLaw, compile_law, sample_law
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fold_fit import FoldFit, fit_fold, held_out_draws
from bitlaw.inference.folds import Fold, compute_flop, plan_folds
from bitlaw.inference.hull import convex_hull
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from designs import base_design, precision_design, simulated

CONSTANTS = {"E": 1.8, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37, "sigma": 0.003, "nu": 8.0}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    design = base_design(tuple(np.geomspace(1e7, 1e9, 6)), tuple(np.geomspace(4e8, 4e10, 5)))
    return simulate_losses(load_law("chinchilla"), CONSTANTS, design, seed=3)


@pytest.fixture(scope="module")
def compiled(frame: pd.DataFrame) -> CompiledLaw:
    return compile_law(load_law("chinchilla"), frame)


@pytest.fixture(scope="module")
def fold(frame: pd.DataFrame) -> Fold:
    return plan_folds(load_law("chinchilla"), frame, cuts=1)[0][0]


@pytest.fixture(scope="module")
def fitted(compiled: CompiledLaw, fold: Fold) -> FoldFit:
    return fit_fold(compiled, fold, seed=1)


def test_a_fold_is_stated_at_its_own_rows(frame, fold: Fold, fitted: FoldFit) -> None:
    own = frame[fold.train]
    assert fitted.fit.reference == reference_scales(own) != reference_scales(frame)
    np.testing.assert_array_equal(fitted.fit.hull, convex_hull(np.log10(own[["n_params", "tokens"]])))
    pd.testing.assert_frame_equal(fitted.fit.rows, own)
    assert fitted.converged
    assert fitted.attempts == 1
    assert fitted.divergences == 0.0


def test_a_fold_of_a_compiled_law_is_the_law_compiled_for_its_rows(frame, fold: Fold, fitted) -> None:
    alone = compile_law(load_law("chinchilla"), frame[fold.train])
    sampled = sample_law(alone, SamplerSettings(seed=2))["posterior"].to_dataset()
    for name in ("E", "a", "b", "alpha", "beta", "sigma"):
        expected = sampled[name].to_numpy()
        assert fitted.fit.draws(name).mean() == pytest.approx(expected.mean(), abs=0.2 * expected.std())
        assert fitted.fit.draws(name).std() == pytest.approx(expected.std(), rel=0.2)


def test_the_losses_held_out_change_nothing(frame, compiled: CompiledLaw, fold: Fold, fitted) -> None:
    losses = np.log(frame["loss"].to_numpy())
    changed = np.where(fold.train, losses, losses + 0.5)[compiled.rows.trained.row]
    other = compiled.with_numbers(log_loss=changed)
    again = fit_fold(other, fold, seed=1)
    np.testing.assert_array_equal(again.fit.draws("E"), fitted.fit.draws("E"))


def test_larger_runs_are_predicted_as_loss_draws_does(frame, fold: Fold, fitted: FoldFit) -> None:
    held_out = held_out_draws(fitted.fit, frame, fold, seed=4)
    pd.testing.assert_frame_equal(held_out.rows, frame[fold.test])
    expected = loss_draws(fitted.fit, frame[fold.test], seed=4).new_run
    np.testing.assert_array_equal(held_out.new_run, expected)
    lo, hi = np.quantile(held_out.new_run, [0.005, 0.995], axis=0)
    assert ((lo < held_out.rows["loss"]) & (held_out.rows["loss"] < hi)).mean() > 0.8
    assert compute_flop(held_out.rows).min() > compute_flop(fitted.fit.rows).max()


@pytest.mark.slow
def test_floors_know_nothing_of_the_bits_held_out() -> None:
    law = load_law("kumar2024-coupled")
    frame = simulated(law, precision_design(seeds=(0,)).assign(method_post="rtn"))
    compiled = compile_law(law, frame)
    fold = next(fold for fold in plan_folds(law, frame, kinds=("bits",))[0] if "weights" in fold.name)
    found = fit_fold(compiled, fold, seed=1)
    assert compiled.reference.smallest_bits["bits_weights"] == 3.0
    assert found.fit.reference.smallest_bits["bits_weights"] == 4.0
    # The prior of a floor is a share of the smallest fitted bits: nothing keeps it below the 3 held out.
    assert found.fit.draws("P0_w").max() > 3.0
    assert found.fit.prior["P0_w"].max() > 3.0


@pytest.mark.slow
def test_a_known_loss_as_trained_is_used_for_rows_quantized_after_training() -> None:
    law = load_law("ptq-gap")
    design = precision_design(seeds=(0,))
    frame = simulated(law, design[design["bits_weights"] == 16].reset_index(drop=True).assign(loss=2.5))
    folds, _ = plan_folds(law, frame, kinds=("compute", "bits"))
    found = fit_fold(compile_law(law, frame), folds[-1], seed=1)
    held_out = held_out_draws(found.fit, frame, folds[-1])
    assert (held_out.rows["bits_post"] == 2).all()
    assert held_out.new_run.shape == (2000, len(held_out.rows))
    assert (np.median(held_out.new_run, axis=0) > 2.5).all()
    assert np.isfinite(held_out.log_density).all()
