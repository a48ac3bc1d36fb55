"""Draws of the loss from a fit: known values, bounds, shared effects, groups."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.errors import InputError
from bitlaw.inference.draws import law_parameters, loss_draws, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.inference.parameters import shift_name, spread_name
from fits import KUMAR, REFERENCE, collapsed_fit, kumar_constants, zero_shifts

CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
COUPLED = {"mean_loss": 3.2, "floor_share": 0.6, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.06, "g": 0.5}
GAP = {"C": 0.05, "gamma_D": 0.4, "gamma_N": 0.2, "gamma_post": 0.7, "C_w": 0.6}


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
    fit = collapsed_fit("kumar2024-coupled", kumar_constants() | COUPLED, vocab_size=32_000)
    points = points_frame(
        n_params=1e8, tokens=1e13, bits_activations=[1.0, 3.0, 16.0], bits_post=[np.nan, 2.0, 2.0],
        method_post="gptq",
    )  # fmt: skip
    draws = loss_draws(fit, points)
    assert (draws.mean <= np.log(32_000) + 1e-9).all()
    np.testing.assert_allclose(draws.trained[:, :2], np.log(32_000))
    assert np.isfinite(draws.new_run).all()


def test_points_of_one_run_share_its_noise() -> None:
    fit = collapsed_fit("chinchilla", CHINCHILLA, samples=2000)
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
    with pytest.raises(
        InputError, match='corpus "books" was not seen by the fit; valid: code, web; or "new"'
    ):
        loss_draws(fit, points_frame(n_params=1e8, tokens=1e10, corpus="books"))


def test_points_a_law_has_no_term_for_are_refused() -> None:
    fit = collapsed_fit("chinchilla", CHINCHILLA)
    with pytest.raises(InputError, match="no term for bits_weights below 16"):
        loss_draws(fit, points_frame(n_params=1e8, tokens=1e10, bits_weights=4.0))
    with pytest.raises(InputError, match="no term for bits_post"):
        loss_draws(fit, points_frame(n_params=1e8, tokens=1e10, bits_post=4.0))
    precise = collapsed_fit("kumar2024", kumar_constants())
    with pytest.raises(InputError, match="bits_post must be below bits_weights"):
        loss_draws(precise, points_frame(n_params=1e8, tokens=1e10, bits_post=8.0, bits_weights=8.0))


def with_shifts(fit: Fit, column: str, shifts: dict[str, dict[str, float]], spread: float = 0.3) -> Fit:
    """The fit with shifts per level of a column, and their spread, in every draw; 0 where none is given."""
    added: dict[str, object] = {}
    levels = list(next(iter(shifts.values())))
    added |= zero_shifts(fit.law, column, levels, (2, fit.samples() // 2))
    for name, by_level in shifts.items():
        values = np.broadcast_to(list(by_level.values()), (2, fit.samples() // 2, len(by_level)))
        added[shift_name(name, column)] = (("chain", "draw", column), values)
        added[spread_name(name, column)] = (("chain", "draw"), np.full(values.shape[:2], spread))
    posterior = fit.posterior.drop_dims(column, errors="ignore").assign(added)
    posterior = posterior.assign_coords({column: levels})
    rows = (
        pd.concat([fit.rows.assign(**{column: level}) for level in levels])
        if column in fit.rows
        else fit.rows
    )
    own = column in fit.law.by
    return replace(fit, posterior=posterior, rows=rows, pool=fit.pool if own else (*fit.pool, column))


def in_groups(samples: int = 64) -> Fit:
    """Two corpora that differ in E, two families that differ in a."""
    fit = collapsed_fit("chinchilla", CHINCHILLA, samples=samples)
    fit = with_shifts(fit, "corpus", {"E": {"code": -0.5, "web": 0.1}})
    return with_shifts(fit, "family", {"E": {"large": 0.2, "small": 0.0}, "a": {"large": 0.3, "small": -0.3}})


def test_shifts_of_two_columns_add_up_on_the_log_scale() -> None:
    fit = in_groups()
    points = points_frame(
        n_params=1e8, tokens=1e10, corpus=["code", "web", "code"], family=["large", "large", "small"]
    )
    p = law_parameters(fit, points)
    np.testing.assert_allclose(p["E"][0], 1.8 * np.exp([-0.3, 0.3, -0.5]))
    np.testing.assert_allclose(p["a"][0], 0.3 * np.exp([0.3, 0.3, -0.3]))
    assert p["nu"].shape == (64, 1)
    assert fit.levels("corpus") == ("code", "web")


def test_a_new_level_is_drawn_from_the_spread_between_levels() -> None:
    fit = in_groups(samples=20_000)
    points = points_frame(n_params=1e8, tokens=1e10, corpus=["new", "code", "new"], family="small")
    log_e = np.log(law_parameters(fit, points)["E"] / 1.8)
    assert log_e[:, 0].std() == pytest.approx(0.3, rel=0.03)
    assert log_e[:, 0].mean() == pytest.approx(0.0, abs=0.01)
    # Two points of the new level share it; differences between options carry no noise of their own.
    np.testing.assert_array_equal(log_e[:, 0], log_e[:, 2])
    np.testing.assert_allclose(log_e[:, 1], -0.5)
    assert loss_draws(fit, points).mean[:, 0].std() > 10 * loss_draws(fit, points).mean[:, 1].std()


def test_levels_are_independent_of_one_another_and_the_same_every_time() -> None:
    fit = in_groups(samples=4000)
    points = points_frame(n_params=1e8, tokens=1e10, corpus=["new", "web"], family=["small", "new"])
    first, again = (law_parameters(fit, points)["E"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(np.log(first).T)[0, 1]) < 0.05


def test_a_free_quantity_of_a_new_group_has_its_common_prior() -> None:
    fit = in_groups()
    priors = tuple(
        replace(prior, groups="free", group_sd=None) if prior.name == "E" else prior
        for prior in fit.law.priors
    )
    fit = replace(fit, law=replace(fit.law, priors=priors))
    points = points_frame(n_params=1e8, tokens=1e10, corpus=["new", "code"], family="large")
    np.testing.assert_allclose(law_parameters(fit, points)["E"][0], [1.8, 1.8 * np.exp(-0.5)])


def test_methods_have_constants_of_their_own_and_unquantized_points_none() -> None:
    fit = collapsed_fit("ptq-gap", GAP)
    one = loss_draws(
        fit, points_frame(n_params=1e8, tokens=1e10, bits_post=4.0, method_post="gptq"), measured=2.5
    )
    shifts = {"C": {"gptq": np.log(0.5), "rtn": np.log(2.0)}, "gamma_post": {"gptq": 0.0, "rtn": 0.0}}
    fit = with_shifts(fit, "method_post", shifts)
    points = points_frame(
        n_params=1e8, tokens=1e10, bits_post=[4.0, 4.0, np.nan], method_post=["gptq", "rtn", ""]
    )
    np.testing.assert_allclose(law_parameters(fit, points)["C"][0], [0.025, 0.1, 0.05])
    draws = loss_draws(fit, points, measured=2.5)
    assert draws.degradation[0, 0] == pytest.approx(one.degradation[0, 0] / 2)
    assert draws.degradation[0, 2] == 0.0
    np.testing.assert_array_equal(draws.trained, 2.5)
    with pytest.raises(
        InputError, match='method_post "awq" was not seen by the fit; valid: gptq, rtn; or "new"'
    ):
        loss_draws(fit, points.assign(method_post=["awq", "rtn", ""]), measured=2.5)


def test_formats_have_their_own_share_of_parameters() -> None:
    fit = collapsed_fit("frantar2025", CHINCHILLA | {"eff_N": 0.5})
    levels = {"int w4": np.log(3.0), "mxfp4": 0.0}
    rows = pd.concat([
        points_frame(n_params=1e8, tokens=1e10, run_id="a", bits_weights=4.0, loss=2.5),
        points_frame(n_params=1e8, tokens=1e10, run_id="b", format="mxfp4", loss=2.5),
    ])  # fmt: skip
    fit = with_shifts(replace(fit, rows=rows), "scheme", {"eff_N": levels})
    points = points_frame(
        n_params=1e8, tokens=1e10, bits_weights=[4.0, 16.0, 16.0], format=["", "mxfp4", "bf16"]
    )
    np.testing.assert_allclose(law_parameters(fit, points)["eff_N"][0], [0.75, 0.5, 0.5])
    whole = loss_draws(fit, points_frame(n_params=[0.75e8, 0.5e8, 1e8], tokens=1e10)).mean
    np.testing.assert_allclose(loss_draws(fit, points).mean, whole)
    with pytest.raises(
        InputError, match='scheme "fp8" was not seen by the fit; valid: int w4, mxfp4; or "new"'
    ):
        loss_draws(fit, points.assign(format="fp8"))


def test_a_law_of_degradations_needs_the_loss_as_trained() -> None:
    fit = collapsed_fit("ptq-gap", GAP)
    point = points_frame(n_params=1e8, tokens=1e10, bits_post=4.0, method_post="gptq")
    with pytest.raises(InputError, match="give the checkpoint's loss as trained"):
        loss_draws(fit, point)
    known = fit.rows[fit.rows["bits_post"].isna()].iloc[0]
    draws = loss_draws(fit, point.assign(run_id=known["run_id"]))
    np.testing.assert_array_equal(draws.trained, known["loss"])
    np.testing.assert_array_equal(draws.new_run - draws.new_run_degradation, known["loss"])


def test_a_measured_loss_replaces_the_laws() -> None:
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=500)
    point = points_frame(n_params=1e8, tokens=1e10, bits_post=4.0, method_post="gptq")
    draws = loss_draws(fit, point, measured=3.0)
    np.testing.assert_array_equal(draws.trained, 3.0)
    np.testing.assert_allclose(draws.new_run, 3.0 + draws.new_run_degradation)


def test_prior_draws_of_the_loss_differ_between_levels_by_their_spread() -> None:
    fit = in_groups(samples=4000)
    points = points_frame(n_params=1e8, tokens=1e10, corpus=["code", "web"], family="small")
    p = law_parameters(fit, points, prior=True)
    assert p["E"].shape == (4000, 2)
    between = np.log(p["E"][:, 0] / p["E"][:, 1])
    # Each level has a half-normal spread of its own here: its mean square is the scale squared.
    assert between.std() == pytest.approx(np.sqrt(2) * fit.law.prior("E").group_sd, rel=0.1)
