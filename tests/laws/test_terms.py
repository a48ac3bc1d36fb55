"""Terms one by one: values that follow from their definitions."""

import math

import numpy as np
import pytest

from bitlaw.laws.additive import ADDITIVE, ADDITIVE_IN_GROUPS
from bitlaw.laws.bases import COUPLED, chinchilla_loss, coupled_loss
from bitlaw.laws.capacity import EFFECTIVE_TOKENS, capacity_share
from bitlaw.laws.evaluate import bounded
from bitlaw.laws.formats import bits_say_all, floating_point, is_unquantized
from bitlaw.laws.post import EXPONENTIAL, POWER, bits_coordinate

SIXTEEN = dict.fromkeys(("bits_weights", "bits_activations", "bits_kv", "bits_gradients"), 16.0)
PENALTY = {
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.01, "c_kv": 0.7,
    "gamma_D_train": 0.15, "gamma_N_train": 0.2,
}  # fmt: skip


def test_coupled_with_outer_exponent_one_is_chinchilla() -> None:
    p = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37, "g": 1.0}
    log_n, log_d = np.random.default_rng(0).normal(size=(2, 30))
    np.testing.assert_allclose(
        coupled_loss(p, log_n, log_d, np), chinchilla_loss(p, log_n, log_d, np), rtol=1e-13
    )


def test_coupled_constants_give_the_sampled_slopes_back() -> None:
    sampled = {
        "mean_loss": 2.4, "floor_share": 0.5, "n_share": 0.3, "slope_n": 0.06, "slope_d": 0.08, "g": 0.4,
    }  # fmt: skip
    p = COUPLED.constants(sampled, np)
    step = 1e-5

    def log_loss(log_n: float, log_d: float) -> float:
        return float(np.log(coupled_loss(p, log_n, log_d, np)))

    assert np.exp(log_loss(0, 0)) == pytest.approx(2.4)
    assert -(log_loss(step, 0) - log_loss(-step, 0)) / (2 * step) == pytest.approx(0.06, rel=1e-6)
    assert -(log_loss(0, step) - log_loss(0, -step)) / (2 * step) == pytest.approx(0.08, rel=1e-6)


@pytest.mark.parametrize("term", [EXPONENTIAL, POWER], ids=lambda term: term.name)
def test_degradation_at_the_centre_and_four_bits_is_c(term) -> None:
    p = {"C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0, "gamma_P": 5.5}
    for symmetric in (False, True):
        here = {"bits_weights": 16.0, "bits_post": 4.0, "post_symmetric": symmetric}
        assert np.exp(term.log_degradation(p, here, 0.0, 0.0, np)) == pytest.approx(0.03)
        assert np.exp(term.log_degradation(p, here, 0.0, np.log(2), np)) == pytest.approx(0.03 * 2**0.5)
        assert np.exp(term.log_degradation(p, here, np.log(2), 0.0, np)) == pytest.approx(0.03 * 2**-0.3)


def test_exponential_degradation_vanishes_at_the_training_bits_and_power_does_not() -> None:
    p = {"C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 0.5, "gamma_P": 5.5}
    here = {"bits_weights": 4.0, "bits_post": 4.0 - 1e-9, "post_symmetric": False}
    assert np.exp(EXPONENTIAL.log_degradation(p, here, 0.0, 0.0, np)) < 1e-9
    assert np.exp(POWER.log_degradation(p, here, 0.0, 0.0, np)) == pytest.approx(0.03)


@pytest.mark.parametrize("bits", [2.0, 3.0, 4.0, 8.0])
def test_symmetric_grid_counts_its_levels(bits: float) -> None:
    levels_a_side = 2 ** (bits - 1) - 1
    assert bits_coordinate(bits, True, np) == pytest.approx(1 + np.log2(levels_a_side))
    assert bits_coordinate(bits, False, np) == bits


def test_capacity_share_known_values() -> None:
    assert capacity_share(1.0, 2.0, 1.0, np) == 1e-300
    assert capacity_share(3.0, 2.0, 1.0, np) == pytest.approx(1 - np.exp(-1))


def test_effective_tokens_follow_the_bits_of_the_gradients() -> None:
    p = {"gamma_g": 2.0, "P0_g": 1.0}
    assert EFFECTIVE_TOKENS.log_share_d(p, SIXTEEN, np) == 0.0
    expected = (1 - math.exp(-3.5)) / (1 - math.exp(-7.5))
    assert np.exp(EFFECTIVE_TOKENS.log_share_d(p, {"bits_gradients": 8.0}, np)) == pytest.approx(expected)


def test_penalties_of_tensor_kinds_add_up_and_vanish_at_16_bits() -> None:
    def at(**bits: float) -> float:
        return float(ADDITIVE.penalty(PENALTY, SIXTEEN | bits, 0.0, 0.0, np))

    assert at() == 0.0
    assert at(bits_weights=4.0) == pytest.approx(0.02, rel=1e-5)
    alone = at(bits_weights=3.0) + at(bits_activations=6.0) + at(bits_kv=2.0)
    assert at(bits_weights=3.0, bits_activations=6.0, bits_kv=2.0) == pytest.approx(alone)
    assert at(bits_weights=3.1) / at(bits_weights=4.0) == pytest.approx(math.e, rel=1e-5)


def test_penalty_has_its_own_exponents() -> None:
    bits = SIXTEEN | {"bits_weights": 4.0}
    one, more_d, more_n = (
        float(ADDITIVE.penalty(PENALTY, bits, log_n, log_d, np)) for log_n, log_d in ((0, 0), (0, 1), (1, 0))
    )
    assert math.log(more_d / one) == pytest.approx(0.15)
    assert math.log(more_n / one) == pytest.approx(-0.2)


def test_group_size_enters_by_its_logarithm_relative_to_128() -> None:
    p, bits = PENALTY | {"gamma_G": 0.6}, SIXTEEN | {"bits_weights": 4.0}
    sizes = {size: float(ADDITIVE_IN_GROUPS.penalty(p, bits | {"group_size": size}, 0.0, 0.0, np))
             for size in (1.0, 2.0, 128.0, 2.0**14)}  # fmt: skip
    assert sizes[128.0] == pytest.approx(float(ADDITIVE.penalty(PENALTY, bits, 0.0, 0.0, np)))
    assert sizes[2.0**14] / sizes[128.0] == pytest.approx(2**0.6)
    assert sizes[1.0] == sizes[2.0] > 0.0


def test_bound_never_exceeds_guessing_and_is_exact_for_small_penalties() -> None:
    penalty = np.logspace(-12, 3, 60)
    ceiling = np.log(256.0)
    found = bounded(penalty, 1.5, ceiling, np)
    assert (found + 1.5 <= ceiling).all()
    np.testing.assert_allclose(found[penalty < 1e-6], penalty[penalty < 1e-6], rtol=1e-6)
    np.testing.assert_array_equal(bounded(penalty, 1.5, np.inf, np), penalty)


def test_bound_adds_nothing_to_a_model_that_is_worse_than_guessing() -> None:
    assert bounded(0.3, 6.0, np.log(256.0), np) == 0.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fp4", (2, 1, None)), ("MXFP4", (2, 1, 32)), ("nvfp4", (2, 1, 16)), ("fp8", (4, 3, None)),
        ("e5m2", (5, 2, None)), ("mxfp8-e5m2", (5, 2, 32)), ("mxfp6", (2, 3, 32)), ("e3m2", (3, 2, None)),
        ("int8", None), ("", None), ("ternary", None),
    ],
)  # fmt: skip
def test_formats_by_name(name: str, expected: tuple[int, int, int | None] | None) -> None:
    known = floating_point(name)
    assert (known and (known.exponent_bits, known.mantissa_bits, known.block_size)) == expected


@pytest.mark.parametrize("name", ["", "bf16", "BF16", "fp16", "fp32", "float16"])
def test_sixteen_bit_formats_are_unquantized(name: str) -> None:
    assert is_unquantized(name)
    assert bits_say_all(name)
