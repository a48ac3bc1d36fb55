from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.hull import convex_hull

INSIDE = {"n_params": 1e5, "tokens": 3e6}


@pytest.fixture(scope="module")
def fits():
    return {}


@pytest.fixture
def fit(make_fit, fits):
    return fits.setdefault("fit", make_fit(samples=8))


def check(fit, **point):
    findings = extrapolation_findings(fit, points_frame(**(INSIDE | point)))
    return {finding.code.removeprefix("extrapolation."): finding for finding in findings}


@pytest.mark.parametrize(
    "point", [{}, {"bits_weights": 3.0}, {"bits_weights": 32.0}, {"bits_weights": 8.0, "bits_post": 4.0}]
)
def test_inside_is_one_pass(fit, point):
    found = check(fit, **point)
    assert list(found) == ["inside"]
    assert found["inside"].status == Status.PASS


def test_every_fitted_row_is_inside(fit):
    (finding,) = extrapolation_findings(fit, fit.rows)
    assert finding.status == Status.PASS


def test_a_large_model_is_no_evidence(fit):
    finding = check(fit, n_params=7e9, tokens=8e6)["size"]
    assert finding.status == Status.WARN
    assert finding.value == pytest.approx(np.log10(7e9 / 332e3))
    assert finding.message == (
        "7B parameters is 4.3 decades above the largest fitted run (332k): "
        "these numbers are not evidence about such a model."
    )


def test_both_sizes_are_named_and_the_worst_point_counts(fit):
    finding = check(fit, n_params=[1e5, 7e9], tokens=[3e6, 1e12])["size"]
    assert finding.value == pytest.approx(np.hypot(np.log10(7e9 / 332e3), np.log10(1e12 / 8e6)))
    assert "7B parameters" in finding.message
    assert "1T tokens is 5.1 decades above the longest fitted run (8M)" in finding.message


def test_a_little_outside_is_said_in_factors(fit):
    finding = check(fit, tokens=12e6)["size"]
    assert "a factor of 1.5 above the longest" in finding.message
    assert "extrapolated there, not tested" in finding.message


def test_below_the_smallest(fit):
    assert "below the smallest fitted run (25k)" in check(fit, n_params=1e3, tokens=2e6)["size"].message


def test_an_empty_corner_of_the_design_is_outside(fit):
    corner = fit.rows[(fit.rows["n_params"] < 3e5) | (fit.rows["tokens"] < 2e6)]
    hull = convex_hull(np.log10(corner[["n_params", "tokens"]].to_numpy()))
    found = check(replace(fit, rows=corner, hull=hull), n_params=332e3, tokens=8e6)
    assert list(found) == ["size"]
    assert "332k parameters with 8M tokens" in found["size"].message
    assert 0 < found["size"].value < 0.4


def test_ratio_beyond_the_fitted(fit):
    finding = check(fit, n_params=25e3, tokens=80e6)["ratio"]
    assert finding.value == pytest.approx(1.0)
    assert "above the largest fitted ratio (320)" in finding.message
    assert "below the smallest" in check(fit, n_params=332e4, tokens=1e6)["ratio"].message


@pytest.mark.parametrize("column", ["bits_weights", "bits_activations"])
def test_training_bits_below_the_fitted(fit, column):
    finding = check(fit, **{column: 1.0})[column]
    assert (finding.status, finding.value) == (Status.WARN, 2.0)
    assert finding.message.startswith("1 bit for the")


def test_unquantized_runs_were_never_measured(fit):
    quantized = fit.rows[fit.rows["bits_weights"] < 16]
    finding = check(replace(fit, rows=quantized))["bits_weights"]
    assert finding.value == 12.0
    assert "above the most" in finding.message


def test_bits_after_training(fit):
    assert check(fit, bits_post=1.5)["bits_post"].value == 0.5
    assert check(fit, bits_post=8.0)["bits_post"].value == 2.0
    never = replace(fit, rows=fit.rows[fit.rows["bits_post"].isna()])
    finding = check(never, bits_post=4.0)["bits_post"]
    assert (finding.status, finding.value) == (Status.WARN, None)


def test_laws_without_precision_terms_look_at_sizes_only(make_fit):
    found = check(make_fit("chinchilla", samples=8), bits_weights=2.0, bits_post=2.0)
    assert list(found) == ["inside"]


def test_ratios_at_which_precision_was_not_varied(fit):
    rows, ratio = fit.rows, fit.rows["tokens"] / fit.rows["n_params"]
    low = rows[["bits_weights", "bits_activations", "bits_kv"]].lt(16).any(axis=1)
    after = rows["bits_post"].notna()
    fewer = replace(fit, rows=rows[~(ratio.gt(40) & (low | after))])
    point = {"n_params": 1e5, "tokens": 8e6}
    assert list(check(fewer, **point)) == ["inside"]
    limit = ratio[low & ratio.le(40)].max()
    finding = check(fewer, **point, bits_weights=4.0)["ratio_training"]
    assert finding.value == pytest.approx(np.log10(80.0 / limit))
    assert f"above the largest ratio trained in low precision ({limit:.3g})" in finding.message
    assert "ratio quantized after training" in check(fewer, **point, bits_post=4.0)["ratio_post"].message


def test_a_ratio_beyond_all_rows_is_said_once(fit):
    assert [code for code in check(fit, n_params=25e3, tokens=80e6, bits_weights=4.0) if "ratio" in code] == [
        "ratio"
    ]


def test_bits_after_training_are_compared_with_those_of_the_method(fit):
    other = fit.rows[fit.rows["bits_post"] == fit.rows["bits_post"].max()].assign(method_post="awq")
    both = replace(fit, rows=pd.concat([fit.rows, other], ignore_index=True))
    method = fit.rows["method_post"].max()
    assert list(check(both, bits_post=4.0, method_post=method)) == ["inside"]
    assert check(both, bits_post=4.0, method_post="awq")["bits_post"].value == 2.0
