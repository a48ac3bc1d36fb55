"""Drift: nothing inside the data, known errors outside, shared along one extrapolation."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.drift import DRIFT_PRIOR, drift_draws, structural_error, without_drift
from bitlaw.inference.fit import Fit
from fits import collapsed_fit, kumar_constants

GAP = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}
LARGEST_N, LARGEST_D = 4e8, 4e10
"""Of the fitted runs, from 2.5e7 parameters and 2.5e9 tokens."""


@pytest.fixture(scope="module")
def fit() -> Fit:
    return collapsed_fit("kumar2024", kumar_constants(), samples=4000, drift=True)


def with_drift(fit: Fit, **draws: float) -> Fit:
    ones = dict.fromkeys(("omega", "omega_penalty", "z_n", "z_d", "z_train", "z_post"), 1.0) | draws
    sizes = {name: ("sample", np.full(fit.samples(), value)) for name, value in ones.items()}
    return replace(fit, drift=xr.Dataset(sizes))


def test_draws_are_of_the_stated_prior() -> None:
    drawn = drift_draws(200_000, 0, "kumar2024")
    for name, (median, sigma) in (("omega", DRIFT_PRIOR.loss), ("omega_penalty", DRIFT_PRIOR.penalty)):
        logs = np.log(drawn[name].to_numpy())
        assert np.exp(np.median(logs)) == pytest.approx(median, rel=0.01)
        assert logs.std() == pytest.approx(sigma, rel=0.01)
    directions = np.stack([drawn[name].to_numpy() for name in ("z_n", "z_d", "z_train", "z_post")])
    np.testing.assert_allclose(np.cov(directions), np.eye(4), atol=0.02)
    xr.testing.assert_equal(drift_draws(50, 3, "a"), drift_draws(50, 3, "a"))
    assert not drift_draws(50, 3, "a").equals(drift_draws(50, 3, "b"))
    assert not drift_draws(50, 3, "a").equals(drift_draws(50, 4, "a"))


def test_nothing_inside_is_exactly_the_law(fit: Fit) -> None:
    points = points_frame(
        n_params=[2.5e7, 1e8, 4e8], tokens=[2.5e9, 1e10, 4e10], bits_weights=[16.0, 8.0, 4.0],
        bits_post=[4.0, np.nan, 3.0], method_post="gptq",
    )  # fmt: skip
    assert structural_error(fit, points) is None
    for prior in (False, True):
        on, off = (loss_draws(fit, points, prior, drift=drift) for drift in (True, False))
        for name in ("trained", "degradation", "new_run", "new_run_degradation"):
            np.testing.assert_array_equal(getattr(on, name), getattr(off, name))


def test_a_fit_without_drift_draws_as_if_it_were_left_out(fit: Fit) -> None:
    points = points_frame(
        n_params=[1e8, 4e9, 1e8], tokens=[4e12, 1e10, 4e11], bits_weights=[16.0, 3.0, 16.0],
        bits_post=[np.nan, np.nan, 2.0], method_post="gptq",
    )  # fmt: skip
    plain = without_drift(fit)
    for prior in (False, True):
        off, left_out = loss_draws(plain, points, prior), loss_draws(fit, points, prior, drift=False)
        for name in ("trained", "degradation", "new_run", "new_run_degradation"):
            np.testing.assert_allclose(getattr(off, name), getattr(left_out, name), rtol=1e-12)
    assert (loss_draws(fit, points).trained != loss_draws(plain, points).trained).any()


def test_known_errors_by_hand(fit: Fit) -> None:
    one_decade, two = LARGEST_N * 10.0, LARGEST_D * 100.0
    fixed = with_drift(fit, omega=0.02, z_n=1.5, z_d=-0.5)
    points = points_frame(n_params=[one_decade, 1e8, one_decade], tokens=[1e10, two, two])
    error = structural_error(fixed, points)
    assert error is not None
    corner = 0.02 * (1 * 1.5 - 2 * 0.5) / 5**0.25
    expected = [0.02 * 1.5, -0.02 * np.sqrt(2) * 0.5, corner]
    np.testing.assert_allclose(error.log_loss, np.broadcast_to(expected, (4000, 3)), atol=1e-12)
    # rows trained in low precision have the sizes of all rows
    size = np.sqrt([1.0, 2.0, np.sqrt(5.0)])
    np.testing.assert_allclose(error.log_penalty[0], size, atol=1e-9)
    on, off = (loss_draws(fixed, points, drift=drift) for drift in (True, False))
    unquantized = np.log(on.trained / off.trained)[0]
    np.testing.assert_allclose(unquantized, expected, atol=1e-12)


def test_penalties_drift_by_bits(fit: Fit) -> None:
    fixed = with_drift(fit, omega=0.0, omega_penalty=0.3, z_train=2.0, z_post=-1.0)
    points = points_frame(
        n_params=1e8, tokens=1e10, bits_weights=[16.0, 3.0, 16.0], bits_post=[np.nan, np.nan, 1.0],
        method_post="gptq",
    )  # fmt: skip
    on, off = (loss_draws(fixed, points, drift=drift) for drift in (True, False))
    whole = off.trained[0, 0]
    assert (on.trained[0, 1] - whole) / (off.trained[0, 1] - whole) == pytest.approx(np.exp(0.6))
    assert on.degradation[0, 2] / off.degradation[0, 2] == pytest.approx(np.exp(-0.3 * np.sqrt(2.0)))
    assert on.trained[0, 0] == whole


def test_penalties_drift_at_a_constant_ratio_too(fit: Fit) -> None:
    fixed = with_drift(fit, omega=0.0, omega_penalty=0.3, z_train=1.0, z_post=-2.0)
    both = np.array([1.0, 10.0, 100.0])
    points = points_frame(
        n_params=LARGEST_N * both,
        tokens=LARGEST_D * both,
        bits_weights=8.0,
        bits_post=4.0,
        method_post="gptq",
    )
    error = structural_error(fixed, points)
    assert error is not None
    root = (np.sqrt(2.0) * np.arange(3)) ** 0.5
    np.testing.assert_allclose(error.log_penalty[0], 0.3 * root, atol=1e-9)
    np.testing.assert_allclose(error.log_degradation[0], -0.6 * root, atol=1e-9)


def test_one_extrapolation_moves_together_and_directions_do_not(fit: Fit) -> None:
    further = LARGEST_N * np.array([10.0, 100.0, 1.0]), LARGEST_D * np.array([0.5, 0.5, 10.0])
    points = points_frame(n_params=further[0], tokens=further[1])
    error = structural_error(fit, points)
    assert error is not None
    between = np.corrcoef((error.log_loss / fit.drift["omega"].to_numpy()[:, None]).T)
    assert between[0, 1] == pytest.approx(1.0)
    assert abs(between[0, 2]) < 0.06
    np.testing.assert_allclose(error.log_loss[:, 1], np.sqrt(2.0) * error.log_loss[:, 0])


def test_differences_between_precisions_carry_the_penalty_alone() -> None:
    fit = collapsed_fit("bitlaw-default", _middle("bitlaw-default"), samples=400, drift=True)
    scales = {"omega": 10.0 * fit.drift["omega"], "omega_penalty": 0.0 * fit.drift["omega_penalty"]}
    loud = replace(fit, drift=fit.drift.assign(scales))
    points = points_frame(n_params=LARGEST_N * 100.0, tokens=LARGEST_D * 100.0, bits_weights=[16.0, 4.0])
    on, off = (loss_draws(loud, points, drift=drift).trained for drift in (True, False))
    assert np.abs(np.log(on / off)).mean() > 0.05
    np.testing.assert_allclose(on[:, 1] - on[:, 0], off[:, 1] - off[:, 0], rtol=1e-9)


def _middle(law: str) -> dict[str, float]:
    from bitlaw.inference.prior import prior_draws
    from bitlaw.laws.registry import load_law
    from fits import REFERENCE

    drawn = prior_draws(load_law(law), REFERENCE, 200, seed=0)
    return {name: float(np.median(values)) for name, values in drawn.items()}


def test_intervals_widen_with_distance(fit: Fit) -> None:
    points = points_frame(n_params=1e8, tokens=LARGEST_D * 10.0 ** np.arange(5), run_id="x")
    lo, hi = np.quantile(np.log(loss_draws(fit, points).mean), (0.05, 0.95), axis=0)
    width = hi - lo
    assert width[0] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(width) > 0).all()
    noisy = loss_draws(fit, points)
    without = loss_draws(fit, points, drift=False)
    assert (noisy.new_run.std(axis=0)[1:] > without.new_run.std(axis=0)[1:]).all()


def test_under_the_prior_too(fit: Fit) -> None:
    points = points_frame(n_params=1e8, tokens=LARGEST_D * 1e3)
    on, off = (loss_draws(fit, points, prior=True, drift=drift).trained for drift in (True, False))
    error = structural_error(fit, points)
    assert error is not None
    assert np.median(np.abs(np.log(on / off))) == pytest.approx(np.median(np.abs(error.log_loss)), rel=0.2)


def test_a_measured_loss_has_no_error_of_its_own(fit: Fit) -> None:
    points = points_frame(n_params=1e12, tokens=1e16, bits_post=[np.nan, 4.0], method_post="gptq")
    draws = loss_draws(fit, points, measured=2.5)
    np.testing.assert_array_equal(draws.trained, 2.5)
    gap = collapsed_fit("ptq-gap", GAP, samples=400, drift=True)
    error = structural_error(gap, points)
    assert error is not None
    assert error.log_loss == 0.0
    on, off = (loss_draws(gap, points, measured=2.5, drift=drift) for drift in (True, False))
    np.testing.assert_array_equal(on.trained, off.trained)
    assert (on.degradation[:, 1] != off.degradation[:, 1]).all()
    np.testing.assert_array_equal(on.degradation[:, 0], 0.0)


def test_sizes_in_place_of_the_points_own_and_nothing_where_unknown(fit: Fit) -> None:
    points = points_frame(n_params=1.0, tokens=1.0, bits_weights=[16.0, 8.0])
    n_params = np.full((4000, 2), 1e8)
    tokens = np.full((4000, 2), 1e10)
    assert structural_error(fit, points, n_params, tokens) is None
    tokens[:, 1] = LARGEST_D * 10.0
    n_params[:2, 1] = np.nan
    error = structural_error(fit, points, n_params, tokens)
    assert error is not None
    np.testing.assert_array_equal(error.log_loss[:, 0], 0.0)
    np.testing.assert_array_equal(error.log_loss[:2], 0.0)
    assert (error.log_loss[2:, 1] != 0).all()


def test_errors_stay_within_floating_point(fit: Fit) -> None:
    wild = with_drift(fit, omega_penalty=1e6, omega=1e6)
    points = points_frame(n_params=1e12, tokens=1e20, bits_weights=[1.0, 2.0], bits_activations=2.0)
    assert np.isfinite(loss_draws(wild, points).trained).all()


def test_no_error_of_a_penalty_is_worse_than_guessing() -> None:
    bounded = collapsed_fit("kumar2024", kumar_constants(), samples=4, vocab_size=50_000)
    points = points_frame(
        n_params=1e8,
        tokens=1e14,
        bits_weights=[16.0, 4.0, 3.0],
        bits_post=[2.0, 3.0, 2.0],
        method_post="gptq",
    )
    for direction in (-5.0, 5.0):
        wild = with_drift(bounded, omega=0.0, omega_penalty=2.0, z_train=direction, z_post=direction)
        draws = loss_draws(wild, points)
        assert (draws.mean <= np.log(50_000) + 1e-9).all()
        assert (draws.degradation >= 0).all()
        assert (draws.trained >= 2.7648).all()
