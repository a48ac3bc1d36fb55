"""What one fold of a backtest predicted, row by row, and how well."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.proper_scores import (
    central_interval,
    crps,
    inside,
    interval_score,
    probability_integral_transform,
)
from bitlaw.inference.folds import compute_flop
from bitlaw.inference.hull import hull_vector

PROB = 0.9
"""Probability inside the intervals whose ends, width and score are kept."""

PROBS = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the intervals whose coverage is kept."""

_LEAST_LOSS = 1e-3


@dataclass(frozen=True)
class PredictedRow:
    """One row that a fold predicted; losses are logarithms of nats/token.

    Parameters
    ----------
    row, run_id
        Which it is in the table.
    n_params, tokens
        Its size.
    log10_ratio
        log10 of its compute over that of the largest run fitted.
    decades
        Distance of (log10 N, log10 D) from the convex hull of the runs fitted; 0 inside.
    log_loss
        What was measured.
    median, lo, hi
        Of the prediction; ends of the 90 % equal-tailed interval.
    pit
        Share of the draws at or below the measurement.
    crps, log_density
        Its scores: CRPS of log loss, and log predictive density of it, nats.
    """

    row: int
    run_id: str
    n_params: float
    tokens: float
    log10_ratio: float
    decades: float
    log_loss: float
    median: float
    lo: float
    hi: float
    pit: float
    crps: float
    log_density: float


@dataclass(frozen=True)
class Scores:
    """How well predictions of log loss did, averaged over rows.

    Parameters
    ----------
    coverage
        Share of the measurements inside equal-tailed intervals, by their probability.
    mae_log, signed_error
        Mean of the absolute, and of the signed, difference of measured and predicted (median) log loss;
        a negative signed error means that predictions were too high.
    width, interval_score
        Of the 90 % interval.
    crps
        Continuous ranked probability score.
    log_score
        Mean log predictive density, nats; larger is better.
    """

    coverage: Mapping[float, float]
    mae_log: float
    signed_error: float
    width: float
    crps: float
    interval_score: float
    log_score: float

    def to_dict(self) -> dict[str, Any]:
        """The scores as plain JSON types."""
        return asdict(self) | {"coverage": {f"{prob:g}": share for prob, share in self.coverage.items()}}


def log_losses(draws: np.ndarray) -> np.ndarray:
    """Logarithm of draws of the loss. Noise may take a draw to 0, which counts as 0.001 nats/token.

    Where the floor lies hardly matters: a share p of draws at distance d from the rest adds p² d to the CRPS.
    """
    return np.log(np.maximum(draws, _LEAST_LOSS))


def scores_from(record: Mapping[str, Any]) -> Scores:
    """Scores from their ``to_dict``; other keys are passed over."""
    numbers = {field.name: record[field.name] for field in fields(Scores) if field.name != "coverage"}
    return Scores({float(prob): share for prob, share in record["coverage"].items()}, **numbers)


def predicted_rows(
    rows: pd.DataFrame, new_run: np.ndarray, log_density: np.ndarray, fitted: pd.DataFrame, hull: np.ndarray
) -> tuple[PredictedRow, ...]:
    """Every predicted row with its interval and scores.

    Parameters
    ----------
    rows
        Canonical columns with the measured ``loss``.
    new_run
        Draws of their losses, shape (samples, rows), nats/token.
    log_density
        Log predictive density of their log losses, nats.
    fitted
        Rows that were fitted.
    hull
        Convex hull of their (log10 N, log10 D).
    """
    draws, observed = log_losses(new_run), np.log(rows["loss"].to_numpy(np.float64))
    lo, hi = central_interval(draws, PROB)
    beyond = hull_vector(hull, np.log10(rows[["n_params", "tokens"]].to_numpy(np.float64)))
    columns = {
        "n_params": rows["n_params"],
        "tokens": rows["tokens"],
        "log10_ratio": np.log10(compute_flop(rows) / compute_flop(fitted).max()),
        "decades": np.hypot(beyond[:, 0], beyond[:, 1]),
        "log_loss": observed,
        "median": np.median(draws, axis=0),
        "lo": lo,
        "hi": hi,
        "pit": probability_integral_transform(draws, observed),
        "crps": crps(draws, observed),
        "log_density": log_density,
    }
    numbers = zip(*(np.asarray(values, np.float64).tolist() for values in columns.values()), strict=True)
    names = zip(rows.index, rows["run_id"].astype(str), strict=True)
    return tuple(PredictedRow(int(row), run, *own) for (row, run), own in zip(names, numbers, strict=True))


def scores_of(rows: Sequence[PredictedRow], within: np.ndarray) -> Scores:
    """Scores of predicted rows together.

    Parameters
    ----------
    rows
        One at least.
    within
        Whether each lies in the interval of each of ``PROBS``, shape (len(PROBS), rows).
    """
    table = pd.DataFrame([asdict(row) for row in rows])
    error = table["log_loss"] - table["median"]
    score = interval_score(table["lo"].to_numpy(), table["hi"].to_numpy(), table["log_loss"].to_numpy(), PROB)
    return Scores(
        coverage={prob: float(share) for prob, share in zip(PROBS, within.mean(axis=1), strict=True)},
        mae_log=float(error.abs().mean()),
        signed_error=float(error.mean()),
        width=float((table["hi"] - table["lo"]).mean()),
        crps=float(table["crps"].mean()),
        interval_score=float(score.mean()),
        log_score=float(table["log_density"].mean()),
    )


def scores_of_draws(rows: Sequence[PredictedRow], new_run: np.ndarray) -> Scores:
    """Scores of one fold's predicted rows, from the draws behind them.

    Parameters
    ----------
    rows
        What ``predicted_rows`` made of the draws.
    new_run
        The draws, shape (samples, rows), nats/token.
    """
    observed = np.array([row.log_loss for row in rows])
    return scores_of(rows, inside(log_losses(new_run), observed, PROBS))


def averaged(scores: Sequence[Scores], rows: Sequence[int]) -> Scores:
    """Scores of several folds together, each row with the same weight.

    Parameters
    ----------
    scores
        One per fold.
    rows
        Number of rows each predicted.
    """
    numbers = [[*item.coverage.values(), *list(asdict(item).values())[1:]] for item in scores]
    mean = np.average(np.array(numbers), axis=0, weights=np.array(rows)).tolist()
    return Scores(dict(zip(PROBS, mean[: len(PROBS)], strict=True)), *mean[len(PROBS) :])
