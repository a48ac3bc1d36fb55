"""The break-even speed-up: what compute must grow by to make good for a precision."""

from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.break_even import break_even, by_search, from_shares
from bitlaw.decisions.law_draws import law_draws
from bitlaw.decisions.on_offer import UNQUANTIZED, on_offer
from bitlaw.decisions.optimum import optimum, precision_question
from bitlaw.decisions.reoptimise import reoptimise
from fits import collapsed_fit, kumar_constants

ADDITIVE = {
    "mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5,
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.005, "c_kv": 1.1,
    "gamma_D_train": 0.1, "gamma_N_train": 0.2,
} | {name: kumar_constants()[name] for name in ("C", "gamma_D", "gamma_N", "gamma_post", "C_w")}  # fmt: skip


def asked(fit, prior=False, **sizes):
    question = precision_question((fit,), bits=(16, 8, 5, 4, 3), **sizes)
    law = law_draws(fit, on_offer(question, (fit,)), None, prior)
    return law, law_draws(fit, (UNQUANTIZED,), None, prior), question


def one_of(law, sample, option):
    constants = {
        name: value[[sample]][:, [option if value.shape[1] > 1 else 0]]
        for name, value in law.constants.items()
    }
    columns = {name: value[[option]] for name, value in law.columns.items()}
    return replace(law, constants=constants, columns=columns, cost=law.cost[[option]])


def test_search_equals_the_closed_form():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=20, jitter=0.1)
    law, whole, question = asked(fit, flops=1e21)
    closed, searched = from_shares(law, whole), by_search(law, whole, question)
    within = closed < 1e6
    np.testing.assert_allclose(searched[within], closed[within], rtol=1e-3)
    assert np.isinf(searched[~within]).all()
    np.testing.assert_array_equal(break_even(law, whole, question), closed)


@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("vocab_size", [None, 50000])
def test_that_much_compute_reaches_the_loss_of_16_bits(vocab_size, prior):
    fit = collapsed_fit("bitlaw-default", ADDITIVE, samples=20, jitter=0.1, vocab_size=vocab_size)
    law, whole, question = asked(fit, prior, flops=1e20)
    factor, target = break_even(law, whole, question), reoptimise(whole, 1e20).loss[:, 0]
    np.testing.assert_array_equal(factor[:, 0], 1.0)
    assert (np.diff(factor[:, :3], axis=1) >= 0).all()
    for sample, option in np.argwhere(np.isfinite(factor)):
        compute = 1e20 * factor[sample, option] * law.cost[option]  # at the cost of 16 bits
        alone = one_of(law, sample, option)
        less, more = (reoptimise(alone, compute * share).loss[0, 0] for share in (0.999, 1.001))
        assert more < target[sample] < less


@pytest.mark.parametrize("sizes", [{"n_params": 1e9, "flops": 1.2e20}, {"n_params": 1e9, "tokens": 2e10}])
def test_fixed_parameters_take_more_tokens(sizes):
    fit = collapsed_fit("bitlaw-default", ADDITIVE, samples=10, jitter=0.1)
    law, whole, question = asked(fit, **sizes)
    factor = break_even(law, whole, question)
    target = whole.loss(np.float64(1e9), np.float64(2e10))
    assert np.isfinite(factor[:, :3]).all()
    for share, above in ((0.999, True), (1.001, False)):
        reached = law.loss(np.float64(1e9), 2e10 * factor * share)
        np.testing.assert_array_equal((reached > target)[:, 1:3], above)


def test_no_number_of_tokens_makes_good_for_too_small_a_model():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2)
    decision = optimum(fit, n_params=1e6, tokens=1e13, bits=(8, 4))
    assert [option.break_even.median for option in decision.options] == [np.inf, np.inf]
