"""The card on quantizing after training."""

from bitlaw.decisions.intervals import count_text, interval_text
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.laws.law import Law
from bitlaw.reporting.opening.after_training import post_training_sentence
from bitlaw.reporting.opening.card import Card, Fact, State, in_full, refused, silent
from bitlaw.reporting.opening.would_change import another_law, lower_bar, other_runs, without_data
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.words import bits_text
from bitlaw.units import LOSS_UNIT, format_probability

_SECTION = "after"
_QUESTION = "Quantizing the weights after training"


def after_training_card(decision: PostTrainingDecision | None, law: Law, several: SeveralLaws | None) -> Card:
    """How far the trained model may be quantized.

    Parameters
    ----------
    decision
        The answer; None where the fit says nothing about it.
    law
        The law.
    several
        Several laws beside each other, where there are.
    """
    name, sentence = "quantize", post_training_sentence(decision, law)
    if decision is None:
        return silent(name, _QUESTION, _SECTION, f"{law.name} has no such term, or no row was quantized.")
    if decision.refused and decision.risk is not None:
        return refused(name, _QUESTION, _SECTION, decision.risk, sentence)
    safe, shown = decision.smallest_safe_bits, decision.shown
    across = None if several is None else several.post_training
    prior = decision.under_prior
    return Card(
        name,
        f"{_QUESTION}{f' by {decision.method_post}' if decision.method_post else ''}",
        "Do not quantize" if safe is None else f"Quantize to no fewer than {bits_text(safe)}",
        State.ANSWERED,
        _SECTION,
        (_sure(decision, shown), _lost(shown), *_memory(decision)),
        decision.risk,
        (
            _fewer(decision),
            another_law(several, across, decision.answer),
            *_longer(shown),
            *other_runs(decision.risk),
            *without_data(None if prior is None else prior.answer),
        ),
        in_full(sentence, decision.risk),
    )


def _sure(decision: PostTrainingDecision, shown: PostTrainingOption) -> Fact:
    at = f" at {bits_text(shown.bits_post)}" if decision.smallest_safe_bits is None else ""
    return Fact(
        "How sure",
        f"{format_probability(shown.probability_safe)} that it loses at most {decision.tolerance:g} {LOSS_UNIT}{at} "
        f"({format_probability(decision.confidence)} was asked)",
    )


def _lost(shown: PostTrainingOption) -> Fact:
    whose = "measured on this run" if shown.is_measured else "of a new run"
    return Fact(
        f"Degradation, {whose}", f"{interval_text(shown.degradation)} at {bits_text(shown.bits_post)}"
    )


def _memory(decision: PostTrainingDecision) -> tuple[Fact, ...]:
    """Memory at serving, where chips are named."""
    return (Fact("Memory", decision.serving.text()),) if decision.chips else ()


def _fewer(decision: PostTrainingDecision) -> Fact:
    """What would do if less were asked, or what is left to try."""
    safe = decision.smallest_safe_bits
    allowed = [option for option in decision.options if not option.refused]
    below = [option for option in allowed if safe is None or option.bits_post < safe]
    if not below:
        return Fact("Fewer bits", "none on offer that what was measured supports: fewer may be safe")
    return lower_bar(bits_text(below[0].bits_post), below[0].probability_safe)


def _longer(shown: PostTrainingOption) -> tuple[Fact, ...]:
    if shown.critical_tokens is None or shown.probability_past_critical is None:
        return ()
    return (
        Fact(
            "Longer training",
            f"beyond {count_text(shown.critical_tokens)} more of them make the model worse at these bits; the "
            f"planned ones are past that with probability {format_probability(shown.probability_past_critical)}",
        ),
    )
