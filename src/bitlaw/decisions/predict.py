"""Predicting the loss of runs that have not been trained: points checked, drawn, and summarised."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.beyond import distances
from bitlaw.criticism.risk import Risk
from bitlaw.decisions.caveats import caveats, messages, one_law_finding
from bitlaw.decisions.checkpoint import require_measured_loss
from bitlaw.decisions.groups import fitted_method, place_in_group
from bitlaw.decisions.intervals import (
    interval_of,
    mean_of,
    require_probability,
)
from bitlaw.decisions.prediction import PointPrediction, Prediction
from bitlaw.decisions.risk import Evidence, NumberDraws, beyond_findings, evidence_of, risk_of, safe_log
from bitlaw.errors import InputError
from bitlaw.finding import Finding
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import COLUMNS
from bitlaw.units import LOSS_UNIT

_NOT_INPUTS = ("loss", "loss_se", "flops", "status", "exclude")


@dataclass(frozen=True)
class PredictionDraws:
    """Draws of the loss at points, shape (samples, points), nats/token, and what goes with them.

    Parameters
    ----------
    law_mean, new_run, prior
        The law's mean loss, the loss of a new run, and that under the prior alone.
    undrifted, prior_mean
        The law's mean without structural error, under the posterior and the prior.
    drift
        What structural error adds to the logarithm of the law's mean; None where it is left out.
    beyond
        What about each point was never measured.
    findings
        What criticism found, and how far the points are from the data.
    """

    law_mean: np.ndarray
    new_run: np.ndarray
    prior: np.ndarray
    undrifted: np.ndarray
    prior_mean: np.ndarray
    drift: np.ndarray | None
    beyond: tuple[tuple[Finding, ...], ...]
    findings: tuple[Finding, ...]


def predict(
    fit: Fit,
    points: pd.DataFrame,
    prob: float = 0.9,
    seed: int | None = None,
    measured: float | None = None,
    group: str | None = None,
    drift: bool = True,
) -> Prediction:
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
    measured
        Measured loss as trained of every point, nats/token, to which quantization after training
        adds. A law that takes that loss as data needs it; for any other it replaces the law's own.
    group
        Group of all points of a pooled fit, as for ``ptq``; by default in columns of the points.
    drift
        Include the law's structural error beyond the data, in the intervals of the mean and of a new run.

    Raises
    ------
    InputError
        If there are no points, sizes are not positive, the law has no term for a point, a point is of
        no group of a pooled fit, or of one it has not seen that is not called ``new``, or the measured
        loss is missing or out of range.
    """
    seed = fit.provenance.seed if seed is None else seed
    points = usable_points(fit, points, measured, group)
    draws = prediction_draws(fit, points, seed, measured, drift)
    prediction = summarise(fit.law.name, points, draws, evidence_of(fit), measured, prob, seed)
    return replace(prediction, findings=(*prediction.findings, one_law_finding()))


def usable_points(
    fit: Fit, points: pd.DataFrame, measured: float | None = None, group: str | None = None
) -> pd.DataFrame:
    """Points with their group, and the fit's only method where they name none, after all checks."""
    _require_points(points)
    points = _with_method(fit, place_in_group(fit, points, group))
    require_measured_loss(fit, points, measured)
    return points


def prediction_draws(
    fit: Fit, points: pd.DataFrame, seed: int, measured: float | None, drift: bool
) -> PredictionDraws:
    """Draws of the loss under one law; arguments as for ``predict``."""
    posterior, prior = (loss_draws(fit, points, under, seed, measured, drift) for under in (False, True))
    plain, plain_prior = posterior.mean, prior.mean
    if drift and structural_error(fit, points) is not None:
        plain, plain_prior = (
            loss_draws(fit, points, under, seed, measured, drift=False).mean for under in (False, True)
        )
    evidence = evidence_of(fit)
    return PredictionDraws(
        law_mean=posterior.mean,
        new_run=posterior.new_run,
        prior=prior.new_run,
        undrifted=plain,
        prior_mean=plain_prior,
        drift=np.log(posterior.mean / plain) if drift else None,
        beyond=tuple(beyond_findings(evidence, points.iloc[[row]]) for row in range(len(points))),
        findings=caveats(fit, points),
    )


def summarise(
    law: str,
    points: pd.DataFrame,
    draws: PredictionDraws,
    evidence: Evidence,
    measured: float | None,
    prob: float,
    seed: int,
    apart: Sequence[float] | None = None,
) -> Prediction:
    """Intervals and risks of draws.

    Parameters
    ----------
    law
        The name the draws go by.
    points, measured, prob, seed
        As for ``predict``.
    draws, evidence
        The draws, and what they come from.
    apart
        For each point the weight of the laws that answer otherwise; None of one law.
    """
    require_probability("prob", prob)
    away = distances(evidence.fits, points)
    risks = [
        risk_of(
            evidence,
            points.iloc[[row]],
            NumberDraws(
                *(
                    safe_log(part[:, row])
                    for part in (draws.undrifted, draws.law_mean, draws.new_run, draws.prior_mean)
                )
            ),
            None if apart is None else apart[row],
            draws.beyond[row],
            away[row],
        )
        for row in range(len(points))
    ]
    return Prediction(
        law=law,
        points=tuple(
            PointPrediction(
                inputs=_inputs(points.iloc[[row]]),
                mean=mean_of(draws.law_mean[:, row]),
                new_run=interval_of(draws.new_run[:, row], prob, LOSS_UNIT),
                law_mean=interval_of(draws.law_mean[:, row], prob, LOSS_UNIT),
                prior=interval_of(draws.prior[:, row], prob, LOSS_UNIT),
                reasons=messages(draws.beyond[row]),
                risk=risks[row],
                drift=None if draws.drift is None else float(draws.drift[:, row].std()),
            )
            for row in range(len(points))
        ),
        measured=measured,
        prob=prob,
        draws=len(draws.new_run),
        seed=seed,
        findings=(*draws.findings, *_refusals(risks)),
        drift=draws.drift is not None,
    )


def _refusals(risks: Sequence[Risk]) -> tuple[Finding, ...]:
    """One finding of all refused points, about the first."""
    refused = [finding for risk in risks if (finding := risk.finding()) is not None]
    if not refused or len(risks) == 1:
        return tuple(refused)
    which = ", ".join(str(row) for row, risk in enumerate(risks, start=1) if risk.refused)
    first = replace(refused[0], message=f"Points {which} of {len(risks)}, of the first: {refused[0].message}")
    return (first,)


def _with_method(fit: Fit, points: pd.DataFrame) -> pd.DataFrame:
    """Points quantized after training by the fit's only method where they name none."""
    unnamed = points["bits_post"].notna() & (points["method_post"] == "")
    if not unnamed.any() or fit.law.post is None:
        return points
    return points.assign(method_post=points["method_post"].mask(unnamed, fitted_method(fit, None)))


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
