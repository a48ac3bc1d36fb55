"""Every answer a report gives to one question: under one law, or under several and their stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bitlaw.decisions.across_laws import AcrossLaws, optimum_across
from bitlaw.decisions.asked import Asked
from bitlaw.decisions.budget import budget
from bitlaw.decisions.budget_across import budget_across
from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.on_chips import OnChips, optimum_on_chips
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.plan import plan_across
from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.predict import predict
from bitlaw.decisions.prediction import Prediction
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.inference.fit import Fit
from bitlaw.reporting.several import SeveralLaws, several_laws

if TYPE_CHECKING:
    from bitlaw.criticism.comparison import Comparison

_Precision = PrecisionDecision | AcrossLaws[PrecisionDecision]
_SHARE_TO_SPEND, _FEWEST_RUNS = 0.1, 10.0


@dataclass(frozen=True)
class Answers:
    """What is reported, for one question.

    Parameters
    ----------
    prediction
        The loss to expect at the question's points.
    precision_fixed
        Training precision with parameters and tokens fixed; None where the law has no such term.
    precision_free
        Training precision at the same compute, parameters and tokens re-optimised; None likewise.
    post_training
        Quantization after training; None where the fit says nothing about it.
    question
        The question in words, for example "332k parameters and 8M tokens, the largest logged run".
    budget
        How the compute asked about is best spent; None where the law takes losses as trained as data.
    plan
        Which runs to log next, to know the loss better, or quantized after training the degradation, with a
        tenth of the compute asked about; None where neither is answered.
    chips_fixed, chips_free
        The two answers on training precision on each of several chips, the first of which is the one decided for;
        None where no more than one is asked about.
    """

    prediction: Prediction
    precision_fixed: PrecisionDecision | None
    precision_free: PrecisionDecision | None
    post_training: PostTrainingDecision | None
    question: str
    budget: BudgetDecision | None = None
    plan: PlanDecision | None = None
    chips_fixed: OnChips[PrecisionDecision] | None = None
    chips_free: OnChips[PrecisionDecision] | None = None


def answers_of(
    fit: Fit, asked: Asked, tolerance: float = 0.01, method_post: str | None = None, drift: bool = True
) -> Answers:
    """The answers of one fit.

    Parameters
    ----------
    fit
        The fit.
    asked
        The question.
    tolerance
        Loss that may be lost to precision, nats/token.
    method_post
        Post-training method; the only logged one by default.
    drift
        Include structural error beyond the data.
    """
    fixed = free = after = spent = None
    n_params, tokens, group = asked.n_params, asked.tokens, asked.group
    also: dict[str, Any] = {"group": group, "drift": drift, **asked.spending}
    if fit.law.training:
        fixed = optimum(fit, n_params=n_params, tokens=tokens, tolerance=tolerance, **also)
        free = optimum(fit, flops=asked.flops, **also)
    if not fit.law.base.is_observed:
        spent = budget(fit, flops=asked.flops, **also)
    if is_quantized_after(fit):
        after = ptq(
            fit,
            **_checkpoint(asked),
            tolerance=tolerance,
            method_post=method_post,
            hardware=asked.chips or None,
            drift=drift,
        )
    prediction = predict(fit, asked.point, measured=asked.loss, drift=drift)
    planned = _planned([fit], asked, method_post, drift)
    on_fixed, on_free = _on_chips([fit], asked, fixed, free, tolerance, drift)
    return Answers(prediction, fixed, free, after, asked.text, spent, planned, on_fixed, on_free)


def answers_of_several(
    fits: Sequence[Fit],
    asked: Asked,
    tolerance: float = 0.01,
    method_post: str | None = None,
    comparison: Comparison | None = None,
    drift: bool = True,
) -> tuple[Answers, SeveralLaws]:
    """The answers of the stack of several laws, and every law's beside them.

    Parameters
    ----------
    fits
        One fit per law, to the same rows.
    asked, tolerance, method_post, drift
        As for ``answers_of``.
    comparison
        The comparison the fits come from, if they come from one.
    """
    trained = [fit for fit in fits if fit.law.training]
    quantized = [fit for fit in fits if is_quantized_after(fit)]
    n_params, tokens, group = asked.n_params, asked.tokens, asked.group
    fixed = free = after = None
    also: dict[str, Any] = {"group": group, "drift": drift, **asked.spending}
    if trained:
        fixed = optimum_across(trained, n_params=n_params, tokens=tokens, tolerance=tolerance, **also)
        free = optimum_across(trained, flops=asked.flops, **also)
    spenders = trained or [fit for fit in fits if not fit.law.base.is_observed]
    spent = budget_across(spenders, flops=asked.flops, **also) if spenders else None
    if quantized:
        after = ptq_across(
            quantized,
            **_checkpoint(asked),
            tolerance=tolerance,
            method_post=method_post,
            hardware=asked.chips or None,
            drift=drift,
        )
    prediction = predict_across(fits, asked.point, measured=asked.loss, drift=drift)
    several = several_laws(fits, prediction, fixed, free, after, comparison, spent)
    planned = _planned(fits, asked, method_post, drift)
    on_fixed, on_free = _on_chips(trained, asked, fixed, free, tolerance, drift)
    stacked = replace(stacked_answers(several, asked.text), plan=planned)
    return replace(stacked, chips_fixed=on_fixed, chips_free=on_free), several


def _on_chips(
    fits: Sequence[Fit],
    asked: Asked,
    fixed: _Precision | None,
    free: _Precision | None,
    tolerance: float,
    drift: bool,
) -> tuple[OnChips[PrecisionDecision] | None, OnChips[PrecisionDecision] | None]:
    """Both answers on training precision on the chip decided for and on the others; None where there are none."""
    if not asked.also_on or fixed is None or free is None:
        return None, None
    also: dict[str, Any] = {**asked.spending, "group": asked.group, "drift": drift}
    chip = str(also.pop("hardware"))
    sizes = {"n_params": asked.n_params, "tokens": asked.tokens, "tolerance": tolerance}
    compute = {"flops": asked.flops}
    others_fixed, others_free = (
        optimum_on_chips(fits, asked.also_on, **question, **also) for question in (sizes, compute)
    )
    return OnChips({chip: fixed, **others_fixed.by_chip}), OnChips({chip: free, **others_free.by_chip})


def _checkpoint(asked: Asked) -> dict[str, Any]:
    """The model to be quantized: a fitted run with what was measured on it, or sizes."""
    measured = {"measured": asked.measured}
    if asked.run_id is not None:
        return {"run_id": asked.run_id, **measured}
    sizes = {"n_params": asked.n_params, "tokens": asked.tokens, "group": asked.group}
    return {**sizes, "loss": asked.loss, **measured}


def stacked_answers(several: SeveralLaws, question: str) -> Answers:
    """The answers of the stack of several laws.

    Parameters
    ----------
    several
        The laws.
    question
        The question in words.
    """
    fixed, free, post = several.precision_fixed, several.precision_free, several.post_training
    return Answers(
        prediction=several.prediction.stack,
        precision_fixed=fixed.stack if fixed is not None else None,
        precision_free=free.stack if free is not None else None,
        post_training=post.stack if post is not None else None,
        question=question,
        budget=several.spending.stack if several.spending is not None else None,
    )


def risk_shares(answers: Answers) -> dict[str, Mapping[str, float] | None]:
    """Shares of the variance of each answer's number by source, by what was asked."""
    asked = {
        "the loss": answers.prediction.points[0],
        "training, sizes fixed": answers.precision_fixed,
        "training, compute fixed": answers.precision_free,
        "after training": answers.post_training,
        "the plan for the compute": answers.budget,
    }
    risks = {what: answer.risk for what, answer in asked.items() if answer is not None}
    return {what: risk.shares for what, risk in risks.items() if risk is not None}


def _planned(fits: Sequence[Fit], asked: Asked, method_post: str | None, drift: bool) -> PlanDecision | None:
    """The runs that a tenth of the compute asked about is best spent on; at least of ten of the smallest run."""
    n_params, tokens = (fits[0].rows[name].to_numpy(np.float64) for name in ("n_params", "tokens"))
    cheapest = float(np.min(training_flop(n_params, tokens)))
    budget = max(_SHARE_TO_SPEND * asked.flops, _FEWEST_RUNS * cheapest)
    common: dict[str, Any] = {"budget": budget, "drift": drift, **asked.spending}
    if not any(fit.law.base.is_observed for fit in fits):
        model: dict[str, Any] = {"n_params": asked.n_params, "tokens": asked.tokens, "group": asked.group}
        return plan_across(fits, "loss", **model, **common).stack
    if not all(is_quantized_after(fit) for fit in fits):
        return None
    return plan_across(fits, "ptq", **_checkpoint(asked), method_post=method_post, **common).stack


def is_quantized_after(fit: Fit) -> bool:
    """Whether a fit says something about quantizing after training: its law has a term, and a row was quantized."""
    return fit.law.post is not None and bool(fit.rows["bits_post"].notna().any())
