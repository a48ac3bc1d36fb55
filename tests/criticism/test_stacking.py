from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.criticism.stacking import law_weights, stacking_weights
from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit
from fits import collapsed_fit

CONSTANTS = {"E": 1.8, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37}
RNG = np.random.default_rng(1)


def log_score(elpd: np.ndarray, weights: np.ndarray) -> float:
    return float(np.log(np.exp(elpd) @ weights).sum())


def fit_with(name: str, elpd: list[float], table_hash: str = "rows") -> Fit:
    fit = collapsed_fit("chinchilla", CONSTANTS)
    runs = pd.DataFrame({"run_id": [f"r{i}" for i in range(len(elpd))], "elpd": elpd, "pareto_k": 0.1})
    return replace(
        fit,
        law=replace(fit.law, name=name),
        runs=runs,
        provenance=replace(fit.provenance, table_hash=table_hash),
    )


def test_one_law_has_all_the_weight():
    np.testing.assert_array_equal(stacking_weights(RNG.normal(size=(7, 1))), [1.0])


def test_a_law_that_is_better_for_every_run_has_all_the_weight():
    worse = RNG.normal(size=20)
    weights = stacking_weights(np.stack([worse, worse + 0.5], axis=1))
    np.testing.assert_allclose(weights, [0.0, 1.0], atol=1e-4)


def test_equal_laws_share_and_the_order_does_not_matter():
    own = RNG.normal(size=30)
    np.testing.assert_allclose(stacking_weights(np.stack([own] * 4, axis=1)), 0.25)
    elpd = RNG.normal(size=(30, 3))
    np.testing.assert_allclose(stacking_weights(elpd)[::-1], stacking_weights(elpd[:, ::-1]), atol=1e-10)


def test_a_law_that_is_right_where_the_other_fails_has_the_share_of_those_runs():
    elpd = np.array([[0.0, -40.0]] * 3 + [[-40.0, 0.0]])
    np.testing.assert_allclose(stacking_weights(elpd), [0.75, 0.25], atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_two_laws_against_brute_force(seed: int):
    elpd = np.random.default_rng(seed).normal(scale=1.5, size=(40, 2))
    grid = np.linspace(0.0, 1.0, 2001)
    best = max(log_score(elpd, np.array([share, 1.0 - share])) for share in grid)
    assert log_score(elpd, stacking_weights(elpd)) > best - 2e-4


def test_no_small_move_from_the_weights_of_many_laws_scores_higher():
    elpd = RNG.normal(size=(60, 6))
    weights = stacking_weights(elpd)
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    for corner in np.eye(6):
        assert log_score(elpd, 0.99 * weights + 0.01 * corner) < log_score(elpd, weights) + 1e-4


def test_far_apart_densities_neither_overflow_nor_warn():
    weights = stacking_weights(np.array([[-5e3, 1e4], [2e3, -3e4], [0.0, 1.0]]))
    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1.0)


def test_weights_of_fits_follow_their_runs_by_name():
    first = fit_with("one", [0.0, -9.0, 0.0, 0.0])
    second = fit_with("two", [-9.0, 0.0, -9.0, -9.0])
    expected = law_weights([first, second])
    np.testing.assert_allclose(expected, [0.75, 0.25], atol=1e-2)
    shuffled = replace(second, runs=second.runs.iloc[::-1])
    np.testing.assert_array_equal(law_weights([first, shuffled]), expected)
    np.testing.assert_array_equal(law_weights([first]), [1.0])


def test_what_cannot_be_compared_is_refused():
    fit = fit_with("one", [0.0, 1.0])
    with pytest.raises(InputError, match="law one occurs 2 times"):
        law_weights([fit, fit])
    with pytest.raises(InputError, match="two is fitted to other rows than one"):
        law_weights([fit, fit_with("two", [0.0, 1.0], table_hash="others")])
    with pytest.raises(InputError, match='law two gives run "r1" .* nan'):
        law_weights([fit, fit_with("two", [0.0, float("nan")])])
    with pytest.raises(InputError, match="no fits"):
        law_weights([])
    gap = fit_with("gap", [0.0, 1.0])
    gap = replace(gap, law=replace(gap.law, base=replace(gap.law.base, loss=None)))
    with pytest.raises(InputError, match="gap models degradations only and one whole losses"):
        law_weights([fit, gap])
