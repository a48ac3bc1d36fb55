"""Whether a trained model may be quantized, and how far, before it costs more than a tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bitlaw.criticism.beyond import distances
from bitlaw.decisions.caveats import caveats, one_law_finding
from bitlaw.decisions.checkpoint import require_measured_loss
from bitlaw.decisions.critical_tokens import critical_tokens, no_critical_tokens
from bitlaw.decisions.groups import fitted_method, group_columns
from bitlaw.decisions.intervals import interval_of, monte_carlo_error, require_probability
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.decisions.question import bits_problems, largest_first
from bitlaw.decisions.risk import Evidence, NumberDraws, evidence_of, refusal, risk_of, safe_log
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import is_symmetric
from bitlaw.inference.draws import law_parameters, loss_draws, points_frame
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit
from bitlaw.laws.registry import law_names, load_law
from bitlaw.units import LOSS_UNIT, format_bits

_FEWEST_SYMMETRIC_BITS = 2.0
_LEAST_SHARE = 0.05


def ptq(
    fit: Fit,
    n_params: float,
    tokens: float,
    *,
    tolerance: float = 0.01,
    loss: float | None = None,
    method_post: str | None = None,
    bits: Sequence[float] = (8, 6, 5, 4, 3, 2),
    bits_weights: float = 16,
    bits_activations: float = 16,
    bits_kv: float = 16,
    prob: float = 0.9,
    confidence: float = 0.95,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> PostTrainingDecision:
    """Decide how few bits a trained model may be quantized to.

    Parameters
    ----------
    fit
        The fit.
    n_params, tokens
        The training run, measured or planned.
    tolerance
        Acceptable degradation, nats/token; 0.01 is about 1 % of perplexity.
    loss
        Measured loss of the checkpoint, nats/token, for the bound's room H - loss; None = the
        law's. Of no consequence where the vocabulary is unknown; a law that takes the loss as trained
        as data needs it.
    method_post
        Post-training method; may be left out where the fit has seen just one. ``new`` is one that was
        never measured.
    bits
        Bit-widths on offer; those not below ``bits_weights`` are left out, they change nothing.
    bits_weights, bits_activations, bits_kv
        Training precision of the run.
    prob
        Probability inside every interval.
    confidence
        Probability of staying within tolerance that is asked of a safe option.
    group
        Group of a pooled fit; of a fit pooled over two columns one of each, with a comma. ``new`` is
        one that was never measured.
    seed
        Seed of effects and errors; by default the fit's.
    drift
        Include the law's structural error beyond the data, in degradations and critical tokens.

    Raises
    ------
    InputError
        For a law without a post-training term, invalid numbers, an unknown or ambiguous method, or
        a missing group or measured loss.
    """
    _require_post_term(fit)
    require_probability("prob", prob)
    require_probability("confidence", confidence)
    asked = PostTrainingDecision(
        law=fit.law.name,
        n_params=float(n_params),
        tokens=float(tokens),
        bits_weights=float(bits_weights),
        bits_activations=float(bits_activations),
        bits_kv=float(bits_kv),
        loss=loss,
        method_post=fitted_method(fit, method_post),
        group=group,
        tolerance=tolerance,
        confidence=confidence,
        options=(),
        smallest_safe_bits=None,
        probability_grows=np.nan,
        prob=prob,
        draws=0,
        seed=fit.provenance.seed if seed is None else seed,
        drift=drift,
    )
    points = question_points(fit, asked, _offered(asked, bits))
    _require_symmetric_levels(points)
    require_measured_loss(fit, points, loss)
    posterior, prior = (post_training_draws(fit, points, asked, under) for under in (False, True))
    decision = decide(evidence_of(fit), points, asked, posterior, prior)
    found = (*caveats(fit, points), *critical_tokens_findings(fit), *decision.findings, one_law_finding())
    return replace(decision, findings=found)


def question_points(fit: Fit, asked: PostTrainingDecision, bits: Sequence[float]) -> pd.DataFrame:
    """The run of a question quantized to each of the bit-widths."""
    return points_frame(
        run_id="planned",
        n_params=asked.n_params,
        tokens=asked.tokens,
        bits_weights=asked.bits_weights,
        bits_activations=asked.bits_activations,
        bits_kv=asked.bits_kv,
        bits_post=list(bits),
        method_post=asked.method_post,
        **group_columns(fit, asked.group),
    )


@dataclass(frozen=True)
class PostTrainingDraws:
    """Draws of what a decision rests on, shape (samples, options) but for ``growth``.

    Parameters
    ----------
    bits_post
        Bit-width of each option.
    measured
        Whether each lies within those measured with this method.
    degradation, new_run_degradation
        Degradation of the law's mean and of a new run, nats/token.
    undrifted
        That of the law's mean without structural error.
    critical_tokens
        D_crit; None where the law does not say.
    drift
        What structural error adds to the logarithm of the degradation; None where it is left out.
    growth
        γD, shape (samples,).
    """

    bits_post: tuple[float, ...]
    measured: tuple[bool, ...]
    degradation: np.ndarray
    new_run_degradation: np.ndarray
    undrifted: np.ndarray
    critical_tokens: np.ndarray | None
    drift: np.ndarray | None
    growth: np.ndarray


def post_training_draws(
    fit: Fit, points: pd.DataFrame, asked: PostTrainingDecision, prior: bool
) -> PostTrainingDraws:
    """Draws of every option under one law, from the posterior or the prior.

    Parameters
    ----------
    fit
        The fit.
    points
        From ``question_points``.
    asked
        The question; its method, loss, seed and drift are used.
    prior
        Use draws of the prior in place of the posterior.
    """
    draws = loss_draws(fit, points, prior, asked.seed, asked.loss, asked.drift)
    plain = draws.degradation
    if asked.drift and structural_error(fit, points) is not None:
        plain = loss_draws(fit, points, prior, asked.seed, asked.loss, drift=False).degradation
    critical = None if no_critical_tokens(fit.law) else critical_tokens(fit, points, prior, asked.drift)
    seen = fit.rows.loc[fit.rows["method_post"] == asked.method_post, "bits_post"]
    bits = points["bits_post"].to_numpy(np.float64)
    return PostTrainingDraws(
        bits_post=tuple(bits.tolist()),
        measured=tuple(((seen.min() <= bits) & (bits <= seen.max())).tolist()),
        degradation=draws.degradation,
        new_run_degradation=draws.new_run_degradation,
        undrifted=plain,
        critical_tokens=critical,
        drift=_degradation_error(fit, points, len(draws.degradation)) if asked.drift else None,
        growth=law_parameters(fit, points.iloc[[0]], prior)["gamma_D"][:, 0],
    )


def _degradation_error(fit: Fit, points: pd.DataFrame, samples: int) -> np.ndarray:
    error = structural_error(fit, points)
    return np.broadcast_to(0.0 if error is None else error.log_degradation, (samples, len(points)))


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
        What was fitted.
    points
        From ``question_points``.
    asked, posterior, prior
        The question, and draws of its options.
    apart
        Stacking weight of the laws that answer otherwise; None of one law.
    """
    refused = [distance.is_beyond_support for distance in distances(evidence.fits, points)]
    decision, under_prior = (_answered(asked, draws, refused) for draws in (posterior, prior))
    shown = decision.options.index(decision.shown)
    number = _number(posterior, prior, shown)
    risk = risk_of(evidence, points.iloc[[shown]], number, apart)
    return replace(decision, under_prior=under_prior, risk=risk, findings=refusal(risk))


def _number(posterior: PostTrainingDraws, prior: PostTrainingDraws, shown: int) -> NumberDraws:
    """Ln of an option's degradation. Noise may take that of a new run below 0, which then is a share of it."""
    drifted = posterior.degradation[:, shown]
    new_run = np.maximum(posterior.new_run_degradation[:, shown], _LEAST_SHARE * drifted)
    parts = (posterior.undrifted[:, shown], drifted, new_run, prior.undrifted[:, shown])
    return NumberDraws(*(safe_log(part) for part in parts))


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
        probability_error=monte_carlo_error(probability, len(new_run)),
        critical_tokens=None if critical is None else interval_of(critical, asked.prob, "tokens"),
        probability_past_critical=None if critical is None else float((critical < asked.tokens).mean()),
        measured=draws.measured[index],
        drift=None if draws.drift is None else float(draws.drift[:, index].std()),
        refused=refused,
    )


def critical_tokens_findings(fit: Fit) -> tuple[Finding, ...]:
    """NOT_RUN where the law says nothing about critical tokens."""
    reason = no_critical_tokens(fit.law)
    if reason is None:
        return ()
    message = f"Tokens beyond which more pretraining hurts were not computed: {reason}."
    advice = "Fit a law of the whole loss, such as kumar2024, to the runs as trained."
    return (Finding("ptq.critical_tokens", Status.NOT_RUN, None, None, message, advice),)


def _smallest_safe(options: Sequence[PostTrainingOption], confidence: float) -> float | None:
    """Fewest bits that are safe and supported, going down from the largest until one is not."""
    smallest = None
    for option in options:
        if option.probability_safe < confidence or option.refused:
            break
        smallest = option.bits_post
    return smallest


def _require_post_term(fit: Fit) -> None:
    if fit.law.post is None:
        able = [name for name in law_names() if load_law(name).post is not None]
        raise InputError(
            f"law {fit.law.name} has no term for post-training quantization; laws with one: {', '.join(able)}"
        )


def _offered(asked: PostTrainingDecision, bits: Sequence[float]) -> list[float]:
    """Bit-widths below the training precision, largest first, after the question's numbers are checked."""
    problems = bits_problems("bits", tuple(bits))
    for name in ("bits_weights", "bits_activations", "bits_kv"):
        problems += bits_problems(name, (getattr(asked, name),))
    problems += [
        f"{name} is {getattr(asked, name):g}; valid: a positive number"
        for name in ("n_params", "tokens", "tolerance")
        if not (np.isfinite(getattr(asked, name)) and getattr(asked, name) > 0)
    ]
    offered = [value for value in largest_first(bits) if value < asked.bits_weights]
    if not problems and not offered:
        problems.append(
            f"no bits on offer are below bits_weights {format_bits(asked.bits_weights)}; quantizing to as "
            f"many bits changes nothing"
        )
    if problems:
        raise InputError(problems)
    return offered


def _require_symmetric_levels(points: pd.DataFrame) -> None:
    fewest = float(points["bits_post"].min())
    if is_symmetric(points["method_post"]).any() and fewest < _FEWEST_SYMMETRIC_BITS:
        raise InputError(
            f"bits has {format_bits(fewest)}; symmetric round-to-nearest has no levels below 2 bits; "
            f"valid: 2 and more"
        )
