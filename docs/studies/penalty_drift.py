"""How far ln δ strays from the law beyond the measured bits, tokens per parameter and sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from penalty_splits import DISTANCES, POST, TRAINED, PenaltySplit
from scipy import stats
from store import Fitted, Store

from bitlaw import Fit
from bitlaw.finding import Status
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.drift import DRIFT_PRIOR

STATED, SPREAD = DRIFT_PRIOR.penalty
"""Median of ω_δ and standard deviation of ln ω_δ as stated."""

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
        Decades plus bits beyond the data by each distance, per row.
    """

    split: PenaltySplit
    rows: pd.DataFrame
    unclear: int
    error: np.ndarray
    covariance: np.ndarray
    beyond: dict[str, np.ndarray]

    def log_likelihood(self, omega: float, shared: bool, distance: str) -> float:
        """Of ω_δ, Gaussian; one z for all rows of the split, or each row by itself."""
        if shared:
            walk = np.sqrt(self.beyond[distance])
            whole = self.covariance + omega**2 * np.outer(walk, walk)
            return float(stats.multivariate_normal.logpdf(self.error, cov=whole, allow_singular=True))
        variance = np.diag(self.covariance) + omega**2 * self.beyond[distance]
        return float(stats.norm.logpdf(self.error, scale=np.sqrt(variance)).mean())

    def coverage(self, omega: float, distance: str, spread: float = SPREAD) -> float:
        """Share of rows in a 90 % interval with drift; without it for ω_δ = 0."""
        rng = np.random.default_rng(0)
        scale = omega * np.exp(spread * rng.standard_normal(4000))
        sd = np.sqrt(np.diag(self.covariance) + scale[:, None] ** 2 * self.beyond[distance])
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
    """Maximum-likelihood ω_δ by split, by table, leaving each table out, and of all, by either distance."""
    tables = [_table(table, own, others) for table, own, others in _left_out(errors)]
    return {
        "stated": {"median": STATED, "spread": SPREAD},
        "splits": [_split(one) for one in errors],
        "distances": {distance: _by_distance(errors, distance) for distance in DISTANCES},
        "tables": tables,
        "total": {"table": "all"}
        | {name: _summed(tables, name) for name in (*DISTANCES, "log_likelihood_none")},
    }


def best(errors: Sequence[Errors], shared: bool, distance: str) -> dict[str, float]:
    """Maximum-likelihood ω_δ with its 90 % profile interval.

    With one z for all rows of a split each split tells as much as one number. Row by row, each split
    counts as one observation: its rows are far from independent.
    """
    values = np.array([sum(one.log_likelihood(omega, shared, distance) for one in errors) for omega in GRID])
    inside = GRID[values >= values.max() - _HALF_WIDTH]
    return {"omega": float(GRID[values.argmax()]), "lo": float(inside.min()), "hi": float(inside.max())}


def _left_out(errors: Sequence[Errors]) -> list[tuple[str, list[Errors], list[Errors]]]:
    """Every table with its own errors and those of the others."""
    tables = list(dict.fromkeys(one.split.table for one in errors))
    return [
        (
            table,
            [one for one in errors if one.split.table == table],
            [one for one in errors if one.split.table != table],
        )
        for table in tables
    ]


def _by_distance(errors: Sequence[Errors], distance: str) -> dict[str, Any]:
    """ω_δ of all splits, and the likelihood of other medians."""
    return {
        "all": {how: best(errors, how == "shared", distance) for how in ("alone", "shared")},
        "evidence": {
            f"{median:g}": float(sum(_marginal(one, median, distance) for one in errors))
            for median in (STATED / 2, STATED, 2 * STATED, 4 * STATED)
        },
    }


def _table(table: str, own: list[Errors], others: list[Errors]) -> dict[str, Any]:
    """One table: its ω_δ, that of the others, and what the errors say of it, log likelihood, by distance."""
    row: dict[str, Any] = {"table": table}
    for distance in DISTANCES:
        found: dict[str, Any] = {}
        for how in ("alone", "shared"):
            elsewhere = best(others, how == "shared", distance)
            found[how] = best(own, how == "shared", distance)
            found[f"left_out_{how}"] = elsewhere
            found[f"log_likelihood_{how}"] = float(
                sum(one.log_likelihood(elsewhere["omega"], how == "shared", distance) for one in own)
            )
        found["log_likelihood_stated"] = float(sum(_marginal(one, STATED, distance) for one in own))
        row[distance] = found
    row["log_likelihood_none"] = {
        how: float(sum(one.log_likelihood(0.0, how == "shared", DISTANCES[0]) for one in own))
        for how in ("alone", "shared")
    }
    return row


def _summed(tables: Sequence[dict[str, Any]], name: str) -> dict[str, float]:
    """Log likelihoods of all tables together."""
    numbers = [key for key, value in tables[0][name].items() if isinstance(value, float)]
    return {key: float(sum(table[name][key] for table in tables)) for key in numbers}


def _marginal(one: Errors, median: float, distance: str) -> float:
    """Ln of the likelihood with ω_δ drawn from a log-normal prior, one z for all rows."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    terms = [one.log_likelihood(median * np.exp(SPREAD * node), True, distance) for node in nodes]
    return float(np.log(np.exp(np.array(terms) - max(terms)) @ weights / weights.sum()) + max(terms))


def _split(one: Errors) -> dict[str, Any]:
    sd = np.sqrt(np.diag(one.covariance))
    return {
        "split": one.split.label,
        "table": one.split.table,
        "direction": one.split.direction,
        "kind": one.split.kind,
        "rows": len(one.error),
        "unclear": one.unclear,
        "mean_error": float(one.error.mean()),
        "rms_error": float(np.sqrt((one.error**2).mean())),
        "expected": float(np.sqrt((sd**2).mean())),
        "rms_standardized": float(np.sqrt(((one.error / sd) ** 2).mean())),
        "coverage": one.coverage(0.0, DISTANCES[0]),
        "log_likelihood": _marginal(one, 0.0, DISTANCES[0]),
        "by": {distance: _split_by(one, distance, sd) for distance in DISTANCES},
    }


def _split_by(one: Errors, distance: str, sd: np.ndarray) -> dict[str, Any]:
    beyond = one.beyond[distance]
    drift = np.sqrt(sd**2 + (STATED * np.exp(SPREAD**2)) ** 2 * beyond)
    return {
        "least": float(beyond.min()),
        "most": float(beyond.max()),
        "inside": int((beyond == 0).sum()),
        "rms_standardized": float(np.sqrt(((one.error / drift) ** 2).mean())),
        "omega": best([one], False, distance),
        "omega_shared": best([one], True, distance),
        "coverage": one.coverage(STATED, distance),
        "log_likelihood": _marginal(one, STATED, distance),
    }


def _errors(split: PenaltySplit, fit: Fit) -> Errors:
    measured = split.low["loss"].to_numpy(np.float64) - split.high["loss"].to_numpy(np.float64)
    predicted, covariance = (_trained if split.kind == TRAINED else _post)(split, fit)
    middle = np.median(predicted, axis=0)
    noise = np.sqrt(np.diag(covariance))
    beyond = np.max(list(split.beyond.values()), axis=0) > 0
    clear = (middle > _CLEAR * noise) & beyond & (measured > 0)
    log_draws = np.log(predicted[:, clear])
    relative = np.outer(1 / middle[clear], 1 / middle[clear]) * covariance[np.ix_(clear, clear)]
    return Errors(
        split=split,
        rows=split.low[clear],
        unclear=int((beyond & ~clear).sum()),
        error=np.log(measured[clear]) - np.median(log_draws, axis=0),
        covariance=np.atleast_2d(np.cov(log_draws, rowvar=False)) + relative + _of_run(split, fit, clear),
        beyond={distance: values[clear] for distance, values in split.beyond.items()},
    )


def _trained(split: PenaltySplit, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the penalty, and the covariance of its measurement: rows share the run they are compared with."""
    low, high = (loss_draws(fit, rows, drift=False).trained for rows in (split.low, split.high))
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
    degradation = loss_draws(fit, split.low, drift=False).degradation
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
