"""The compute-optimal split against closed forms."""

import numpy as np
import pytest

from bitlaw.decisions.costs import cost_in_bits, effective_bits, flop_bits_cost, tokens_bought, training_flop
from bitlaw.decisions.law_draws import LawDraws, law_draws
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.reoptimise import golden_section, reoptimise
from bitlaw.errors import InputError
from fits import REFERENCE, collapsed_fit, kumar_constants

COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}


ADDITIVE = {
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.005, "c_kv": 1.1,
    "gamma_D_train": 0.1, "gamma_N_train": 0.2,
}  # fmt: skip
AFTER = {name: kumar_constants()[name] for name in ("C", "gamma_D", "gamma_N", "gamma_post", "C_w")}


def at_bits(fit, *bits, prior=False) -> LawDraws:
    columns = ("bits_weights", "bits_activations", "bits_kv")
    return law_draws(
        fit, [OnOffer(value, None, dict.fromkeys(columns, value), value / 16) for value in bits], None, prior
    )


def closed_form(p, flops, bits, share, g=1.0):
    """N and D that minimise (A N_eff^(-α/g) + B D^(-β/g))^g at 6/16 N D P = C."""
    alpha, beta = p["alpha"] / g, p["beta"] / g
    product = tokens_bought(flops, 1.0, bits / 16)
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
    bits = (16.0, 8.0, 4.0)
    law = at_bits(collapsed_fit("kumar2024", constants, samples=2), *bits)
    found = reoptimise(law, flops)
    for index, option in enumerate(bits):
        share = np.exp(law.log_shares()[0][0, index])
        n_params, tokens = closed_form(constants, flops, option, share)
        assert found.n_params[0, index] == pytest.approx(n_params, rel=1e-3)
        assert found.tokens[0, index] == pytest.approx(tokens, rel=1e-3)
        assert flop_bits_cost(n_params, tokens, option) == pytest.approx(flops)


def test_coupled_optimum():
    capacity = {
        name: value for name, value in kumar_constants().items() if name[:2] in ("ga", "P0", "C_", "C")
    }
    fit = collapsed_fit("kumar2024-coupled", COUPLED | capacity, samples=2)
    law = at_bits(fit, 6.0)
    p = {name: fit.draws(name)[0] for name in ("a", "b", "alpha", "beta")}
    n_params, tokens = closed_form(p, 1e21, 6.0, np.exp(law.log_shares()[0][0, 0]), g=0.5)
    found = reoptimise(law, 1e21)
    assert found.n_params[0, 0] == pytest.approx(n_params, rel=1e-3)
    assert found.tokens[0, 0] == pytest.approx(tokens, rel=1e-3)


@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("vocab_size", [None, 32000])
@pytest.mark.parametrize(
    ("law_name", "constants"),
    [("kumar2024", kumar_constants()), ("bitlaw-default", COUPLED | ADDITIVE | AFTER)],
)
def test_search_finds_the_lowest_point_of_a_dense_grid(law_name, constants, vocab_size, prior):
    bits = (3.2, 4.0, 8.0)
    fit = collapsed_fit(law_name, constants, samples=20, vocab_size=vocab_size, jitter=0.05)
    found = reoptimise(at_bits(fit, *bits, prior=prior), 1e18)
    n_params = np.exp(np.linspace(np.log(1e-4), np.log(1e22), 8001))
    for index, width in enumerate(bits):
        law = at_bits(fit, width, prior=prior)
        dense = law.loss(n_params, tokens_bought(1e18, n_params, width / 16)).min(axis=1)
        np.testing.assert_array_less(found.loss[:, index], dense + 1e-9 * dense)
        has = ~law.no_capacity()[:, 0]
        above = [loss[has] - law.constants["E"][has, 0] for loss in (found.loss[:, index], dense)]
        np.testing.assert_allclose(*above, rtol=1e-4)


@pytest.mark.parametrize("growth", [(0.3, -0.2), (-0.2, 0.3), (0.6, 0.6)])
def test_one_minimum_whatever_the_signs_of_the_penalty(growth):
    signs = dict(zip(("gamma_D_train", "gamma_N_train"), growth, strict=True))
    fit = collapsed_fit("bitlaw-default", COUPLED | ADDITIVE | AFTER | signs, samples=2)
    n_params = np.exp(np.linspace(np.log(1e-4), np.log(1e22), 2001))
    rising = np.diff(at_bits(fit, 3.0).loss(n_params, 1e19 / n_params)[0]) > 0
    assert np.count_nonzero(np.diff(rising)) == 1
    assert rising[-1]


def test_no_capacity_is_the_loss_of_guessing_and_no_split():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2, vocab_size=32000)
    found = reoptimise(at_bits(fit, 2.0), 1e21)
    assert found.loss == pytest.approx(np.log(32000))
    assert np.isnan(found.n_params).all()


def test_blocks_of_draws_do_not_change_the_answer(monkeypatch):
    law = at_bits(collapsed_fit("kumar2024", kumar_constants(), samples=10, jitter=0.1), 8.0)
    whole = reoptimise(law, 1e21)
    monkeypatch.setattr("bitlaw.decisions.reoptimise._LARGEST_BLOCK", 3)
    np.testing.assert_allclose(reoptimise(law, 1e21).loss, whole.loss, rtol=1e-12)


def test_golden_section_many_brackets():
    centre = np.array([-0.9, 0.0, 0.77])
    x, value = golden_section(lambda x: np.abs(x - centre), centre - 1.0, centre + 0.5)
    np.testing.assert_allclose(x, centre, atol=1e-4)
    np.testing.assert_allclose(value, 0.0, atol=1e-4)


def test_costs():
    assert training_flop(2.0, 3.0) == 36.0
    assert flop_bits_cost(2.0, 3.0, 16) == training_flop(2.0, 3.0)
    assert flop_bits_cost(7e9, tokens_bought(1e22, 7e9, cost_in_bits(5.5)), 5.5) == pytest.approx(1e22)


def test_a_format_without_bits_in_its_name_has_no_cost():
    with pytest.raises(InputError, match='"posit" does not say how many bits'):
        effective_bits("posit")
