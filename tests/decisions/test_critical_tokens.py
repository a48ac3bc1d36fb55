"""Tokens beyond which more pretraining hurts: published values, and the root against the closed form."""

import numpy as np
import pytest

from bitlaw.decisions.critical_tokens import by_root, closed_form, critical_tokens, last_decline
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
def test_root_agrees_with_the_closed_form(n_params):
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=40, jitter=0.2)
    points = run(n_params, [2.0, 3.0, 4.0, 6.0])
    arguments = law_parameters(fit, points), point_columns(fit, points)
    np.testing.assert_allclose(by_root(fit, *arguments), closed_form(fit, *arguments), rtol=1e-3)


def test_bound_raises_the_published_value_by_four_per_cent():
    free, bounded = (
        critical_tokens(
            collapsed_fit("kumar2024", kumar_constants(), samples=2, vocab_size=vocabulary), run(3e7)
        )
        for vocabulary in (None, 50000)
    )
    assert bounded[0, 0] / free[0, 0] == pytest.approx(1.04, abs=0.01)
    assert (bounded > free).all()


def test_coupled_law_is_lowest_at_its_root():
    sampled = {
        "mean_loss": 2.6,
        "floor_share": 0.6,
        "n_share": 0.4,
        "slope_n": 0.06,
        "slope_d": 0.08,
        "g": 0.5,
    }
    fit = collapsed_fit("kumar2024-coupled", kumar_constants() | sampled, samples=2, vocab_size=50000)
    critical = float(critical_tokens(fit, run(1e8, [4.0]))[0, 0])
    around = points_frame(
        run_id="planned", n_params=1e8, tokens=critical * np.array([0.8, 1.0, 1.25]), bits_post=4.0,
        method_post="gptq",
    )  # fmt: skip
    fewer, there, more = loss_draws(fit, around).mean[0]
    assert there < min(fewer, more)


def test_degradation_that_does_not_grow_has_no_critical_tokens():
    for vocabulary in (None, 50000):
        fit = collapsed_fit(
            "kumar2024", kumar_constants() | {"gamma_D": -0.05}, samples=2, vocab_size=vocabulary
        )
        assert np.isinf(critical_tokens(fit, run(3e7))).all()


def test_never_falling_and_always_falling():
    lo, hi = np.zeros(2), np.ones(2)
    assert np.isinf(last_decline(lambda x: np.ones_like(x), lo, hi)).all()
    assert np.isinf(last_decline(lambda x: -np.ones_like(x), lo, hi)).all()
