"""What precision to train in, in sentences."""

import math

from bitlaw.decisions.intervals import interval_text, nats_text
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.laws.law import Law
from bitlaw.reporting.opening.offered import offered
from bitlaw.reporting.words import bits_text, joined, options_list, precision_text
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, format_probability

_TENSOR_NAMES = {"kv": "KV cache"}
WORTH_NAMING = 0.05
"""Probability of being best from which an option besides the answer is named."""


def no_training_term(law: Law) -> str:
    """Why a law does not say what to train in."""
    why = (
        "takes losses as trained as measured"
        if law.base.is_observed
        else "has no term for training precision"
    )
    return f"The law {law.name} {why}, so it cannot say what to train in."


def training_sentence(decision: PrecisionDecision | None, law: Law) -> str:
    """What precision to train in where parameters and tokens are fixed."""
    if decision is None:
        return no_training_term(law)
    if decision.refused and decision.risk is not None:
        return f"With parameters and tokens fixed, {decision.risk.refusal()}"
    asked = format_probability(decision.confidence)
    allowed = f"within {decision.question.tolerance:g} {LOSS_UNIT} of 16-bit training"
    tensors = joined(_TENSOR_NAMES.get(name, name) for name in decision.question.tensors)
    best = decision.option(decision.best) if decision.best is not None else None
    if best is not None and best.bits < UNQUANTIZED_BITS:
        edge = (
            f" It is the smallest {offered(decision.options)}, so fewer may do." if decision.at_edge else ""
        )
        return (
            f"Train {f'{tensors} ' if best.format is None else ''}in {precision_text(best.key)}: with "
            "parameters and tokens fixed, that is the cheapest precision on offer whose loss stays "
            f"{allowed}, with probability {format_probability(best.probability_within or 0.0)} ({asked} "
            "was asked); the law's mean loss there is "
            f"{interval_text(best.loss)}.{never_logged(best)}{_runner_up_within(decision, best)}{edge}"
        )
    smaller = [option for option in decision.options if option.bits < UNQUANTIZED_BITS and not option.refused]
    closest = max(smaller, key=lambda option: option.probability_within or 0.0, default=None)
    nearest = (
        f"; the nearest, {precision_text(closest.key)}, does so with probability "
        f"{format_probability(closest.probability_within or 0.0)}"
        if closest
        else ""
    )
    start = "Train in 16 bits" if best is not None else "No precision on offer will do"
    names = options_list([option.key for option in smaller]) if smaller else "no fewer bits"
    for_what = f" for {tensors}" if all(option.format is None for option in smaller) else ""
    return (
        f"{start}: with parameters and tokens fixed, of {names}{for_what} none stays {allowed} with "
        f"probability {asked}{nearest}."
    )


def _runner_up_within(decision: PrecisionDecision, best: PrecisionOption) -> str:
    """What the next cheaper option would risk."""
    below = [option for option in decision.options if option.bits < best.bits and not option.refused]
    if not below:
        return ""
    return f" {_at(below[0])} that probability is {format_probability(below[0].probability_within or 0.0)}."


def _at(option: PrecisionOption) -> str:
    return f"{'At' if option.format is None else 'In'} {precision_text(option.key)}"


def free_sentence(decision: PrecisionDecision | None) -> str:
    """What precision to train in where compute is fixed and the rest may be chosen for it."""
    if decision is not None and decision.refused and decision.risk is not None:
        return f"With parameters and tokens chosen anew for the same compute, {decision.risk.refusal()}"
    if decision is None or decision.best is None:
        return ""
    best = decision.option(decision.best)
    others = [
        f"{precision_text(option.key)} {format_probability(option.probability_best)}"
        for option in sorted(decision.options, key=lambda option: -option.probability_best)
        if option.key != best.key and not option.refused and option.probability_best >= WORTH_NAMING
    ]
    rest = f"; {joined(others)}" if others else ""
    near = [key for key in decision.near_optimal if key != best.key]
    as_good = ""
    if near:
        as_good = (
            f" Near-optimal too, with an expected regret of at most {nats_text(decision.near)} {LOSS_UNIT}: "
            f"{options_list(near)}."
        )
    edge = f" That is the edge of what is {offered(decision.options)}." if decision.at_edge else ""
    pays = ""
    if best.bits < UNQUANTIZED_BITS and math.isfinite(best.break_even.median):
        pays = (
            f" It pays only where training really runs more than {best.break_even.median:.2f} times as fast "
            "as at 16 bits."
        )
        if best.assumed is not None:
            pays += f" It is counted at {best.speed_text()}."
        if best.runs_in is not None:
            kind = "measured" if best.speed_measured else "peak"
            pays += (
                f" At the {kind} speed-up of {best.runs_in} on {decision.question.pricing.name}, "
                f"{1 / best.cost:.3g}x, it does with probability {format_probability(best.probability_pays or 0.0)}."
            )
    elif best.runs_in is not None:
        pays = f" {decision.pays_text(best)}".rstrip()
    chip = decision.question.pricing.chip
    counted = "FLOP × bits/16" if chip is None else f"time on {chip.name}"
    return (
        f"If parameters and tokens may be chosen anew for the same compute, counted as {counted}, "
        f"{precision_text(best.key)} has the lowest expected loss (best with probability "
        f"{format_probability(best.probability_best)}{rest}).{never_logged(best)}{as_good}{edge}{pays}"
    )


def never_logged(option: PrecisionOption) -> str:
    """That an answer rests on the law's form between the precisions that were logged."""
    if option.diverged.of or option.bits >= UNQUANTIZED_BITS:
        return ""
    what = f"with all of them in {bits_text(option.bits)}" if option.format is None else f"in {option.format}"
    return (
        f" No run was logged {what}: the law's form fills that in, and its intervals do not cover a wrong "
        "form."
    )
