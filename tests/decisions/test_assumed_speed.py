"""Speeds that are assumed where no chip is named, against those of the chips that are listed."""

import pytest

from bitlaw.decisions.assumed_speed import AssumedSpeed, assumed_speed
from bitlaw.decisions.budget import budget
from bitlaw.decisions.hardware import chip_names, load_chip
from bitlaw.decisions.on_offer import OnOffer, format_option, on_offer
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.decisions.question import PrecisionQuestion
from fits import collapsed_fit, kumar_constants, measured_everywhere

BOTH = ("weights", "activations")


@pytest.fixture(scope="module")
def fit():
    return measured_everywhere(collapsed_fit("kumar2024", kumar_constants(), samples=20, jitter=0.02))


def offered(fit, bits: float, tensors: tuple[str, ...] = BOTH, pricing: Pricing = FLOP_BITS) -> OnOffer:
    question = PrecisionQuestion(None, 1e9, 1e10, (bits,), (), None, tensors, 0.01, None, 0.9, None, pricing)
    return on_offer(question, [fit])[0]


@pytest.mark.parametrize("bits", [8.0, 6.0, 5.0, 4.0, 3.0])
def test_the_listed_peak_is_the_least_cost_on_any_chip(fit, bits):
    found = assumed_speed(offered(fit, bits))
    able = [load_chip(name) for name in chip_names() if load_chip(name).of_bits(bits)]
    costs = [offered(fit, bits, pricing=Pricing(chip)).cost for chip in able]
    assert found == AssumedSpeed(16 / bits, pytest.approx(1 / min(costs)) if costs else None)


def test_bits_of_no_chip(fit):
    found = assumed_speed(offered(fit, 5.0))
    assert found.listed_peak is None
    assert "no listed chip multiplies in 5 bits: see --hardware" in found.text("5 bits")


def test_a_format_goes_by_its_name():
    blocks, plain = (assumed_speed(format_option(name, FLOP_BITS, BOTH)) for name in ("nvfp4", "fp4-e2m1"))
    assert blocks == AssumedSpeed(16 / 4.5, 6.0)
    assert plain == AssumedSpeed(4.0, None)


def test_with_one_operand_at_16_bits_no_chip_is_faster(fit):
    found = assumed_speed(offered(fit, 4.0, ("weights",)))
    assert found == AssumedSpeed(4.0, 1.0)
    assert "listed chips peak at 1x in 4 bits" in found.text("4 bits")


def test_nothing_is_assumed_at_16_bits_and_on_a_chip(fit):
    assert assumed_speed(offered(fit, 16.0)) is None
    assert assumed_speed(offered(fit, 8.0, pricing=Pricing(load_chip("h100")))) is None


def test_optimum_says_that_its_speed_is_assumed(fit):
    decision = optimum(fit, flops=1e21, bits=(16, 6))
    said = (
        "an assumed 2.67x the speed of 16 bits (FLOP in proportion to bits; listed chips peak at 2x in 6 bits"
    )
    assert said in decision.sentence()
    six, sixteen = decision.option(6.0).to_dict(), decision.option(16.0).to_dict()
    assert six["assumed"] == {"speed_up": pytest.approx(16 / 6), "listed_peak": pytest.approx(2.0)}
    assert sixteen["assumed"] is None


def test_budget_says_so_too(fit):
    decision = budget(fit, flops=1e21, bits=(6, 5))
    bits = decision.best
    assert (
        f"Training in it is counted at an assumed {16 / bits:.3g}x the speed of 16 bits"
        in decision.sentence()
    )
    assert decision.option(5.0).to_dict()["assumed"] == {"speed_up": 3.2, "listed_peak": None}


@pytest.mark.parametrize("decide", [optimum, budget])
def test_on_a_chip_nothing_is_assumed(fit, decide):
    decision = decide(fit, flops=1e21, hardware="h100")
    assert "assumed" not in decision.sentence().partition("Risk")[0]
    assert all(option.to_dict()["assumed"] is None for option in decision.options)
