"""Published constants, in raw counts, through the centred laws: the papers' own numbers come back."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from bitlaw.laws.capacity import log_share, log_share_printed
from bitlaw.laws.evaluate import Trained, log_post_degradation, train
from bitlaw.laws.floating_point import penalty as floating_point_penalty
from bitlaw.laws.formats import floating_point
from bitlaw.laws.law import Law, Reference
from bitlaw.laws.registry import load_law
from fits import KUMAR, SUN, kumar_constants, sun_constants

REFERENCE = Reference(3e8, 2e10, dict.fromkeys(("bits_weights", "bits_activations", "bits_kv"), 3.0))
N_BAR, D_BAR = REFERENCE.n_params, REFERENCE.tokens
SIXTEEN = dict.fromkeys(("bits_weights", "bits_activations", "bits_kv", "bits_gradients"), 16.0)


def trained(law: Law, p: Mapping[str, float], n_params: float, tokens: float, **columns: object) -> Trained:
    """One run under given constants, without a bound."""
    point = SIXTEEN | {"n_params": n_params, "tokens": tokens, "ceiling": np.inf} | columns
    point = {name: np.asarray(value) for name, value in point.items()}
    return train(law, p, point, REFERENCE, np)


def chinchilla(a: float, b: float, e: float, alpha: float, beta: float) -> dict[str, float]:
    """Chinchilla constants from raw counts."""
    return {"E": e, "a": a * N_BAR**-alpha, "b": b * D_BAR**-beta, "alpha": alpha, "beta": beta}


def test_chinchilla_replication() -> None:
    p = chinchilla(482.01, 2085.43, 1.8172, 0.3478, 0.3658)
    n, d = 70e9, 1.4e12
    expected = 1.8172 + 482.01 * n**-0.3478 + 2085.43 * d**-0.3658
    assert trained(load_law("chinchilla"), p, n, d).loss == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(1.974, abs=5e-4)


def test_kaplan_is_the_coupled_law_without_a_floor() -> None:
    """Constants of arXiv 2001.08361: alpha .076, beta .103, N_c 6.4e13, D_c 1.8e13."""
    alpha, beta, n_c, d_c = 0.076, 0.103, 6.4e13, 1.8e13
    p = {"E": 0.0, "a": (N_BAR / n_c) ** -alpha, "b": (D_BAR / d_c) ** -beta, "alpha": alpha, "beta": beta}
    n, d = 1.5e9, 2.2e10
    expected = ((n_c / n) ** (alpha / beta) + d_c / d) ** beta
    for law in ("kaplan", "coupled"):
        assert trained(load_law(law), p | {"g": beta}, n, d).loss == pytest.approx(expected, rel=1e-12)
    law = load_law("kaplan")
    sampled = {"mean_loss": 3.0, "n_share": 0.3, "slope_n": 0.03, "slope_d": 0.06}
    constants = law.complete(sampled, np)
    assert constants["E"] == 0.0
    assert constants["g"] == constants["beta"]


def test_kumar_table_2() -> None:
    p, n, d = kumar_constants(REFERENCE), 1e8, 5e9
    bits = {"bits_weights": 6.0, "bits_activations": 5.0, "bits_kv": 4.0}
    shares = [
        1 - math.exp(-at / KUMAR[f"gamma_{x}"] + KUMAR[f"n_{x}"])
        for x, at in zip(("w", "a", "kv"), bits.values(), strict=True)
    ]
    n_eff = n * math.prod(shares)
    expected = KUMAR["E"] + KUMAR["A"] * n_eff ** -KUMAR["alpha"] + KUMAR["B"] * d ** -KUMAR["beta"]
    found = trained(load_law("kumar2024"), p, n, d, **bits)
    assert found.loss == pytest.approx(expected, rel=1e-12)
    assert N_BAR * np.exp(found.log_n) == pytest.approx(n_eff, rel=1e-12)


def test_kumar_keeps_its_printed_share_at_16_bits_and_loses_all_activations_at_3() -> None:
    p = kumar_constants()
    assert np.exp(log_share_printed(p, SIXTEEN, np)) == pytest.approx(0.9937, abs=5e-4)
    assert log_share(p, SIXTEEN, np) == 0.0
    assert (p["P0_w"], p["P0_a"], p["P0_kv"]) == pytest.approx((0.81, 3.11, 2.32), abs=0.005)


def test_kumar_post_training_constants() -> None:
    law, p, n, d, bits = load_law("kumar2024"), kumar_constants(REFERENCE), 3e7, 5e9, 3.0
    point = {"tokens": d, "bits_weights": 16.0, "bits_post": bits, "post_symmetric": False}
    expected = (
        KUMAR["C_T"] * d ** KUMAR["gamma_D"] / n ** KUMAR["gamma_N"]
        * math.exp(-bits / KUMAR["gamma_post"] + KUMAR["offset_post"])
    )  # fmt: skip
    found = np.exp(log_post_degradation(law, p, point, math.log(n / N_BAR), REFERENCE, np))
    assert found == pytest.approx(expected, rel=1e-10)


def test_ouyang_predicts_50_nats_where_the_bound_is_needed() -> None:
    k, gamma_d, gamma_n, gamma_p = 0.017, 0.5251, 0.2261, 5.4967
    c = k * D_BAR**gamma_d / (N_BAR**gamma_n * 4.0**gamma_p)
    law, p = load_law("ouyang2024"), {"C": c, "gamma_D": gamma_d, "gamma_N": gamma_n, "gamma_P": gamma_p}
    n, d = 7e9, 1e14
    point = {"tokens": d, "bits_post": 2.0, "post_symmetric": False}
    found = np.exp(log_post_degradation(law, p, point, math.log(n / N_BAR), REFERENCE, np))
    assert found == pytest.approx(k * d**gamma_d / (n**gamma_n * 2.0**gamma_p), rel=1e-10)
    assert found == pytest.approx(50, abs=0.5)


CHEN = {
    "w4a4": ((4.0, 4.0), 0.1582, 0.2186, 0.0745, 0.7779),
    "w4a16": ((4.0, 16.0), 0.2522, 0.3589, 0.1610, 0.3533),
    "w16a4": ((16.0, 4.0), 0.1004, 0.1816, 0.0331, 0.9812),
}
"""Of arXiv 2505.14302: bits of weights and activations; k, γN, γD, γG in raw counts."""


def chen_penalty(precision: str, n: float, d: float, group: float) -> float:
    """δ = k D^γD (log2 G)^γG / N^γN, nats/token."""
    _, k, gamma_n, gamma_d, gamma_g = CHEN[precision]
    return k * d**gamma_d * math.log2(group) ** gamma_g / n**gamma_n


@pytest.mark.parametrize("precision", CHEN)
@pytest.mark.parametrize(("n", "d", "group"), [(7.4e7, 1e10, 32.0), (5.94e8, 1e11, 128.0)])
def test_chen_penalties(precision: str, n: float, d: float, group: float) -> None:
    (weights, activations), _, gamma_n, gamma_d, gamma_g = CHEN[precision]
    c = 0.9
    at_centre = chen_penalty(precision, N_BAR, D_BAR, 128.0) / (1 - math.exp(-12 / c))
    first = "k_w" if weights < 16 else "k_a"
    constants = {"k_w": 0.0, "k_a": 0.0, "k_kv": 0.0, "c_w": c, "c_a": c, "c_kv": c, first: at_centre}
    constants |= {"gamma_D_train": gamma_d, "gamma_N_train": gamma_n, "gamma_G": gamma_g}
    p = chinchilla(482.01, 2085.43, 1.8172, 0.3478, 0.3658) | constants
    bits = {"bits_weights": weights, "bits_activations": activations, "group_size": group}
    found = trained(load_law("chen2025"), p, n, d, **bits)
    assert found.penalty == pytest.approx(chen_penalty(precision, n, d, group), rel=1e-10)


def test_chen_weights_and_activations_together_cost_a_tenth_less_than_the_sum() -> None:
    together, weights, activations = (chen_penalty(name, 5.94e8, 1e11, 128.0) for name in CHEN)
    assert together == pytest.approx(0.906 * (weights + activations), rel=0.05)


def sun_format(exponent: float, mantissa: float, block: float = 128.0) -> dict[str, object]:
    """Columns of a floating-point format."""
    return {
        "exponent_bits": exponent, "mantissa_bits": mantissa, "block_size": block, "is_floating": True
    }  # fmt: skip


@pytest.mark.parametrize(("exponent", "mantissa", "block"), [(2, 1, 128.0), (4, 3, 32.0), (5, 2, 512.0)])
def test_sun_loss(exponent: int, mantissa: int, block: float) -> None:
    n, d = 6.79e8, 1e11
    s = SUN
    grid = s["gamma"] * (exponent + 0.5) ** s["delta"] * (mantissa + 0.5) ** s["nu"]
    added = d ** s["beta"] / n ** s["alpha"] * math.log2(block) / grid
    expected = s["n"] / n ** s["alpha"] + s["d"] / d ** s["beta"] + s["floor"] + added
    found = trained(
        load_law("sun2025"), sun_constants(REFERENCE), n, d, **sun_format(exponent, mantissa, block)
    )
    assert found.loss == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("bits", "name"), [(4, "e2m1"), (8, "e4m3"), (16, "e8m7")])
def test_sun_best_split_of_exponent_and_mantissa(bits: int, name: str) -> None:
    """M = ν P/(δ + ν) - .5 with P = E + M + 1, which rounds to the formats that hardware has."""
    p = sun_constants(REFERENCE)

    def added(mantissa: float) -> float:
        here = sun_format(bits - 1 - mantissa, mantissa)
        return float(floating_point_penalty(p, here, 0.0, 0.0, np))

    best = minimize_scalar(added, bounds=(-0.3, bits - 0.8), method="bounded", options={"xatol": 1e-9}).x
    assert best == pytest.approx(SUN["nu"] * bits / (SUN["delta"] + SUN["nu"]) - 0.5, abs=1e-5)
    known = floating_point(name)
    assert known is not None
    assert round(best) == known.mantissa_bits


@pytest.mark.parametrize(("name", "tokens"), [("e8m7", 1730e12), ("e4m3", 27e12), ("e2m1", 0.4e12)])
def test_sun_tokens_beyond_which_training_longer_hurts(name: str, tokens: float) -> None:
    """One billion parameters, blocks of 128: the root of dL/dD."""
    law, p, known = load_law("sun2025"), sun_constants(REFERENCE), floating_point(name)
    assert known is not None

    def slope(log_d: float) -> float:
        columns = sun_format(known.exponent_bits, known.mantissa_bits)
        above, below = (
            float(trained(law, p, 1e9, math.exp(log_d + step), **columns).loss) for step in (1e-4, -1e-4)
        )
        return above - below

    critical = math.exp(brentq(slope, math.log(1e9), math.log(1e18)))
    assert critical == pytest.approx(tokens, rel=0.02)


@pytest.mark.parametrize("factor", [0.923, 0.747, 0.067])
def test_frantar_factor_is_a_share_of_parameters(factor: float) -> None:
    p = chinchilla(482.01, 2085.43, 1.8172, 0.3478, 0.3658) | {"eff_N": factor}
    law, n, d = load_law("frantar2025"), 1e9, 2e10
    quantized = trained(law, p, n, d, is_quantized=True)
    assert quantized.loss == pytest.approx(trained(law, p, factor * n, d, is_quantized=False).loss, rel=1e-12)


@pytest.mark.parametrize(("eff_n", "eff_d"), [(0.42, 0.88), (0.59, 0.93), (0.64, 0.83)])
def test_quartet_factors_are_shares_of_parameters_and_tokens(eff_n: float, eff_d: float) -> None:
    p = chinchilla(482.01, 2085.43, 1.8172, 0.3478, 0.3658) | {"g": 0.274, "eff_N": eff_n, "eff_D": eff_d}
    law, n, d = load_law("quartet2025"), 1e9, 2e10
    quantized = trained(law, p, n, d, is_quantized=True, is_quantized_backward=True)
    whole = trained(law, p, eff_n * n, eff_d * d, is_quantized=False, is_quantized_backward=False)
    assert quantized.loss == pytest.approx(whole.loss, rel=1e-12)
