"""Outcomes of measurements: the law's own means, with the noise and effects that go with each."""

from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.outcome_draws import outcome_draws
from bitlaw.errors import InputError
from bitlaw.inference.draws import loss_draws, points_frame
from fits import NOISE, collapsed_fit, kumar_constants


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=400, vocab_size=50000, jitter=0.02)


@pytest.fixture(scope="module")
def points():
    return points_frame(
        n_params=[1e8, 2e8, 2e8, 1e8],
        tokens=[1e10, 1e10, 2e10, 1e10],
        bits_weights=[16.0, 4.0, 16.0, 16.0],
        bits_post=[np.nan, np.nan, 4.0, 3.0],
        method_post=["", "", "gptq", "gptq"],
        vocab_size=50000.0,
    )


def test_values_are_the_laws_mean_draw_by_draw(fit, points):
    value, drawn = outcome_draws(fit, points).value, loss_draws(fit, points)
    assert value[:, :2] == pytest.approx(np.log(drawn.trained[:, :2]), rel=1e-10)
    assert value[:, 2:] == pytest.approx(np.log(drawn.degradation[:, 2:]), rel=1e-10)


def test_noise_counts_as_its_fisher_information():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=4)
    drawn = outcome_draws(fit, points_frame(n_params=1e8, tokens=1e10))
    information = (NOISE["nu"] + 3) / (NOISE["nu"] + 1)
    assert drawn.error[0] == pytest.approx(
        NOISE["sigma"] ** 2 * information, rel=1e-3
    )  # 16 bits cost a little
    assert drawn.effect[0] == pytest.approx(NOISE["sigma_cell"] ** 2)
    cauchy = collapsed_fit("kumar2024", kumar_constants() | {"nu": 1.0}, samples=4)
    error = outcome_draws(cauchy, points_frame(n_params=1e8, tokens=1e10)).error[0]
    assert error == pytest.approx(2 * NOISE["sigma"] ** 2, rel=1e-3)


def test_a_degradation_below_what_can_be_measured_says_nothing():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=4)
    drawn = outcome_draws(
        fit, points_frame(n_params=1e8, tokens=1e10, bits_post=[8.0, 3.0], method_post="gptq")
    )
    assert drawn.error[0] > 100 * drawn.error[1]
    assert drawn.effect == pytest.approx([NOISE["tau"] ** 2] * 2, rel=0.02)


def test_a_logged_run_has_its_own_effect_and_no_new_one():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=400)
    runs = [str(name) for name in fit.rows["run_id"].unique()]
    effect = np.random.default_rng(0).normal(0.0, 0.2, (2, 200, len(runs)))
    known = fit.posterior.assign(run_effect=(("chain", "draw", "run"), effect)).assign_coords(run=runs)
    fit = replace(fit, posterior=known)
    run = fit.rows[(fit.rows["run_id"] == runs[3]) & fit.rows["bits_post"].isna()]
    row = run.assign(bits_post=2.0, method_post="gptq")
    logged, new = (outcome_draws(fit, row.assign(run_id=name)) for name in (runs[3], "new"))
    assert logged.value[:, 0] - new.value[:, 0] == pytest.approx(effect[:, :, 3].reshape(-1), abs=1e-9)
    assert (logged.effect[0], new.effect[0]) == (0.0, pytest.approx(NOISE["tau"] ** 2))


def test_a_point_without_a_term_is_an_error(fit):
    with pytest.raises(InputError, match="no term"):
        outcome_draws(fit, points_frame(n_params=1e8, tokens=1e10, bits_gradients=8.0))


def test_a_model_measured_again_strays_by_what_does_not_grow_with_its_degradation(fit, points):
    drawn = outcome_draws(fit, points)
    size = np.exp(np.median(drawn.value[:, 2:], axis=0))
    factor = (NOISE["nu_gap"] + 3) / (NOISE["nu_gap"] + 1)
    assert drawn.again[2:] == pytest.approx(factor * (NOISE["sigma_gap"] / size) ** 2, rel=0.05)
    assert drawn.error[2:] - drawn.again[2:] == pytest.approx([factor * NOISE["kappa"] ** 2] * 2, rel=0.05)
    assert drawn.again[:2].tolist() == [0.0, 0.0]


def test_points_of_one_checkpoint_share_its_unknown_effect(fit, points):
    named = points.assign(run_id=["a", "b", "c", "c"])
    alone, shared = outcome_draws(fit, named), outcome_draws(fit, named, checkpoint="c")
    effect = shared.value - alone.value
    assert effect[:, :2] == pytest.approx(np.zeros((400, 2)), abs=1e-12)
    assert effect[:, 2] == pytest.approx(effect[:, 3], abs=0.05)
    assert effect[:, 2].std() == pytest.approx(NOISE["tau"], rel=0.1)
    assert alone.effect[2:] == pytest.approx([NOISE["tau"] ** 2] * 2, rel=0.02)
    assert shared.effect[2:].tolist() == [0.0, 0.0]
