"""Every answer a report gives to one question: under one law, or under several and their stack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bitlaw.criticism.comparison import Comparison
from bitlaw.decisions.across_laws import optimum_across
from bitlaw.decisions.asked import Asked
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.predict import predict
from bitlaw.decisions.prediction import Prediction
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.inference.fit import Fit
from bitlaw.reporting.several import SeveralLaws, several_laws


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
    """

    prediction: Prediction
    precision_fixed: PrecisionDecision | None
    precision_free: PrecisionDecision | None
    post_training: PostTrainingDecision | None
    question: str


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
    fixed = free = after = None
    n_params, tokens, group = asked.n_params, asked.tokens, asked.group
    if fit.law.training:
        also = {"group": group, "drift": drift, **asked.spending}
        fixed = optimum(fit, n_params=n_params, tokens=tokens, tolerance=tolerance, **also)
        free = optimum(fit, flops=asked.flops, **also)
    if _is_quantized_after(fit):
        after = ptq(
            fit,
            n_params,
            tokens,
            tolerance=tolerance,
            method_post=method_post,
            group=group,
            loss=asked.loss,
            drift=drift,
        )
    prediction = predict(fit, asked.point, measured=asked.loss, drift=drift)
    return Answers(prediction, fixed, free, after, asked.text)


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
    quantized = [fit for fit in fits if _is_quantized_after(fit)]
    n_params, tokens, group = asked.n_params, asked.tokens, asked.group
    fixed = free = after = None
    if trained:
        also = {"group": group, "drift": drift, **asked.spending}
        fixed = optimum_across(trained, n_params=n_params, tokens=tokens, tolerance=tolerance, **also)
        free = optimum_across(trained, flops=asked.flops, **also)
    if quantized:
        after = ptq_across(
            quantized,
            n_params=n_params,
            tokens=tokens,
            tolerance=tolerance,
            method_post=method_post,
            group=group,
            loss=asked.loss,
            drift=drift,
        )
    prediction = predict_across(fits, asked.point, measured=asked.loss, drift=drift)
    several = several_laws(fits, prediction, fixed, free, after, comparison)
    return stacked_answers(several, asked.text), several


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
    )


def risk_shares(answers: Answers) -> dict[str, Mapping[str, float] | None]:
    """Shares of the variance of each answer's number by source, by what was asked."""
    asked = {
        "the loss": answers.prediction.points[0],
        "training, sizes fixed": answers.precision_fixed,
        "training, compute fixed": answers.precision_free,
        "after training": answers.post_training,
    }
    risks = {what: answer.risk for what, answer in asked.items() if answer is not None}
    return {what: risk.shares for what, risk in risks.items() if risk is not None}


def _is_quantized_after(fit: Fit) -> bool:
    return fit.law.post is not None and bool(fit.rows["bits_post"].notna().any())
