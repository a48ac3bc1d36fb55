"""Formats on offer: as they were logged, or by name."""

import json

import numpy as np
import pytest
import xarray as xr

from bitlaw.decisions.costs import effective_bits
from bitlaw.decisions.on_offer import logged_formats
from bitlaw.decisions.optimum import optimum
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from fits import collapsed_fit, kumar_constants

BASE = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}
FLOAT = {"k_float": 0.05, "delta_float": 3.19, "nu_float": 2.95}
TRAINED_IN = {
    "format": ["bf16", "mxfp8", "mxfp4", "int", "mxfp4"],
    "bits_weights": [16.0, 16.0, 16.0, 4.0, 4.0],
    "bits_activations": [16.0, 16.0, 16.0, 16.0, 4.0],
}


def runs(**columns):
    frame = points_frame(
        run_id=[f"{index}" for index in range(5)], n_params=1e8, tokens=1e10, **(TRAINED_IN | columns)
    )
    return frame.assign(loss=2.5)


def by_scheme(law_name, constants, shifts, column="scheme", name="eff_N", **columns) -> Fit:
    """A collapsed fit whose formats differ by shifts on the logit scale."""
    fit = collapsed_fit(law_name, constants, samples=4, rows=runs(**columns))
    values = xr.DataArray(
        np.broadcast_to(list(shifts.values()), (2, 2, len(shifts))),
        dims=("chain", "draw", column),
        coords={column: list(shifts)},
    )
    object.__setattr__(fit, "posterior", fit.posterior.assign({f"{name}_by_{column}": values}))
    return fit


SHIFTS = {"int w4": 2.0, "mxfp4": -1.0, "mxfp4 w4a4": -2.0, "mxfp8": 3.0}


@pytest.fixture(scope="module")
def frantar() -> Fit:
    return by_scheme("frantar2025", BASE | {"eff_N": 0.8}, SHIFTS)


def test_a_law_of_formats_offers_what_was_logged_and_16_bits(frantar):
    decision = optimum(frantar, flops=1e20)
    cost = {option.key: option.bits for option in decision.options}
    assert cost == {16.0: 16, "int w4": 16, "mxfp8": 8.25, "mxfp4": 4.25, "mxfp4 w4a4": 4.25}
    for label, shift in SHIFTS.items():
        odds = 4.0 * np.exp(shift)
        assert decision.option(label).break_even.median == pytest.approx((1 + odds) / odds)
        assert str(decision.option(label).diverged) == "0 of 1"
        assert decision.option(label).measured
    assert decision.best == "mxfp4"
    assert "mxfp4 has the lowest expected loss" in decision.sentence()
    assert decision.table()["format"].tolist()[2:] == ["mxfp8", "mxfp4", "mxfp4 w4a4"]


def test_json_has_bits_or_format(frantar):
    content = json.loads(json.dumps(optimum(frantar, flops=1e20).to_dict(), allow_nan=False))
    first, *others = content["options"]
    assert (first["bits"], "format" in first) == (16.0, False)
    assert [(option["format"], option["effective_bits"]) for option in others][1] == ("mxfp8", 8.25)
    assert not any("bits" in option for option in others)
    assert content["best"] == "mxfp4"


def test_what_was_not_fitted_is_refused(frantar):
    with pytest.raises(InputError, match='scheme "int w4a4" was not seen by the fit'):
        optimum(frantar, flops=1e20, bits=(16, 4))
    with pytest.raises(InputError, match='scheme "nvfp4" was not seen by the fit'):
        optimum(frantar, flops=1e20, formats=("bf16", "nvfp4"))
    assert [option.key for option in optimum(frantar, flops=1e20, formats=("mxfp4", "bf16")).options] == [
        "bf16",
        "mxfp4",
    ]
    assert optimum(frantar, flops=1e20, bits=(4,), tensors=("weights",)).option(4).measured


def test_cheapest_format_within_tolerance(frantar):
    decision = optimum(frantar, n_params=1e9, tokens=1e11, tolerance=0.05)
    assert [option.probability_within for option in decision.options] == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert decision.best == "mxfp4"


def test_floating_point_by_name():
    rows = runs().query("format != 'int'")
    fit = collapsed_fit("sun2025", BASE | FLOAT, samples=4, rows=rows)
    assert [option.key for option in optimum(fit, flops=1e20).options] == [
        16.0,
        "mxfp8",
        "mxfp4",
        "mxfp4 w4a4",
    ]
    decision = optimum(fit, flops=1e20, formats=("bf16", "fp8-e5m2", "nvfp4", "mxfp4"), group_size=128)
    assert [option.bits for option in decision.options] == [16.0, 8.0, 4.5, 4.25]
    factors = [option.break_even.median for option in decision.options]
    assert factors[0] == 1.0
    assert factors[1] < factors[2] < factors[3]
    assert not decision.option("nvfp4").measured
    with pytest.raises(InputError, match="needs group_size"):
        optimum(fit, flops=1e20, formats=("fp8",))
    with pytest.raises(InputError, match="no term for bits_weights"):
        optimum(fit, flops=1e20, bits=(8,))


def test_backward_formats_are_told_apart_where_the_law_does():
    backward = ["", "", "mxfp8", "", ""]
    fit = by_scheme("quartet2025", COUPLED | {"eff_N": 0.8, "eff_D": 0.9}, SHIFTS, format_backward=backward)
    keys = [option.key for option in optimum(fit, flops=1e20).options]
    assert keys == [16.0, "int w4", "mxfp8", "mxfp4 / mxfp8", "mxfp4 w4a4"]
    found = optimum(fit, flops=1e20).option("mxfp4 / mxfp8").break_even.median
    odds = 4.0 * np.exp(-1.0)
    assert found == pytest.approx((1 + odds) / odds / 0.9)


def test_group_size_is_that_of_the_table_unless_given():
    groups = {"gamma_G": 0.6, "gamma_D_train": 0.1, "gamma_N_train": 0.2}
    kinds = {
        f"{name}_{kind}": value for name, value in (("k", 0.02), ("c", 0.9)) for kind in ("w", "a", "kv")
    }
    fit = collapsed_fit("chen2025", BASE | kinds | groups, samples=4)
    with pytest.raises(InputError, match="needs group_size"):
        optimum(fit, flops=1e20)
    small, large = (optimum(fit, flops=1e20, group_size=size).option(4).loss.median for size in (32, 256))
    assert small < large
    object.__setattr__(fit, "rows", fit.rows.assign(group_size=256.0))
    assert optimum(fit, flops=1e20).option(4).loss.median == large
    assert optimum(fit, flops=1e20, group_size=32).to_dict()["question"]["group_size"] == 32


def test_integers_by_name_are_bits():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2)
    named = optimum(fit, flops=1e21, formats=("int8", "bf16")).option("int8")
    assert named.loss == optimum(fit, flops=1e21, bits=(8,)).option(8).loss
    with pytest.raises(InputError, match='no term for format "mxfp4"'):
        optimum(fit, flops=1e21, formats=("mxfp4",))
    with pytest.raises(InputError, match="how many bits"):
        optimum(fit, flops=1e21, formats=("posit",))


def test_cost_of_a_logged_format_is_that_of_the_wider_operand(frantar):
    assert set(logged_formats(frantar)) == set(SHIFTS)
    assert effective_bits("mxint8") == 8.0
