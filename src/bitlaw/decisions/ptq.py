"""Whether a trained model may be quantized, and how far, before it costs more than a tolerance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bitlaw.decisions.caveats import caveats
from bitlaw.decisions.critical_tokens import critical_tokens
from bitlaw.decisions.groups import fitted_method, group_columns
from bitlaw.decisions.intervals import interval_of, monte_carlo_error, require_probability
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.decisions.question import bits_problems, largest_first
from bitlaw.errors import InputError
from bitlaw.inference.draws import law_parameters, loss_draws, point_columns, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.laws.registry import law_names, load_law
from bitlaw.units import LOSS_UNIT, format_bits

_FEWEST_SYMMETRIC_BITS = 2.0


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
        law's. Of no consequence where the vocabulary is unknown.
    method_post
        Post-training method; may be left out where the fit has seen just one.
    bits
        Bit-widths on offer; those not below ``bits_weights`` are left out, they change nothing.
    bits_weights, bits_activations, bits_kv
        Training precision of the run.
    prob
        Probability inside every interval.
    confidence
        Probability of staying within tolerance that is asked of a safe option.
    group
        Group of a pooled fit.
    seed
        Seed of effects and errors; by default the fit's.

    Raises
    ------
    InputError
        For a law without a post-training term, invalid numbers, an unknown or ambiguous method, or
        a missing group.
    """
    _require_post_term(fit)
    require_probability("prob", prob)
    require_probability("confidence", confidence)
    method = fitted_method(fit, method_post)
    training_bits = {"bits_weights": bits_weights, "bits_activations": bits_activations, "bits_kv": bits_kv}
    numbers = {"n_params": n_params, "tokens": tokens, "tolerance": tolerance, "loss": loss}
    offered = _offered(bits, training_bits, numbers)
    points = points_frame(
        run_id="planned",
        n_params=n_params,
        tokens=tokens,
        bits_post=offered,
        method_post=method,
        **training_bits,
        **group_columns(fit, group),
    )
    _require_usable(fit, points, loss)
    seed = fit.provenance.seed if seed is None else seed
    question = PostTrainingDecision(
        law=fit.law.name,
        n_params=float(n_params),
        tokens=float(tokens),
        bits_weights=float(bits_weights),
        bits_activations=float(bits_activations),
        bits_kv=float(bits_kv),
        loss=loss,
        method_post=method,
        group=group,
        tolerance=tolerance,
        confidence=confidence,
        options=(),
        smallest_safe_bits=None,
        probability_grows=np.nan,
        prob=prob,
        draws=0,
        seed=seed,
        findings=(),
    )
    return replace(
        _decide(fit, points, question, prior=False),
        findings=caveats(fit, points),
        under_prior=_decide(fit, points, question, prior=True),
    )


def _decide(
    fit: Fit, points: pd.DataFrame, question: PostTrainingDecision, prior: bool
) -> PostTrainingDecision:
    """The question answered from the posterior or from the prior, without findings."""
    draws = loss_draws(fit, points, prior, question.seed, measured=question.loss)
    critical = critical_tokens(fit, points, prior)
    within = draws.new_run_degradation <= question.tolerance
    measured = fit.rows.loc[fit.rows["method_post"] == question.method_post, "bits_post"]
    options = []
    for index, bits in enumerate(points["bits_post"]):
        probability = float(within[:, index].mean())
        options.append(
            PostTrainingOption(
                bits_post=float(bits),
                degradation=interval_of(draws.new_run_degradation[:, index], question.prob, LOSS_UNIT),
                degradation_mean=interval_of(draws.degradation[:, index], question.prob, LOSS_UNIT),
                probability_safe=probability,
                probability_error=monte_carlo_error(probability, len(within)),
                critical_tokens=interval_of(critical[:, index], question.prob, "tokens"),
                probability_past_critical=float((critical[:, index] < question.tokens).mean()),
                measured=bool(measured.min() <= bits <= measured.max()),
            )
        )
    growth = law_parameters(fit, points.iloc[[0]], prior)["gamma_D"]
    return replace(
        question,
        options=tuple(options),
        smallest_safe_bits=_smallest_safe(options, question.confidence),
        probability_grows=float((growth > 0).mean()),
        draws=len(within),
    )


def _smallest_safe(options: Sequence[PostTrainingOption], confidence: float) -> float | None:
    """Fewest bits that are safe, going down from the largest until one is not."""
    smallest = None
    for option in options:
        if option.probability_safe < confidence:
            break
        smallest = option.bits_post
    return smallest


def _require_post_term(fit: Fit) -> None:
    if fit.law.post is None:
        able = [name for name in law_names() if load_law(name).post is not None]
        raise InputError(
            f"law {fit.law.name} has no term for post-training quantization; laws with one: {', '.join(able)}"
        )


def _offered(
    bits: Sequence[float], training_bits: Mapping[str, float], numbers: Mapping[str, float | None]
) -> list[float]:
    """Bit-widths below the training precision, largest first."""
    problems = bits_problems("bits", tuple(bits))
    for name, width in training_bits.items():
        problems += bits_problems(name, (width,))
    problems += [
        f"{name} is {value:g}; valid: a positive number"
        for name, value in numbers.items()
        if value is not None and not (np.isfinite(value) and value > 0)
    ]
    bits_weights = training_bits["bits_weights"]
    offered = [value for value in largest_first(bits) if value < bits_weights]
    if not problems and not offered:
        problems.append(
            f"no bits on offer are below bits_weights {format_bits(bits_weights)}; quantizing to as many "
            f"bits changes nothing"
        )
    if problems:
        raise InputError(problems)
    return offered


def _require_usable(fit: Fit, points: pd.DataFrame, loss: float | None) -> None:
    columns = point_columns(fit, points)
    fewest = float(columns["bits_post"].min())
    if columns["post_symmetric"].any() and fewest < _FEWEST_SYMMETRIC_BITS:
        raise InputError(
            f"bits has {format_bits(fewest)}; symmetric round-to-nearest has no levels below 2 bits; "
            f"valid: 2 and more"
        )
    ceiling = float(columns["ceiling"].min())
    if loss is not None and loss >= ceiling:
        raise InputError(
            f"loss is {loss:g} nats/token, no better than guessing; valid: below ln of the vocabulary, "
            f"{ceiling:.4g}"
        )
