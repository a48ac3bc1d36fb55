"""Plans: what is picked and why, for each of the decisions a plan may be for."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.plan import plan, plan_across
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from fits import NOISE, collapsed_fit, kumar_constants

QUIET = {
    "tau": 1e-6,
    "kappa": 1e-6,
    "sigma_gap": 1e-9,
    "sigma": 1e-6,
    "sigma_cell": 1e-6,
    "kappa_train": 1e-6,
}


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=1000, jitter=0.02, drift=True)


@pytest.fixture(scope="module")
def certain():
    """Constants known exactly: drift is all there is to learn."""
    return collapsed_fit("kumar2024", kumar_constants(), samples=2000, drift=True)


def at(*sizes, **columns):
    return points_frame(n_params=[n for n, _ in sizes], tokens=[d for _, d in sizes], **columns)


def test_the_run_asked_about_leaves_its_noise_alone(fit):
    found = plan(fit, n_params=1e9, tokens=1e11, budget=1e21, candidates=at((1e9, 1e11)))
    first = found.picks[0]
    noise = NOISE["sigma"] ** 2 * (NOISE["nu"] + 3) / (NOISE["nu"] + 1) + NOISE["sigma_cell"] ** 2
    expected = 1.0 / (1.0 / found.sd**2 + 1.0 / noise)
    assert first.sd_after**2 == pytest.approx(expected, rel=0.05)
    quiet = collapsed_fit("kumar2024", kumar_constants() | QUIET, samples=2000, jitter=0.02, drift=True)
    exact = plan(quiet, n_params=1e9, tokens=1e11, budget=1e21, candidates=at((1e9, 1e11)))
    assert exact.picks[0].removed > 0.9999
    assert len(exact.picks) == 1


def test_with_drift_large_runs_gain_value(certain):
    offered = at((1e8, 1e10), (8e8, 8e10), (3e9, 3e11))
    question = {"n_params": 1e10, "tokens": 1e12, "budget": 1e24, "candidates": offered}
    inside, between, near = (one.share for one in plan(certain, **question).offered)
    assert inside == pytest.approx(0.0, abs=1e-12)
    assert 0.1 < between < near < 1.0
    without = plan(certain, **question, drift=False)
    assert [one.share for one in without.offered] == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
    assert without.picks == ()
    assert "plan.nothing" in [finding.code for finding in without.findings]
    assert "None of 3 candidates" in without.sentence()


def test_with_uncertain_constants_and_no_drift_the_small_runs_win(fit):
    offered = at((2.5e7, 2.5e9), (3e9, 3e11))
    question = {"n_params": 1e10, "tokens": 1e12, "budget": 6e21, "candidates": offered}
    with_drift, without = plan(fit, **question), plan(fit, **question, drift=False)
    ratio = [found.offered[1].share / found.offered[0].share for found in (with_drift, without)]
    assert ratio[0] > ratio[1]


def test_drift_on_the_other_side_tells_nothing(certain):
    found = plan(certain, n_params=1e10, tokens=1e10, budget=1e24, candidates=at((1e5, 1e10), (2e9, 1e10)))
    assert found.offered[0].share < 0.005
    assert found.offered[1].share > 0.3


def test_no_plan_costs_more_than_its_budget(fit):
    for budget in (1e18, 1e19, 1e20):
        found = plan(fit, n_params=1e9, tokens=1e11, budget=budget)
        assert 0 < found.spent <= budget
        assert found.spent == pytest.approx(sum(pick.cost for pick in found.picks))
        after = [found.sd, *(pick.sd_after for pick in found.picks)]
        assert (np.diff(after) < 0).all()
        assert all(one.cost <= budget for one in found.offered)
        assert found.sd_all <= found.sd


def test_more_money_leaves_less_unknown(fit):
    left = [
        plan(fit, n_params=1e9, tokens=1e11, budget=budget).sd_after for budget in (1e18, 1e19, 1e20, 1e21)
    ]
    assert (np.diff(left) < 0).all()


def test_for_optimum_the_choice_is_between_two_options(fit):
    found = plan(fit, "optimum", n_params=1e9, tokens=1e11, bits=(16, 8, 4), budget=1e20)
    assert found.quantity == "the difference in loss between 8 bits and 16 bits"
    assert found.asked == ((1e9, 1e11), (1e9, 1e11))
    free = plan(fit, "optimum", flops=1e21, bits=(16, 8, 6), budget=1e20)
    assert free.quantity.startswith("the difference in loss between ")
    assert len(set(free.asked)) == 2
    for item in (found, free):
        assert "nats/token" in item.sd_text(item.sd)
    with pytest.raises(InputError, match="nothing to choose between"):
        plan(fit, "optimum", flops=1e21, bits=(8,), budget=1e20)
    with pytest.raises(InputError, match="nothing to choose between"):
        plan(fit, "optimum", n_params=1e9, tokens=1e11, bits=(16,), budget=1e20)


def test_for_optimum_a_run_in_the_precision_in_question_tells_most(certain):
    low, whole = at((1e9, 1e11), (1e9, 1e11), bits_weights=[3.0, 16.0], bits_activations=[3.0, 16.0],
                    bits_kv=[3.0, 16.0]), at((1e9, 1e11))  # fmt: skip
    found = plan(certain, "optimum", n_params=1e9, tokens=1e11, bits=(16, 3), budget=1e21, candidates=low)
    assert found.offered[0].share > 0.5
    assert found.offered[1].share < 0.1
    assert len(whole) == 1


def test_for_ptq_the_informative_bits_are_quantized_to(fit):
    found = plan(fit, "ptq", n_params=4e8, tokens=4e10, budget=1e18)
    assert found.quantity == "the degradation of 400M parameters on 40B tokens quantized to 5 bits"
    offered = at((1e8, 1e10), (1e8, 1e10), run_id=["a", "b"], bits_post=[8.0, 5.0], method_post="gptq")
    few = collapsed_fit("kumar2024", kumar_constants() | {"gamma_post": 0.6}, samples=2000, jitter=0.05)
    at_8, at_5 = plan(
        few, "ptq", n_params=1e8, tokens=1e10, bits=(5,), budget=1e19, candidates=offered
    ).offered
    assert at_5.share > 3 * at_8.share


def test_for_ptq_quantizing_a_logged_run_is_worth_more_per_cost_than_training_one(fit):
    found = plan(fit, "ptq", n_params=1e8, tokens=1e10, bits=(6, 4, 2.5), budget=1e18)
    best = max(found.offered, key=lambda one: one.share / one.cost)
    assert best.inputs["run_id"] in set(fit.rows["run_id"])
    assert best.inputs["bits_post"] == [2.5]
    repeated = [pick.candidate for pick in found.picks if found.offered[pick.candidate].is_logged]
    assert len(repeated) == len(set(repeated))
    logged_only = plan(fit, "ptq", n_params=1e8, tokens=1e10, bits=(6, 4, 2.5), budget=1e16)
    assert all("run_id" in one.inputs for one in logged_only.offered)
    assert all(one.share < 0.02 for one in logged_only.offered)
    assert logged_only.picks == ()


def test_a_law_of_degradations_plans_for_ptq_alone():
    constants = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}
    gap = collapsed_fit("ptq-gap", constants, samples=2000, jitter=0.05)
    found = plan(gap, "ptq", n_params=1e9, tokens=1e11, loss=2.4, bits=(5, 2), budget=1e20)
    assert found.picks
    assert all(one.is_logged for one in found.offered)
    with pytest.raises(InputError, match="takes the loss as trained as data"):
        plan(gap, "loss", n_params=1e9, tokens=1e11, budget=1e20)


def test_the_group_of_a_pooled_fit():
    groups = {"large": {"E": 2.5}, "small": {"E": 2.9}}
    pooled = collapsed_fit(
        "kumar2024", kumar_constants(), samples=400, jitter=0.02, pool="family", groups=groups
    )
    found = plan(pooled, n_params=1e9, tokens=1e11, budget=1e19, group="small")
    assert {pick.inputs["family"] for pick in found.picks} == {"small"}
    with pytest.raises(InputError, match="a group is needed"):
        plan(pooled, n_params=1e9, tokens=1e11, budget=1e19)


def test_a_refused_question_is_planned_for(fit):
    found = plan(fit, n_params=1e13, tokens=1e15, budget=1e22)
    assert found.is_refused
    assert found.risk.refused
    assert found.status is Status.WARN
    assert "plan.refused" in [finding.code for finding in found.findings]
    assert found.picks
    assert found.sentence().endswith("Until then an answer is REFUSED.")


def test_an_unconverged_fit_is_marked(fit):
    failed = Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "R-hat of E is 1.2.", "Fit again.")
    found = plan(replace(fit, findings=(failed,)), n_params=1e9, tokens=1e11, budget=1e19)
    assert found.status is Status.FAIL


def test_json_holds_everything_and_nothing_else(fit):
    found = plan(fit, n_params=1e9, tokens=1e11, budget=1e19)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["decision"] == "loss"
    assert content["picks"][0]["run"] == found.picks[0].text
    assert content["sd_after"] == pytest.approx(found.sd_after)
    assert len(content["candidates"]) == len(found.offered)
    assert content["risk"]["grade"] == str(found.risk.grade)
    assert list(found.table().columns)[0] == "log"
    assert len(found.table()) == len(found.picks)


def test_what_laws_disagree_on_is_variance(fit):
    other = replace(
        collapsed_fit("kumar2024", kumar_constants() | {"E": 2.2}, samples=2000, jitter=0.02, drift=True)
    )
    other = replace(other, law=replace(other.law, name="another"))
    across = plan_across((fit, other), n_params=1e9, tokens=1e11, budget=1e20)
    alone = [answer.sd for answer in across.by_law.values()]
    assert across.stack.sd > 2 * max(alone)
    assert across.stack.law == "the stack"
    assert [finding.code for finding in across.findings].count("laws.disagreement") == 1
    assert across.stack.picks[0].removed > 0.5  # any run tells which law it is
    assert set(across.to_dict()["laws"]) == {"kumar2024", "another"}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"decision": "lss"}, 'cannot plan for "lss"'),
        ({"n_params": None}, "needs n_params"),
        ({"tokens": None}, "and tokens or flops"),
        ({"flops": 1e20}, "and tokens or flops"),
        ({"n_params": -1.0}, "n_params is -1"),
        ({"budget": -1.0}, "budget is -1"),
        ({"budget": math.inf}, "budget is inf"),
        ({"budget": 1.0}, "the cheapest candidate costs"),
        ({"candidates": at((1e8, 1e10), bits_gradients=8.0)}, "no term"),
        ({"candidates": at((1e8, 1e10)).iloc[:0]}, "no candidates"),
    ],
)
def test_bad_questions(fit, question, message):
    with pytest.raises(InputError, match=message):
        plan(fit, **({"n_params": 1e9, "tokens": 1e11, "budget": 1e19} | question))
