"""Drift as a random walk: as spread as drift itself, alike near by and apart far off."""

import numpy as np
import pytest

from bitlaw.inference.draws import points_frame
from bitlaw.inference.drift import structural_error
from bitlaw.inference.drift_walk import drift_walk, walk
from fits import collapsed_fit, kumar_constants


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=20000, drift=True)


@pytest.fixture(scope="module")
def points():
    sizes = [(1e8, 1e10), (4e9, 4e10), (4e10, 4e10), (4e8, 4e12), (1e6, 1e10), (4e10, 4e12)]
    return points_frame(
        n_params=[n for n, _ in sizes],
        tokens=[d for _, d in sizes],
        bits_weights=[16.0, 16.0, 2.0, 2.0, 3.0, 16.0],
        bits_activations=16.0,
        bits_post=[np.nan, 2.0, np.nan, np.nan, np.nan, 4.0],
        method_post=["", "gptq", "", "", "", "gptq"],
    )


def spread(part, number):
    """Standard deviation as told by the middle half: the scale of drift is uncertain, so tails are long."""
    lo, hi = np.quantile(np.broadcast_to(part, (20000, number)), (0.25, 0.75), axis=0)
    return hi - lo


@pytest.mark.parametrize("part", ["log_loss", "log_penalty", "log_degradation"])
def test_every_point_is_as_spread_as_its_drift(fit, points, part):
    stated, walked = structural_error(fit, points), drift_walk(fit, points)
    expected = spread(getattr(stated, part), len(points))
    assert spread(getattr(walked, part), len(points)) == pytest.approx(expected, rel=0.05, abs=1e-12)
    assert (expected > 0).any()


def test_a_walk_has_unit_spread_and_forgets_with_distance():
    drawn = walk(np.array([0.0, 1.0, 4.0, 4.0, -1.0]), 40000, np.random.default_rng(0))
    assert (drawn[:, 0] == 0).all()
    assert drawn[:, 1:].std(axis=0) == pytest.approx(np.ones(4), abs=0.02)
    assert np.array_equal(drawn[:, 2], drawn[:, 3])
    correlation = np.corrcoef(drawn[:, 1:].T)
    assert correlation[0, 1] == pytest.approx(0.5, abs=0.02)  # √(1/4)
    assert correlation[0, 3] == pytest.approx(0.0, abs=0.02)


def test_nothing_is_off_inside_and_where_drift_is_left_out(fit):
    inside = points_frame(n_params=1e8, tokens=1e10)
    assert drift_walk(fit, inside) is None
    without = collapsed_fit("kumar2024", kumar_constants())
    assert drift_walk(without, points_frame(n_params=1e12, tokens=1e10)) is None


def test_the_seed_decides(fit, points):
    first, again, other = (drift_walk(fit, points, seed).log_loss for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
