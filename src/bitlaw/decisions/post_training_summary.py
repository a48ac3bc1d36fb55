"""A post-training decision from its draws: which bits are safe, and the risk of saying so."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bitlaw.criticism.backtest_record import backtest_record
from bitlaw.criticism.beyond import distances
from bitlaw.criticism.prior_sensitivity import PriorPull
from bitlaw.criticism.risk import Grade, Risk
from bitlaw.decisions.costs import weight_memory
from bitlaw.decisions.intervals import interval_of, interval_text, monte_carlo_error
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.decisions.post_training_draws import PostTrainingDraws
from bitlaw.decisions.risk import Evidence, NumberDraws, refusal, risk_of, safe_log
from bitlaw.decisions.serving import BYTES_PER_GB
from bitlaw.units import LOSS_UNIT

_LEAST_SHARE = 0.05


def decide(
    evidence: Evidence,
    points: pd.DataFrame,
    asked: PostTrainingDecision,
    posterior: PostTrainingDraws,
    prior: PostTrainingDraws,
    apart: float | None = None,
) -> PostTrainingDecision:
    """The question answered from draws, with its risk; findings only where it is refused.

    Parameters
    ----------
    evidence
        What was fitted, in the order of the posterior draws.
    points
        From ``question_points``.
    asked, posterior, prior
        The question, and draws of its options.
    apart
        Stacking weight of the laws that answer otherwise; None of one law.
    """
    beyond = [distance.is_beyond_support for distance in distances(evidence.fits, points)]
    refused = [far and not known for far, known in zip(beyond, posterior.measured, strict=True)]
    decision, under_prior = (_answered(asked, draws, refused) for draws in (posterior, prior))
    shown = decision.options.index(decision.shown)
    risk = (
        _measured_risk(evidence, points.iloc[[shown]], decision.shown)
        if decision.shown.is_measured
        else risk_of(evidence, points.iloc[[shown]], _number(posterior, prior, shown), apart)
    )
    return replace(decision, under_prior=under_prior, risk=risk, findings=refusal(risk))


def _number(posterior: PostTrainingDraws, prior: PostTrainingDraws, shown: int) -> NumberDraws:
    """Ln of an option's degradation. Noise may take that of a new run below 0, which then is a share of it."""
    drifted = posterior.degradation[:, shown]
    new_run = np.maximum(posterior.new_run_degradation[:, shown], _LEAST_SHARE * drifted)
    parts = (posterior.undrifted[:, shown], drifted, new_run, prior.undrifted[:, shown])
    return NumberDraws(*(safe_log(part) for part in parts))


def _measured_risk(evidence: Evidence, point: pd.DataFrame, option: PostTrainingOption) -> Risk:
    """LOW: the number is no law's. Only the error of its measurement is left, and the interval shows that."""
    distance = distances(evidence.fits, point)[0]
    return Risk(
        grade=Grade.LOW,
        reasons=(
            f"It was measured on this very checkpoint: {interval_text(option.degradation)}, the error of "
            "the measurement.",
        ),
        decisive=1,
        distance=distance,
        shares=None,
        prior_pull=PriorPull(0.0, 0.0),
        disagreement=None,
        backtest=backtest_record(evidence.leading.backtest, distance.hull),
        would_help=(),
    )


def _answered(
    asked: PostTrainingDecision, draws: PostTrainingDraws, refused: Sequence[bool]
) -> PostTrainingDecision:
    options = [_option(asked, draws, index, refused[index]) for index in range(len(draws.bits_post))]
    return replace(
        asked,
        options=tuple(options),
        smallest_safe_bits=_smallest_safe(options, asked.confidence),
        probability_grows=float((draws.growth > 0).mean()),
        draws=len(draws.growth),
    )


def _option(
    asked: PostTrainingDecision, draws: PostTrainingDraws, index: int, refused: bool
) -> PostTrainingOption:
    new_run = draws.new_run_degradation[:, index]
    probability = float((new_run <= asked.tolerance).mean())
    critical = None if draws.critical_tokens is None else draws.critical_tokens[:, index]
    return PostTrainingOption(
        bits_post=draws.bits_post[index],
        degradation=interval_of(new_run, asked.prob, LOSS_UNIT),
        degradation_mean=interval_of(draws.degradation[:, index], asked.prob, LOSS_UNIT),
        probability_safe=probability,
        probability_error=monte_carlo_error(probability, draws.effective),
        critical_tokens=None if critical is None else interval_of(critical, asked.prob, "tokens"),
        probability_past_critical=None if critical is None else float((critical < asked.tokens).mean()),
        source="measured" if draws.measured[index] else "law",
        within_measured=draws.within_measured[index],
        drift=None if draws.drift is None else float(draws.drift[:, index].std()),
        refused=refused,
        weights_gb=float(weight_memory(asked.n_params, draws.bits_post[index])) / BYTES_PER_GB,
    )


def _smallest_safe(options: Sequence[PostTrainingOption], confidence: float) -> float | None:
    """Fewest bits that are safe and supported, going down from the largest until one is not.

    What was measured on the checkpoint takes precedence: bits that were measured to be safe are, whatever the law
    says of more bits, and below bits that were measured not to be none is.
    """
    smallest, goes_on = None, True
    for option in options:
        if option.probability_safe >= confidence and not option.refused:
            if goes_on or option.is_measured:
                smallest, goes_on = option.bits_post, True
        elif option.is_measured:
            break
        else:
            goes_on = False
    return smallest
