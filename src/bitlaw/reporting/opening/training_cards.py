"""The cards on training precision: with parameters and tokens fixed, and with compute fixed."""

import math
from dataclasses import replace

from bitlaw.decisions.intervals import count_text, interval_text, nats_text
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.laws.law import Law
from bitlaw.reporting.opening.card import Card, Fact, State, in_full, refused, silent
from bitlaw.reporting.opening.training import (
    WORTH_NAMING,
    free_sentence,
    never_logged,
    no_training_term,
    training_sentence,
)
from bitlaw.reporting.opening.would_change import another_law, lower_bar, other_runs, without_data
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.words import joined, precision_text
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, format_amount, format_probability

_SECTION = "training"
_FIXED = "Training precision, with parameters and tokens fixed"
_FREE = "Training precision, with compute fixed and parameters and tokens chosen for it"


def fixed_card(decision: PrecisionDecision | None, law: Law, several: SeveralLaws | None) -> Card:
    """What to train in where parameters and tokens are fixed.

    Parameters
    ----------
    decision
        The answer; None where the law has no such term.
    law
        The law.
    several
        Several laws beside each other, where there are.
    """
    name = "sizes-fixed"
    if decision is None:
        return silent(name, _FIXED, _SECTION, no_training_term(law))
    sentence = training_sentence(decision, law)
    if decision.refused and decision.risk is not None:
        return refused(name, _FIXED, _SECTION, decision.risk, sentence)
    best = None if decision.best is None else decision.option(decision.best)
    across = None if several is None else several.precision_fixed
    return Card(
        name,
        _FIXED,
        "No precision on offer will do" if best is None else f"Train in {precision_text(best.key)}",
        State.ANSWERED,
        _SECTION,
        (_within(decision, best), *_loss(best), *_spent(best)),
        decision.risk,
        (
            *_next_cheaper(decision, best),
            another_law(several, across, decision.answer),
            *_other_costs(decision),
            *_unlogged(best),
            *other_runs(decision.risk),
            *without_data(_prior_answer(decision)),
        ),
        in_full(sentence, decision.risk),
    )


def free_card(decision: PrecisionDecision, several: SeveralLaws | None) -> Card:
    """What to train in where compute is fixed; parameters as of ``fixed_card``."""
    name, sentence = "compute-fixed", free_sentence(decision)
    if (decision.refused or decision.best is None) and decision.risk is not None:
        return refused(name, _FREE, _SECTION, decision.risk, sentence)
    best = decision.option(decision.best)  # type: ignore[arg-type]
    across = None if several is None else several.precision_free
    return Card(
        name,
        _FREE,
        f"Train in {precision_text(best.key)}",
        State.ANSWERED,
        _SECTION,
        (
            Fact(
                "How sure",
                f"best with probability {format_probability(best.probability_best)} (Monte Carlo error "
                f"{100 * best.probability_error:.1f} %)",
            ),
            *_loss(best),
            Fact("Sizes", f"{count_text(best.n_params)}, {count_text(best.tokens)}"),
            *_break_even(best),
        ),
        decision.risk,
        (
            *_runners_up(decision, best),
            another_law(several, across, decision.answer),
            *_other_costs(decision),
            *_unlogged(best),
            *other_runs(decision.risk),
            *without_data(_prior_answer(decision)),
        ),
        in_full(sentence, decision.risk),
    )


def _within(decision: PrecisionDecision, best: PrecisionOption | None) -> Fact:
    allowed = f"its loss stays within {decision.question.tolerance:g} {LOSS_UNIT} of 16 bits"
    asked = format_probability(decision.confidence)
    if best is not None and best.bits < UNQUANTIZED_BITS:
        found = format_probability(best.probability_within or 0.0)
        return Fact("How sure", f"{found} that {allowed} ({asked} was asked)")
    smaller = [option for option in decision.options if option.bits < UNQUANTIZED_BITS and not option.refused]
    if not smaller:
        return Fact("How sure", "no fewer bits are on offer")
    nearest = max(smaller, key=lambda option: option.probability_within or 0.0)
    found = format_probability(nearest.probability_within or 0.0)
    return Fact(
        "How sure",
        f"of {precision_text(nearest.key)}, {found} that {allowed}; {asked} was asked, none has it",
    )


def _loss(best: PrecisionOption | None) -> tuple[Fact, ...]:
    return () if best is None else (Fact("Loss, the law's mean", interval_text(best.loss)),)


def _spent(best: PrecisionOption | None) -> tuple[Fact, ...]:
    """What it costs and saves, and whether it pays."""
    if best is None:
        return ()
    parts = []
    if best.gpu_hours is not None:
        parts.append(f"{format_amount(best.gpu_hours)} GPU-hours")
    if best.money is not None:
        parts.append(f"{format_amount(best.money)} in money")
    if best.saved is not None and best.bits < UNQUANTIZED_BITS:
        less = "less" if best.saved >= 0 else "more"
        parts.append(f"{100 * abs(best.saved):.0f} % {less} than 16 bits at {best.speed_text('their speed')}")
    return (Fact("Cost", ", ".join(parts)),) if parts else ()


def _break_even(best: PrecisionOption) -> tuple[Fact, ...]:
    if best.bits >= UNQUANTIZED_BITS or not math.isfinite(best.break_even.median):
        return ()
    pays = (
        ""
        if best.probability_pays is None
        else f"; {best.pays_text('it')[:1].lower()}{best.pays_text('it')[1:]}"
    ).rstrip(".")
    faster = interval_text(replace(best.break_even, unit=""))
    return (Fact("Pays", f"where training runs more than {faster} times as fast as at 16 bits{pays}"),)


def _next_cheaper(decision: PrecisionDecision, best: PrecisionOption | None) -> tuple[Fact, ...]:
    """What would do if less were asked."""
    limit = math.inf if best is None else best.bits
    below = [option for option in decision.options if option.bits < limit and not option.refused]
    if not below:
        return (Fact("Fewer bits", "none on offer that what was measured supports: fewer may do"),)
    return (lower_bar(precision_text(below[0].key), below[0].probability_within or 0.0),)


def _runners_up(decision: PrecisionDecision, best: PrecisionOption) -> tuple[Fact, ...]:
    others = [
        option
        for option in sorted(decision.options, key=lambda option: -option.probability_best)
        if option.key != best.key and not option.refused
    ]
    named = [option for option in others if option.probability_best >= WORTH_NAMING] or others[:1]
    if not named:
        return ()
    listed = joined(
        f"{precision_text(option.key)} (best with probability {format_probability(option.probability_best)}, "
        f"{nats_text(option.expected_regret)} {LOSS_UNIT} given up on average)"
        for option in named
    )
    return (Fact("Runner-up" if len(named) == 1 else "Runners-up", listed),)


def _other_costs(decision: PrecisionDecision) -> tuple[Fact, ...]:
    said = [
        f"{'the same' if answer == decision.answer else answer} with {model}"
        for model, answer in decision.under_costs.items()
    ]
    return (Fact("Another cost", ", ".join(said)),) if said else ()


def _unlogged(best: PrecisionOption | None) -> tuple[Fact, ...]:
    said = "" if best is None else never_logged(best).strip()
    return (Fact("Never logged", said[0].lower() + said[1:].rstrip(".")),) if said else ()


def _prior_answer(decision: PrecisionDecision) -> str | None:
    return None if decision.under_prior is None else decision.under_prior.answer
