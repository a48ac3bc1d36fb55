"""The user's plans side by side: what each costs, promises and risks."""

import json

import numpy as np
import pandas as pd
import pytest

from bitlaw.decisions.budget import budget
from bitlaw.decisions.predict import predict
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from fits import NOISE, collapsed_fit, kumar_constants

FLOPS = 6e18
JOINT = ("bits_weights", "bits_activations", "bits_kv")


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.05, vocab_size=50000)


def plans(n_params, tokens, bits=16.0, **columns) -> pd.DataFrame:
    return points_frame(n_params=n_params, tokens=tokens, **dict.fromkeys(JOINT, bits), **columns)


@pytest.fixture(scope="module")
def decision(fit):
    own = plans([1e8, 2e8, 1e8, 4e8, 1e8], [1e10, 5e9, 5e9, 1e11, 1e15], [16.0, 16.0, 8.0, 8.0, 16.0])
    return budget(fit, flops=FLOPS, plans=own.assign(name=["all", "wide", "half", "dear", "far"]))


def test_what_a_plan_costs(decision):
    shares = {plan.name: plan.share for plan in decision.plans}
    assert shares == {
        "all": pytest.approx(1.0), "wide": pytest.approx(1.0), "half": pytest.approx(0.25),
        "dear": pytest.approx(20.0), "far": pytest.approx(1e5),
    }  # fmt: skip
    assert [plan.name for plan in decision.plans if plan.over_budget] == ["dear", "far"]
    assert decision.plan("half").flops == pytest.approx(1.5e18)
    assert decision.plan("half").spent == decision.plan("half").flops


def test_ordering_and_regret(fit, decision):
    by_name = {plan.name: plan for plan in decision.plans}
    within = [by_name[name] for name in ("all", "wide", "half")]
    assert decision.best_plan == min(within, key=lambda plan: plan.scores.mean).name
    assert sum(plan.probability_best for plan in within) == pytest.approx(1.0)
    assert by_name["dear"].probability_best > 0.9
    best = decision.option(decision.best)
    for plan in decision.plans:
        assert plan.expected_regret == pytest.approx(plan.scores.mean - best.scores.mean)
    assert all(plan.expected_regret > 0 for plan in within)
    assert by_name["dear"].expected_regret < 0
    assert f"Of your 5 plans {decision.best_plan} has the lowest expected loss" in decision.sentence()
    assert "dear, far are over budget" in decision.sentence()


def test_losses_and_risks_are_those_of_a_prediction(fit, decision):
    own = plans([1e8, 2e8], [1e10, 5e9])
    for plan, point in zip(decision.plans, predict(fit, own).points, strict=False):
        assert plan.loss == point.law_mean
        assert plan.scores.mean == point.mean
        assert plan.new_run.median == pytest.approx(point.new_run.median, rel=0.01)
        assert plan.risk.grade is point.risk.grade
    assert decision.plan("far").refused
    assert not decision.plan("all").refused


def test_the_recommended_plan_as_a_candidate_costs_and_loses_the_same(fit):
    best = budget(fit, flops=FLOPS).option(8.0)
    again = budget(fit, flops=FLOPS, plans=plans(best.n_params, best.tokens, 8.0)).plans[0]
    assert again.name == "plan 1"
    assert again.precision == "8 bits"
    assert again.share == pytest.approx(1.0)
    assert not again.over_budget
    assert again.loss == best.loss
    assert again.new_run == best.new_run
    assert again.expected_regret == pytest.approx(0.0, abs=1e-12)
    assert again.probability_best == 1.0


def test_a_plan_pays_for_its_serving(fit):
    own = plans(1e8, 1e10)
    alone, served, cheaper = (
        budget(fit, flops=FLOPS, plans=own, lifetime_tokens=tokens, serving_bits=bits).plans[0]
        for tokens, bits in ((0.0, None), (3e10, None), (3e10, 8.0))
    )
    assert alone.share == pytest.approx(1.0)
    assert served.share == pytest.approx(2.0)
    assert served.over_budget
    assert cheaper.share == pytest.approx(1.5)
    assert served.loss == alone.loss


def test_plans_are_called_by_name_or_run_or_number(fit):
    own = plans([1e8, 1e8, 1e8], 1e10).assign(name=["a", "", None], run_id=["x", "y", ""])
    assert [plan.name for plan in budget(fit, flops=FLOPS, plans=own).plans] == ["a", "y", "plan 3"]


def test_what_mixed_precision_costs(fit):
    own = points_frame(
        n_params=1e8, tokens=1e10, bits_weights=[4.0, 4.0, 16.0], bits_activations=[8.0, 16.0, 16.0],
        bits_kv=[16.0, 16.0, 4.0],
    )  # fmt: skip
    found = budget(fit, flops=FLOPS, plans=own).plans
    assert [plan.cost for plan in found] == [0.5, 1.0, 1.0]
    assert [plan.precision for plan in found] == ["int w4a8", "int w4", "int kv4"]
    weights = budget(fit, flops=FLOPS, plans=own.iloc[[1]], tensors=("weights",)).plans[0]
    assert (weights.cost, weights.precision) == (0.25, "4 bits")


def test_formats_cost_what_the_option_does():
    base = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
    logged = collapsed_fit("kumar2024", kumar_constants(), samples=4).rows
    fit = collapsed_fit("frantar2025", base | {"eff_N": 0.8} | NOISE, samples=4, rows=logged)
    decision = budget(fit, flops=FLOPS, plans=plans([1e8, 1e8], 1e10, [8.0, 4.0]))
    costs = {option.key: option.cost for option in decision.options}
    assert [plan.cost for plan in decision.plans] == [costs["int w8a8kv8"], costs["int w4a4kv4"]]
    with pytest.raises(InputError, match="int w3a3kv3"):
        budget(fit, flops=FLOPS, plans=plans(1e8, 1e10, 3.0))


def test_the_preference_decides_between_plans():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=400, vocab_size=50000)
    gamma = np.where(np.arange(400).reshape(2, -1) % 10 == 0, 8.0, 1.0)
    fit = fit.__class__(**vars(fit) | {"posterior": fit.posterior.assign(gamma_a=(("chain", "draw"), gamma))})
    own = plans([2.4e8, 6e8], [4.1e9, 5.3e9], [16.0, 5.0]).assign(name=["sure", "bold"])
    chosen = {
        prefer: budget(fit, flops=FLOPS, plans=own, prefer=prefer).best_plan
        for prefer in ("mean", "quantile:0.95", "target:3.34")
    }
    assert chosen == {"mean": "bold", "quantile:0.95": "sure", "target:3.34": "bold"}


def test_json_and_table_have_the_plans(decision):
    content = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
    assert content["best_plan"] == decision.best_plan
    first = content["plans"][0]
    assert first["name"] == "all"
    assert {"share", "over_budget", "refused", "loss", "new_run", "scores", "probability_best"} <= set(first)
    assert first["risk"]["grade"] in ("LOW", "MODERATE", "HIGH")
    rows = decision.table().set_index("plan")
    assert rows.loc["dear", "cost"] == "1.2e+20 FLOP (2e+03 %, over)"
    assert rows.loc["dear", "P(best)"].startswith("would ")
    assert rows.loc["far", "risk"] == "REFUSE"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_params": -1.0}, 'plan "a": n_params is -1'),
        ({"tokens": np.nan}, 'plan "a": tokens is nan'),
        ({"bits_post": 4.0}, 'plan "a": bits_post is 4'),
        ({"format": "mxfp4"}, 'plan "a": law kumar2024 has no term for format "mxfp4"'),
        ({"bits_gradients": 8.0}, 'plan "a": law kumar2024 has no term for bits_gradients'),
        ({"name": "b"}, 'plan "b" is given twice'),
    ],
)
def test_bad_plans(fit, change, message):
    own = plans([1e8, 1e8], 1e10).assign(name=["a", "b"])
    for column, value in change.items():
        own.loc[0, column] = value
    with pytest.raises(InputError, match=message):
        budget(fit, flops=FLOPS, plans=own)
