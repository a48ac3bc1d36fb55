"""Predictions and post-training decisions under several laws, and under the stack of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.risk import REFUSED
from bitlaw.criticism.stacking import law_weights
from bitlaw.decisions.across_laws import (
    DISAGREEMENT,
    STACK,
    AcrossLaws,
    disagreement_finding,
    shared_findings,
)
from bitlaw.decisions.caveats import one_law_finding
from bitlaw.decisions.pooling import pooled
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.post_training_draws import (
    PostTrainingDraws,
    post_training_draws,
    question_points,
)
from bitlaw.decisions.post_training_summary import decide
from bitlaw.decisions.predict import PredictionDraws, prediction_draws, summarise, usable_points
from bitlaw.decisions.prediction import Prediction
from bitlaw.decisions.ptq import Answered, answered
from bitlaw.decisions.risk import evidence_of, pooled_evidence, weight_apart
from bitlaw.finding import Finding
from bitlaw.inference.fit import Fit
from bitlaw.units import LOSS_UNIT, format_bits

_LARGEST_SHARE = 0.5


def predict_across(
    fits: Sequence[Fit],
    points: pd.DataFrame,
    prob: float = 0.9,
    seed: int | None = None,
    measured: float | None = None,
    group: str | None = None,
    drift: bool = True,
) -> AcrossLaws[Prediction]:
    """Predict the loss of new runs under each law, and under the stack of them.

    Parameters
    ----------
    fits
        One fit per law, of the same rows.
    points, prob, seed, measured, group, drift
        As for ``predict``; the seed is by default that of the first fit, and every law has a drift of its
        own.

    Raises
    ------
    InputError
        As for ``predict``, and for fits that cannot be stacked.
    """
    weights = law_weights(fits)
    seed = fits[0].provenance.seed if seed is None else seed
    usable = [usable_points(fit, points, measured, group) for fit in fits]
    draws = [prediction_draws(fit, own, seed, measured, drift) for fit, own in zip(fits, usable, strict=True)]
    by_law = {
        fit.law.name: summarise(fit.law.name, own, drawn, evidence_of(fit), measured, prob, seed)
        for fit, own, drawn in zip(fits, usable, draws, strict=True)
    }
    if len(fits) == 1:
        alone = by_law[fits[0].law.name]
        stack = replace(alone, findings=(*alone.findings, one_law_finding()))
    else:
        pooled_draws = _pooled_predictions(draws, weights)
        apart = weights_apart([own.new_run for own in draws], weights, pooled_draws.new_run, prob)
        evidence = pooled_evidence(fits, weights)
        stack = summarise(STACK, usable[0], pooled_draws, evidence, measured, prob, seed, apart)
        refused = tuple(finding for finding in stack.findings if finding.code == REFUSED)
        disagreement = _prediction_disagreement(by_law, weights, stack)
        stack = replace(stack, findings=(*shared_findings(by_law), *refused, disagreement))
    return AcrossLaws(_by_name(fits, weights), by_law, stack)


def ptq_across(
    fits: Sequence[Fit],
    n_params: float | None = None,
    tokens: float | None = None,
    *,
    seed: int | None = None,
    **options: Any,
) -> AcrossLaws[PostTrainingDecision]:
    """Decide how few bits a trained model may be quantized to, under each law and the stack of them.

    Parameters
    ----------
    fits
        One fit per law, of the same rows.
    n_params, tokens, seed, **options
        As for ``ptq``; the seed is by default that of the first fit.

    Raises
    ------
    InputError
        As for ``ptq``, and for fits that cannot be stacked.
    """
    weights = law_weights(fits)
    seed = fits[0].provenance.seed if seed is None else seed
    answers = [answered(fit, n_params, tokens, seed=seed, **options) for fit in fits]
    decisions = [own.decision for own in answers]
    by_law = {
        decision.law: replace(decision, findings=_without_disagreement(decision.findings))
        for decision in decisions
    }
    stack = decisions[0]
    if len(fits) > 1:
        asked = replace(stack, law=STACK, under_prior=None)
        points = question_points(fits[0], asked, [option.bits_post for option in asked.options])
        drawn, of_prior = (
            [_drawn(fit, asked, own, prior) for fit, own in zip(fits, answers, strict=True)]
            for prior in (False, True)
        )
        apart = weight_apart([_safe_text(answer) for answer in by_law.values()], weights)
        rows = [None if own.known is None else own.known.rows for own in drawn]
        evidence = pooled_evidence(fits, weights, rows)
        pools = _pooled_decisions(drawn, weights), _pooled_decisions(of_prior, weights)
        stack = decide(evidence, points, asked, *pools, apart)
        disagreement = _bits_disagreement(by_law, weights)
        stack = replace(stack, findings=(*shared_findings(by_law), *stack.findings, disagreement))
    return AcrossLaws(_by_name(fits, weights), by_law, stack)


def _pooled_predictions(draws: Sequence[PredictionDraws], weights: np.ndarray) -> PredictionDraws:
    by_point = zip(*(drawn.beyond for drawn in draws), strict=True)
    return PredictionDraws(
        law_mean=pooled([drawn.law_mean for drawn in draws], weights),
        new_run=pooled([drawn.new_run for drawn in draws], weights),
        prior=pooled([drawn.prior for drawn in draws], weights),
        undrifted=pooled([drawn.undrifted for drawn in draws], weights),
        prior_mean=pooled([drawn.prior_mean for drawn in draws], weights),
        drift=_pooled_or_none([drawn.drift for drawn in draws], weights),
        beyond=tuple(tuple(dict.fromkeys(found for own in point for found in own)) for point in by_point),
        findings=(),
    )


def _drawn(fit: Fit, asked: PostTrainingDecision, own: Answered, prior: bool) -> PostTrainingDraws:
    """Draws of the stack's question: the law's own, but where measurements condition them as the stack has them."""
    if asked.measured is None and own.decision.measured is None:
        return own.prior if prior else own.posterior
    bits = [option.bits_post for option in asked.options]
    return post_training_draws(fit, question_points(fit, asked, bits), asked, prior)


def _pooled_decisions(draws: Sequence[PostTrainingDraws], weights: np.ndarray) -> PostTrainingDraws:
    return replace(
        draws[0],
        degradation=pooled([drawn.degradation for drawn in draws], weights),
        new_run_degradation=pooled([drawn.new_run_degradation for drawn in draws], weights),
        undrifted=pooled([drawn.undrifted for drawn in draws], weights),
        critical_tokens=_pooled_or_none([drawn.critical_tokens for drawn in draws], weights),
        drift=_pooled_or_none([drawn.drift for drawn in draws], weights),
        growth=pooled([drawn.growth for drawn in draws], weights),
        share=min(drawn.share for drawn in draws),
        known=None,
    )


def _pooled_or_none(draws: Sequence[np.ndarray | None], weights: np.ndarray) -> np.ndarray | None:
    known = [own for own in draws if own is not None]
    return pooled(known, weights) if len(known) == len(draws) else None


def _prediction_disagreement(
    by_law: Mapping[str, Prediction], weights: np.ndarray, stack: Prediction
) -> Finding:
    """How far the laws' medians are apart at the worst point, in widths of the stack's interval."""
    medians = np.array([[point.new_run.median for point in answer.points] for answer in by_law.values()])
    apart = medians.max(axis=0) - medians.min(axis=0)
    width = np.array([point.new_run.hi - point.new_run.lo for point in stack.points])
    share = np.divide(apart, width, out=np.where(apart > 0, np.inf, 0.0), where=width > 0)
    worst = int(share.argmax())
    where = f" at point {worst + 1} of {len(stack.points)}" if len(stack.points) > 1 else ""
    finding = disagreement_finding(
        {name: f"{median:.4g} {LOSS_UNIT}" for name, median in zip(by_law, medians[:, worst], strict=True)},
        weights,
        agree=bool(share[worst] <= _LARGEST_SHARE),
        consequence=(
            f"These medians{where} are {100 * share[worst]:.2g} % of the width of the stack's interval apart; "
            f"up to {100 * _LARGEST_SHARE:g} % counts as agreement."
        ),
    )
    advice = finding.advice and (
        "Log runs nearer to the point asked about, or count the spread between laws as uncertainty."
    )
    return replace(finding, value=float(share[worst]), threshold=_LARGEST_SHARE, advice=advice)


def weights_apart(
    draws: Sequence[np.ndarray], weights: np.ndarray, stack: np.ndarray, prob: float
) -> list[float]:
    """For each point, the weight of laws whose medians are far from the leading law's.

    Parameters
    ----------
    draws, weights
        Losses of new runs under each law, nats/token, shape (samples, points), and its weight.
    stack
        The same of all laws together.
    prob
        Probability inside the stack's interval, half the width of which counts as far.
    """
    medians = np.stack([np.median(own, axis=0) for own in draws])
    lo, hi = np.quantile(stack, (0.5 - prob / 2, 0.5 + prob / 2), axis=0)
    far = np.abs(medians - medians[int(weights.argmax())]) > _LARGEST_SHARE * (hi - lo)
    return [float(share) for share in weights @ far]


def _bits_disagreement(by_law: Mapping[str, PostTrainingDecision], weights: np.ndarray) -> Finding:
    """Whether the laws name different bits as the fewest that are safe."""
    safe = [answer.smallest_safe_bits for answer in by_law.values()]
    said = [_safe_text(answer) for answer in by_law.values()]
    common = None if None in safe else max(bits for bits in safe if bits is not None)
    consequence = (
        "No option is safe under every law."
        if common is None
        else f"Safe under every law: {format_bits(common)} bits."
    )
    finding = disagreement_finding(
        dict(zip(by_law, said, strict=True)), weights, agree=len(set(said)) == 1, consequence=consequence
    )
    return replace(
        finding,
        advice=finding.advice
        and "Log runs where the laws differ, or take bits that are safe under every law.",
    )


def _safe_text(answer: PostTrainingDecision) -> str:
    if answer.refused:
        return "refused"
    bits = answer.smallest_safe_bits
    return "none on offer is safe" if bits is None else f"safe down to {format_bits(bits)} bits"


def _without_disagreement(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.code != DISAGREEMENT)


def _by_name(fits: Sequence[Fit], weights: np.ndarray) -> dict[str, float]:
    return {fit.law.name: float(weight) for fit, weight in zip(fits, weights, strict=True)}
