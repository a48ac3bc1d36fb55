"""The first paragraph: what to train in, what to quantize to, how sure, and for which models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from bitlaw.criticism.risk import Grade
from bitlaw.decisions.across_laws import DISAGREEMENT
from bitlaw.decisions.caveats import is_beyond
from bitlaw.decisions.intervals import drift_text, interval_text, nats_text
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.reporting.on_chips import chips_sentence
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.words import (
    bits_text,
    first_clause,
    gist,
    joined,
    of_status,
    options_list,
    precision_text,
)
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, format_count, format_probability

if TYPE_CHECKING:
    from bitlaw.reporting.answers import Answers

_METHOD_NAMES = {"rtn": "round-to-nearest (rtn)"}
_TENSOR_NAMES = {"kv": "KV cache"}
_SOMEBODY_ELSES_MODEL = 7e9
_BYTES = 256
_WORTH_NAMING = 0.05

_LEAST_WEIGHT = 0.05
"""Weight of a law in the stack below which the opening does not repeat what was found in it."""


@dataclass(frozen=True)
class Paragraph:
    """What the report opens with on one matter."""

    head: str
    text: str


def paragraphs(
    fit: Fit, answers: Answers, findings: tuple[Finding, ...], several: SeveralLaws | None
) -> tuple[Paragraph, ...]:
    """The opening: what to do, how sure that is, whether it depends on the law, and for which models.

    Parameters
    ----------
    fit, answers, several
        As for ``write_report``.
    findings
        What was found in them.
    """
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    laws = tuple(several.weights) if several is not None else ()
    texts = {
        "Training precision": (
            training_sentence(fixed, fit.law),
            free_sentence(free),
            chips_sentence(answers.chips_fixed, answers.chips_free),
        ),
        "After training": (post_training_sentence(post, fit.law),),
        "How sure": (
            sure_sentence(_that_count(findings, several), laws),
            risk_sentence(answers),
            drift_sentence(answers, findings),
            prior_sentence(fixed, free, post),
        ),
        "Does it depend on the law": (laws_sentence(fit.law, several),),
        "For which models": (range_sentence(fit),),
    }
    return tuple(Paragraph(head, " ".join(filter(None, parts))) for head, parts in texts.items())


def drift_sentence(answers: Answers, findings: tuple[Finding, ...]) -> str:
    """That losses beyond the data include structural error, or do not; empty where there is none."""
    free = answers.precision_free
    added = [point.drift or 0.0 for point in answers.prediction.points]
    if free is not None and free.best is not None:
        added.append(free.option(free.best).drift or 0.0)
    return drift_text(answers.prediction.drift, max(added), is_beyond(findings)).strip()


def risk_sentence(answers: Answers) -> str:
    """The grade of every answer, the worst first, with the first reason for those that are not LOW."""
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    asked = (
        ("the precision with sizes fixed", None if fixed is None else fixed.risk),
        ("the precision with compute fixed", None if free is None else free.risk),
        ("quantizing after training", None if post is None else post.risk),
        ("the predicted loss", answers.prediction.points[0].risk),
    )
    alike: dict[tuple[Grade, str], list[str]] = {}
    for what, risk in asked:
        if risk is not None:
            why = "" if risk.grade is Grade.LOW else f" ({first_clause(risk.reasons[0])})"
            alike.setdefault((risk.grade, why), []).append(what)
    ordered = sorted(alike.items(), key=lambda item: -item[0][0].rank)
    said = [f"{grade} for {joined(whats)}{why}" for (grade, why), whats in ordered]
    return f"Risk, by what was measured: {'; '.join(said)}."


def training_sentence(decision: PrecisionDecision | None, law: Law) -> str:
    """What precision to train in where parameters and tokens are fixed."""
    if decision is None:
        why = (
            "takes losses as trained as measured"
            if law.base.is_observed
            else "has no term for training precision"
        )
        return f"The law {law.name} {why}, so it cannot say what to train in."
    if decision.refused and decision.risk is not None:
        return f"With parameters and tokens fixed, {decision.risk.refusal()}"
    asked = format_probability(decision.confidence)
    allowed = f"within {decision.question.tolerance:g} {LOSS_UNIT} of 16-bit training"
    tensors = joined(_TENSOR_NAMES.get(name, name) for name in decision.question.tensors)
    best = decision.option(decision.best) if decision.best is not None else None
    if best is not None and best.bits < UNQUANTIZED_BITS:
        edge = (
            f" It is the smallest {_offered(decision.options)}, so fewer may do." if decision.at_edge else ""
        )
        return (
            f"Train {f'{tensors} ' if best.format is None else ''}in {precision_text(best.key)}: with "
            "parameters and tokens fixed, that is the cheapest precision on offer whose loss stays "
            f"{allowed}, with probability {format_probability(best.probability_within or 0.0)} ({asked} "
            "was asked); the law's mean loss there is "
            f"{interval_text(best.loss)}.{_never_logged(best)}{_runner_up_within(decision, best)}{edge}"
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


def _offered(options: Sequence[PrecisionOption] | Sequence[PostTrainingOption]) -> str:
    """What an answer may be at the edge of: what is on offer, or the part of it that something supports."""
    refused = any(option.refused for option in options)
    return "on offer that what was measured supports" if refused else "on offer"


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
        if option.key != best.key and not option.refused and option.probability_best >= _WORTH_NAMING
    ]
    rest = f"; {joined(others)}" if others else ""
    near = [key for key in decision.near_optimal if key != best.key]
    as_good = ""
    if near:
        as_good = (
            f" Near-optimal too, with an expected regret of at most {nats_text(decision.near)} {LOSS_UNIT}: "
            f"{options_list(near)}."
        )
    edge = f" That is the edge of what is {_offered(decision.options)}." if decision.at_edge else ""
    pays = ""
    if best.bits < UNQUANTIZED_BITS and math.isfinite(best.break_even.median):
        pays = (
            f" It pays only where training really runs more than {best.break_even.median:.2f} times as fast "
            "as at 16 bits."
        )
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
        f"{format_probability(best.probability_best)}{rest}).{_never_logged(best)}{as_good}{edge}{pays}"
    )


def _never_logged(option: PrecisionOption) -> str:
    """That an answer rests on the law's form between the precisions that were logged."""
    if option.diverged.of or option.bits >= UNQUANTIZED_BITS:
        return ""
    what = f"with all of them in {bits_text(option.bits)}" if option.format is None else f"in {option.format}"
    return (
        f" No run was logged {what}: the law's form fills that in, and its intervals do not cover a wrong "
        "form."
    )


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
        else f" It is the smallest {_offered(decision.options)}, so fewer may be safe."
    )
    return (
        f"Quantize the weights of a {trained} afterwards{method} to no fewer than {bits_text(safe)}: "
        f"{_loses(option)} {interval_text(option.degradation)}, within the tolerated {tolerance} with "
        f"probability {format_probability(option.probability_safe)} "
        f"({format_probability(decision.confidence)} was asked).{next_one}"
    )


def _loses(option: PostTrainingOption) -> str:
    return "measured on this run, it then loses" if option.is_measured else "a new run then loses"


def _that_count(findings: tuple[Finding, ...], several: SeveralLaws | None) -> tuple[Finding, ...]:
    """Findings but those on laws that have next to no weight in the answer; diagnostics list them all."""
    light = [name for name, weight in several.weights.items() if weight < _LEAST_WEIGHT] if several else []
    return tuple(
        finding for finding in findings if not any(finding.message.startswith(f"{name}: ") for name in light)
    )


def sure_sentence(findings: tuple[Finding, ...], laws: Sequence[str] = ()) -> str:
    """Every check that failed or warned, in a clause each; whether laws disagree has its own sentence.

    Parameters
    ----------
    findings
        What was found.
    laws
        Names of the laws, where there are several.
    """
    findings = tuple(finding for finding in findings if finding.code != DISAGREEMENT)
    failed, warned = of_status(findings, Status.FAIL), of_status(findings, Status.WARN)
    passed, not_run = of_status(findings, Status.PASS), of_status(findings, Status.NOT_RUN)
    parts = []
    if failed:
        parts.append(f"Convergence failed, so do not use these numbers: {_gists(failed, laws)}.")
    if warned:
        checks = "check warns" if len(warned) == 1 else "checks warn"
        parts.append(f"{len(warned)} {checks}: {_gists(warned, laws)}.")
    if not (failed or warned or of_status(findings, Status.REFUSED)):
        parts.append(f"All {len(passed)} checks that ran passed.")
    if not_run:
        parts.append(f"{len(not_run)} could not run.")
    return " ".join(parts)


def _gists(findings: Sequence[Finding], laws: Sequence[str]) -> str:
    return "; ".join(gist(finding, laws) for finding in findings)


def laws_sentence(law: Law, several: SeveralLaws | None) -> str:
    """Whether the answers depend on the law; for one law, that this was not checked."""
    if several is None:
        return (
            f"One law was fitted, {law.name}, so whether another would answer differently was not checked "
            "(NOT RUN)."
        )
    weights = joined(f"{name} {format_probability(weight)}" for name, weight in several.weights.items())
    stack = f"What is said here is said by their stack, in which they weigh {weights}."
    by_question = {what: said for what, said in several.answers_by_question().items() if len(said) > 1}
    agreed = {
        what: next(iter(said.values())) for what, said in by_question.items() if len(set(said.values())) == 1
    }
    apart = {what: said for what, said in by_question.items() if what not in agreed}
    who = "Both" if len(several.scores) == 2 else f"All {len(several.scores)}"
    if not by_question:
        return f"No question was put to more than one of {len(several.scores)} laws. {stack}"
    if not apart:
        said = joined(f"{answer} {what}" for what, answer in agreed.items())
        return f"{who} laws say {said}. {stack}"
    disagree = "; ".join(
        f"{what}, {joined(f'{name} says {answer}' for name, answer in said.items())}"
        for what, said in apart.items()
    )
    rest = joined(f"{answer} {what}" for what, answer in agreed.items())
    return f"The laws disagree: {disagree}{f'; {who.lower()} say {rest}' if rest else ''}. {stack}"


def prior_sentence(
    fixed: PrecisionDecision | None, free: PrecisionDecision | None, post: PostTrainingDecision | None
) -> str:
    """What the same questions would have been answered without any data."""
    answers = []
    for decision, what in ((fixed, "with sizes fixed"), (free, "with sizes free")):
        if decision is not None and decision.under_prior is not None and not decision.refused:
            answers.append(f"{precision_text(decision.under_prior.best)} in training {what}")
    if post is not None and post.under_prior is not None and not post.refused:
        answers.append(f"{precision_text(post.under_prior.smallest_safe_bits)} after it")
    return f"Without the data, the prior alone would say {joined(answers)}." if answers else ""


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
        f"tokens{level}; outside that these numbers are not "
        f"evidence{_not_for_others(float(rows['n_params'].max()))}."
    )


def _span(values: pd.Series) -> str:
    lo, hi = format_count(float(values.min())), format_count(float(values.max()))
    return lo if lo == hi else f"{lo} to {hi}"


def _not_for_others(largest: float) -> str:
    decades = math.log10(_SOMEBODY_ELSES_MODEL / largest)
    if decades < 1.0:
        return ""
    return f", and not advice for a {format_count(_SOMEBODY_ELSES_MODEL)} model, {decades:.1f} decades larger"
