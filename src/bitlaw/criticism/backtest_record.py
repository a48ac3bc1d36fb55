"""What the backtest kept with a fit says about questions as far beyond the data as this one. NumPy only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitlaw.criticism.risk_limits import FEWEST_PREDICTED, LOWEST_COVERAGE
from bitlaw.finding import Status

_SWITCHED_OFF = (
    "No backtest was run with this fit; bitlaw backtest is one, and fit without --no-backtest keeps one"
)

_EDGES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
"""Decades beyond the fitted runs at which coverage is looked at: all left-out losses, then ever farther ones."""


@dataclass(frozen=True)
class BacktestRecord:
    """How predictions of left-out runs did that were at least as far beyond the runs fitted.

    Parameters
    ----------
    status
        PASS or WARN by coverage; NOT_RUN where nothing was as far, or there is no backtest.
    decades
        Distance asked about, from the convex hull of the fitted runs.
    n
        Left-out losses at least that far; a run that several folds leave out counts in each.
    coverage
        Share of them inside their 90 % intervals; None of none.
    mae_log
        Their mean absolute error of log loss; None of none.
    worst_coverage
        The lowest share among losses at least 0, 0.25, 0.5, … decades beyond, up to the distance asked
        about: what is graded, so that going farther never looks safer. None of fewer than 10.
    farthest
        Distance of the farthest left-out loss; None without any.
    runs
        Usable runs of the table; None where it is not known.
    message
        The record in a sentence.
    """

    status: Status
    decades: float
    n: int
    coverage: float | None
    mae_log: float | None
    worst_coverage: float | None
    farthest: float | None
    runs: int | None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON types."""
        return vars(self) | {"status": str(self.status)}


def backtest_record(backtest: Mapping[str, Any] | None, decades: float) -> BacktestRecord:
    """The record at a distance.

    Parameters
    ----------
    backtest
        ``Fit.backtest``: a Backtest as plain JSON types; None without one.
    decades
        Distance asked about, from the convex hull of the fitted runs; 0 inside.
    """
    if backtest is None:
        return _none(decades, None, _SWITCHED_OFF)
    folds = [fold for fold in backtest["folds"] if fold["converged"]]
    rows = [row for fold in folds for row in fold["rows"]]
    runs = int(backtest["runs"])
    if not rows:
        return _none(decades, runs, f"No backtest: {_why_none(backtest)}")
    far, loss, median, lo, hi = (
        np.array([row[name] for row in rows], np.float64)
        for name in ("decades", "log_loss", "median", "lo", "hi")
    )
    inside, error = (lo <= loss) & (loss <= hi), np.abs(loss - median)
    reached = far >= decades
    counted = [far >= edge for edge in _EDGES if edge <= decades]
    shares = [float(inside[those].mean()) for those in counted if those.sum() >= FEWEST_PREDICTED]
    worst, farthest = min(shares, default=None), float(far.max())
    if not reached.any():
        message = (
            f"No left-out loss of the backtest was {decades:.2g} decades beyond the runs fitted; the farthest "
            f"was {farthest:.2g}"
        )
        return BacktestRecord(Status.NOT_RUN, decades, 0, None, None, worst, farthest, runs, message)
    n, coverage, mae = int(reached.sum()), float(inside[reached].mean()), float(error[reached].mean())
    beyond = f" at least {decades:.2g} decades beyond the runs fitted" if decades > 0 else ""
    message = (
        f"In the backtest {100 * coverage:.0f} % of {n} left-out losses{beyond} lay in their 90 % intervals, "
        f"with a mean error of {100 * mae:.2g} % of the loss"
    )
    status = Status.PASS if worst is not None and worst >= LOWEST_COVERAGE else Status.WARN
    return BacktestRecord(status, decades, n, coverage, mae, worst, farthest, runs, message)


def _none(decades: float, runs: int | None, message: str) -> BacktestRecord:
    return BacktestRecord(Status.NOT_RUN, decades, 0, None, None, None, None, runs, message)


def _why_none(backtest: Mapping[str, Any]) -> str:
    if backtest["folds"]:
        return f"none of {len(backtest['folds'])} folds converged"
    if backtest["dropped"]:
        return f"every fold was dropped ({backtest['dropped'][0]['reason']})"
    return f"{backtest['runs']} usable runs are too few to leave some out"
