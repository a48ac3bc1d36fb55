from collections.abc import Callable
from dataclasses import replace

import pytest

from bitlaw.criticism.risk import Grade
from bitlaw.decisions.budget import budget
from bitlaw.decisions.intervals import interval_text
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.opening.after_training_card import after_training_card
from bitlaw.reporting.opening.card import Card, State
from bitlaw.reporting.opening.cards import cards
from bitlaw.reporting.opening.training_cards import fixed_card
from bitlaw.units import format_probability

SIZES = {"n_params": 1e8, "tokens": 1e10}


def facts(card: Card) -> dict[str, str]:
    return {fact.label: fact.text for fact in card.facts}


def changes(card: Card) -> dict[str, str]:
    return {fact.label: fact.text for fact in card.changes}


@pytest.fixture(scope="module")
def found(fit: Fit, answers: Answers) -> dict[str, Card]:
    return {card.name: card for card in cards(fit, answers, None)}


def test_a_card_per_question_in_the_order_of_deciding(found: dict[str, Card]) -> None:
    assert list(found) == ["sizes-fixed", "compute-fixed", "spend", "quantize", "expect"]
    assert all(card.state is State.ANSWERED for card in found.values())


def test_every_answer_has_its_risk_its_reason_and_what_would_change_it(found: dict[str, Card]) -> None:
    for card in found.values():
        assert card.risk is not None
        assert card.reason == card.risk.reasons[0]
        assert changes(card)["Another law"] == "not checked (NOT RUN): one law was fitted"
        assert changes(card)["Without the data"].startswith("the prior alone would say ")


def test_numbers_are_those_of_the_decisions(found: dict[str, Card], answers: Answers) -> None:
    free, spent, after = answers.precision_free, answers.budget, answers.post_training
    assert free is not None
    assert spent is not None
    assert after is not None
    best = free.option(free.best)
    assert found["compute-fixed"].headline == f"Train in {best.bits:g} bits"
    assert format_probability(best.probability_best) in facts(found["compute-fixed"])["How sure"]
    assert facts(found["compute-fixed"])["Loss, the law's mean"] == interval_text(best.loss)
    plan = spent.option(spent.best)
    assert found["spend"].headline == f"Train {plan.text()}"
    assert facts(found["spend"])["Loss of a new run"] == interval_text(plan.new_run)
    assert found["quantize"].headline == f"Quantize to no fewer than {after.smallest_safe_bits:g} bits"
    assert format_probability(after.shown.probability_safe) in facts(found["quantize"])["How sure"]
    assert facts(found["expect"])["A new run"] == interval_text(answers.prediction.points[0].new_run)


@pytest.mark.parametrize("tolerance", [1e-6, 0.05, 10.0])
def test_fixed_sizes(fit: Fit, tolerance: float) -> None:
    decision = optimum(fit, **SIZES, tolerance=tolerance)
    card = fixed_card(decision, fit.law, None)
    assert card.headline == f"Train in {decision.best:g} bits"
    assert (
        "90 % was asked" in facts(card)["How sure"]
        or "90 % was asked, none has it" in facts(card)["How sure"]
    )
    below = [option for option in decision.options if option.bits < decision.best and not option.refused]
    said = changes(card)
    if not below:
        assert "fewer may do" in said["Fewer bits"]
    elif (below[0].probability_within or 0.0) < 0.05:
        assert f"{below[0].bits:g} bits stays within tolerance" in said["Next cheaper"]
    else:
        assert said["A lower bar"].startswith(f"{below[0].bits:g} bits if a probability of")


def test_nothing_on_offer_will_do(fit: Fit) -> None:
    card = fixed_card(optimum(fit, **SIZES, tolerance=1e-9, bits=(4, 3)), fit.law, None)
    assert card.headline == "No precision on offer will do"
    assert "Loss, the law's mean" not in facts(card)


def test_do_not_quantize(fit: Fit) -> None:
    card = after_training_card(ptq(fit, 1e8, 1e10, tolerance=1e-9), fit.law, None)
    assert card.headline == "Do not quantize"
    assert "at 8 bits" in facts(card)["How sure"]


def test_refused_questions_name_the_runs_that_would_help(fit: Fit) -> None:
    far = {"n_params": 1e13, "tokens": 1e15}
    refused = Answers(
        predict(fit, points_frame(**far)),
        optimum(fit, **far),
        optimum(fit, flops=6e28),
        ptq(fit, **far),
        "a question",
        budget(fit, flops=6e28),
    )
    for card in cards(fit, refused, None):
        assert card.state is State.REFUSED
        assert card.headline == "Refused: nothing measured supports an answer"
        assert card.risk is not None
        assert card.risk.grade is Grade.REFUSE
        assert changes(card)["Runs that would help"].startswith("a run of ")
        assert not any("bits" in fact.label for fact in card.facts)
        assert card.to_dict()["state"] == "refused"


@pytest.mark.parametrize(("law", "silent"), [("ouyang2024", "sizes-fixed"), ("chinchilla", "quantize")])
def test_a_law_without_the_term_says_nothing(
    law_fit: Callable[[str], Fit], answers_for: Callable[[Fit], Answers], law: str, silent: str
) -> None:
    fit = law_fit(law)
    found = {card.name: card for card in cards(fit, answers_for(fit), None)}
    assert found[silent].state is State.SILENT
    assert found[silent].headline == "No answer from this law"
    assert law in facts(found[silent])["Why"]
    assert "compute-fixed" not in found
    assert found["spend"].state is State.ANSWERED


def test_structural_error_beyond_the_data_is_a_fact_of_the_loss(backtested: Fit, answers: Answers) -> None:
    far = replace(answers, prediction=predict(backtested, points_frame(n_params=2e9, tokens=4e10)))
    card = cards(backtested, far, None)[-1]
    assert "% of the loss (drift) is included" in facts(card)["Structural error"]


def test_speeds_are_called_assumed_where_no_chip_is_named(fit: Fit, answers: Answers) -> None:
    cheap = optimum(fit, **SIZES, tolerance=10.0, bits=(16, 5))
    cost = facts(fixed_card(cheap, fit.law, None))["Cost"]
    assert cost == (
        "69 % less than 16 bits at an assumed 3.2x their speed (FLOP in proportion to bits; no listed chip multiplies "
        "in 5 bits: see --hardware)"
    )
    free, spent = answers.precision_free, answers.budget
    assert free is not None
    assert spent is not None
    found = {card.name: card for card in cards(fit, answers, None)}
    best, plan = free.option(free.best), spent.option(spent.best)
    assert facts(found["compute-fixed"])["Pays"].endswith(best.speed_text())
    assert best.speed_text().startswith(f"an assumed {16 / best.bits:.3g}x the speed of 16 bits")
    assert facts(found["spend"])["Counted at"] == plan.speed_text()


def test_on_a_chip_speeds_are_not_called_assumed(fit: Fit) -> None:
    chip = {"hardware": "h100"}
    found = Answers(
        predict(fit, points_frame(**SIZES)),
        optimum(fit, **SIZES, tolerance=10.0, **chip),
        optimum(fit, flops=6e18, **chip),
        None,
        "a question",
        budget(fit, flops=6e18, **chip),
    )
    fixed, free, spend = cards(fit, found, None)[:3]
    assert facts(fixed)["Cost"].endswith("50 % less than 16 bits at 2x their speed")
    assert facts(free)["Pays"].endswith("at 2x the speed of 16 bits")
    assert "Counted at" not in facts(spend)


def test_memory_is_said_where_chips_are_named(fit: Fit) -> None:
    card, on_chips = (
        after_training_card(ptq(fit, 1e8, 1e10, hardware=chips), fit.law, None)
        for chips in (None, ("h100", "b200"))
    )
    assert "Memory" not in facts(card)
    assert "That fits in the memory of one h100 (80 GB) or one b200 (180 GB)." in facts(on_chips)["Memory"]
