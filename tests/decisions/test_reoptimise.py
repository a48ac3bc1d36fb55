"""The compute-optimal split against closed forms."""

import time

import numpy as np
import pytest

from bitlaw.decisions.costs import flop_bits_cost, tokens_bought, training_flop
from bitlaw.decisions.law_draws import law_draws
from bitlaw.decisions.reoptimise import golden_section, reoptimise
from fits import REFERENCE, collapsed_fit, kumar_constants

ALL = ("weights", "activations", "kv")
COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}


def closed_form(p, flops, bits, share, g=1.0):
    """N and D that minimise (A N_eff^(-α/g) + B D^(-β/g))^g at 6/16 N D P = C."""
    alpha, beta = p["alpha"] / g, p["beta"] / g
    product = tokens_bought(flops, 1.0, bits)
    ratio = alpha * (p["a"] / share ** p["alpha"]) ** (1 / g) / (beta * p["b"] ** (1 / g))
    n_bar, d_bar = REFERENCE.n_params, REFERENCE.tokens
    log_n = (np.log(ratio) + beta * np.log(product / (n_bar * d_bar))) / (alpha + beta)
    return n_bar * np.exp(log_n), product / (n_bar * np.exp(log_n))


@pytest.mark.parametrize("flops", [1e15, 1e21, 1e27])
@pytest.mark.parametrize(
    "base", [{}, {"alpha": 0.25, "beta": 0.6, "a": 1.2}, {"alpha": 0.1, "beta": 0.1, "a": 1e4, "b": 1e-3}]
)
def test_chinchilla_optimum(flops, base):
    constants = kumar_constants() | base
    law = law_draws(collapsed_fit("kumar2024", constants, samples=2), ALL, None)
    bits = (16.0, 8.0, 4.0)
    found = reoptimise(law, flops, bits)
    for index, option in enumerate(bits):
        share = np.exp(law.log_share(option)[0, 0])
        n_params, tokens = closed_form(constants, flops, option, share)
        assert found.n_params[0, index] == pytest.approx(n_params, rel=1e-3)
        assert found.tokens[0, index] == pytest.approx(tokens, rel=1e-3)
        assert flop_bits_cost(n_params, tokens, option) == pytest.approx(flops)


def test_coupled_optimum():
    capacity = {
        name: value for name, value in kumar_constants().items() if name[:2] in ("ga", "P0", "C_", "C")
    }
    fit = collapsed_fit("kumar2024-coupled", COUPLED | capacity, samples=2)
    law = law_draws(fit, ALL, None)
    p = {name: fit.draws(name)[0] for name in ("a", "b", "alpha", "beta")}
    n_params, tokens = closed_form(p, 1e21, 6.0, np.exp(law.log_share(6.0)[0, 0]), g=0.5)
    found = reoptimise(law, 1e21, (6.0,))
    assert found.n_params[0, 0] == pytest.approx(n_params, rel=1e-3)
    assert found.tokens[0, 0] == pytest.approx(tokens, rel=1e-3)


def test_bounded_search_finds_the_lowest_point_of_a_dense_grid():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=4, vocab_size=32000, jitter=0.05)
    law = law_draws(fit, ALL, None)
    found = reoptimise(law, 1e18, (3.2, 4.0, 8.0))
    n_params = np.exp(np.linspace(np.log(1e4), np.log(1e14), 20000))
    for index, bits in enumerate((3.2, 4.0, 8.0)):
        dense = law.loss(n_params, tokens_bought(1e18, n_params, bits), bits).min(axis=1)
        assert (found.loss[:, index] <= dense + 1e-9).all()


def test_no_capacity_is_the_loss_of_guessing_and_no_split():
    law = law_draws(collapsed_fit("kumar2024", kumar_constants(), samples=2, vocab_size=32000), ALL, None)
    found = reoptimise(law, 1e21, (2.0,))
    assert found.loss == pytest.approx(np.log(32000))
    assert np.isnan(found.n_params).all()


def test_blocks_of_draws_do_not_change_the_answer(monkeypatch):
    law = law_draws(collapsed_fit("kumar2024", kumar_constants(), samples=10, jitter=0.1), ALL, None)
    whole = reoptimise(law, 1e21, (8.0,))
    monkeypatch.setattr("bitlaw.decisions.reoptimise._LARGEST_BLOCK", 3)
    np.testing.assert_allclose(reoptimise(law, 1e21, (8.0,)).loss, whole.loss, rtol=1e-12)


def test_golden_section_many_brackets():
    centre = np.array([-0.9, 0.0, 0.77])
    x, value = golden_section(lambda x: np.abs(x - centre), centre - 1.0, centre + 0.5)
    np.testing.assert_allclose(x, centre, atol=1e-4)
    np.testing.assert_allclose(value, 0.0, atol=1e-4)


def test_costs():
    assert training_flop(2.0, 3.0) == 36.0
    assert flop_bits_cost(2.0, 3.0, 16) == training_flop(2.0, 3.0)
    assert flop_bits_cost(7e9, tokens_bought(1e22, 7e9, 5.5), 5.5) == pytest.approx(1e22)


def test_speed():
    law = law_draws(collapsed_fit("kumar2024", kumar_constants(), samples=4000, jitter=0.05), ALL, None)
    start = time.process_time()
    reoptimise(law, 1e21, (16.0, 12.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0))
    assert time.process_time() - start < 4.0
