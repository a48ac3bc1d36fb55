"""Conditioning against the closed form, and what greedy choice may and may not do."""

import numpy as np
import pytest

from bitlaw.decisions.conditioning import (
    Measurements,
    best_plan,
    covariance_of,
    greedy,
    left_after_all,
    observe,
    reductions,
    without_outliers,
)


def singles(noise, cost, once=None) -> Measurements:
    number = len(noise)
    return Measurements(
        tuple(np.array([row]) for row in range(number)),
        tuple(np.array([[value]]) for value in noise),
        np.array(cost, float),
        np.zeros(number, bool) if once is None else np.array(once),
    )


@pytest.fixture(scope="module")
def linear():
    """A linear model of three constants: four outcomes and a prediction, and the constants' own covariance."""
    rng = np.random.default_rng(3)
    design, target = rng.normal(size=(4, 3)), rng.normal(size=3)
    root = rng.normal(size=(3, 3))
    prior = root @ root.T + 0.1 * np.eye(3)
    every = np.vstack([design, target])
    return design, target, prior, every @ prior @ every.T


def posterior_variance(design, target, prior, noise) -> float:
    """Of the prediction, from the precision of the constants: Σ⁻¹ + Xᵀ R⁻¹ X."""
    precision = np.linalg.inv(prior) + design.T @ np.linalg.inv(noise) @ design
    return float(target @ np.linalg.inv(precision) @ target)


def test_a_measurement_takes_away_what_the_closed_form_says(linear):
    design, target, prior, covariance = linear
    noise = np.array([0.2, 0.5, 0.1, 1.0])
    gain = reductions(covariance, np.array([4]), singles(noise, np.ones(4)))
    for row in range(4):
        expected = posterior_variance(design[[row]], target, prior, noise[[row]][:, None])
        assert covariance[4, 4] - gain[row] == pytest.approx(expected, rel=1e-7)


def test_measurements_of_one_run_with_correlated_noise(linear):
    design, target, prior, covariance = linear
    noise = np.array([[0.5, 0.3], [0.3, 0.4]])
    block = Measurements((np.array([1, 3]),), (noise,), np.ones(1), np.zeros(1, bool))
    expected = posterior_variance(design[[1, 3]], target, prior, noise)
    assert covariance[4, 4] - reductions(covariance, np.array([4]), block)[0] == pytest.approx(
        expected, rel=1e-7
    )
    assert observe(covariance, np.array([1, 3]), noise)[4, 4] == pytest.approx(expected, rel=1e-7)
    assert left_after_all(covariance, np.array([4]), block) == pytest.approx(expected, rel=1e-7)


def test_one_after_the_other_is_all_at_once(linear):
    design, target, prior, covariance = linear
    noise = np.array([0.2, 0.5, 0.1, 1.0])
    expected = posterior_variance(design, target, prior, np.diag(noise))
    after = covariance
    for row in range(4):
        after = observe(after, np.array([row]), noise[[row]][:, None])
    assert after[4, 4] == pytest.approx(expected, rel=1e-6)
    candidates = singles(noise, np.ones(4), once=np.ones(4, bool))
    assert greedy(covariance, np.array([4]), candidates, 4.0)[-1].variance == pytest.approx(
        expected, rel=1e-6
    )


def test_a_measurement_of_the_quantity_itself_leaves_the_noise_alone():
    covariance = np.array([[2.0, 2.0], [2.0, 2.0]])
    left = 2.0 - reductions(covariance, np.array([1]), singles([0.1], [1.0]))[0]
    assert left == pytest.approx(2.0 * 0.1 / 2.1, rel=1e-7)  # 1/(1/2 + 1/.1)
    exact = 2.0 - reductions(covariance, np.array([1]), singles([0.0], [1.0]))[0]
    assert exact == pytest.approx(0.0, abs=1e-8)


def test_what_varies_with_nothing_removes_nothing():
    covariance = np.diag([0.0, 1.0, 3.0])
    assert reductions(covariance, np.array([2]), singles([0.0, 0.5], [1, 1])).tolist() == [0.0, 0.0]
    assert best_plan(covariance, np.array([2]), singles([0.0, 0.5], [1, 1]), 10.0) == ()


@pytest.mark.parametrize("seed", range(20))
def test_no_plan_exceeds_its_budget_or_adds_variance(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(9, 9))
    covariance, cost = root @ root.T, rng.lognormal(size=8)
    candidates = singles(rng.lognormal(size=8), cost, once=rng.random(8) < 0.5)
    budget = float(rng.uniform(cost.min(), 3 * cost.max()))
    target = np.array([8])
    alone = reductions(covariance, target, candidates)[cost <= budget].max()
    for steps in (
        best_plan(covariance, target, candidates, budget),
        greedy(covariance, target, candidates, budget),
    ):
        assert steps[-1].spent <= budget
        assert steps[-1].spent == pytest.approx(sum(cost[step.candidate] for step in steps))
        left = [covariance[8, 8], *(step.variance for step in steps)]
        assert (np.diff(left) <= 1e-9).all()
        picked = [step.candidate for step in steps]
        assert all(picked.count(one) == 1 for one in picked if candidates.once[one])
    best = best_plan(covariance, target, candidates, budget)
    assert covariance[8, 8] - best[-1].variance >= 0.95 * alone - 1e-9


def test_a_dear_run_that_says_much_is_not_missed_for_a_cheap_one():
    # Alone the cheap one removes more per cost, and then the dear one does not fit the budget any more.
    covariance = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.99], [0.1, 0.99, 1.0]])
    candidates = singles([0.0, 0.0], [0.001, 1.0], once=[True, True])
    assert [step.candidate for step in greedy(covariance, np.array([2]), candidates, 1.0)] == [0]
    assert [step.candidate for step in best_plan(covariance, np.array([2]), candidates, 1.0)] == [1]


def test_repeats_only_where_noise_makes_them_worth_it():
    covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    noisy = best_plan(covariance, np.array([1]), singles([1.0], [1.0]), 5.0, 0.01)
    exact = best_plan(covariance, np.array([1]), singles([0.0], [1.0]), 5.0, 0.01)
    assert (len(noisy), len(exact)) == (5, 1)


def test_a_few_wild_draws_decide_no_covariance():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 2))
    wild = draws.copy()
    wild[:4] *= 1e4
    assert covariance_of(without_outliers(wild)) == pytest.approx(covariance_of(draws), abs=0.05)
    assert np.array_equal(without_outliers(draws), draws)
    constant = np.column_stack([np.ones(100), np.r_[np.zeros(99), 1.0]])
    assert np.array_equal(without_outliers(constant), constant)
