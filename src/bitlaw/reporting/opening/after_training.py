"""How far the trained model may be quantized, in a sentence."""

from bitlaw.decisions.intervals import interval_text
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.laws.law import Law
from bitlaw.reporting.opening.offered import offered
from bitlaw.reporting.words import bits_text
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, format_probability

_METHOD_NAMES = {"rtn": "round-to-nearest (rtn)"}


def post_training_sentence(decision: PostTrainingDecision | None, law: Law) -> str:
    """How far the trained model may be quantized."""
    if decision is None:
        return f"About quantizing after training this fit of {law.name} says nothing."
    if decision.refused and decision.risk is not None:
        return decision.risk.refusal()
    safe, tolerance = decision.smallest_safe_bits, f"{decision.tolerance:g} {LOSS_UNIT}"
    method = (
        f" by {_METHOD_NAMES.get(decision.method_post, decision.method_post)}" if decision.method_post else ""
    )
    trained = (
        "16-bit run"
        if min(decision.bits_weights, decision.bits_activations, decision.bits_kv) >= UNQUANTIZED_BITS
        else "run"
    )
    if safe is None:
        option = decision.options[0]
        return (
            f"Do not quantize the weights of a {trained} afterwards{method}: even at "
            f"{bits_text(option.bits_post)} the degradation, {interval_text(option.degradation)}, stays "
            f"within {tolerance} only with probability {format_probability(option.probability_safe)}; "
            f"{format_probability(decision.confidence)} was asked."
        )
    option = decision.option(safe)
    below = [other for other in decision.options if other.bits_post < safe and not other.refused]
    next_one = (
        f" At {bits_text(below[0].bits_post)} that probability is "
        f"{format_probability(below[0].probability_safe)}."
        if below
        else f" It is the smallest {offered(decision.options)}, so fewer may be safe."
    )
    return (
        f"Quantize the weights of a {trained} afterwards{method} to no fewer than {bits_text(safe)}: "
        f"{_loses(option)} {interval_text(option.degradation)}, within the tolerated {tolerance} with "
        f"probability {format_probability(option.probability_safe)} "
        f"({format_probability(decision.confidence)} was asked).{next_one}"
    )


def _loses(option: PostTrainingOption) -> str:
    return "measured on this run, it then loses" if option.is_measured else "a new run then loses"
