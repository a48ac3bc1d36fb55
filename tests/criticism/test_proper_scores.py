"""Proper scores against closed forms and naive sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bitlaw.criticism.proper_scores import (
    central_interval,
    crps,
    inside,
    interval_score,
    probability_integral_transform,
)

NORMAL = np.random.default_rng(0).normal(1.0, 2.0, (20_000, 1))


@pytest.mark.parametrize("observed", [1.0, 3.0, -6.0])
def test_crps_of_a_normal_is_the_closed_form(observed: float) -> None:
    z = (observed - 1.0) / 2.0
    exact = 2.0 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps(NORMAL, np.array([observed]))[0] == pytest.approx(exact, abs=0.03)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12), st.floats(-10, 10))
def test_crps_is_the_mean_over_pairs_of_different_draws(draws: list[float], observed: float) -> None:
    values = np.array(draws)
    pairs = np.abs(values[:, None] - values).sum() / (len(values) * (len(values) - 1))
    naive = np.abs(values - observed).mean() - pairs / 2
    assert crps(values[:, None], np.array([observed]))[0] == pytest.approx(naive, abs=1e-9)


def test_crps_of_few_draws_is_not_biased() -> None:
    draws = np.random.default_rng(1).normal(size=(3, 40_000))
    exact = 2 * stats.norm.pdf(0) - 1 / np.sqrt(np.pi)
    assert crps(draws, np.zeros(40_000)).mean() == pytest.approx(exact, abs=0.01)


def test_a_rare_draw_far_away_hardly_moves_the_crps() -> None:
    far = NORMAL.copy()
    far[0] = -1000.0
    usual = crps(NORMAL, np.array([1.5]))[0]
    assert crps(far, np.array([1.5]))[0] == pytest.approx(usual, abs=1e-4)


def test_interval_score_is_lowest_at_the_true_quantiles() -> None:
    observed = np.random.default_rng(2).normal(size=50_000)
    exact = stats.norm.ppf([0.05, 0.95])
    best = interval_score(exact[0], exact[1], observed, 0.9).mean()
    for factor in (0.8, 0.95, 1.05, 1.3):
        assert interval_score(factor * exact[0], factor * exact[1], observed, 0.9).mean() > best
    # E = 2 (phi(z) / .05) for the equal-tailed interval of a standard normal
    assert best == pytest.approx(2 * stats.norm.pdf(exact[1]) / 0.05, rel=0.01)


def test_coverage_of_calibrated_draws_is_nominal() -> None:
    rng = np.random.default_rng(3)
    draws, observed = rng.normal(size=(2000, 4000)), rng.normal(size=4000)
    share = inside(draws, observed, (0.5, 0.8, 0.9, 0.95)).mean(axis=1)
    np.testing.assert_allclose(share, (0.5, 0.8, 0.9, 0.95), atol=0.02)
    pit = probability_integral_transform(draws, observed)
    assert stats.kstest(pit, "uniform").pvalue > 0.01


def test_intervals_are_equal_tailed() -> None:
    lo, hi = central_interval(NORMAL, 0.9)
    np.testing.assert_allclose([lo[0], hi[0]], stats.norm.ppf([0.05, 0.95], 1.0, 2.0), atol=0.08)
