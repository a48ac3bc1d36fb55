"""Plans paid for in GPU-hours or money, with runs priced by the time they take on a chip."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.candidate_costs import costs_of
from bitlaw.decisions.plan import plan, plan_across
from bitlaw.decisions.spending import pricing_of
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants

MODEL = {"n_params": 1e9, "tokens": 1e11}
SPEEDS = {"h100": {"bf16": 400.0, "fp8": 480.0}}


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.02, drift=True)


def runs(bits, **columns):
    return points_frame(
        n_params=1e8, tokens=1e10, bits_weights=bits, bits_activations=bits, bits_kv=bits, **columns
    )


def test_a_run_costs_the_time_it_takes_on_the_chip():
    rows = runs([16.0, 8.0, 4.0])
    assert costs_of(rows, pricing_of()) == pytest.approx([6e18] * 3)
    assert costs_of(rows, pricing_of("b200")) == pytest.approx([6e18, 3e18, 1.5e18])
    assert costs_of(rows, pricing_of("h100", SPEEDS)) == pytest.approx([6e18, 6e18 / 1.2, 6e18])
    one_operand = points_frame(n_params=1e8, tokens=1e10, bits_weights=[8.0])
    assert costs_of(one_operand, pricing_of("b200")) == pytest.approx([6e18])
    unknown = points_frame(n_params=1e8, tokens=1e10, format=["ours"])
    assert costs_of(unknown, pricing_of("b200")) == pytest.approx([6e18])


def test_quantizing_after_training_is_paid_for_in_16_bits():
    rows = points_frame(n_params=1e6, tokens=1e8, bits_post=[4.0], method_post="gptq")
    assert costs_of(rows, pricing_of("b200")) == pytest.approx([0.01 * 6e14])


def test_budgets_in_flop_hours_and_money_buy_the_same(fit):
    chip = pricing_of("h100", SPEEDS, 2.0)
    flops = chip.flops(gpu_hours=50)
    on_chip = {"hardware": "h100", "speeds": SPEEDS, "price": 2.0}
    by_flop, by_hours, by_money = (
        plan(fit, **MODEL, **budget, **on_chip)
        for budget in ({"budget": flops}, {"gpu_hours": 50}, {"money": 100})
    )
    assert [pick.text for pick in by_hours.picks] == [pick.text for pick in by_flop.picks]
    assert by_money.spent == pytest.approx(by_flop.spent)
    assert by_hours.picks[0].amount == pytest.approx(chip.gpu_hours(by_hours.picks[0].cost))
    assert by_money.picks[0].amount == pytest.approx(2 * by_hours.picks[0].amount)
    assert "GPU-hours on h100" in by_hours.sentence()
    assert "in money on h100" in by_money.sentence()
    assert "FLOP at 16 bits on h100" in by_flop.sentence()
    assert list(by_hours.table().columns)[1] == "cost, GPU-hours"
    assert by_hours.budget.amount(by_hours.spent) <= 50
    content = json.loads(json.dumps(by_money.to_dict(), allow_nan=False))
    assert content["spending"] == {
        "unit": "money",
        "budget": pytest.approx(100.0),
        "spent": pytest.approx(2 * by_hours.budget.amount(by_hours.spent)),
        "hardware": "h100",
        "price": 2.0,
        "speeds": {"bf16": 400.0, "fp8-e4m3": 480.0},
    }
    assert content["budget"] == pytest.approx(flops)
    assert plan(fit, **MODEL, budget=1e19).to_dict()["spending"]["hardware"] is None


def test_fast_precisions_are_cheap_and_others_simulated(fit):
    offered = runs([16.0, 8.0, 5.0])
    found = plan(fit, **MODEL, gpu_hours=1e4, hardware="h100", speeds=SPEEDS, candidates=offered)
    assert [one.cost for one in found.offered] == pytest.approx([6e18, 5e18, 6e18])
    by_code = {finding.code: finding for finding in found.findings}
    assert by_code["hardware.speeds"].status is Status.PASS
    assert by_code["hardware.simulated"].status is Status.WARN
    assert "int w5a5kv5: h100 does not multiply in 5 bits" in by_code["hardware.simulated"].message
    peaks = plan(fit, **MODEL, gpu_hours=1e4, hardware="h100", candidates=runs([16.0]))
    codes = {finding.code: finding for finding in peaks.findings}
    assert codes["hardware.speeds"].status is Status.WARN
    assert "hardware.simulated" not in codes
    assert not [one for one in plan(fit, **MODEL, budget=1e19).findings if one.code.startswith("hardware")]


def test_costs_of_ones_own_are_in_the_unit_of_the_budget(fit):
    offered = runs([16.0, 8.0]).assign(cost=[3.0, np.nan])
    chip = {"hardware": "b200", "price": 4.0}
    hours = plan(fit, **MODEL, gpu_hours=1e4, candidates=offered, **chip)
    assert hours.offered[0].amount == pytest.approx(3.0)
    assert hours.offered[1].cost == pytest.approx(3e18)
    money = plan(fit, **MODEL, money=1e4, candidates=offered, **chip)
    assert money.offered[0].cost == pytest.approx(hours.offered[0].cost / 4)
    flop = plan(fit, **MODEL, budget=1e20, candidates=offered.assign(cost=[5e17, np.nan]), **chip)
    assert flop.offered[0].cost == pytest.approx(5e17)


def test_for_optimum_the_chip_decides_what_is_on_offer(fit):
    found = plan(fit, "optimum", flops=1e21, gpu_hours=100, hardware="h100", speeds=SPEEDS)
    bits = {one.inputs.get("bits_weights", 16.0) for one in found.offered}
    assert bits == {16.0, 8.0}
    assert [finding.code for finding in found.findings].count("hardware.speeds") == 1
    eight = next(one for one in found.offered if one.inputs.get("bits_weights") == 8.0)
    assert eight.cost == pytest.approx(6 * eight.inputs["n_params"] * eight.inputs["tokens"] / 1.2)


def test_tensors_and_group_size_are_those_of_the_options(fit):
    found = plan(fit, "optimum", flops=1e21, budget=1e19, bits=(16, 4), tensors=("weights",), group_size=64)
    low = [one.inputs for one in found.offered if one.inputs.get("bits_weights") == 4.0]
    assert low
    assert all("bits_activations" not in inputs for inputs in low)
    assert {inputs["group_size"] for inputs in low} == {64.0}
    every = plan(fit, "optimum", flops=1e21, budget=1e19, bits=(16, 4))
    assert any("bits_activations" in one.inputs for one in every.offered)


def test_findings_on_costs_are_said_once_of_several_laws(fit):
    other = replace(fit, law=replace(fit.law, name="another"))
    across = plan_across((fit, other), **MODEL, gpu_hours=1e4, hardware="h100", candidates=runs([16.0, 5.0]))
    codes = [finding.code for finding in across.findings]
    assert codes.count("hardware.simulated") == 1
    assert codes.count("hardware.speeds") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "nothing to spend on runs"),
        ({"budget": 1e19, "gpu_hours": 2.0}, "budget and gpu_hours are budgets both"),
        ({"gpu_hours": 2.0}, "gpu_hours buys time on a chip, and none is named"),
        ({"money": 2.0, "hardware": "h100"}, "money buys GPU-hours at a price"),
        ({"gpu_hours": -2.0, "hardware": "h100"}, "gpu_hours is -2"),
        ({"gpu_hours": 1e-9, "hardware": "h100"}, "the cheapest candidate costs .* GPU-hours"),
        ({"budget": 1e19, "price": 2.0}, "price is per GPU-hour of a chip"),
        ({"budget": 1e19, "hardware": "h1000"}, "did you mean"),
        ({"budget": 1e19, "bits": (8,)}, "bits is no part of a plan for loss"),
        ({"budget": 1e19, "tensors": ("weights",)}, "tensors is no part of a plan for loss"),
        ({"budget": 1e19, "run_id": "a"}, "run_id is no part of a plan for loss; valid: with a plan for ptq"),
        ({"decision": "optimum", "budget": 1e19, "bits_weights": 8.0}, "with a plan for loss or ptq"),
        ({"decision": "optimum", "budget": 1e19, "tensors": ("foo",)}, 'tensors: "foo" is unknown'),
        ({"decision": "optimum", "n_params": None, "tokens": None, "budget": 1e19}, "apart from the budget"),
    ],
)
def test_bad_questions(fit, change, message):
    with pytest.raises(InputError, match=message):
        plan(fit, **(MODEL | change))
