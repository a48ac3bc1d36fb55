"""The first paragraph: what to train in, what to quantize to, how sure, and for which models."""

import math

import pandas as pd

from bitlaw.decisions.intervals import interval_text, nats_text
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision, PrecisionOption
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.reporting.words import bits_list, gist, joined, of_status
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, format_bits, format_count, format_probability

_METHOD_NAMES = {"rtn": "round-to-nearest (rtn)"}
_TENSOR_NAMES = {"weights": "weights", "activations": "activations", "kv": "KV cache"}
_SOMEBODY_ELSES_MODEL = 7e9
_BYTES = 256
_WORTH_NAMING = 0.05


def training_sentence(decision: PrecisionDecision | None, law: str) -> str:
    """What precision to train in where parameters and tokens are fixed."""
    if decision is None:
        return f"The law {law} has no term for training precision, so it cannot say what to train in."
    best, asked = decision.best, format_probability(decision.confidence)
    allowed = f"within {decision.question.tolerance:g} {LOSS_UNIT} of 16-bit training"
    tensors = joined(_TENSOR_NAMES.get(name, name) for name in decision.question.tensors)
    if best is not None and best < UNQUANTIZED_BITS:
        option = decision.option(best)
        edge = " It is the smallest on offer, so fewer may do." if decision.at_edge else ""
        return (
            f"Train {tensors} in {format_bits(best)} bits: with parameters and tokens fixed, that is the cheapest "
            f"precision on offer whose loss stays {allowed}, with probability "
            f"{format_probability(option.probability_within or 0.0)} ({asked} was asked); the law's mean loss "
            f"there is {interval_text(option.loss)}.{_never_logged(option)}{_runner_up_within(decision)}{edge}"
        )
    smaller = [option for option in decision.options if option.bits < UNQUANTIZED_BITS]
    closest = max(smaller, key=lambda option: option.probability_within or 0.0, default=None)
    nearest = (
        f"; the nearest, {format_bits(closest.bits)} bits, does so with probability "
        f"{format_probability(closest.probability_within or 0.0)}"
        if closest
        else ""
    )
    start = "Train in 16 bits" if best is not None else "No bit-width on offer will do"
    widths = bits_list([option.bits for option in smaller]) if smaller else "no fewer bits"
    return (
        f"{start}: with parameters and tokens fixed, of {widths} for {tensors} none stays {allowed} with "
        f"probability {asked}{nearest}."
    )


def _runner_up_within(decision: PrecisionDecision) -> str:
    """What the next smaller option would risk."""
    below = [option for option in decision.options if decision.best and option.bits < decision.best]
    if not below:
        return ""
    return (
        f" At {format_bits(below[0].bits)} bits that probability is "
        f"{format_probability(below[0].probability_within or 0.0)}."
    )


def free_sentence(decision: PrecisionDecision | None) -> str:
    """What precision to train in where compute is fixed and the rest may be chosen for it."""
    if decision is None or decision.best is None:
        return ""
    best = decision.option(decision.best)
    others = [
        f"{format_bits(option.bits)} bits {format_probability(option.probability_best)}"
        for option in sorted(decision.options, key=lambda option: -option.probability_best)
        if option.bits != best.bits and option.probability_best >= _WORTH_NAMING
    ]
    rest = f"; {joined(others)}" if others else ""
    near = [bits for bits in decision.near_optimal if bits != best.bits]
    as_good = ""
    if near:
        verb = "is" if len(near) == 1 else "are"
        as_good = (
            f" {bits_list(near)} {verb} near-optimal too (expected regret at most {nats_text(decision.near)} "
            f"{LOSS_UNIT})."
        )
    edge = " That is the edge of what was offered." if decision.at_edge else ""
    pays = ""
    if best.bits < UNQUANTIZED_BITS:
        pays = (
            f" It pays only where training really runs more than {best.break_even.median:.2f} times as fast "
            "as at 16 bits."
        )
    return (
        f"If parameters and tokens may be chosen anew for the same compute, counted as FLOP × bits/16, "
        f"{format_bits(best.bits)} bits has the lowest expected loss (best with probability "
        f"{format_probability(best.probability_best)}{rest}).{_never_logged(best)}{as_good}{edge}{pays}"
    )


def _never_logged(option: PrecisionOption) -> str:
    """That an answer rests on the law's form between the bit-widths that were logged."""
    if option.diverged.of:
        return ""
    return (
        f" No run was logged with all of them in {format_bits(option.bits)} bits: the law's form fills that in, "
        "and its intervals do not cover a wrong form."
    )


def post_training_sentence(decision: PostTrainingDecision | None, law: str) -> str:
    """How far the trained model may be quantized."""
    if decision is None:
        return f"About quantizing after training this fit of {law} says nothing."
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
            f"{format_bits(option.bits_post)} "
            f"bits the degradation, {interval_text(option.degradation)}, stays within {tolerance} only with "
            f"probability {format_probability(option.probability_safe)}; "
            f"{format_probability(decision.confidence)} was asked."
        )
    option = decision.option(safe)
    below = [other for other in decision.options if other.bits_post < safe]
    next_one = (
        f" At {format_bits(below[0].bits_post)} bits that probability is "
        f"{format_probability(below[0].probability_safe)}."
        if below
        else " It is the smallest on offer, so fewer may be safe."
    )
    return (
        f"Quantize the weights of a {trained} afterwards{method} to no fewer than {format_bits(safe)} "
        "bits: a new "
        f"run then loses {interval_text(option.degradation)}, within the tolerated {tolerance} with "
        "probability "
        f"{format_probability(option.probability_safe)} ({format_probability(decision.confidence)} was "
        "asked)."
        f"{next_one}"
    )


def sure_sentence(findings: tuple[Finding, ...]) -> str:
    """Every check that failed or warned, in a clause each."""
    failed, warned = of_status(findings, Status.FAIL), of_status(findings, Status.WARN)
    passed, not_run = of_status(findings, Status.PASS), of_status(findings, Status.NOT_RUN)
    parts = []
    if failed:
        parts.append(f"Convergence failed, so do not use these numbers: {'; '.join(map(gist, failed))}.")
    if warned:
        checks = "check warns" if len(warned) == 1 else "checks warn"
        parts.append(f"{len(warned)} {checks}: {'; '.join(map(gist, warned))}.")
    if not (failed or warned):
        parts.append(f"All {len(passed)} checks that ran passed.")
    if not_run:
        parts.append(f"{len(not_run)} could not run.")
    parts.append("All of it assumes the one law that was fitted; another law may answer differently.")
    return " ".join(parts)


def prior_sentence(
    fixed: PrecisionDecision | None, free: PrecisionDecision | None, post: PostTrainingDecision | None
) -> str:
    """What the same questions would have been answered without any data."""
    answers = []
    for decision, what in ((fixed, "with sizes fixed"), (free, "with sizes free")):
        if decision is not None and decision.under_prior is not None:
            answers.append(f"{_or_none(decision.under_prior.best)} in training {what}")
    if post is not None and post.under_prior is not None:
        answers.append(f"{_or_none(post.under_prior.smallest_safe_bits)} after it")
    return f"Without the data, the prior alone would say {joined(answers)}." if answers else ""


def _or_none(bits: float | None) -> str:
    return "none on offer" if bits is None else f"{format_bits(bits)} bits"


def range_sentence(fit: Fit) -> str:
    """Which models were measured, and that the numbers are about nothing else."""
    rows = fit.rows
    vocabulary = rows["vocab_size"].dropna().unique()
    level = ""
    if len(vocabulary) == 1:
        level = (
            f", byte-level (vocabulary {_BYTES})"
            if vocabulary[0] == _BYTES
            else (f", vocabulary {format_count(vocabulary[0])}")
        )
    return (
        f"The fitted runs have {_span(rows['n_params'])} parameters and {_span(rows['tokens'])} "
        f"tokens{level}; "
        f"outside that these numbers are not evidence{_not_for_others(float(rows['n_params'].max()))}."
    )


def _span(values: pd.Series) -> str:
    lo, hi = format_count(float(values.min())), format_count(float(values.max()))
    return lo if lo == hi else f"{lo} to {hi}"


def _not_for_others(largest: float) -> str:
    decades = math.log10(_SOMEBODY_ELSES_MODEL / largest)
    if decades < 1.0:
        return ""
    return f", and not advice for a {format_count(_SOMEBODY_ELSES_MODEL)} model, {decades:.1f} decades larger"
