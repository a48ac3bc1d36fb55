"""Whether a trained model may be quantized, and how far, before it costs more than a tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.caveats import caveats, one_law_finding
from bitlaw.decisions.checkpoint import require_measured_loss
from bitlaw.decisions.critical_tokens import no_critical_tokens
from bitlaw.decisions.groups import fitted_method, level_of_method
from bitlaw.decisions.hardware import chips_called
from bitlaw.decisions.intervals import require_probability
from bitlaw.decisions.measured_points import fitted_run, loss_of, measured_finding, measured_on
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.post_training_draws import PostTrainingDraws, post_training_draws, question_points
from bitlaw.decisions.post_training_summary import decide
from bitlaw.decisions.question import bits_problems, largest_first
from bitlaw.decisions.risk import evidence_of
from bitlaw.decisions.serving import kv_cache_of
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import is_symmetric
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.run_effect import Measured
from bitlaw.laws.registry import law_names, load_law
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits

DEFAULT_BITS: tuple[float, ...] = (8.0, 6.0, 5.0, 4.0, 3.0, 2.0)
"""Bit-widths on offer, with those measured on the checkpoint."""

_TRAINING_BITS = ("bits_weights", "bits_activations", "bits_kv")
_FEWEST_SYMMETRIC_BITS = 2.0


@dataclass(frozen=True)
class Answered:
    """A decision under one law, with the draws it rests on.

    Parameters
    ----------
    decision
        The decision.
    posterior, prior
        Draws of its options.
    """

    decision: PostTrainingDecision
    posterior: PostTrainingDraws
    prior: PostTrainingDraws


def ptq(
    fit: Fit,
    n_params: float | None = None,
    tokens: float | None = None,
    *,
    run_id: str | None = None,
    tolerance: float = 0.01,
    loss: float | None = None,
    measured: pd.DataFrame | None = None,
    method_post: str | None = None,
    bits: Sequence[float] | None = None,
    bits_weights: float | None = None,
    bits_activations: float | None = None,
    bits_kv: float | None = None,
    prob: float = 0.9,
    confidence: float = 0.95,
    group: str | None = None,
    kv_cache: Sequence[float] | None = None,
    context: float | None = None,
    hardware: str | Sequence[str] | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> PostTrainingDecision:
    """Decide how few bits a trained model may be quantized to.

    What was measured on the checkpoint takes precedence over the law: its loss over the law's, and where it
    was quantized and evaluated, what that cost. At other bits the law is conditioned on these measurements
    (see ``known_run``).

    Parameters
    ----------
    fit
        The fit.
    n_params, tokens
        The training run, measured or planned; None where ``run_id`` names it.
    run_id
        A fitted run, whose sizes, training precision, group and own measurements are then those of the
        question.
    tolerance
        Acceptable degradation, nats/token; 0.01 is about 1 % of perplexity.
    loss
        Measured loss of the checkpoint, nats/token, for the bound's room H - loss; None = the
        law's. A law that takes the loss as trained as data needs it, and so do measured degradations.
    measured
        Losses of this checkpoint after quantization, one per row: ``bits_post``, ``loss`` (nats/token), and
        where known ``method_post`` and ``loss_se``, the standard error of the degradation. A row without
        ``bits_post`` is its loss as trained. Where ``loss_se`` is missing or 0, the error is the fit's own s.
    method_post
        Post-training method; may be left out where the fit has seen just one. One that no row was
        quantized by, such as ``new``, is answered from the spread between methods.
    bits
        Bit-widths on offer; those not below ``bits_weights`` are left out, they change nothing. By default
        8, 6, 5, 4, 3 and 2, and those measured on the checkpoint.
    bits_weights, bits_activations, bits_kv
        Training precision of the run; 16 by default.
    prob
        Probability inside every interval.
    confidence
        Probability of staying within tolerance that is asked of a safe option.
    group
        Group of a pooled fit; of a fit pooled over two columns one of each, with a comma. ``new`` is
        one that was never measured.
    kv_cache, context
        Layers, key-value heads and their dimension, and the tokens kept at serving, of all sequences at once: the
        memory of keys and values is then shown beside that of the weights, at the run's ``bits_kv``.
    hardware
        Names of one or more chips: how many of each hold weights, keys and values in their memories.
    seed
        Seed of effects and errors; by default the fit's.
    drift
        Include the law's structural error beyond the data, in degradations and critical tokens.

    Raises
    ------
    InputError
        For a law without a post-training term, invalid numbers, an unknown run, an ambiguous method, or
        a missing group or measured loss.
    """
    return answered(
        fit,
        n_params,
        tokens,
        run_id=run_id,
        tolerance=tolerance,
        loss=loss,
        measured=measured,
        method_post=method_post,
        bits=bits,
        bits_weights=bits_weights,
        bits_activations=bits_activations,
        bits_kv=bits_kv,
        prob=prob,
        confidence=confidence,
        group=group,
        kv_cache=kv_cache,
        context=context,
        hardware=hardware,
        seed=seed,
        drift=drift,
    ).decision


def answered(
    fit: Fit,
    n_params: float | None = None,
    tokens: float | None = None,
    *,
    run_id: str | None = None,
    tolerance: float = 0.01,
    loss: float | None = None,
    measured: pd.DataFrame | None = None,
    method_post: str | None = None,
    bits: Sequence[float] | None = None,
    bits_weights: float | None = None,
    bits_activations: float | None = None,
    bits_kv: float | None = None,
    prob: float = 0.9,
    confidence: float = 0.95,
    group: str | None = None,
    kv_cache: Sequence[float] | None = None,
    context: float | None = None,
    hardware: str | Sequence[str] | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> Answered:
    """The decision with the draws it rests on; arguments as for ``ptq``."""
    _require_post_term(fit)
    require_probability("prob", prob)
    require_probability("confidence", confidence)
    stated: dict[str, Any] = {
        "bits_weights": bits_weights,
        "bits_activations": bits_activations,
        "bits_kv": bits_kv,
    }
    stated |= {"n_params": n_params, "tokens": tokens, "group": group}
    run = None if run_id is None else fitted_run(fit, run_id)
    asked = PostTrainingDecision(
        law=fit.law.name,
        **(_as_stated(stated) if run is None else _as_logged(fit, run, stated)),
        loss=loss_of(run, measured, loss),
        run_id=run_id,
        measured=None,
        method_post=fitted_method(fit, method_post),
        tolerance=tolerance,
        confidence=confidence,
        options=(),
        smallest_safe_bits=None,
        probability_grows=np.nan,
        prob=prob,
        draws=0,
        seed=fit.provenance.seed if seed is None else seed,
        drift=drift,
        kv_cache=kv_cache_of(kv_cache, context),
        chips=() if hardware is None else chips_called(hardware),
    )
    _require_valid(asked, DEFAULT_BITS if bits is None else bits)
    template = question_points(fit, asked, DEFAULT_BITS[:1])
    require_measured_loss(fit, template, asked.loss)
    asked = replace(asked, measured=measured_on(fit, run, measured, template, asked.loss))
    points = question_points(fit, asked, _offered(fit, asked, bits))
    _require_symmetric_levels(
        points if asked.measured is None else pd.concat([points, asked.measured.points])
    )
    posterior, prior = (post_training_draws(fit, points, asked, under) for under in (False, True))
    rows = None if posterior.known is None else posterior.known.rows
    decision = decide(evidence_of(fit, rows), points, asked, posterior, prior)
    by_law = points[[option.source == "law" for option in decision.options]]
    found = (
        *caveats(fit, by_law),
        *_measured_findings(fit, asked, posterior),
        *critical_tokens_findings(fit),
    )
    decision = replace(decision, findings=(*found, *decision.findings, one_law_finding()))
    return Answered(decision, posterior, prior)


def _as_stated(stated: dict[str, Any]) -> dict[str, Any]:
    """The run as the question states it."""
    missing = [name for name in ("n_params", "tokens") if stated[name] is None]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} missing; valid: n_params and tokens, or run_id of a fitted run"
        )
    bits = {
        name: float(UNQUANTIZED_BITS if stated[name] is None else stated[name]) for name in _TRAINING_BITS
    }
    sizes = {name: float(stated[name]) for name in ("n_params", "tokens")}
    return {**sizes, **bits, "group": stated["group"]}


def _as_logged(fit: Fit, run: pd.Series, stated: dict[str, Any]) -> dict[str, Any]:
    """The run as it was logged."""
    twice = [name for name, value in stated.items() if value is not None]
    if twice:
        raise InputError(f"run_id says {', '.join(twice)} already; valid: run_id alone, or none")
    logged = {name: float(run[name]) for name in ("n_params", "tokens", *_TRAINING_BITS)}
    return logged | {"group": ",".join(str(run[column]) for column in fit.pool) or None}


def _measured_findings(
    fit: Fit, asked: PostTrainingDecision, posterior: PostTrainingDraws
) -> tuple[Finding, ...]:
    measured, known = asked.measured, posterior.known
    if measured is None or known is None:
        return ()
    expected = loss_draws(fit, measured.points, False, asked.seed, measured.loss, asked.drift)
    return (measured_finding(measured, expected, known),)


def critical_tokens_findings(fit: Fit) -> tuple[Finding, ...]:
    """NOT_RUN where the law says nothing about critical tokens."""
    reason = no_critical_tokens(fit.law)
    if reason is None:
        return ()
    message = f"Tokens beyond which more pretraining hurts were not computed: {reason}."
    advice = "Fit a law of the whole loss, such as kumar2024, to the runs as trained."
    return (Finding("ptq.critical_tokens", Status.NOT_RUN, None, None, message, advice),)


def _require_post_term(fit: Fit) -> None:
    if fit.law.post is None:
        able = [name for name in law_names() if load_law(name).post is not None]
        raise InputError(
            f"law {fit.law.name} has no term for post-training quantization; laws with one: {', '.join(able)}"
        )


def _require_valid(asked: PostTrainingDecision, bits: Sequence[float]) -> None:
    """Raise InputError for numbers of the question that are out of range, all of them together."""
    problems = bits_problems("bits", tuple(bits))
    for name in _TRAINING_BITS:
        problems += bits_problems(name, (getattr(asked, name),))
    problems += [
        f"{name} is {getattr(asked, name):g}; valid: a positive number"
        for name in ("n_params", "tokens", "tolerance")
        if not (np.isfinite(getattr(asked, name)) and getattr(asked, name) > 0)
    ]
    if problems:
        raise InputError(problems)


def _offered(fit: Fit, asked: PostTrainingDecision, bits: Sequence[float] | None) -> list[float]:
    """Bit-widths below the training precision, largest first."""
    known = (
        [] if bits is not None else _measured_bits(asked.measured, level_of_method(fit, asked.method_post))
    )
    every = largest_first([*(DEFAULT_BITS if bits is None else bits), *known])
    offered = [value for value in every if value < asked.bits_weights]
    if not offered:
        raise InputError(
            f"no bits on offer are below bits_weights {format_bits(asked.bits_weights)}; quantizing to as "
            f"many bits changes nothing"
        )
    return offered


def _measured_bits(measured: Measured | None, method: str) -> list[float]:
    if measured is None:
        return []
    points = measured.points
    return [float(value) for value in points.loc[points["method_post"] == method, "bits_post"]]


def _require_symmetric_levels(points: pd.DataFrame) -> None:
    fewest = float(points["bits_post"].min())
    if is_symmetric(points["method_post"]).any() and fewest < _FEWEST_SYMMETRIC_BITS:
        raise InputError(
            f"bits has {format_bits(fewest)}; symmetric round-to-nearest has no levels below 2 bits; "
            f"valid: 2 and more"
        )
