"""The budget decision: what it recommends, what it reports, what it refuses."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.decisions.budget import budget
from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.optimum import optimum
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.drift import drift_draws
from fits import NOISE, collapsed_fit, kumar_constants, measured_everywhere

CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
FLOPS = 6e18


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.05, vocab_size=50000)


@pytest.fixture(scope="module")
def decision(fit):
    return budget(fit, flops=FLOPS)


def test_the_plan_costs_the_budget_and_no_other_size_promises_less(fit, decision):
    best = decision.option(decision.best)
    assert training_flop(best.n_params, best.tokens) * best.cost == pytest.approx(FLOPS)
    others = points_frame(
        n_params=best.n_params * np.array([0.9, 1.1]),
        tokens=best.tokens / np.array([0.9, 1.1]),
        **dict.fromkeys(("bits_weights", "bits_activations", "bits_kv"), best.bits),
    ).assign(name=["less", "more"])
    for plan in budget(fit, flops=FLOPS, plans=others).plans:
        assert plan.share == pytest.approx(1.0)
        assert not plan.over_budget
        assert plan.expected_regret > 0


def test_probabilities_and_optima_are_those_of_the_optimum(fit, decision):
    same = optimum(fit, flops=FLOPS)
    for option in decision.options:
        other = same.option(option.key)
        assert option.probability_best == other.probability_best
        assert option.best_n_params == other.n_params
        assert option.best_tokens == other.tokens
    assert decision.option(decision.best).best_n_params.lo < decision.option(decision.best).n_params
    assert decision.option(decision.best).n_params < decision.option(decision.best).best_n_params.hi


def test_not_knowing_the_law_costs_something_and_nothing_where_it_is_known(decision):
    best = decision.option(decision.best)
    assert best.regret.lo >= -1e-12
    assert 0 < best.expected_regret < 0.01
    known = budget(collapsed_fit("kumar2024", kumar_constants(), samples=4), flops=FLOPS)
    assert known.option(known.best).expected_regret == pytest.approx(0.0, abs=1e-7)
    assert known.option(known.best).probability_best == 1.0


def test_twice_the_budget(fit, decision):
    more = decision.more
    best = decision.option(decision.best)
    assert training_flop(more.n_params, more.tokens) * best.cost == pytest.approx(2 * FLOPS)
    assert 0 < more.gain.lo < more.gain.median < more.gain.hi
    twice = budget(fit, flops=2 * FLOPS).option(decision.best)
    assert (twice.n_params, twice.tokens) == (
        pytest.approx(more.n_params, rel=2e-3),
        pytest.approx(more.tokens, rel=2e-3),
    )
    assert more.gain.median == pytest.approx(best.loss.median - twice.loss.median, abs=5e-3)


def test_drift_is_shared_between_the_plan_and_twice_the_budget():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=400, drift=True)
    decision = budget(fit, flops=1e21)
    best = decision.option(decision.best)
    width = best.loss.hi - best.loss.lo
    assert best.drift > 0
    assert decision.more.gain.hi - decision.more.gain.lo < 0.5 * width
    without = budget(fit, flops=1e21, drift=False)
    assert without.option(decision.best).drift is None
    assert without.option(decision.best).loss.hi - without.option(decision.best).loss.lo < 1e-9
    assert without.option(decision.best).n_params == best.n_params


def test_a_law_without_precision_splits_a_budget_at_16_bits():
    fit = collapsed_fit("chinchilla", CHINCHILLA | NOISE)
    decision = budget(fit, flops=FLOPS)
    assert [option.bits for option in decision.options] == [16.0]
    assert decision.best == 16.0
    assert "best with probability" not in decision.sentence()
    with pytest.raises(InputError, match="no term for bits_weights below 16"):
        budget(fit, flops=FLOPS, bits=(16, 8))


def test_a_law_of_degradations_alone_is_refused():
    fit = collapsed_fit(
        "ptq-gap", {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}
    )
    with pytest.raises(InputError, match="takes the loss as trained as data"):
        budget(fit, flops=FLOPS)


def uncertain_activations(samples=400):
    """A fit that is sure of 16 bits, and expects more of 5, but one draw in ten is far worse there."""
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=samples, vocab_size=50000)
    gamma = np.where(np.arange(samples).reshape(2, -1) % 10 == 0, 8.0, 1.0)
    return replace(fit, posterior=fit.posterior.assign(gamma_a=(("chain", "draw"), gamma)))


def test_preferences_change_the_choice():
    fit = uncertain_activations()
    expected, cautious, ambitious = (
        budget(fit, flops=FLOPS, bits=(16, 5), prefer=prefer)
        for prefer in ("mean", "quantile:0.95", "target:3.35")
    )
    scores = {option.key: option.scores for option in expected.options}
    assert scores[5.0].mean < scores[16.0].mean
    assert expected.best == 5.0
    assert cautious.best == 16.0
    assert cautious.question.preference.level == 0.95
    chances = {option.key: option.scores.reach for option in ambitious.options}
    assert ambitious.best == max(chances, key=chances.get)
    assert "quantile" in cautious.sentence()
    assert "at most 3.35 nats/token" in ambitious.sentence()


def test_a_cautious_size_is_the_lowest_quantile(fit):
    decision = budget(fit, flops=FLOPS, prefer="quantile:0.95", drift=False, bits=(8,))
    best = decision.options[0]
    grid = best.n_params * np.exp(np.linspace(-0.5, 0.5, 201))
    nearby = points_frame(
        n_params=grid,
        tokens=FLOPS / (6 * grid * 0.5),
        **dict.fromkeys(("bits_weights", "bits_activations", "bits_kv"), 8.0),
    )
    quantiles = np.quantile(loss_draws(fit, nearby, drift=False).mean, 0.95, axis=0)
    own = quantiles[100]
    assert own <= quantiles.min() + 1e-5


def test_a_likely_size_reaches_the_target_most_often(fit):
    target = budget(fit, flops=FLOPS, bits=(8,)).options[0].loss.median
    decision = budget(fit, flops=FLOPS, prefer=f"target:{target}", drift=False, bits=(8,))
    best = decision.options[0]
    grid = best.n_params * np.exp(np.linspace(-1.0, 1.0, 101))
    nearby = points_frame(
        n_params=grid,
        tokens=FLOPS / (6 * grid * 0.5),
        **dict.fromkeys(("bits_weights", "bits_activations", "bits_kv"), 8.0),
    )
    reached = (loss_draws(fit, nearby, drift=False).mean <= target).mean(axis=0)
    assert reached[50] >= reached.max() - 0.02


def test_target_shown_is_the_lowest_logged_unless_preferred(fit, decision):
    assert decision.question.target == fit.rows.loc[fit.rows["bits_post"].isna(), "loss"].min()
    assert budget(fit, flops=FLOPS, prefer="target:3").question.target == 3.0


def test_findings_and_convergence_travel_with_the_answer(fit):
    failed = Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "R-hat is 1.2.")
    decision = budget(replace(fit, findings=(failed,)), flops=FLOPS)
    assert decision.status is Status.FAIL
    assert failed in decision.findings
    assert "laws.disagreement" in {finding.code for finding in decision.findings}


def test_beyond_the_limit_nothing_is_recommended(fit):
    plans = points_frame(n_params=1e8, tokens=1e10).assign(name="own")
    decision = budget(fit, flops=1e27, plans=plans)
    assert decision.refused
    assert decision.best is None
    assert decision.more is None
    assert decision.status is Status.REFUSED
    assert decision.answer == "refused"
    assert decision.sentence().startswith("REFUSED: nothing measured supports an answer. ")
    assert "Runs that would change it" in decision.sentence()
    assert all(option.refused for option in decision.options)
    assert decision.plans[0].expected_regret is None
    assert decision.best_plan == "own"
    assert json.dumps(decision.to_dict(), allow_nan=False)


def test_an_unsupported_precision_is_not_recommended_and_the_rest_is_decided(fit):
    decision = budget(fit, flops=FLOPS, bits=(16, 8, 3))
    assert decision.option(3).refused
    assert decision.best == 8.0
    assert "Not to be recommended" in decision.sentence()


def test_the_edge_of_what_is_offered_is_said(fit):
    assert budget(fit, flops=FLOPS, bits=(16, 8)).at_edge
    inner = budget(fit, flops=FLOPS, bits=(16, 8, 4))
    assert not inner.at_edge
    assert "edge" not in inner.sentence()


def test_no_better_than_guessing_is_said(fit):
    decision = budget(measured_everywhere(fit), flops=FLOPS, bits=(2, 1))
    assert "budget.guessing" in {finding.code for finding in decision.findings}
    assert json.dumps(decision.to_dict(), allow_nan=False)


def test_bits_without_capacity_neither_warn_nor_win(fit):
    decision = budget(measured_everywhere(fit), flops=FLOPS, bits=(8, 2, 1.5))
    assert decision.best == 8.0
    assert math.isnan(decision.option(1.5).best_n_params.median)
    assert decision.option(1.5).n_params > 0
    assert json.dumps(decision.to_dict(), allow_nan=False)


def test_pooled_fits_ask_for_a_group():
    groups = {"web": {}, "code": {"E": 2.0}}
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=4, pool="corpus", groups=groups)
    with pytest.raises(InputError, match="code, web"):
        budget(fit, flops=FLOPS)
    web, code, new = (budget(fit, flops=FLOPS, group=name) for name in ("web", "code", "new"))
    assert code.option(8.0).loss.median == pytest.approx(web.option(8.0).loss.median - 0.7648)
    assert code.question.target < web.question.target
    assert new.question.target == code.question.target


def test_on_a_chip_hours_and_money_are_budgets(fit):
    hours = budget(fit, gpu_hours=4.0, hardware="h100")
    speeds = {"h100": {"bf16": 400.0, "fp8-e4m3": 476.0}}
    measured = budget(fit, money=8.0, price=2.0, hardware="h100", speeds=speeds)
    assert hours.question.flops == pytest.approx(4 * 3600 * 989e12 * 0.4)
    assert measured.question.flops == pytest.approx(4 * 3600 * 400e12)
    assert [option.key for option in hours.options] == [16.0, 8.0]
    assert measured.option(8.0).cost == pytest.approx(1 / 1.19)
    assert "4 GPU-hours on h100" in hours.sentence()
    assert "hardware.speeds" in {finding.code for finding in hours.findings}
    plan = points_frame(n_params=1e8, tokens=1e10).assign(name="own")
    own = budget(fit, money=8.0, price=2.0, hardware="h100", speeds=speeds, plans=plan).plans[0]
    assert own.spent == pytest.approx(8.0 * 6e18 / measured.question.flops)


def test_under_the_prior_it_is_the_same_decision_without_data(decision):
    prior = decision.under_prior
    assert prior.under_prior is None
    assert prior.more is None
    assert prior.question == decision.question
    assert len(prior.options) == len(decision.options)
    assert f"The prior alone would say {prior.answer}." in decision.sentence()


def test_json_table_and_sentence(decision):
    content = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
    assert content["best"] == decision.best
    assert content["question"]["flops"] == FLOPS
    assert content["question"]["prefer"] == {"kind": "mean", "value": None}
    assert set(content["options"][0]["scores"]) == {"mean", "quantile", "reach"}
    assert content["more"]["factor"] == 2.0
    assert content["laws"] is None
    table = decision.table()
    assert isinstance(table, pd.DataFrame)
    assert table["precision"].tolist() == ["16 bits", "8 bits", "6 bits", "5 bits", "4 bits", "3 bits"]
    assert (table["plan"] == "recommended").sum() == 1
    for words in ("kumar2024", "6e+18 FLOP", "90 % ETI", "Monte Carlo error", "Twice the budget", "Risk "):
        assert words in decision.sentence()


def test_seed_and_draws_are_recorded(fit):
    decision = budget(fit, flops=FLOPS, seed=7)
    assert (decision.seed, decision.draws) == (7, 400)
    again = budget(fit, flops=FLOPS, seed=8)
    assert again.option(8).loss == decision.option(8).loss
    assert again.option(8).new_run != decision.option(8).new_run


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "no budget is given"),
        ({"flops": 1e18, "gpu_hours": 1.0, "hardware": "h100"}, "flops and gpu_hours are budgets both"),
        ({"flops": -1e18}, "positive"),
        ({"flops": math.nan}, "flops is nan"),
        ({"flops": 6.0}, "cannot train the smallest model on offer"),
        ({"flops": 1e18, "lifetime_tokens": 1e30}, "cannot train the smallest model on offer"),
        ({"gpu_hours": 1.0}, "none is named"),
        ({"money": 1.0, "hardware": "h100"}, "at a price"),
        ({"money": 1.0, "price": -2.0, "hardware": "h100"}, "price is -2"),
        ({"flops": 1e18, "hardware": "h10"}, 'did you mean "h100"'),
        ({"flops": 1e18, "prefer": "quantil:0.9"}, 'did you mean "quantile"'),
        ({"flops": 1e18, "lifetime_tokens": -1.0}, "lifetime_tokens is -1"),
        ({"flops": 1e18, "lifetime_tokens": math.nan}, "lifetime_tokens is nan"),
        ({"flops": 1e18, "serving_bits": 8.0}, "valid: with lifetime_tokens"),
        ({"flops": 1e18, "lifetime_tokens": 1e9, "serving_bits": 0.5}, "serving_bits has 0.5"),
        ({"flops": 1e18, "bits": ()}, "bits is empty"),
        ({"flops": 1e18, "formats": ("mxfp4",)}, 'format "mxfp4"'),
        ({"flops": 1e18, "group": "web"}, "not pooled"),
        ({"flops": 1e18, "prob": 90}, "prob is 90"),
    ],
)
def test_bad_questions(fit, question, message):
    with pytest.raises(InputError, match=message):
        budget(fit, **question)


def test_wide_priors_do_not_overflow():
    sampled = {
        "mean_loss": 2.6,
        "floor_share": 0.6,
        "n_share": 0.4,
        "slope_n": 0.06,
        "slope_d": 0.08,
        "g": 0.5,
    }
    fit = collapsed_fit("kumar2024-coupled", kumar_constants() | sampled, samples=1000)
    fit = replace(fit, drift=drift_draws(1000, 0, fit.law.name))
    for prefer in ("mean", "quantile:0.9", "target:2.5"):
        decision = budget(fit, flops=1e20, bits=(16, 4, 1), prefer=prefer)
        assert json.dumps(decision.to_dict(), allow_nan=False)
