"""The loss to expect of a run that has not been trained."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.caveats import caveats, reasons
from bitlaw.decisions.groups import fitted_method
from bitlaw.decisions.intervals import (
    interval_of,
    interval_text,
    json_value,
    mean_of,
    require_probability,
)
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.draws import LossDraws, loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import COLUMNS
from bitlaw.units import LOSS_UNIT, Interval, format_bits, format_count

_NOT_INPUTS = ("loss", "loss_se", "flops", "status", "exclude")


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
    drift, risk
        Not known yet.
    """

    inputs: dict[str, Any]
    mean: float
    new_run: Interval
    law_mean: Interval
    prior: Interval
    reasons: tuple[str, ...]
    drift: float | None = None
    risk: float | None = None

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
                "risk": self.risk,
                "reasons": self.reasons,
                "under_prior": {name: getattr(self.prior, name) for name in ("median", "lo", "hi")},
            }
        )


@dataclass(frozen=True)
class Prediction:
    """Predicted losses under one law.

    Parameters
    ----------
    law
        Name of the law.
    points
        One prediction per point.
    prob
        Probability inside every interval.
    draws, seed
        Number of draws, and the seed of effects and noise.
    findings
        What criticism found in the fit, and how far the points are from its data.
    """

    law: str
    points: tuple[PointPrediction, ...]
    prob: float
    draws: int
    seed: int
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    def sentence(self) -> str:
        """The first point in words, and how many more there are."""
        point = self.points[0]
        more = len(self.points) - 1
        others = f" {more} more point{'s' if more > 1 else ''} in the table." if more else ""
        beyond = "".join(f" {reason}" for reason in point.reasons)
        return (
            f"Under {self.law}, a new run of {_describe(point.inputs)} has a loss of "
            f"{interval_text(point.new_run)}; the law's mean is {interval_text(point.law_mean)}."
            f"{beyond}{others}"
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
                    "beyond the data": " ".join(point.reasons),
                }
                for point in self.points
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The prediction as plain JSON types."""
        return {
            "status": str(self.status),
            "findings": [json_value(finding.to_dict()) for finding in self.findings],
            "law": self.law,
            "points": [point.to_dict() for point in self.points],
            "prob": self.prob,
            "kind": "ETI",
            "unit": LOSS_UNIT,
            "draws": self.draws,
            "seed": self.seed,
        }


def predict(fit: Fit, points: pd.DataFrame, prob: float = 0.9, seed: int | None = None) -> Prediction:
    """Predict the loss of new runs.

    Parameters
    ----------
    fit
        The fit.
    points
        One row per run to predict, canonical columns, for example from ``points_frame``. Rows that
        share ``run_id``, or all rows where it is absent, are one training run.
    prob
        Probability inside every interval.
    seed
        Seed of effects and noise; by default the fit's.

    Raises
    ------
    InputError
        If there are no points, sizes are not positive, the law has no term for a point, or a point
        is of a group that the fit has not seen.
    """
    require_probability("prob", prob)
    _require_points(points)
    points = _with_method(fit, points)
    seed = fit.provenance.seed if seed is None else seed
    posterior, prior = (loss_draws(fit, points, from_prior, seed) for from_prior in (False, True))
    return Prediction(
        law=fit.law.name,
        points=tuple(
            _point(fit, points.iloc[[row]], row, posterior, prior, prob) for row in range(len(points))
        ),
        prob=prob,
        draws=len(posterior.trained),
        seed=seed,
        findings=caveats(fit, points),
    )


def _with_method(fit: Fit, points: pd.DataFrame) -> pd.DataFrame:
    """Points quantized after training by the fit's only method where they name none."""
    unnamed = points["bits_post"].notna() & (points["method_post"] == "")
    if not unnamed.any() or fit.law.post is None:
        return points
    return points.assign(method_post=points["method_post"].mask(unnamed, fitted_method(fit, None)))


def _point(
    fit: Fit, point: pd.DataFrame, row: int, posterior: LossDraws, prior: LossDraws, prob: float
) -> PointPrediction:
    law_mean, new_run, under_prior = (
        draws[:, row] for draws in (posterior.mean, posterior.new_run, prior.new_run)
    )
    return PointPrediction(
        inputs=_inputs(point),
        mean=mean_of(law_mean),
        new_run=interval_of(new_run, prob, LOSS_UNIT),
        law_mean=interval_of(law_mean, prob, LOSS_UNIT),
        prior=interval_of(under_prior, prob, LOSS_UNIT),
        reasons=reasons(fit, point),
    )


def _inputs(point: pd.DataFrame) -> dict[str, Any]:
    """The canonical columns of one point, as plain values."""
    row = point.iloc[0]
    columns = [column for column in COLUMNS if column.name in point and column.name not in _NOT_INPUTS]
    convert = {"text": str, "number": float, "whole": float}
    return {
        column.name: None if pd.isna(row[column.name]) else convert[column.kind](row[column.name])
        for column in columns
    }


def _require_points(points: pd.DataFrame) -> None:
    if points.empty:
        raise InputError("no points to predict; valid: at least one row with n_params and tokens")
    problems = [
        f"row {number}: {name} is {value:g}; valid: a positive number"
        for name in ("n_params", "tokens")
        for number, value in enumerate(points[name].to_numpy(np.float64), start=1)
        if not (np.isfinite(value) and value > 0)
    ]
    if problems:
        raise InputError(problems)


def _describe(inputs: dict[str, Any]) -> str:
    sizes = f"{format_count(inputs['n_params'])} parameters on {format_count(inputs['tokens'])} tokens"
    bits = [inputs[name] for name in ("bits_weights", "bits_activations", "bits_kv")]
    trained = f" trained at {'/'.join(format_bits(value) for value in bits)} bits (weights/activations/KV)"
    after = inputs["bits_post"]
    quantized = f", quantized to {format_bits(after)} bits after training" if after is not None else ""
    return sizes + (trained if min(bits) < 16 else "") + quantized
