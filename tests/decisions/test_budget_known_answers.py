"""The budget decision against closed forms and dense grids, from posteriors collapsed to constants."""

import numpy as np
import pytest

from bitlaw.decisions.budget import budget
from bitlaw.decisions.costs import inference_flop, tokens_bought, training_flop
from bitlaw.decisions.law_draws import law_draws
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.reoptimise import reoptimise
from bitlaw.inference.draws import loss_draws, points_frame
from fits import KUMAR, NOISE, REFERENCE, collapsed_fit, kumar_constants, measured_everywhere

CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}
BITS = ("bits_weights", "bits_activations", "bits_kv")


@pytest.fixture(scope="module")
def published():
    return measured_everywhere(collapsed_fit("kumar2024", kumar_constants(), samples=2))


@pytest.mark.parametrize("flops", [1e18, 1e21, 1e24])
@pytest.mark.parametrize("exponents", [(0.35, 0.37), (0.25, 0.6), (0.5, 0.5)])
def test_chinchilla_optimal_sizes(flops, exponents):
    alpha, beta = exponents
    p = CHINCHILLA | {"alpha": alpha, "beta": beta}
    best = budget(
        measured_everywhere(collapsed_fit("chinchilla", p | NOISE, samples=2)), flops=flops
    ).options[0]
    a, b = p["a"] * REFERENCE.n_params**alpha, p["b"] * REFERENCE.tokens**beta
    n_params = (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * (flops / 6) ** (beta / (alpha + beta))
    assert best.n_params == pytest.approx(n_params, rel=1e-3)
    assert best.tokens == pytest.approx(flops / 6 / n_params, rel=1e-3)
    assert best.best_n_params.median == pytest.approx(n_params, rel=1e-3)


def test_seven_bits_of_those_from_16_to_3(published):
    fine = np.arange(300, 1601, 5) / 100
    decision = budget(published, flops=1e21, bits=fine)
    assert decision.best == 7.00
    assert min(decision.near_optimal) == pytest.approx(5.97, abs=0.051)
    assert max(decision.near_optimal) == pytest.approx(8.41, abs=0.051)
    assert not decision.at_edge


def test_twice_the_budget_lowers_the_reducible_loss_by_a_power_of_two(published):
    decision = budget(published, flops=1e21, bits=(8,))
    reducible = decision.options[0].loss.median - KUMAR["E"]
    left = reducible - decision.more.gain.median
    assert left / reducible == pytest.approx(
        2.0 ** -(KUMAR["alpha"] * KUMAR["beta"] / (KUMAR["alpha"] + KUMAR["beta"])), rel=1e-5
    )


@pytest.mark.parametrize("lifetime_tokens", [1e9, 1e11, 1e13])
@pytest.mark.parametrize("serving_bits", [None, 4.0])
def test_serving_against_a_dense_grid(published, lifetime_tokens, serving_bits):
    flops = 1e21
    decision = budget(
        published, flops=flops, bits=(8,), lifetime_tokens=lifetime_tokens, serving_bits=serving_bits
    )
    plan, served = decision.options[0], inference_flop(1.0, lifetime_tokens) * (serving_bits or 8.0) / 16
    n_params = flops / served / (1.0 + np.exp(np.linspace(-25, 25, 20001)))
    tokens = tokens_bought(flops - n_params * served, n_params, 0.5)
    points = points_frame(n_params=n_params, tokens=tokens, **dict.fromkeys(BITS, 8.0))
    losses = loss_draws(published, points, drift=False).mean[0]
    best = int(losses.argmin())
    assert plan.loss.median <= losses.min() + 1e-9
    assert plan.n_params == pytest.approx(n_params[best], rel=5e-3)
    assert plan.tokens == pytest.approx(tokens[best], rel=5e-3)
    assert training_flop(plan.n_params, plan.tokens) * 0.5 + plan.n_params * served == pytest.approx(flops)


def test_the_more_is_served_the_smaller_the_model_and_none_served_is_the_plain_optimum(published):
    served = [0.0, 1.0, 1e10, 1e11, 1e12, 1e13, 1e14]
    plans = [budget(published, flops=1e21, bits=(8,), lifetime_tokens=one).options[0] for one in served]
    sizes, losses = [plan.n_params for plan in plans], [plan.loss.median for plan in plans]
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-3)
    assert sizes[1:] == sorted(sizes[1:], reverse=True)
    assert losses[1:] == sorted(losses[1:])
    assert sizes[-1] < 0.05 * sizes[0]
    cheaper = budget(published, flops=1e21, bits=(8,), lifetime_tokens=1e12, serving_bits=4).options[0]
    assert sizes[4] < cheaper.n_params < sizes[0]


def test_serving_leaves_few_bits_cheaper_where_it_is_priced_as_training(published):
    decision = budget(published, flops=1e21, bits=np.arange(50, 100) / 10, lifetime_tokens=1e13)
    assert decision.best < 7.5
    costs = [
        training_flop(option.n_params, option.tokens) * option.cost
        + inference_flop(option.n_params, 1e13) * option.cost
        for option in decision.options
    ]
    np.testing.assert_allclose(costs, 1e21)


@pytest.mark.parametrize("law_name", ["kumar2024-coupled", "bitlaw-default"])
def test_every_draw_finds_its_optimum_with_serving(law_name):
    additive = {
        "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.005, "c_kv": 1.1,
        "gamma_D_train": 0.1, "gamma_N_train": 0.2,
    }  # fmt: skip
    constants = kumar_constants() | COUPLED | additive
    fit = collapsed_fit(law_name, constants, samples=20, jitter=0.1, vocab_size=32000)
    flops, served = 1e20, np.array([3e10, 3e12])
    offer = [OnOffer(bits, None, dict.fromkeys(BITS, bits), bits / 16) for bits in (16.0, 4.0)]
    law = law_draws(fit, offer, None)
    found = reoptimise(law, flops, served)
    for index in range(2):
        n_params = flops / served[index] / (1.0 + np.exp(np.linspace(-40, 40, 20001)))
        tokens = tokens_bought(flops - n_params * served[index], n_params, offer[index].cost)
        kept = tokens > 0
        dense = law.only(index).loss(n_params[kept], tokens[kept]).min(axis=1)
        np.testing.assert_array_less(found.loss[:, index], dense + 1e-8)
        cost = training_flop(found.n_params, found.tokens)[:, index] * offer[index].cost
        np.testing.assert_allclose(cost + found.n_params[:, index] * served[index], flops)
