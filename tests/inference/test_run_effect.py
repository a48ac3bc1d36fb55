"""A run's effect and the draws behind it, given degradations measured on it: against plain integration."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.run_effect import Measured, known_run
from fits import collapsed_fit, kumar_constants

NOISE = {"tau": 0.3, "kappa": 0.1, "sigma_gap": 0.0005, "nu_gap": 6.0}
LOSS = 3.0


def fit_of(jitter=0.0, samples=4000, vocab_size=None, drift=False, **constants):
    values = kumar_constants() | NOISE | constants
    return collapsed_fit(
        "kumar2024", values, samples=samples, jitter=jitter, vocab_size=vocab_size, drift=drift
    )


def measured(bits, gaps, error=0.0, fitted=False, n_params=1e8, tokens=1e10):
    points = points_frame(
        run_id="planned", n_params=n_params, tokens=tokens, bits_post=list(bits), method_post="gptq"
    )
    shape = len(gaps)
    return Measured(points, np.array(gaps), np.full(shape, error), np.full(shape, fitted), LOSS)


def law_gap(fit, bits):
    points = measured(bits, [0.0] * len(bits)).points
    return loss_draws(fit, points, measured=LOSS).degradation


def by_hand(centre, gaps, error=0.0, tau=0.3, kappa=0.1, s=0.0005, nu=6.0):
    """The density of u on a plain fine grid, without a bound: nodes, normalised density, and its integral."""
    u = np.linspace(-6 * tau, 6 * tau, 20001)
    density = stats.norm.pdf(u, 0, tau)
    for own, gap in zip(centre, gaps, strict=True):
        expected = own * np.exp(u)
        density = density * stats.t.pdf(gap, nu, expected, np.sqrt(s**2 + (kappa * expected) ** 2 + error**2))
    whole = np.trapezoid(density, u)
    return u, density / whole, whole


@pytest.mark.parametrize(("factor", "error"), [(1.0, 0.0), (1.5, 0.0), (0.6, 0.002)])
@pytest.mark.parametrize("bits", [(4.0,), (5.0, 4.0, 3.0)])
def test_the_effect_is_drawn_from_its_density(bits, factor, error):
    fit = fit_of()
    centre = law_gap(fit, bits)[0]
    gaps = factor * centre
    known = known_run(fit, measured(bits, gaps, error), seed=0)
    u, density, _ = by_hand(centre, gaps, error)
    mean = np.trapezoid(u * density, u)
    spread = np.sqrt(np.trapezoid((u - mean) ** 2 * density, u))
    assert known.effect.mean() == pytest.approx(mean, abs=5 * spread / np.sqrt(4000))
    assert known.effect.std() == pytest.approx(spread, rel=0.06)
    assert known.effective == pytest.approx(4000)
    np.testing.assert_array_equal(known.rows, np.arange(4000))


def test_a_normal_gap_on_the_log_scale_is_the_conjugate_answer():
    """With a small relative error and ν large, ln gap is Normal around ln δ + u with SD κ."""
    fit = fit_of(kappa=0.01, sigma_gap=1e-9, nu_gap=1e7)
    gap = 1.4 * law_gap(fit, (4.0,))[0]
    known = known_run(fit, measured((4.0,), gap), seed=1)
    shrink = 0.3**2 / (0.3**2 + 0.01**2)
    assert known.effect.mean() == pytest.approx(shrink * np.log(1.4), abs=0.001)
    assert known.effect.std() == pytest.approx(np.sqrt(shrink) * 0.01, rel=0.05)


def test_draws_are_weighed_by_the_evidence():
    fit = fit_of(jitter=0.2, samples=400)
    bits = (4.0, 3.0)
    centre = law_gap(fit, bits)
    gaps = 1.3 * np.median(centre, axis=0)
    known = known_run(fit, measured(bits, gaps), seed=0)
    noise = [fit.draws(name) for name in ("tau", "kappa", "sigma_gap", "nu_gap")]
    weight = np.array([
        by_hand(own, gaps, 0.0, tau, kappa, s, nu)[2] for own, tau, kappa, s, nu in zip(centre, *noise, strict=True)
    ])  # fmt: skip
    weight /= weight.sum()
    assert known.effective == pytest.approx(1 / (weight**2).sum(), rel=1e-5)
    counts = np.bincount(known.rows, minlength=400)
    assert np.abs(counts - 400 * weight).max() <= 1.0 + 1e-6


def test_fitted_rows_do_not_weigh_the_draws_twice():
    fit = fit_of(jitter=0.2, samples=400)
    gaps = 1.3 * np.median(law_gap(fit, (4.0, 3.0)), axis=0)
    both = measured((4.0, 3.0), gaps)
    seen = known_run(fit, replace(both, fitted=np.array([True, True])), seed=0)
    np.testing.assert_array_equal(seen.rows, np.arange(400))
    assert seen.effective == pytest.approx(400)
    mixed = known_run(fit, replace(both, fitted=np.array([True, False])), seed=0)
    assert known_run(fit, both, seed=0).effective < mixed.effective < 400


def test_the_bound_is_part_of_it():
    """At 2 bits the bounded law can hardly be told from itself a little worse: the effect keeps its prior."""
    fit = fit_of(vocab_size=256, C=kumar_constants()["C"] * 500)
    ceiling = np.log(256) - LOSS
    known = known_run(fit, measured((2.0,), [ceiling * 0.999]), seed=0)
    assert known.effect.std() == pytest.approx(0.3, rel=0.1)


def test_points_that_no_draw_explains_leave_few():
    fit = fit_of(jitter=0.2, samples=400)
    gaps = 30.0 * np.median(law_gap(fit, (5.0, 4.0)), axis=0)
    assert known_run(fit, measured((5.0, 4.0), gaps), seed=0).effective < 40


def test_drift_is_learned_with_the_effect():
    fit = fit_of(samples=2000, drift=True)
    far = measured((4.0, 3.0), [0.0, 0.0], n_params=1e9, tokens=1e12)
    law = loss_draws(fit, far.points, measured=LOSS, drift=False).degradation[0]
    known = known_run(fit, replace(far, gap=2.0 * law), seed=0)
    drawn = loss_draws(fit, far.points, measured=LOSS, known=known).degradation
    alone = loss_draws(fit, far.points, measured=LOSS).new_run_degradation
    assert np.median(drawn[:, 0]) == pytest.approx(2.0 * law[0], rel=0.1)
    assert np.log(drawn[:, 0]).std() < 0.5 * np.log(np.abs(alone[:, 0])).std()


def test_known_effects_enter_mean_and_new_runs_alike():
    fit = fit_of(kappa=1e-4, sigma_gap=1e-9)
    gap = 1.4 * law_gap(fit, (4.0,))[0]
    known = known_run(fit, measured((4.0,), gap), seed=0)
    draws = loss_draws(fit, measured((5.0, 3.0), [0.0, 0.0]).points, measured=LOSS, known=known)
    np.testing.assert_allclose(draws.new_run_degradation, draws.degradation, rtol=0.005)
    np.testing.assert_allclose(draws.degradation, 1.4 * law_gap(fit, (5.0, 3.0)), rtol=0.005)
