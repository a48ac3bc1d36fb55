"""The log predictive density against closed forms, at collapsed posteriors."""

import numpy as np
import pytest
from scipy import integrate, stats

from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.predictive_density import log_predictive_density
from fits import collapsed_fit, kumar_constants

BASE = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37, "sigma": 0.01, "nu": 5.0}


def test_without_spread_it_is_the_students_t_of_the_likelihood() -> None:
    fit = collapsed_fit("chinchilla", BASE | {"sigma_cell": 1e-12})
    rows = points_frame(n_params=1e8, tokens=1e10, loss=[2.45, 2.5, 2.6])
    draws = loss_draws(fit, rows)
    expected = stats.t.logpdf(np.log(rows["loss"]), 5.0, np.log(2.5), 0.01)
    np.testing.assert_allclose(log_predictive_density(fit, rows, draws), expected, rtol=1e-6)


def test_the_effect_of_the_cell_is_averaged_over() -> None:
    fit = collapsed_fit("chinchilla", BASE | {"sigma_cell": 0.02}, samples=20_000)
    rows = points_frame(n_params=1e8, tokens=1e10, loss=[2.5, 2.6])
    found = log_predictive_density(fit, rows, loss_draws(fit, rows))
    for value, loss in zip(found, rows["loss"], strict=True):
        error = np.log(loss / 2.5)
        exact, _ = integrate.quad(
            lambda u, e=error: stats.t.pdf(e - u, 5.0, 0.0, 0.01) * stats.norm.pdf(u, 0.0, 0.02), -0.2, 0.2
        )
        assert value == pytest.approx(np.log(exact), abs=0.03)


def test_a_gap_to_a_known_loss_has_the_noise_of_gaps() -> None:
    fit = collapsed_fit("kumar2024", kumar_constants() | {"tau": 1e-12})
    rows = points_frame(
        n_params=1e8, tokens=1e10, bits_post=4.0, method_post="gptq", loss=[3.3, 3.5], run_id=["a", "b"]
    )
    measured = np.array([3.2, 3.2])
    draws = loss_draws(fit, rows, measured=measured)
    np.testing.assert_array_equal(draws.trained[0], measured)
    gap = draws.degradation[0]
    scale = np.sqrt(0.0005**2 + (0.2 * gap) ** 2)
    expected = stats.t.logpdf(rows["loss"], 8.0, 3.2 + gap, scale) + np.log(rows["loss"])
    np.testing.assert_allclose(log_predictive_density(fit, rows, draws, measured), expected, rtol=1e-6)


def test_the_density_of_log_loss_integrates_to_one() -> None:
    fit = collapsed_fit("kumar2024", kumar_constants(), jitter=0.01, samples=400)
    losses = np.exp(np.linspace(0.5, 2.5, 4001))
    rows = points_frame(n_params=1e8, tokens=1e10, bits_post=3.0, method_post="gptq", loss=losses)
    density = np.exp(log_predictive_density(fit, rows, loss_draws(fit, rows)))
    # Every row has effects of its own, so the integral is exact up to Monte Carlo error.
    assert np.trapezoid(density, np.log(losses)) == pytest.approx(1.0, abs=0.05)
