"""Predicted loss and optimal precision for the largest logged run, under each compared law and the stack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bitlaw.decisions.across_laws import DISAGREEMENT, STACK, AcrossLaws, optimum_across
from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.intervals import interval_text, json_value
from bitlaw.decisions.on_offer import key_text
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.prediction import Prediction
from bitlaw.decisions.stacked import predict_across
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.units import format_count, format_probability


@dataclass(frozen=True)
class DecisionTable:
    """One question under several laws.

    Parameters
    ----------
    question
        What is decided on, in words.
    prediction
        Loss of the run at 16 bits; of laws of degradations, quantized after training.
    sizes_fixed, sizes_free
        Training precision for its parameters and tokens, and for its compute; None where a law has
        no term for training precision.
    """

    question: str
    prediction: AcrossLaws[Prediction]
    sizes_fixed: AcrossLaws[PrecisionDecision] | None
    sizes_free: AcrossLaws[PrecisionDecision] | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Where the answer depends on the law."""
        answers = (self.prediction, self.sizes_fixed, self.sizes_free)
        return tuple(
            finding
            for answer in answers
            if answer is not None
            for finding in answer.findings
            if finding.code == DISAGREEMENT and finding.status is Status.WARN
        )

    def table(self) -> pd.DataFrame:
        """One row per law, then the stack."""
        return pd.DataFrame([self._row(name) for name in (*self.prediction.by_law, STACK)])

    def to_dict(self) -> dict[str, Any]:
        """The table as plain JSON types: the answers as their commands give them."""
        return json_value(
            {
                "question": self.question,
                "prediction": self.prediction.to_dict(),
                "sizes_fixed": self.sizes_fixed.to_dict() if self.sizes_fixed else None,
                "sizes_free": self.sizes_free.to_dict() if self.sizes_free else None,
            }
        )

    def _row(self, name: str) -> dict[str, str]:
        point = _answer(self.prediction, name).points[0]
        row = {
            "law": name,
            "weight": "" if name == STACK else format_probability(self.prediction.weights[name]),
            "new run's loss": interval_text(point.new_run),
            "law's mean": interval_text(point.law_mean),
        }
        for what, decided in (("for its sizes", self.sizes_fixed), ("for its compute", self.sizes_free)):
            if decided is not None:
                row |= {f"precision {what}": _precision(_answer(decided, name))}
        return row


def decision_table(fits: Sequence[Fit], tolerance: float = 0.01, drift: bool = True) -> DecisionTable:
    """Put the largest logged run to every law.

    Parameters
    ----------
    fits
        One per law, to the same rows.
    tolerance
        Loss that may be lost to precision where parameters and tokens are fixed, nats/token.
    drift
        Include structural error beyond the data.

    Raises
    ------
    InputError
        If the fits cannot be compared.
    """
    largest = fits[0].largest_run()
    n_params, tokens = largest["n_params"], largest["tokens"]
    group = ",".join(str(largest[column]) for column in fits[0].pool) or None
    observed = all(fit.law.base.is_observed for fit in fits)
    point = points_frame(n_params=n_params, tokens=tokens, **(_typical_post(fits[0]) if observed else {}))
    measured = largest["loss"] if observed else None
    prediction = predict_across(fits, point, measured=measured, group=group, drift=drift)
    fixed = free = None
    if all(fit.law.training for fit in fits):
        asked: dict[str, Any] = {"group": group, "drift": drift}
        fixed = optimum_across(fits, n_params=n_params, tokens=tokens, tolerance=tolerance, **asked)
        free = optimum_across(fits, flops=float(training_flop(n_params, tokens)), **asked)
    sizes = f"{format_count(n_params)} parameters and {format_count(tokens)} tokens"
    return DecisionTable(f"the largest logged run, {sizes}", prediction, fixed, free)


def _typical_post(fit: Fit) -> Mapping[str, Any]:
    """The most frequent bits and method of quantization after training."""
    after = fit.rows[fit.rows["bits_post"].notna()]
    return {name: after[name].mode().iloc[0] for name in ("bits_post", "method_post")}


def _answer(across: AcrossLaws[Any], name: str) -> Any:
    return across.stack if name == STACK else across.by_law[name]


def _precision(decision: PrecisionDecision) -> str:
    if decision.best is None:
        return decision.answer
    best = next(option for option in decision.options if option.key == decision.best)
    return f"{key_text(best.key)}, best in {format_probability(best.probability_best)}"
