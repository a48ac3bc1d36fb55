"""Draws of the loss from a fit: known values, bounds, shared effects, groups."""

import numpy as np
import pytest

from bitlaw.errors import InputError
from bitlaw.inference.draws import loss_draws, points_frame
from fits import KUMAR, REFERENCE, collapsed_fit, kumar_constants


def test_collapsed_fit_gives_the_published_law() -> None:
    fit = collapsed_fit("kumar2024", kumar_constants())
    n, d = 3e8, 6e9
    draws = loss_draws(fit, points_frame(n_params=n, tokens=d))
    share = np.prod([1 - np.exp(-16 / KUMAR[f"gamma_{x}"] + KUMAR[f"n_{x}"]) for x in ("w", "a", "kv")])
    k = KUMAR
    expected = k["E"] + k["A"] * (n * share) ** -k["alpha"] + k["B"] * d ** -k["beta"]
    np.testing.assert_allclose(draws.trained, expected, rtol=1e-12)
    np.testing.assert_array_equal(draws.degradation, 0.0)


def test_post_training_degradation_is_the_published_one() -> None:
    fit = collapsed_fit("kumar2024", kumar_constants())
    n, d, bits = 3e7, 5e9, 3.0
    k = KUMAR
    share = np.prod([1 - np.exp(-16 / k[f"gamma_{x}"] + k[f"n_{x}"]) for x in ("w", "a", "kv")])
    expected = (
        k["C_T"] * d ** k["gamma_D"] / (n * share) ** k["gamma_N"]
        * np.exp(-bits / k["gamma_post"] + k["offset_post"])
    )  # fmt: skip
    found = loss_draws(fit, points_frame(n_params=n, tokens=d, bits_post=bits, method_post="gptq"))
    np.testing.assert_allclose(found.degradation, expected, rtol=1e-10)


def test_no_point_is_worse_than_guessing_on_average_and_bits_below_the_floor_guess() -> None:
    fit = collapsed_fit("kumar2024-coupled", kumar_constants() | {"g": 0.5}, vocab_size=32_000)
    points = points_frame(
        n_params=1e8, tokens=1e13, bits_activations=[1.0, 3.0, 16.0], bits_post=[np.nan, 2.0, 2.0],
        method_post="gptq",
    )  # fmt: skip
    draws = loss_draws(fit, points)
    assert (draws.mean <= np.log(32_000) + 1e-9).all()
    np.testing.assert_allclose(draws.trained[:, :2], np.log(32_000))
    assert np.isfinite(draws.new_run).all()


def test_points_of_one_run_share_its_noise() -> None:
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2000)
    one = loss_draws(fit, points_frame(n_params=1e8, tokens=[1e10, 2e10]))
    noise = np.log(one.new_run / one.mean)
    np.testing.assert_allclose(noise[:, 0], noise[:, 1], rtol=1e-9, atol=1e-12)
    two = loss_draws(fit, points_frame(n_params=1e8, tokens=[1e10, 2e10], run_id=["first", "second"]))
    noise = np.log(two.new_run / two.mean)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.1


def test_new_run_spread_is_what_the_noise_scales_say() -> None:
    fit = collapsed_fit(
        "kumar2024", kumar_constants() | {"nu": 200.0, "tau": 0.3, "kappa": 0.1}, samples=8000
    )
    point = points_frame(n_params=1e8, tokens=1e10, bits_post=4.0, method_post="gptq")
    draws = loss_draws(fit, point, seed=3)
    spread = np.std(np.log(draws.new_run_degradation))
    assert spread == pytest.approx(np.hypot(0.3, 0.1), rel=0.05)
    training = loss_draws(fit, points_frame(n_params=1e8, tokens=1e10), seed=3)
    assert np.std(np.log(training.new_run)) == pytest.approx(np.hypot(0.005, 0.003), rel=0.05)


def test_groups_use_their_own_constants_and_unknown_ones_are_named() -> None:
    constants = kumar_constants()
    fit = collapsed_fit(
        "kumar2024", constants, REFERENCE, pool="corpus",
        groups={"code": {"E": 1.0}, "web": {"E": 2.0}},
    )  # fmt: skip
    points = points_frame(n_params=1e8, tokens=1e10, corpus=["web", "code"])
    mean = loss_draws(fit, points).mean[0]
    assert mean[0] - mean[1] == pytest.approx(1.0)
    with pytest.raises(InputError, match='corpus "books" was not among the fitted groups; valid: code, web'):
        loss_draws(fit, points_frame(n_params=1e8, tokens=1e10, corpus="books"))


def test_points_a_law_has_no_term_for_are_refused() -> None:
    fit = collapsed_fit("chinchilla", {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37})
    with pytest.raises(InputError, match="no term for bits_weights below 16"):
        loss_draws(fit, points_frame(n_params=1e8, tokens=1e10, bits_weights=4.0))
    with pytest.raises(InputError, match="no term for bits_post"):
        loss_draws(fit, points_frame(n_params=1e8, tokens=1e10, bits_post=4.0))
    precise = collapsed_fit("kumar2024", kumar_constants())
    with pytest.raises(InputError, match="bits_post must be below bits_weights"):
        loss_draws(precise, points_frame(n_params=1e8, tokens=1e10, bits_post=8.0, bits_weights=8.0))
