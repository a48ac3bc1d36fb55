import numpy as np
import pytest

from bitlaw.criticism.reported import reported_quantities
from bitlaw.inference.draws import loss_draws
from bitlaw.laws.registry import law_names
from bitlaw.laws.spec import parse_law
from fits import OBSERVED_LOSS, collapsed_fit, kumar_constants

POST = {"C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.65, "C_w": 50.0}


def test_the_largest_run_and_its_degradation_at_4_bits():
    fit = collapsed_fit("kumar2024", kumar_constants())
    found = reported_quantities(fit)
    assert list(found.data_vars) == ["loss_of_largest_run", "degradation_at_4_bits"]
    assert found.sizes == {"chain": 2, "draw": 32}
    largest = fit.rows[(fit.rows["n_params"] == 4e8) & (fit.rows["tokens"] == 4e10)].iloc[:1]
    assert found["loss_of_largest_run"].to_numpy() == pytest.approx(loss_draws(fit, largest).trained[0, 0])


def test_a_law_that_takes_losses_as_data_reports_the_degradation_of_the_measured_one():
    """C (D/D̄)^γD (N/N̄)^-γN at 4 bits, bounded by ln V less the measured loss."""
    fit = collapsed_fit("ptq-gap", POST, vocab_size=32000)
    found = reported_quantities(fit)
    assert list(found.data_vars) == ["degradation_at_4_bits"]
    room = np.log(32000) - OBSERVED_LOSS
    expected = room * -np.expm1(-0.03 * 4**0.5 * 4**-0.3 / room)
    assert found["degradation_at_4_bits"].to_numpy() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", law_names())
def test_every_law_has_finite_numbers(make_fit, name):
    found = reported_quantities(make_fit(name))
    assert all(np.isfinite(values.to_numpy()).all() for values in found.data_vars.values())
    assert found.data_vars


FORMATS_AND_POST = """
name = "formats-and-post"
title = "Formats in training, bits after it"
source = "test"
summary = "Format factors and a degradation after training."
[terms]
base = "coupled"
training = ["format-parameters"]
post = "exponential"
"""


def test_a_largest_run_in_a_format_is_asked_about_unquantized(make_fit, design):
    """No run is in that format with 16-bit weights, so the fit has not seen it."""
    weights_only = design["bits_activations"].eq(16) & design["bits_kv"].eq(16)
    frame = design[weights_only & design["bits_weights"].eq(4)].assign(format="fp4")
    fit = make_fit(parse_law(FORMATS_AND_POST, "test"), frame)
    assert fit.largest_run()["format"] == "fp4"
    assert list(reported_quantities(fit).data_vars) == ["loss_of_largest_run", "degradation_at_4_bits"]
