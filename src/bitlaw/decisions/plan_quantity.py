"""The number that a decision rests on, whose variance more runs are to reduce."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.candidates import CHECKPOINT
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import UNQUANTIZED, OnOffer, key_text, on_offer
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.decisions.post_training_draws import question_points
from bitlaw.decisions.precision_decision import PrecisionDecision, PrecisionOption
from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, format_bits, format_count

_CERTAIN = 1e-3


@dataclass(frozen=True)
class Checkpoint:
    """A trained model that is asked about, and what was measured on it.

    Parameters
    ----------
    run_id
        Of the fitted run that it is; else ``CHECKPOINT``.
    open_points
        The model at the bits that it was not measured at, canonical columns: quantizing it tells most.
    measured
        The model at the bits it was measured at, canonical columns: those that the fit has not seen, and the
        quantity where that was measured.
    gap, error
        Each of these degradations and its standard error, nats/token, the latter 0 where unknown; shape (measured,).
    answer
        What was measured, in words, where that is the quantity itself; empty where the quantity is open.
    """

    run_id: str
    open_points: pd.DataFrame
    measured: pd.DataFrame
    gap: np.ndarray
    error: np.ndarray
    answer: str = ""


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
    checkpoint
        The trained model asked about, whose own degradation the quantity then is; None for a run that is planned.
    group
        Group of a pooled fit; None without pooling.
    """

    decision: str
    question: str
    text: str
    points: pd.DataFrame
    precisions: tuple[Mapping[str, Any], ...]
    post: tuple[Mapping[str, Any], ...] = ()
    measured: float | None = None
    checkpoint: Checkpoint | None = None
    group: str | None = None

    @property
    def is_measured(self) -> bool:
        """Whether the number was measured, so that no run is needed to know it."""
        return self.checkpoint is not None and bool(self.checkpoint.answer)

    def of(self, values: np.ndarray) -> np.ndarray:
        """The quantity from outcomes at its points, shape (samples, points): that itself, or a difference of losses."""
        if self.decision == "optimum":
            loss = np.exp(values)
            return np.asarray(loss[:, 0] - loss[:, 1])
        return np.asarray(values[:, 0])


def of_loss(point: pd.DataFrame, sizes: str, group: str | None) -> Quantity:
    """Ln of the law's mean loss at a point."""
    bits = {name: float(point[name].iloc[0]) for name in TRAINING_BITS}
    own = {name: value for name, value in bits.items() if value < UNQUANTIZED_BITS}
    listed = ", ".join(f"{name} {format_bits(value)}" for name, value in own.items())
    question = f"{sizes}{f' with {listed}' if listed else ''}"
    return Quantity(
        "loss", question, f"the loss of {question}", point, ({}, own) if own else ({},), group=group
    )


def of_degradation(fit: Fit, decision: PostTrainingDecision) -> Quantity:
    """Ln of the degradation at the bits whose probability of being safe is nearest to the one asked for.

    What was measured on a checkpoint is known, and bits below measured ones that are not safe are out of the
    question; where nothing else is left, the quantity is what was measured.
    """
    sizes = f"{format_count(decision.n_params)} parameters on {format_count(decision.tokens)} tokens"
    if decision.run_id is not None:
        sizes = f"run {decision.run_id} ({sizes})"
    unsafe = [
        option.bits_post
        for option in decision.options
        if option.is_measured and option.probability_safe < decision.confidence
    ]
    in_doubt = [
        option
        for option in decision.options
        if not option.is_measured and option.bits_post > max(unsafe, default=0.0)
    ]
    possible = in_doubt or list(decision.options)
    allowed = [option for option in possible if not option.refused] or possible
    chosen = min(
        allowed, key=lambda option: abs(_logit(option.probability_safe) - _logit(decision.confidence))
    )
    trained = {
        name: value
        for name in TRAINING_BITS[:3]
        if (value := float(getattr(decision, name))) < UNQUANTIZED_BITS
    }
    checkpoint = _checkpoint(fit, decision, None if in_doubt else chosen)
    return Quantity(
        "ptq",
        sizes,
        f"the degradation of {sizes} quantized to {format_bits(chosen.bits_post)} bits",
        _at(fit, decision, [chosen.bits_post]),
        (trained,),
        tuple(
            {"bits_post": option.bits_post, "method_post": decision.method_post}
            for option in decision.options
        ),
        decision.loss,
        checkpoint,
        decision.group,
    )


def _checkpoint(
    fit: Fit, decision: PostTrainingDecision, answer: PostTrainingOption | None
) -> Checkpoint | None:
    """The trained model behind a decision; None where the decision is of one that is planned."""
    if decision.loss is None and decision.measured is None and decision.run_id is None:
        return None
    points = _at(fit, decision, [option.bits_post for option in decision.options if not option.is_measured])
    known, gap, error = points.iloc[:0], np.zeros(0), np.zeros(0)
    if decision.measured is not None:
        every = decision.measured.points
        new = ~decision.measured.fitted
        if answer is not None:
            new |= (every["bits_post"] == answer.bits_post).to_numpy()
        known, gap, error = every[new], decision.measured.gap[new], decision.measured.error[new]
    own = CHECKPOINT if decision.run_id is None else decision.run_id
    said = "" if answer is None else _measured_text(answer)
    return Checkpoint(own, points.assign(run_id=own), known.assign(run_id=own), gap, error, said)


def _measured_text(option: PostTrainingOption) -> str:
    """What was measured, and what it decides, in words."""
    value = f"{option.degradation.median:.3g} {LOSS_UNIT} at {format_bits(option.bits_post)} bits"
    return f"{value}, within tolerance with probability {option.probability_safe:.2g}"


def _at(fit: Fit, decision: PostTrainingDecision, bits: Sequence[float]) -> pd.DataFrame:
    return question_points(fit, decision, bits) if bits else question_points(fit, decision, [4.0]).iloc[:0]


def between_options(fits: Sequence[Fit], decision: PrecisionDecision) -> Quantity:
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
        group=decision.question.group,
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
