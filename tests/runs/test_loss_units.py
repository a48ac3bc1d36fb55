import math

import pytest

from bitlaw.runs.columns import LOSS_UNITS
from bitlaw.runs.loss_units import LOSS_UNIT_BY_NAME


def test_every_unit_is_known():
    assert tuple(LOSS_UNIT_BY_NAME) == LOSS_UNITS


@pytest.mark.parametrize(
    ("name", "value"), [("nats", 2.0), ("bits", 2.0 / math.log(2)), ("perplexity", math.e**2)]
)
def test_two_nats_in_every_unit(name, value):
    assert LOSS_UNIT_BY_NAME[name].to_nats(value) == pytest.approx(2.0, rel=1e-14)


@pytest.mark.parametrize("name", LOSS_UNITS)
def test_standard_error_is_the_derivative(name):
    unit = LOSS_UNIT_BY_NAME[name]
    step = 1e-6
    slope = (unit.to_nats(3.0 + step) - unit.to_nats(3.0 - step)) / (2 * step)
    assert unit.se_to_nats(0.01, 3.0) == pytest.approx(0.01 * slope, rel=1e-8)


def test_perplexity_of_one_is_no_loss():
    assert LOSS_UNIT_BY_NAME["perplexity"].loss.low == 1
    assert LOSS_UNIT_BY_NAME["bits"].loss.low == 0
