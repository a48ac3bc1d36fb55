"""The precision decision: what it reports, its edges, and what it refuses."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.decisions.on_offer import on_offer
from bitlaw.decisions.optimum import optimum, precision_question
from bitlaw.decisions.precision_draws import precision_draws
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from fits import NOISE, collapsed_fit, kumar_constants, measured_everywhere

CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.1, vocab_size=50000)


def test_budget_alone(fit):
    decision = optimum(fit, flops=1e21)
    assert math.fsum(option.probability_best for option in decision.options) == pytest.approx(1.0)
    regrets = {option.bits: option.expected_regret for option in decision.options}
    assert regrets[decision.best] == min(regrets.values())
    assert decision.best in decision.near_optimal
    assert {bits for bits, regret in regrets.items() if regret <= decision.near} == set(decision.near_optimal)
    assert 0 < decision.near_compute < 1
    best = decision.option(decision.best)
    assert best.loss.lo < best.loss.median < best.loss.hi
    assert best.loss.unit == "nats/token"
    assert best.probability_error == pytest.approx(
        math.sqrt(best.probability_best * (1 - best.probability_best) / 400)
    )
    assert 6 / 16 * best.n_params.median * best.tokens.median * best.bits == pytest.approx(1e21, rel=0.02)


def test_near_is_one_per_cent_of_the_reducible_loss_unless_given():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2)
    decision = optimum(fit, flops=1e21)
    reducible = decision.option(8).loss.median - kumar_constants()["E"]
    assert decision.near == pytest.approx(0.01 * reducible)
    assert optimum(fit, flops=1e21, near=1.0).near_optimal == (16, 8, 6, 5, 4)


def test_regret_and_the_near_optimal_set_are_of_the_laws_mean():
    """Regret per draw is L_k - min L; near-optimal is an expected regret of at most 1 % of the reducible loss."""
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.1, drift=True)
    question = precision_question((fit,), flops=1e21)
    draws = precision_draws(fit, question, on_offer(question, (fit,)))
    expected = (draws.loss - draws.loss.min(axis=1, keepdims=True)).mean(axis=0)
    decision = optimum(fit, flops=1e21)
    found = [option.expected_regret for option in decision.options]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    best = int(np.argmin(expected))
    near = 0.01 * np.median(draws.loss[:, best] - fit.draws("E"))
    assert decision.near == pytest.approx(near)
    within = [option.bits for option, one in zip(decision.options, expected, strict=True) if one <= near]
    assert list(decision.near_optimal) == [bits for bits in within if not decision.option(bits).refused]
    shares = [(draws.loss.argmin(axis=1) == index).mean() for index in range(len(found))]
    assert [option.probability_best for option in decision.options] == pytest.approx(shares)


def test_worth_in_compute_is_what_the_optimum_itself_gains():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2)
    decision = optimum(fit, flops=1e21, bits=(8,), near=1e-5)
    more = optimum(fit, flops=1e21 * (1 + decision.near_compute), bits=(8,))
    gained = decision.option(8).loss.median - more.option(8).loss.median
    assert gained == pytest.approx(1e-5, rel=1e-2)


def test_parameters_and_budget(fit):
    decision = optimum(fit, n_params=1e9, flops=1.2e20)
    assert decision.option(8).tokens.median == pytest.approx(4e10)
    assert decision.option(8).n_params.median == 1e9
    assert decision.option(16).loss.median > decision.option(8).loss.median


def test_both_sizes_fixed_asks_for_the_cheapest_within_tolerance(fit):
    decision = optimum(fit, n_params=1e9, tokens=2e10, tolerance=0.02)
    within = {option.bits: option.probability_within for option in decision.options}
    assert within[16] == 1.0
    assert list(within.values()) == sorted(within.values(), reverse=True)
    assert decision.best == min(bits for bits, probability in within.items() if probability >= 0.9)
    assert math.fsum(option.probability_best for option in decision.options) == pytest.approx(1.0)
    assert decision.option(16).expected_regret == 0.0
    assert "cheapest" in decision.sentence()
    assert optimum(fit, n_params=1e9, tokens=2e10, tolerance=1e-6).best == 16
    assert not optimum(fit, n_params=1e9, tokens=2e10, tolerance=1e-6).at_edge


def test_none_on_offer_is_said(fit):
    decision = optimum(fit, n_params=1e9, tokens=2e10, tolerance=1e-6, bits=(5, 4))
    assert decision.best is None
    assert decision.at_edge
    assert "none on offer" in decision.sentence()
    assert json.dumps(decision.to_dict(), allow_nan=False)


@pytest.mark.parametrize("vocab_size", [None, 50000])
@pytest.mark.parametrize(
    "sizes", [{"flops": 1e21}, {"n_params": 1e9, "flops": 1e20}, {"n_params": 1e9, "tokens": 1e10}]
)
def test_bits_without_capacity_neither_warn_nor_win(vocab_size, sizes):
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=20, jitter=0.02, vocab_size=vocab_size)
    decision = optimum(fit, **sizes, bits=(8, 2, 1.5))
    worst = decision.options[-1]
    assert decision.best == 8 or sizes.get("tokens")
    assert worst.probability_no_capacity == 1.0
    assert worst.probability_best == 0.0
    if vocab_size:
        assert worst.loss.median == pytest.approx(math.log(vocab_size))
    else:
        assert worst.loss.median > 1e6
    text = json.dumps(decision.to_dict(), allow_nan=False)
    assert "Infinity" not in text


def test_wide_priors_of_every_law_do_not_overflow():
    sampled = {
        "mean_loss": 2.6,
        "floor_share": 0.6,
        "n_share": 0.4,
        "slope_n": 0.06,
        "slope_d": 0.08,
        "g": 0.5,
    }
    fit = collapsed_fit("kumar2024-coupled", kumar_constants() | sampled, samples=2000)
    decision = optimum(fit, flops=1e26, bits=(16, 4, 1))
    assert json.dumps(decision.to_dict(), allow_nan=False)
    assert math.fsum(option.probability_best for option in decision.under_prior.options) == pytest.approx(1.0)


def test_under_prior_is_the_same_decision_without_the_data(fit):
    decision = optimum(fit, flops=1e21)
    assert decision.under_prior.under_prior is None
    assert decision.under_prior.question == decision.question
    assert decision.under_prior.option(8).probability_best < decision.option(8).probability_best
    envelope = decision.to_dict()
    assert envelope["laws"] is None
    assert envelope["under_prior"]["options"][0]["bits"] == 16.0
    assert envelope["options"][0]["diverged"] == "0 of 9"
    assert set(envelope["options"][0]["loss"]) >= {"median", "lo", "hi"}


@pytest.mark.parametrize("question", [{"flops": 1e6}, {"flops": 1e21, "bits": (2, 1)}])
def test_no_better_than_guessing_is_said(fit, question):
    decision = optimum(measured_everywhere(fit), **question)
    assert "optimum.guessing" in {finding.code for finding in decision.findings}
    assert str(decision.status) == "WARN"
    assert json.dumps(decision.to_dict(), allow_nan=False)
    assert "optimum.guessing" not in {finding.code for finding in optimum(fit, flops=1e21).findings}


def test_ties_are_named():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.1)
    decision = optimum(fit, flops=1e21, bits=(7.02, 6.98))
    shares = [option.probability_best for option in decision.options]
    tied = abs(shares[0] - shares[1]) <= 2 * math.sqrt((1 - (shares[0] - shares[1]) ** 2) / 400)
    assert bool(decision.ties) == tied
    constant = collapsed_fit("kumar2024", kumar_constants(), samples=400)
    assert optimum(constant, flops=1e21).ties == ()


def test_diverged_and_measured(fit):
    at_four = points_frame(
        run_id=["x", "y"], n_params=1e8, tokens=1e10, bits_weights=4.0, bits_activations=4.0, bits_kv=4.0,
        status="diverged",
    ).assign(loss=np.nan, reason="diverged")  # fmt: skip
    with_diverged = replace(fit, excluded=at_four)
    decision = optimum(with_diverged, flops=1e21)
    assert str(decision.option(4).diverged) == "2 of 11"
    assert str(decision.option(5).diverged) == "0 of 0"
    assert decision.option(5).measured
    assert not decision.option(3).measured


def test_findings_of_the_fit_travel_with_the_answer(fit):
    failed = Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "R-hat is 1.2.")
    passed = Finding("design.rows", Status.PASS, None, None, "Enough rows.")
    decision = optimum(replace(fit, findings=(failed, passed)), flops=1e21)
    assert decision.status is Status.FAIL
    assert failed in decision.findings
    assert passed not in decision.findings
    assert any(finding.code.startswith("extrapolation") for finding in decision.findings)


def test_pooled_fits_ask_for_a_group():
    groups = {"web": {"gamma_a": 2.2}, "code": {"gamma_a": 0.5}}
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=4, pool="corpus", groups=groups)
    with pytest.raises(InputError, match="code, web"):
        optimum(fit, flops=1e21)
    with pytest.raises(InputError, match='"cod"'):
        optimum(fit, flops=1e21, group="cod")
    web, code = (optimum(fit, flops=1e21, group=name, bits=np.arange(30, 160) / 10) for name in groups)
    assert web.best == pytest.approx(7.0)
    assert code.best < web.best
    alone = collapsed_fit("kumar2024", kumar_constants(), samples=4)
    with pytest.raises(InputError, match="not pooled"):
        optimum(alone, flops=1e21, group="web")


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "from nothing"),
        ({"tokens": 1e10}, "from tokens"),
        ({"n_params": 1e9}, "from n_params"),
        ({"flops": 1e20, "tokens": 1e10}, "n_params and flops"),
        ({"flops": 1e20, "tokens": 1e10, "n_params": 1e9}, "n_params and tokens"),
        ({"flops": 0.0}, "flops is 0"),
        ({"flops": -1e20}, "positive"),
        ({"flops": math.nan}, "flops is nan"),
        ({"flops": 1e20, "bits": ()}, "bits is empty"),
        ({"flops": 1e20, "bits": (0.5, 8)}, "bits has 0.5"),
        ({"flops": 1e20, "bits": (64,)}, "1 to 32"),
        ({"flops": 1e20, "tensors": ("weight",)}, 'did you mean "weights"'),
        ({"flops": 1e20, "tensors": ()}, "tensors is empty"),
        ({"flops": 1e20, "near": -1.0}, "near is -1"),
        ({"n_params": 1e9, "tokens": 1e10, "tolerance": 0.0}, "tolerance is 0"),
        ({"flops": 1e20, "prob": 90}, "prob is 90"),
    ],
)
def test_bad_questions(fit, question, message):
    with pytest.raises(InputError, match=message):
        optimum(fit, **question)


def test_law_without_training_precision():
    fit = collapsed_fit("chinchilla", CHINCHILLA | NOISE)
    with pytest.raises(InputError, match="kumar2024"):
        optimum(fit, flops=1e20)


def test_table_and_sentence(fit):
    decision = optimum(fit, flops=1e21)
    table = decision.table()
    assert isinstance(table, pd.DataFrame)
    assert table["bits"].tolist() == [16, 8, 6, 5, 4, 3]
    sentence = decision.sentence()
    for words in ("kumar2024", "1e+21 FLOP", "90 % ETI", "Monte Carlo error", "nats/token", "prior alone"):
        assert words in sentence
