from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from bitlaw.criticism.prior_sensitivity import (
    cumulative_distance,
    prior_sensitivity,
    prior_sensitivity_findings,
    sensitivity,
    weighted_median,
)
from bitlaw.finding import Status

NORMAL = np.random.default_rng(0).standard_normal(4000)
POWERS = np.array([0.8, 1.25])


def tilted(log_density: np.ndarray) -> np.ndarray:
    rows = np.exp((POWERS[:, None] - 1) * (log_density - log_density.max()))
    return rows / rows.sum(axis=1, keepdims=True)


def test_equal_weights_change_nothing():
    assert cumulative_distance(NORMAL, np.full(4000, 1 / 4000)) == pytest.approx(0.0, abs=1e-6)
    assert cumulative_distance(np.ones(5), np.full(5, 0.2)) == 0.0


def test_the_distance_is_that_of_arviz():
    import arviz as az  # noqa: F401  (registers the accessor)

    weights = tilted(-0.5 * (NORMAL - 1.0) ** 2)
    shape = ("chain", "draw")
    draws, lower, upper = (xr.DataArray(values.reshape(4, -1), dims=shape) for values in (NORMAL, *weights))
    theirs = draws.azstats.power_scale_sense(
        lower_w=lower, upper_w=upper, lower_alpha=0.8, upper_alpha=1.25, sample_dims=list(shape)
    )
    assert sensitivity(NORMAL, weights, POWERS) == pytest.approx(float(theirs), rel=1e-6)


def test_a_prior_as_strong_as_the_likelihood_is_sensitive():
    """Posterior N(0, 1) from a prior N(-1, 2): to the power c, its mean is (1 - c)/(1 + c)."""
    weights = tilted(-0.5 * (NORMAL + 1.0) ** 2 / 2.0)
    assert sensitivity(NORMAL, weights, POWERS) > 0.05
    for row, power in zip(weights, POWERS, strict=True):
        assert weighted_median(NORMAL, row) == pytest.approx((1 - power) / (1 + power), abs=0.05)


def test_a_wide_prior_is_not():
    assert sensitivity(NORMAL, tilted(-0.5 * (NORMAL + 1.0) ** 2 / 100.0), POWERS) < 0.01


def test_few_effective_weights_give_no_number():
    assert np.isnan(sensitivity(NORMAL, tilted(100 * NORMAL), POWERS))


def test_a_fit_that_the_data_decide_passes(make_fit):
    (finding,) = prior_sensitivity_findings(make_fit())
    assert (finding.code, finding.status) == ("prior.sensitivity", Status.PASS)
    assert finding.value < 0.05


def test_a_constant_that_follows_its_prior_is_named_with_its_shift(make_fit):
    fit = make_fit(samples=4000, from_prior=("gamma_D",))
    table = prior_sensitivity(fit).set_index("name")
    assert table.loc["gamma_D", "sensitivity"] > 0.05
    assert table.loc["alpha", "sensitivity"] < 0.05
    (finding,) = prior_sensitivity_findings(fit)
    assert finding.status == Status.WARN
    assert "gamma_D (" in finding.message
    assert "alpha (" not in finding.message


def test_missing_or_degenerate_weights_are_not_run(make_fit):
    fit = make_fit()
    assert prior_sensitivity_findings(replace(fit, weights=xr.Dataset()))[0].status == Status.NOT_RUN
    for values in (np.nan, np.eye(1000)[0]):
        weights = fit.weights.assign(weight=fit.weights["weight"] * 0 + values)
        (finding,) = prior_sensitivity_findings(replace(fit, weights=weights))
        assert finding.status == Status.NOT_RUN
        assert finding.advice
