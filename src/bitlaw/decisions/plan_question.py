"""What a plan is asked: which decision more runs are for, and the quantity that decision rests on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.across_laws import AcrossLaws, optimum_across
from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import UNQUANTIZED, OnOffer, key_text, on_offer
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision, PrecisionOption
from bitlaw.decisions.prediction import Prediction
from bitlaw.decisions.ptq import question_points
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.errors import InputError, did_you_mean
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import format_bits, format_count

DECISIONS = ("loss", "optimum", "ptq")
"""What a plan may be for."""

_CERTAIN = 1e-3


@dataclass(frozen=True)
class Quantity:
    """The number a decision rests on, whose variance more runs are to reduce.

    Parameters
    ----------
    decision
        One of ``DECISIONS``.
    question, text
        What is asked about, and the number, in words.
    points
        Where the law is evaluated for it, canonical columns: one point; for ``optimum`` the two options.
    precisions, post
        Training precisions, and quantizations after training, that tell about it: run-table columns.
    measured
        Measured loss of the run asked about, nats/token; None where the law gives it.
    """

    decision: str
    question: str
    text: str
    points: pd.DataFrame
    precisions: tuple[Mapping[str, Any], ...]
    post: tuple[Mapping[str, Any], ...] = ()
    measured: float | None = None

    def of(self, values: np.ndarray) -> np.ndarray:
        """The quantity from outcomes at its points, shape (samples, points): that itself, or a difference of losses."""
        if self.decision == "optimum":
            loss = np.exp(values)
            return np.asarray(loss[:, 0] - loss[:, 1])
        return np.asarray(values[:, 0])


@dataclass(frozen=True)
class Answered:
    """The decision as it stands, and the quantity it rests on.

    Parameters
    ----------
    quantity
        The quantity.
    across
        The decision under each law and their stack.
    """

    quantity: Quantity
    across: AcrossLaws[Any]

    def risk(self, law: str | None = None) -> Risk | None:
        """Risk of the decision under one law; of the stack where None."""
        answer = self.across.stack if law is None else self.across.by_law[law]
        return answer.points[0].risk if isinstance(answer, Prediction) else answer.risk


def answered(
    fits: Sequence[Fit],
    decision: str,
    *,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    bits: Sequence[float] | None = None,
    formats: Sequence[str] | None = None,
    tolerance: float = 0.01,
    loss: float | None = None,
    method_post: str | None = None,
    bits_weights: float = 16.0,
    bits_activations: float = 16.0,
    bits_kv: float = 16.0,
    prob: float = 0.9,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> Answered:
    """Make the decision with the runs there are, and find the quantity it rests on.

    Parameters are those of ``plan``.

    Raises
    ------
    InputError
        As for ``predict``, ``optimum`` and ``ptq``; for an unknown decision, and where only one option is on
        offer.
    """
    if decision not in DECISIONS:
        raise InputError(f'cannot plan for "{decision}"; {did_you_mean(decision, DECISIONS)}')
    common: dict[str, Any] = {"prob": prob, "group": group, "seed": seed, "drift": drift}
    trained: dict[str, Any] = {
        "bits_weights": bits_weights,
        "bits_activations": bits_activations,
        "bits_kv": bits_kv,
    }
    if decision == "optimum":
        options = optimum_across(
            fits,
            n_params=n_params,
            tokens=tokens,
            flops=flops,
            bits=bits,
            formats=formats,
            tolerance=tolerance,
            **common,
        )
        return Answered(_between_options(fits, options.stack), options)
    n_params, tokens = _sizes(decision, n_params, tokens, flops)
    sizes = f"{format_count(n_params)} parameters on {format_count(tokens)} tokens"
    if decision == "loss":
        for fit in fits:
            if fit.law.base.is_observed:
                raise InputError(
                    f"law {fit.law.name} takes the loss as trained as data, so no run tells it about that; valid: ptq"
                )
        point = points_frame(n_params=n_params, tokens=tokens, **trained, **group_columns(fits[0], group))
        predicted = predict_across(fits, point, **common)
        return Answered(_of_loss(point, sizes), predicted)
    offered: dict[str, Any] = {} if bits is None else {"bits": bits}
    after = ptq_across(
        fits,
        n_params,
        tokens,
        tolerance=tolerance,
        loss=loss,
        method_post=method_post,
        **trained,
        **offered,
        **common,
    )
    return Answered(_of_degradation(fits[0], after.stack, sizes), after)


def _sizes(
    decision: str, n_params: float | None, tokens: float | None, flops: float | None
) -> tuple[float, float]:
    if n_params is None or (tokens is None) == (flops is None):
        raise InputError(f"a plan for {decision} needs n_params, and tokens or flops (6 N D)")
    if tokens is None:
        tokens = float(tokens_bought(flops or math.nan, n_params, 1.0))
    for name, value in (("n_params", n_params), ("tokens", tokens)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}; valid: a positive number")
    return n_params, tokens


def _of_loss(point: pd.DataFrame, sizes: str) -> Quantity:
    bits = {name: float(point[name].iloc[0]) for name in TRAINING_BITS}
    own = {name: value for name, value in bits.items() if value < UNQUANTIZED_BITS}
    listed = ", ".join(f"{name} {format_bits(value)}" for name, value in own.items())
    question = f"{sizes}{f' with {listed}' if listed else ''}"
    return Quantity("loss", question, f"the loss of {question}", point, ({}, own) if own else ({},))


def _of_degradation(fit: Fit, decision: PostTrainingDecision, sizes: str) -> Quantity:
    """The degradation at the bits whose probability of being safe is nearest to the one asked for."""
    allowed = [option for option in decision.options if not option.refused] or list(decision.options)
    open_one = min(
        allowed, key=lambda option: abs(_logit(option.probability_safe) - _logit(decision.confidence))
    )
    trained = {
        name: value
        for name in TRAINING_BITS[:3]
        if (value := float(getattr(decision, name))) < UNQUANTIZED_BITS
    }
    what = f"{sizes} quantized to {format_bits(open_one.bits_post)} bits"
    return Quantity(
        "ptq",
        sizes,
        f"the degradation of {what}",
        question_points(fit, decision, [open_one.bits_post]),
        (trained,),
        tuple(
            {"bits_post": option.bits_post, "method_post": decision.method_post}
            for option in decision.options
        ),
        decision.loss,
    )


def _between_options(fits: Sequence[Fit], decision: PrecisionDecision) -> Quantity:
    """The difference between the two options that the choice is between.

    With sizes free the two with the lowest expected regret; with both fixed the option whose probability of
    staying within tolerance is nearest to the one asked for, and 16 bits.
    """
    offer = dict(
        zip((option.key for option in decision.options), on_offer(decision.question, fits), strict=True)
    )
    allowed = [option for option in decision.options if not option.refused] or list(decision.options)
    group = group_columns(fits[0], decision.question.group)
    if decision.question.sizes_fixed:
        quantized = [option for option in allowed if option.bits < UNQUANTIZED_BITS]
        if not quantized:
            raise InputError(
                "nothing to choose between: no option below 16 bits is on offer; valid: bits such as 16,8"
            )
        one = min(
            quantized,
            key=lambda option: abs(_logit(option.probability_within or 0.0) - _logit(decision.confidence)),
        )
        chosen: list[tuple[OnOffer, PrecisionOption]] = [(offer[one.key], one), (UNQUANTIZED, one)]
        names = (key_text(one.key), "16 bits")
    else:
        if len(allowed) < 2:
            raise InputError("nothing to choose between: one option is on offer; valid: bits such as 16,8")
        two = sorted(allowed, key=lambda option: option.expected_regret)[:2]
        chosen = [(offer[option.key], option) for option in two]
        names = (key_text(two[0].key), key_text(two[1].key))
    reference = fits[0].reference
    points = points_of(
        [item for item, _ in chosen],
        [_known(option.n_params.median, reference.n_params) for _, option in chosen],
        [_known(option.tokens.median, reference.tokens) for _, option in chosen],
        group,
    )
    return Quantity(
        "optimum",
        decision.question.text(),
        f"the difference in loss between {names[0]} and {names[1]}",
        points,
        tuple(_distinct([{}, *(dict(item.columns) for item, _ in chosen)])),
    )


def _distinct(columns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Training precisions without repeats; bits of 16 and more say nothing."""
    said = [
        {
            name: value
            for name, value in own.items()
            if not (name in TRAINING_BITS and value >= UNQUANTIZED_BITS)
        }
        for own in columns
    ]
    low = [own for own in said if set(own) & {*TRAINING_BITS, "format", "format_backward"}]
    return [{}, *(own for number, own in enumerate(low) if own not in low[:number])]


def _known(value: float, instead: float) -> float:
    return value if math.isfinite(value) else instead


def _logit(probability: float) -> float:
    inside = min(max(probability, _CERTAIN), 1.0 - _CERTAIN)
    return math.log(inside / (1.0 - inside))
