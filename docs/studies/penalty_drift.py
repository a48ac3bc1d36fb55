"""How far ln δ strays from the law beyond the measured bits and tokens per parameter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from penalty_splits import POST, TRAINED, PenaltySplit
from scipy import stats
from store import Fitted, Store

from bitlaw import Fit
from bitlaw.finding import Status
from bitlaw.inference.draws import loss_draws

PROPOSED, SPREAD = 0.2, 0.8
"""Median of ω_δ and standard deviation of ln ω_δ as proposed."""

GRID = np.geomspace(0.003, 6.0, 200)
_CLEAR = 3.0
"""A predicted penalty of at least so many standard errors of its measurement counts."""

_FEWEST_FREEDOM = 2.5
_HALF_WIDTH = stats.chi2.ppf(0.9, 1) / 2
_Z90 = stats.norm.ppf(0.95)


@dataclass(frozen=True)
class Errors:
    """Errors of ln δ at held-out rows.

    Parameters
    ----------
    split
        Where they come from.
    rows, unclear
        Rows that count, and those whose penalty is too small to be measured.
    error
        ln(measured / posterior median), shape (rows,).
    covariance
        Of that error under the fit without drift: posterior, run effects and measurement.
    beyond
        Decades of D/N plus bits beyond the data, per row.
    """

    split: PenaltySplit
    rows: pd.DataFrame
    unclear: int
    error: np.ndarray
    covariance: np.ndarray
    beyond: np.ndarray

    def log_likelihood(self, omega: float, shared: bool) -> float:
        """Of ω_δ, Gaussian; one z for all rows of the split, or each row by itself."""
        if shared:
            walk = np.sqrt(self.beyond)
            whole = self.covariance + omega**2 * np.outer(walk, walk)
            return float(stats.multivariate_normal.logpdf(self.error, cov=whole, allow_singular=True))
        variance = np.diag(self.covariance) + omega**2 * self.beyond
        return float(stats.norm.logpdf(self.error, scale=np.sqrt(variance)).mean())

    def coverage(self, omega: float, spread: float = SPREAD) -> float:
        """Share of rows in a 90 % interval with drift; without it for ω_δ = 0."""
        rng = np.random.default_rng(0)
        scale = omega * np.exp(spread * rng.standard_normal(4000))
        sd = np.sqrt(np.diag(self.covariance) + scale[:, None] ** 2 * self.beyond)
        inside = np.abs(self.error) <= np.quantile(np.abs(sd * rng.standard_normal(sd.shape)), 0.9, axis=0)
        return float(inside.mean())


def measure(splits: list[PenaltySplit], store: Store) -> tuple[list[Errors], dict[str, str], list[Fitted]]:
    """Fit every split and compare its held-out penalties.

    Returns
    -------
    list of Errors, dict, list of Fitted
        The errors, the splits left out with the reason, and the fits.
    """
    found, left_out, fits = [], {}, []
    for split in splits:
        fitted = store.fit(split.label, split.train, split.law)
        fits.append(fitted)
        if fitted.fit.status is Status.FAIL:
            left_out[split.label] = "did not converge"
            continue
        found.append(_errors(split, fitted.fit))
    return found, left_out, fits


def penalty_numbers(errors: list[Errors]) -> dict[str, Any]:
    """Maximum-likelihood ω_δ by split, by table, leaving each table out, and of all."""
    tables = list(dict.fromkeys(one.split.table for one in errors))
    own = {table: [one for one in errors if one.split.table == table] for table in tables}
    others = {table: [one for one in errors if one.split.table != table] for table in tables}
    left_out = {table: best(others[table], shared=False)["omega"] for table in tables}
    return {
        "proposed": {"median": PROPOSED, "spread": SPREAD},
        "splits": [_split(one, left_out[one.split.table]) for one in errors],
        "tables": [
            {"table": table, "alone": best(own[table], False), "shared": best(own[table], True)}
            | {"left_out": best(others[table], False), "left_out_shared": best(others[table], True)}
            for table in tables
        ],
        "all": {"alone": best(errors, False), "shared": best(errors, True)},
        "evidence": {
            f"{median:g}": float(sum(_marginal(one, median) for one in errors))
            for median in (0.1, 0.2, 0.4, 0.8)
        },
    }


def best(errors: list[Errors], shared: bool) -> dict[str, float]:
    """Maximum-likelihood ω_δ with its 90 % profile interval.

    With one z for all rows of a split each split tells as much as one number. Row by row, each split
    counts as one observation: its rows are far from independent.
    """
    values = np.array([sum(one.log_likelihood(omega, shared) for one in errors) for omega in GRID])
    inside = GRID[values >= values.max() - _HALF_WIDTH]
    return {"omega": float(GRID[values.argmax()]), "lo": float(inside.min()), "hi": float(inside.max())}


def _marginal(one: Errors, median: float) -> float:
    """Ln of the likelihood with ω_δ drawn from a log-normal prior, one z for all rows."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    terms = [one.log_likelihood(median * np.exp(SPREAD * node), True) for node in nodes]
    return float(np.log(np.exp(np.array(terms) - max(terms)) @ weights / weights.sum()) + max(terms))


def _split(one: Errors, left_out: float) -> dict[str, Any]:
    sd = np.sqrt(np.diag(one.covariance))
    return {
        "split": one.split.label,
        "table": one.split.table,
        "direction": one.split.direction,
        "kind": one.split.kind,
        "rows": len(one.error),
        "unclear": one.unclear,
        "beyond": {"least": float(one.beyond.min()), "most": float(one.beyond.max())},
        "mean_error": float(one.error.mean()),
        "rms_error": float(np.sqrt((one.error**2).mean())),
        "expected": float(np.sqrt((sd**2).mean())),
        "rms_standardized": float(np.sqrt(((one.error / sd) ** 2).mean())),
        "rms_per_root": float(np.sqrt((one.error**2 / one.beyond).mean())),
        "omega": best([one], False),
        "omega_shared": best([one], True),
        "coverage": {
            "none": one.coverage(0.0),
            "proposed": one.coverage(PROPOSED),
            "left_out": one.coverage(left_out),
        },
    }


def _errors(split: PenaltySplit, fit: Fit) -> Errors:
    measured = split.low["loss"].to_numpy(np.float64) - split.high["loss"].to_numpy(np.float64)
    predicted, covariance = (_trained if split.kind == TRAINED else _post)(split, fit)
    middle = np.median(predicted, axis=0)
    noise = np.sqrt(np.diag(covariance))
    clear = (middle > _CLEAR * noise) & (split.beyond > 0) & (measured > 0)
    log_draws = np.log(predicted[:, clear])
    relative = np.outer(1 / middle[clear], 1 / middle[clear]) * covariance[np.ix_(clear, clear)]
    return Errors(
        split=split,
        rows=split.low[clear],
        unclear=int(((split.beyond > 0) & ~clear).sum()),
        error=np.log(measured[clear]) - np.median(log_draws, axis=0),
        covariance=np.atleast_2d(np.cov(log_draws, rowvar=False)) + relative + _of_run(split, fit, clear),
        beyond=split.beyond[clear],
    )


def _trained(split: PenaltySplit, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the penalty, and the covariance of its measurement: rows share the run they are compared with."""
    low, high = (loss_draws(fit, rows).trained for rows in (split.low, split.high))
    penalty = low - high
    freedom = max(float(np.median(fit.draws("nu"))), _FEWEST_FREEDOM)
    noise = float(np.median(fit.draws("sigma"))) * np.sqrt(freedom / (freedom - 2))
    relative = float(np.median(fit.draws("kappa_train"))) * np.sqrt(freedom / (freedom - 2))
    below, above = np.median(low, axis=0), np.median(high, axis=0)
    shared = split.high["run_id"].to_numpy()[:, None] == split.high["run_id"].to_numpy()[None, :]
    covariance = noise**2 * np.outer(above, above) * shared
    own = (noise * below) ** 2 + (relative * np.median(penalty, axis=0)) ** 2
    return penalty, covariance + np.diag(own)


def _post(split: PenaltySplit, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the degradation, and the variance of its measurement."""
    degradation = loss_draws(fit, split.low).degradation
    freedom = max(float(np.median(fit.draws("nu_gap"))), _FEWEST_FREEDOM)
    heavy = freedom / (freedom - 2)
    fixed, relative = (float(np.median(fit.draws(name))) for name in ("sigma_gap", "kappa"))
    variance = heavy * (fixed**2 + (relative * np.median(degradation, axis=0)) ** 2)
    return degradation, np.diag(variance)


def _of_run(split: PenaltySplit, fit: Fit, clear: np.ndarray) -> np.ndarray:
    """Covariance of ln δ that rows of one run share."""
    if split.kind != POST:
        return np.zeros((clear.sum(), clear.sum()))
    runs = split.low["run_id"].to_numpy()[clear]
    return float(np.median(fit.draws("tau"))) ** 2 * (runs[:, None] == runs[None, :])
