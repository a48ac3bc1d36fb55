"""The risk of an answer: the draws of the number it rests on, put to criticism."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.criticism.backtest_record import backtest_record
from bitlaw.criticism.beyond import Distance, distances
from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.criticism.prior_sensitivity import PriorScaling, prior_pull, prior_scaling
from bitlaw.criticism.risk import Risk, assess
from bitlaw.criticism.variance_shares import variance_shares
from bitlaw.criticism.would_help import runs_that_would_help
from bitlaw.decisions.pooling import pooled
from bitlaw.finding import Finding
from bitlaw.inference.fit import Fit

_LEAST, _MOST = 1e-300, 1e300


@dataclass(frozen=True)
class NumberDraws:
    """Draws of the number an answer rests on, on a scale where errors add; shape (samples,).

    Parameters
    ----------
    undrifted, drifted, total
        Under the law alone, with structural error, and with the noise of a new run besides.
    prior
        Of the law alone under the prior.
    """

    undrifted: np.ndarray
    drifted: np.ndarray
    total: np.ndarray
    prior: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """What risk is graded by, of one law or of the stack of several.

    Parameters
    ----------
    fits
        One per law, to the same rows.
    scaling
        The prior's weights of the draws, in their order; None where a fit keeps none.
    leading
        The fit with the most weight, whose backtest counts.
    """

    fits: tuple[Fit, ...]
    scaling: PriorScaling | None
    leading: Fit


def evidence_of(fit: Fit, rows: np.ndarray | None = None) -> Evidence:
    """The evidence of one law.

    Parameters
    ----------
    fit
        The fit.
    rows
        Which of its draws stands behind each of the number's; None where it is each once.
    """
    return Evidence((fit,), _scaling(fit, rows), fit)


def _scaling(fit: Fit, rows: np.ndarray | None) -> PriorScaling | None:
    scaling = prior_scaling(fit)
    if scaling is None or rows is None:
        return scaling
    weights = scaling.weights[:, rows]
    return PriorScaling(scaling.powers, weights / weights.sum(axis=1, keepdims=True))


def pooled_evidence(
    fits: Sequence[Fit], weights: np.ndarray, rows: Sequence[np.ndarray | None] | None = None
) -> Evidence:
    """The evidence of a stack, in the order of ``pooled``.

    Parameters
    ----------
    fits
        One per law.
    weights
        Their stacking weights.
    rows
        As for ``evidence_of``, one per law.
    """
    leading = fits[int(np.argmax(weights))]
    scalings = [_scaling(fit, own) for fit, own in zip(fits, rows or [None] * len(fits), strict=True)]
    known = [scaling for scaling in scalings if scaling is not None]
    if len(known) < len(fits):
        return Evidence(tuple(fits), None, leading)
    mixed = pooled([scaling.weights.T * scaling.weights.shape[1] for scaling in known], weights).T
    scaling = PriorScaling(known[0].powers, mixed / mixed.sum(axis=1, keepdims=True))
    return Evidence(tuple(fits), scaling, leading)


def beyond_findings(evidence: Evidence, point: pd.DataFrame) -> tuple[Finding, ...]:
    """What about a point was never measured, each finding once."""
    found = (finding for fit in evidence.fits for finding in extrapolation_findings(fit, point))
    return tuple(dict.fromkeys(found))


def risk_of(
    evidence: Evidence,
    point: pd.DataFrame,
    number: NumberDraws,
    disagreement: float | None = None,
    beyond: Sequence[Finding] | None = None,
    distance: Distance | None = None,
) -> Risk:
    """The risk of an answer about one point.

    Parameters
    ----------
    evidence
        What was fitted.
    point
        One row, canonical columns.
    number
        Draws of the number the answer rests on.
    disagreement
        Stacking weight of the laws that answer otherwise; None of one law.
    beyond, distance
        ``beyond_findings`` and ``distances`` of the point, where they are known.
    """
    beyond = beyond_findings(evidence, point) if beyond is None else beyond
    distance = distances(evidence.fits, point)[0] if distance is None else distance
    record = backtest_record(evidence.leading.backtest, distance.hull)
    return assess(
        distance,
        variance_shares(number.undrifted, number.drifted, number.total, number.prior),
        prior_pull(number.undrifted, evidence.scaling),
        record,
        beyond,
        disagreement,
        runs_that_would_help(point, distance, beyond, record),
    )


def refusal(risk: Risk) -> tuple[Finding, ...]:
    """The finding that an answer is refused; none where it is not."""
    finding = risk.finding()
    return () if finding is None else (finding,)


def weight_apart(answers: Sequence[object], weights: np.ndarray) -> float:
    """Weight of the laws that answer otherwise than the one with the most.

    Examples
    --------
    >>> round(weight_apart(["6 bits", "8 bits", "6 bits"], np.array([0.6, 0.3, 0.1])), 3)
    0.3
    """
    leading = answers[int(np.argmax(weights))]
    return float(sum(weight for answer, weight in zip(answers, weights, strict=True) if answer != leading))


def safe_log(values: np.ndarray) -> np.ndarray:
    """Ln of losses, which are positive; of 0 and infinity that of the smallest and largest number."""
    return np.log(np.clip(values, _LEAST, _MOST))
