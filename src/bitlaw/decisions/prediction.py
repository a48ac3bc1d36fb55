"""The loss to expect of runs that have not been trained: per point, with its intervals and its risk."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.intervals import drift_text, interval_text, json_value
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.notebook import result_html
from bitlaw.units import LOSS_UNIT, Interval, format_bits, format_count


@dataclass(frozen=True)
class PointPrediction:
    """The predicted loss of one run.

    Parameters
    ----------
    inputs
        The point's run-table columns; None where a cell is empty.
    mean
        Mean over draws of the law's mean loss, nats/token.
    new_run
        Loss of a new run: with the effects of its cell and run, and noise.
    law_mean
        The law's mean loss.
    prior
        Loss of a new run under the prior alone.
    reasons
        Why the point is beyond the data; empty where it is not.
    drift
        What structural error beyond the data adds: standard deviation of its part in the logarithm of the
        law's mean loss; 0 inside, None where drift is left out.
    risk
        Whether to rely on it; REFUSE marks an interval that nothing measured supports.
    """

    inputs: dict[str, Any]
    mean: float
    new_run: Interval
    law_mean: Interval
    prior: Interval
    reasons: tuple[str, ...]
    risk: Risk
    drift: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The point as plain JSON types, inputs beside the numbers."""
        return json_value(
            self.inputs
            | {
                "mean": self.mean,
                "median": self.new_run.median,
                "lo": self.new_run.lo,
                "hi": self.new_run.hi,
                "lo_mean": self.law_mean.lo,
                "hi_mean": self.law_mean.hi,
                "drift": self.drift,
                "risk": self.risk.to_dict(),
                "refused": self.risk.refused,
                "reasons": self.reasons,
                "under_prior": {name: getattr(self.prior, name) for name in ("median", "lo", "hi")},
            }
        )


@dataclass(frozen=True)
class Prediction:
    """Predicted losses under one law, or under a stack of laws.

    Parameters
    ----------
    law
        Name of the law, or "the stack".
    points
        One prediction per point.
    measured
        Measured loss as trained that stands for the law's, nats/token; None = the law's.
    prob
        Probability inside every interval.
    draws, seed
        Number of draws, and the seed of effects and noise.
    findings
        What criticism found in the fit, and how far the points are from its data.
    drift
        Whether the intervals include structural error beyond the data.
    """

    law: str
    points: tuple[PointPrediction, ...]
    measured: float | None
    prob: float
    draws: int
    seed: int
    findings: tuple[Finding, ...]
    drift: bool = True

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    def sentence(self) -> str:
        """The first point in words, and how many more there are."""
        point = self.points[0]
        more = len(self.points) - 1
        others = f" {more} more point{'s' if more > 1 else ''} in the table." if more else ""
        subject = _subject(point.inputs, self.measured)
        if point.risk.refused:
            return (
                f"{point.risk.refusal()} That is about {subject}. What {self.law} and its priors would say is in "
                f"the table, no basis for a decision.{others}"
            )
        return (
            f"Under {self.law}, {subject} has a loss of "
            f"{interval_text(point.new_run)}; the law's mean is {interval_text(point.law_mean)}."
            f"{drift_text(self.drift, point.drift, bool(point.reasons))} {point.risk.sentence()}{others}"
        )

    def table(self) -> pd.DataFrame:
        """One row per point, for display."""
        shown = ("n_params", "tokens", "bits_weights", "bits_activations", "bits_kv", "bits_post")
        return pd.DataFrame(
            [
                {name: point.inputs[name] for name in shown}
                | {
                    "new run": interval_text(point.new_run),
                    "law's mean": interval_text(point.law_mean),
                    "under the prior": interval_text(point.prior),
                    "risk": str(point.risk.grade),
                    "beyond the data": " ".join(point.reasons),
                }
                for point in self.points
            ]
        )

    def _repr_html_(self) -> str:
        return result_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The prediction as plain JSON types."""
        return {
            "status": str(self.status),
            "findings": [json_value(finding.to_dict()) for finding in self.findings],
            "law": self.law,
            "refused": any(point.risk.refused for point in self.points),
            "points": [point.to_dict() for point in self.points],
            "measured": self.measured,
            "prob": self.prob,
            "kind": "ETI",
            "unit": LOSS_UNIT,
            "drift": self.drift,
            "draws": self.draws,
            "seed": self.seed,
            "laws": None,
        }


def _subject(inputs: dict[str, Any], measured: float | None) -> str:
    """The run in words."""
    known = "" if measured is None else f" and a measured loss of {measured:g} {LOSS_UNIT} as trained"
    return f"a {'new ' if measured is None else ''}run of {_describe(inputs)}{known}"


def _describe(inputs: dict[str, Any]) -> str:
    sizes = f"{format_count(inputs['n_params'])} parameters on {format_count(inputs['tokens'])} tokens"
    bits = [inputs[name] for name in ("bits_weights", "bits_activations", "bits_kv")]
    trained = f" trained at {'/'.join(format_bits(value) for value in bits)} bits (weights/activations/KV)"
    after = inputs["bits_post"]
    quantized = f", quantized to {format_bits(after)} bits after training" if after is not None else ""
    return sizes + (trained if min(bits) < 16 else "") + quantized
