"""What laws expected of runs they had not seen, run by run and of the largest runs together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bitlaw.criticism.stacking import stacking_weights
from bitlaw.finding import Status
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.units import Interval

if TYPE_CHECKING:
    from bitlaw.inference.refit import Refit

PROB = 0.9
"""Probability inside every interval of a comparison."""

_FLOP = 6.0


@dataclass(frozen=True)
class Score:
    """What one law expected of left-out runs.

    Parameters
    ----------
    elpd
        Sum over the runs of the log predictive density, nats; larger is better.
    difference, difference_se
        To the best law (0 for itself, else negative), and its standard error over the runs.
    weight
        Stacking weight.
    """

    elpd: float
    difference: float
    difference_se: float
    weight: float


@dataclass(frozen=True)
class HeldOutScore(Score):
    """What one law, fitted without the largest runs, expected of them.

    Parameters
    ----------
    coverage
        Share of the held-out losses inside their 90 % intervals.
    mean_absolute_error
        Of the logarithm of the held-out losses, against the median of the prediction.
    rhat
        Largest R-hat of the law's constants in the refit.
    """

    coverage: float
    mean_absolute_error: float
    rhat: float


@dataclass(frozen=True)
class LawComparison:
    """One law in a comparison.

    Parameters
    ----------
    law, status
        Its name, and PASS, WARN or FAIL of its fit.
    one_out
        Score by leaving out one run at a time.
    refits, unreliable
        Number of runs scored by refitting, and of those scored by an unreliable approximation.
    worst_k
        Largest Pareto k before refitting.
    held_out
        Score on the largest runs; None where none could be held out.
    noise
        Noise scales by name, posterior median and 90 % ETI.
    """

    law: str
    status: Status
    one_out: Score
    refits: int
    unreliable: int
    worst_k: float
    held_out: HeldOutScore | None
    noise: Mapping[str, Interval]


@dataclass(frozen=True)
class HeldOutRuns:
    """The largest runs, held out together.

    Parameters
    ----------
    run_ids
        Runs held out.
    kept
        Number of runs kept.
    losses
        Held-out losses that are predicted, rows quantized after training included.
    largest, largest_kept
        Compute 6 N D of the largest run held out and of the largest one kept, FLOP.
    """

    run_ids: tuple[str, ...]
    kept: int
    losses: int
    largest: float
    largest_kept: float

    @property
    def ratio(self) -> float:
        """How far the held-out runs extrapolate in compute."""
        return self.largest / self.largest_kept


def indistinguishable(score: Score) -> bool:
    """Whether a law's score is within two standard errors of the best."""
    return abs(score.difference) <= 2.0 * score.difference_se


def scores(log_density: np.ndarray) -> list[Score]:
    """Scores of laws from the log predictive densities of left-out runs.

    Parameters
    ----------
    log_density
        Nats, shape (runs, laws).

    Examples
    --------
    >>> best, other = scores(np.array([[1.0, 0.5], [2.0, 1.5], [0.0, -3.0]]))
    >>> other.elpd, other.difference, round(other.difference_se, 2), best.difference
    (-1.0, -4.0, 2.5, 0.0)
    """
    total = log_density.sum(axis=0)
    to_best = log_density - log_density[:, [int(total.argmax())]]
    error = (
        np.sqrt(len(log_density) * to_best.var(axis=0, ddof=1))
        if len(log_density) > 1
        else np.zeros(len(total))
    )
    weights = stacking_weights(log_density)
    columns = zip(total, to_best.sum(axis=0), error, weights, strict=True)
    return [Score(*(float(value) for value in values)) for values in columns]


def held_out_score(score: Score, fit: Fit, refit: Refit, held_out: np.ndarray, seed: int = 0) -> HeldOutScore:
    """A score on held-out runs, with how well their losses are covered and hit.

    Of a law that takes the loss as trained as data, the losses after quantization are looked at. The
    intervals are the law's own, without drift: laws are compared by what they say themselves.

    Parameters
    ----------
    score
        From the log predictive densities.
    fit, refit
        The fit to all runs, and the refit without the held-out ones.
    held_out
        Indices of the runs.
    seed
        Seed of effects and noise.
    """
    rows = _predicted_rows(fit.rows, held_out)
    if fit.law.base.is_observed:
        rows = rows[rows["bits_post"].notna()]
    draws = loss_draws(replace(fit, posterior=refit.posterior), rows, seed=seed, drift=False).new_run
    median, lo, hi = np.quantile(draws, [0.5, 0.5 - PROB / 2, 0.5 + PROB / 2], axis=0)
    loss = rows["loss"].to_numpy(np.float64)
    return HeldOutScore(
        **vars(score),
        coverage=float(((lo <= loss) & (loss <= hi)).mean()),
        mean_absolute_error=float(np.abs(np.log(loss / median)).mean()),
        rhat=refit.rhat,
    )


def _predicted_rows(frame: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    run_ids = frame["run_id"].unique()[held_out]
    return frame[frame["run_id"].isin(run_ids) & (frame["status"] != "diverged")]


def held_out_runs(frame: pd.DataFrame, held_out: np.ndarray) -> HeldOutRuns:
    """What is held out of a table, from the indices of the runs."""
    runs = frame.drop_duplicates("run_id")
    compute = _FLOP * (runs["n_params"] * runs["tokens"]).to_numpy(np.float64)
    return HeldOutRuns(
        run_ids=tuple(runs["run_id"].iloc[held_out]),
        kept=len(runs) - len(held_out),
        losses=len(_predicted_rows(frame, held_out)),
        largest=float(compute[held_out].max()),
        largest_kept=float(np.delete(compute, held_out).max()),
    )


def interval(draws: np.ndarray) -> Interval:
    """Median and 90 % equal-tailed interval of draws."""
    median, lo, hi = (float(value) for value in np.quantile(draws, [0.5, 0.5 - PROB / 2, 0.5 + PROB / 2]))
    return Interval(median, lo, hi, PROB)
