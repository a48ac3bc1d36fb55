"""Terms: the same in NumPy and PyTensor, the limits they must respect, and published constants."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from bitlaw.inference.prior import prior_draws
from bitlaw.laws.bases import COUPLED, chinchilla_loss, coupled_loss
from bitlaw.laws.capacity import capacity_share, log_share, log_share_printed
from bitlaw.laws.evaluate import bounded, log_effective_params, log_post_degradation, trained_loss
from bitlaw.laws.law import Law, Reference
from bitlaw.laws.post import bits_coordinate
from bitlaw.laws.registry import law_names, load_law

REFERENCE = Reference(1e8, 2e9, {"bits_weights": 3.0, "bits_activations": 4.0, "bits_kv": 3.0})
ROWS = 40


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    bits = {
        name: rng.choice([4.0, 5.0, 8.0, 16.0, 32.0], ROWS)
        for name in ("bits_weights", "bits_activations", "bits_kv")
    }
    return {
        **bits,
        "n_params": 10 ** rng.uniform(7, 9, ROWS),
        "tokens": 10 ** rng.uniform(8, 11, ROWS),
        "bits_post": rng.choice([2.0, 3.0], ROWS),
        "post_symmetric": rng.random(ROWS) < 0.5,
        "ceiling": np.full(ROWS, np.log(50_000.0)),
    }


def evaluate(law: Law, p: dict, columns: dict, xp: object) -> tuple:
    log_n = log_effective_params(law, p, columns, REFERENCE, xp)
    loss = trained_loss(law, p, columns, log_n, REFERENCE, xp)
    if law.post is None:
        return (loss,)
    return loss, log_post_degradation(law, p, columns, log_n, REFERENCE, xp)


@pytest.mark.parametrize("name", law_names())
def test_numpy_and_pytensor_agree_and_gradients_are_finite(name: str, columns: dict) -> None:
    law = load_law(name)
    draws = prior_draws(law, REFERENCE, 50, seed=3)
    inputs = {key: pt.dscalar(key) for key in draws}
    outputs = evaluate(law, inputs, columns, pt)
    total = sum(output.sum() for output in outputs)
    gradients = pytensor.grad(total, list(inputs.values()), disconnected_inputs="ignore")
    compiled = pytensor.function(
        list(inputs.values()), [*outputs, *gradients], on_unused_input="ignore", mode="FAST_COMPILE"
    )
    for index in range(50):
        p = {key: values[index] for key, values in draws.items()}
        expected = evaluate(law, p, columns, np)
        found = compiled(*p.values())
        for ours, theirs in zip(expected, found, strict=False):
            np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=1e-12)
        assert np.isfinite(found[len(expected) :]).all()


@pytest.mark.parametrize("name", law_names())
def test_more_params_tokens_or_bits_never_hurt_a_trained_run(name: str, columns: dict) -> None:
    law = load_law(name)
    p = {key: values[:, None] for key, values in prior_draws(law, REFERENCE, 200, seed=5).items()}
    loss = evaluate(law, p, columns, np)[0]
    for column, factor in {"n_params": 1.7, "tokens": 1.7, "bits_weights": 1.5, "bits_kv": 1.2}.items():
        more = evaluate(law, p, columns | {column: columns[column] * factor}, np)[0]
        assert (more <= loss * (1 + 1e-12)).all()


@pytest.mark.parametrize("name", [name for name in law_names() if name != "kumar2024"])
def test_unquantized_runs_follow_the_base_law(name: str, columns: dict) -> None:
    law = load_law(name)
    p = {key: values[:, None] for key, values in prior_draws(law, REFERENCE, 20, seed=7).items()}
    unquantized = columns | {
        column: np.full(ROWS, 16.0) for column in ("bits_weights", "bits_activations", "bits_kv")
    }
    log_n = np.log(columns["n_params"] / REFERENCE.n_params)
    log_d = np.log(columns["tokens"] / REFERENCE.tokens)
    np.testing.assert_array_equal(evaluate(law, p, unquantized, np)[0], law.base.loss(p, log_n, log_d, np))


def test_printed_law_keeps_its_share_at_16_bits() -> None:
    table_2 = {
        "gamma_w": 2.6745, "P0_w": 2.6745 * 0.3037,
        "gamma_a": 2.2102, "P0_a": 2.2102 * 1.4072,
        "gamma_kv": 0.9578, "P0_kv": 0.9578 * 2.4185,
    }  # fmt: skip
    sixteen = dict.fromkeys(("bits_weights", "bits_activations", "bits_kv"), 16.0)
    assert np.exp(log_share_printed(table_2, sixteen, np)) == pytest.approx(0.9937, abs=5e-4)
    assert log_share(table_2, sixteen, np) == 0.0
    assert table_2["P0_a"] == pytest.approx(3.11, abs=0.005)


def test_zero_capacity_gives_the_loss_of_guessing() -> None:
    law = load_law("kumar2024-coupled")
    p = {key: values[:, None] for key, values in prior_draws(law, REFERENCE, 100, seed=1).items()}
    one_bit = {
        "n_params": np.array([1e8]), "tokens": np.array([2e9]), "bits_weights": np.array([16.0]),
        "bits_activations": np.array([1.0]), "bits_kv": np.array([16.0]), "ceiling": np.log([5e6]),
    }  # fmt: skip
    p["P0_a"] = np.full_like(p["P0_a"], 1.0)
    log_n = log_effective_params(law, p, one_bit, REFERENCE, np)
    np.testing.assert_allclose(trained_loss(law, p, one_bit, log_n, REFERENCE, np), np.log(5e6))


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


def test_degradation_at_the_centre_and_four_bits_is_c() -> None:
    law = load_law("kumar2024")
    p = {"C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}
    for symmetric in (False, True):
        here = {"bits_weights": 16.0, "bits_post": 4.0, "post_symmetric": symmetric}
        assert np.exp(law.post.log_degradation(p, here, 0.0, 0.0, np)) == pytest.approx(0.03)
    doubled = {"bits_weights": 16.0, "bits_post": 4.0, "post_symmetric": False}
    assert np.exp(law.post.log_degradation(p, doubled, 0.0, np.log(2), np)) == pytest.approx(0.03 * 2**0.5)


@pytest.mark.parametrize("bits", [2.0, 3.0, 4.0, 8.0])
def test_symmetric_grid_counts_its_levels(bits: float) -> None:
    levels_a_side = 2 ** (bits - 1) - 1
    assert bits_coordinate(bits, True, np) == pytest.approx(1 + np.log2(levels_a_side))
    assert bits_coordinate(bits, False, np) == bits


def test_capacity_share_known_values() -> None:
    assert capacity_share(1.0, 2.0, 1.0, np) == 1e-300
    assert capacity_share(3.0, 2.0, 1.0, np) == pytest.approx(1 - np.exp(-1))


def test_bound_never_exceeds_guessing_and_is_exact_for_small_penalties() -> None:
    penalty = np.logspace(-12, 3, 60)
    ceiling = np.log(256.0)
    found = bounded(penalty, 1.5, ceiling, np)
    assert (found + 1.5 <= ceiling).all()
    np.testing.assert_allclose(found[penalty < 1e-6], penalty[penalty < 1e-6], rtol=1e-6)
    np.testing.assert_array_equal(bounded(penalty, 1.5, np.inf, np), penalty)
