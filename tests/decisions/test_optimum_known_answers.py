"""The published answers of arXiv 2411.04330, from a posterior collapsed to its constants."""

import math

import numpy as np
import pytest

from bitlaw.decisions.optimum import optimum
from bitlaw.laws.law import Reference
from fits import REFERENCE, collapsed_fit, kumar_constants, measured_everywhere

FINE = np.arange(300, 1601, 5) / 100
NO_FLOORS = {"P0_w": 1e-9, "P0_a": 1e-9, "P0_kv": 1e-9}


@pytest.fixture(scope="module")
def published():
    return measured_everywhere(collapsed_fit("kumar2024", kumar_constants(), samples=2))


@pytest.mark.parametrize(
    "constants",
    [{}, {"E": 1.0, "a": 0.01, "b": 3.0, "alpha": 0.2, "beta": 0.9}, {"alpha": 0.9, "beta": 0.3}],
)
@pytest.mark.parametrize("flops", [1e18, 1e25])
def test_joint_optimum_is_seven_bits_whatever_the_base(constants, flops):
    fit = measured_everywhere(collapsed_fit("kumar2024", kumar_constants() | constants, samples=2))
    assert optimum(fit, flops=flops, bits=FINE).best == 7.00


def test_near_optimal_set_of_the_published_constants(published):
    decision = optimum(published, flops=1e21, bits=np.arange(550, 900) / 100)
    assert min(decision.near_optimal) == pytest.approx(5.97, abs=0.011)
    assert max(decision.near_optimal) == pytest.approx(8.41, abs=0.011)
    assert not decision.at_edge


def test_published_constants_do_not_depend_on_the_reference():
    reference = Reference(3e6, 7e8, REFERENCE.smallest_bits)
    moved = measured_everywhere(collapsed_fit("kumar2024", kumar_constants(reference), reference, samples=2))
    published = measured_everywhere(collapsed_fit("kumar2024", kumar_constants(), samples=2))
    losses = [optimum(fit, flops=1e20).option(8).loss.median for fit in (moved, published)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)


def test_without_offsets_the_answer_is_the_trap():
    fit = measured_everywhere(collapsed_fit("kumar2024", kumar_constants(offsets=False), samples=2))
    assert optimum(fit, flops=1e21, bits=np.arange(200, 1600) / 100).best == pytest.approx(3.47, abs=0.011)


def test_weights_only_without_offset_is_always_the_smallest_on_offer():
    fit = measured_everywhere(collapsed_fit("kumar2024", kumar_constants() | NO_FLOORS, samples=2))
    for smallest in (1.0, 2.0, 4.0):
        decision = optimum(fit, flops=1e21, bits=(16, 8, smallest), tensors=("weights",))
        assert decision.best == smallest
        assert decision.at_edge
        assert "edge" in decision.sentence()


def test_weights_only_with_the_published_offset(published):
    decision = optimum(published, flops=1e21, bits=np.arange(100, 1600) / 100, tensors=("weights",))
    assert decision.best == pytest.approx(2.66, abs=0.011)


@pytest.mark.parametrize(
    ("tensors", "factor"), [(("weights", "activations"), 1.26), (("weights", "activations", "kv"), 1.90)]
)
def test_equal_factors(tensors, factor):
    gamma = 2.5
    same = {"gamma_w": gamma, "gamma_a": gamma, "gamma_kv": gamma}
    fit = measured_everywhere(collapsed_fit("kumar2024", kumar_constants() | NO_FLOORS | same, samples=2))
    decision = optimum(fit, flops=1e21, bits=np.arange(100, 800) / 100, tensors=tensors)
    assert decision.best / gamma == pytest.approx(factor, abs=0.006)


def test_break_even_speed_ups(published):
    decision = optimum(published, flops=1e21, bits=(16, 8, 7, 6, 5, 4, 3))
    medians = {option.bits: option.break_even.median for option in decision.options}
    for bits, speed_up in {16: 1.0, 8: 1.20, 7: 1.34, 6: 1.63, 5: 2.33, 4: 5.20}.items():
        assert medians[bits] == pytest.approx(speed_up, abs=0.006)
    assert math.isinf(medians[3])
    assert decision.to_dict()["options"][-1]["break_even"]["median"] is None


@pytest.mark.parametrize(("ratio", "bits"), [(20, 8.2), (200, 10.9), (2000, 13.8)])
@pytest.mark.parametrize("n_params", [1e7, 1e10])
def test_fixed_parameters(published, n_params, ratio, bits):
    flops = 6 * n_params * ratio * n_params
    decision = optimum(published, n_params=n_params, flops=flops, bits=FINE)
    assert decision.best == pytest.approx(bits, abs=0.06)
