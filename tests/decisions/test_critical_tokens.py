"""Tokens beyond which more pretraining hurts: published values, and the search against the closed form."""

import numpy as np
import pytest

from bitlaw.decisions.critical_tokens import (
    by_search,
    closed_form,
    critical_tokens,
    lowest_between,
    no_critical_tokens,
)
from bitlaw.inference.draws import law_parameters, loss_draws, point_columns, points_frame
from fits import collapsed_fit, kumar_constants

PUBLISHED = {3e7: (5.3e9, 2.9e10, 1.6e11), 8e9: (3.6e10, 2.0e11, 1.1e12)}
BITS = [3.0, 4.0, 5.0]


def run(n_params, bits_post=BITS):
    return points_frame(
        run_id="planned", n_params=n_params, tokens=1e10, bits_post=bits_post, method_post="gptq"
    )


@pytest.mark.parametrize("n_params", list(PUBLISHED))
def test_published_values(n_params):
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2)
    np.testing.assert_allclose(critical_tokens(fit, run(n_params))[0], PUBLISHED[n_params], rtol=0.05)


@pytest.mark.parametrize("n_params", list(PUBLISHED))
def test_search_agrees_with_the_closed_form(n_params):
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=40, jitter=0.2)
    points = run(n_params, [2.0, 3.0, 4.0, 6.0])
    arguments = law_parameters(fit, points), point_columns(fit, points)
    np.testing.assert_allclose(by_search(fit, *arguments), closed_form(fit, *arguments), rtol=1e-3)


def test_bound_raises_the_published_value_by_four_per_cent():
    free, bounded = (
        critical_tokens(
            collapsed_fit("kumar2024", kumar_constants(), samples=2, vocab_size=vocabulary), run(3e7)
        )
        for vocabulary in (None, 50000)
    )
    assert bounded[0, 0] / free[0, 0] == pytest.approx(1.04, abs=0.01)
    assert (bounded > free).all()


COUPLED = {
    "mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5,
}  # fmt: skip
ADDITIVE = {
    "k_w": 0.05, "c_w": 1.0, "k_a": 0.05, "c_a": 1.0, "k_kv": 0.01, "c_kv": 1.0,
    "gamma_D_train": 0.15, "gamma_N_train": 0.2,
}  # fmt: skip
AFTER = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3}
EXPONENTIAL = AFTER | {"gamma_post": 0.6, "C_w": 50.0}
CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
LAWS = {
    "kumar2024-coupled": kumar_constants() | COUPLED,
    "bitlaw-default": COUPLED | ADDITIVE | EXPONENTIAL,
    "ouyang2024": CHINCHILLA | AFTER | {"gamma_P": 5.5},
}


@pytest.mark.parametrize("vocabulary", [None, 50000])
@pytest.mark.parametrize(
    ("law", "bits"),
    [
        ("kumar2024-coupled", 16.0),
        ("kumar2024-coupled", 5.0),
        ("bitlaw-default", 16.0),
        ("bitlaw-default", 5.0),
        ("ouyang2024", 16.0),
    ],
)
def test_the_laws_loss_is_lowest_there(law, bits, vocabulary):
    fit = collapsed_fit(law, LAWS[law], samples=2, vocab_size=vocabulary)
    asked = {"run_id": "planned", "n_params": 1e8, "bits_post": 4.0, "method_post": "gptq"}
    asked |= {"bits_weights": bits, "bits_activations": bits}
    critical = float(critical_tokens(fit, points_frame(tokens=1e10, **asked))[0, 0])
    around = points_frame(tokens=critical * np.array([0.8, 1.0, 1.25]), **asked)
    fewer, there, more = loss_draws(fit, around).mean[0]
    assert there < min(fewer, more)


def test_power_law_of_bits_has_the_published_form_of_the_root():
    fit = collapsed_fit("ouyang2024", LAWS["ouyang2024"], samples=2)
    points = run(1e8)
    expected = closed_form(fit, law_parameters(fit, points), point_columns(fit, points))
    np.testing.assert_allclose(critical_tokens(fit, points), expected, rtol=1e-3)


def test_a_training_penalty_that_grows_with_tokens_turns_the_loss_up_by_itself():
    constants = LAWS["bitlaw-default"] | {"gamma_D": -0.1}
    fit = collapsed_fit("bitlaw-default", constants, samples=2, vocab_size=50000)
    points = run(1e8, [4.0])
    assert np.isinf(critical_tokens(fit, points)).all()
    assert np.isfinite(critical_tokens(fit, points.assign(bits_weights=5.0, bits_activations=5.0))).all()


def test_a_training_penalty_that_grows_with_tokens_lowers_critical_tokens():
    fit = collapsed_fit("bitlaw-default", LAWS["bitlaw-default"], samples=2)
    whole, few = (
        critical_tokens(fit, run(1e8, [4.0]).assign(bits_weights=bits, bits_activations=bits))
        for bits in (16.0, 5.0)
    )
    assert (few < whole).all()


def test_plateaus_at_guessing_hide_no_minimum():
    constants = LAWS["bitlaw-default"] | {"C": 40.0}
    fit = collapsed_fit("bitlaw-default", constants, samples=2, vocab_size=256)
    points = run(1e8, [4.0])
    critical = float(critical_tokens(fit, points)[0, 0])
    sizes = np.exp(np.log(critical) + np.linspace(-20.0, 20.0, 81))
    asked = {"run_id": "planned", "n_params": 1e8, "bits_post": 4.0, "method_post": "gptq"}
    loss = loss_draws(fit, points_frame(tokens=sizes, **asked)).mean[0]
    assert loss[40] == loss.min() < np.log(256) - 1e-6


def test_only_laws_of_the_whole_loss_know_critical_tokens():
    assert no_critical_tokens(collapsed_fit("kumar2024", kumar_constants(), samples=2).law) is None
    law = collapsed_fit("ptq-gap", EXPONENTIAL, samples=2).law
    assert "takes the loss as trained as data" in no_critical_tokens(law)


def test_degradation_that_does_not_grow_has_no_critical_tokens():
    for vocabulary in (None, 50000):
        fit = collapsed_fit(
            "kumar2024", kumar_constants() | {"gamma_D": -0.05}, samples=2, vocab_size=vocabulary
        )
        assert np.isinf(critical_tokens(fit, run(3e7))).all()


def test_never_falling_and_always_falling():
    lo, hi = np.zeros(2), np.full(2, 10.0)
    assert np.isinf(lowest_between(lambda x: x, lo, hi)).all()
    assert np.isinf(lowest_between(lambda x: -x, lo, hi)).all()
    assert np.isinf(lowest_between(lambda x: np.ones_like(x), lo, hi)).all()


def test_lowest_of_several_at_once():
    at = np.array([[2.0, 5.5], [1.6, 8.4]])
    found = lowest_between(lambda x: (x - at) ** 2, np.zeros((2, 2)), np.full((2, 2), 10.0))
    np.testing.assert_allclose(found, at, atol=1e-4)
