"""One fold of a backtest, from the recipe of a law to scores, as a task that any worker can run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bitlaw.criticism.fold_scores import PredictedRow, Scores, predicted_rows, scores_of_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.folds import Fold

if TYPE_CHECKING:
    from bitlaw.inference.recipe import Recipe

_NESTED = ("scores", "without_drift", "rows")


@dataclass(frozen=True)
class FoldTask:
    """Everything a worker needs.

    Parameters
    ----------
    recipe
        The law and all rows.
    fold
        Which of them to fit, and which to predict.
    seed
        Seed of sampling and predictions.
    cores
        Chains that run at a time; None for the default of sampling.
    """

    recipe: Recipe
    fold: Fold
    seed: int
    cores: int | None


@dataclass(frozen=True)
class FoldRecord:
    """What a fold predicted, and how well.

    Parameters
    ----------
    kind, name, cut
        As of the fold.
    n_train, n_test
        Rows fitted and rows predicted.
    unpredicted
        Rows held out of a format or method that was not fitted, and so not predicted.
    max_ratio
        Compute of the largest run predicted over that of the largest fitted.
    scores
        Over the rows predicted.
    without_drift
        The same without structural error beyond the data.
    rhat, divergences, attempts, converged
        How sampling went: largest R-hat of the law's constants, share of draws that diverged, whether it
        was repeated, and whether R-hat is at most 1.05.
    rows
        Every row predicted.
    """

    kind: str
    name: str
    cut: float | None
    n_train: int
    n_test: int
    unpredicted: int
    max_ratio: float
    scores: Scores
    without_drift: Scores
    rhat: float
    divergences: float
    attempts: int
    converged: bool
    rows: tuple[PredictedRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON types."""
        own = {name: value for name, value in vars(self).items() if name not in _NESTED}
        nested = {"without_drift": self.without_drift.to_dict(), "rows": [vars(row) for row in self.rows]}
        return own | self.scores.to_dict() | nested


def run_fold(task: FoldTask) -> FoldRecord:
    """Fit one fold and score what it predicts.

    Parameters
    ----------
    task
        The fold.
    """
    from bitlaw.inference.fold_fit import fit_fold  # compiles with PyMC, which reading records does not need

    fold = task.fold
    found = fit_fold(task.recipe.compiled(), fold, task.seed, task.cores)
    rows, scores = _scored(found.fit, task, drift=True)
    _, without_drift = _scored(found.fit, task, drift=False)
    return FoldRecord(
        kind=fold.kind,
        name=fold.name,
        cut=fold.cut,
        n_train=int(fold.train.sum()),
        n_test=len(rows),
        unpredicted=fold.unpredicted,
        max_ratio=10 ** max(row.log10_ratio for row in rows),
        scores=scores,
        without_drift=without_drift,
        rhat=found.rhat,
        divergences=found.divergences,
        attempts=found.attempts,
        converged=found.converged,
        rows=rows,
    )


def _scored(fit: Fit, task: FoldTask, drift: bool) -> tuple[tuple[PredictedRow, ...], Scores]:
    from bitlaw.inference.fold_fit import held_out_draws

    frame, fold = task.recipe.frame, task.fold
    held_out = held_out_draws(fit, frame, fold, task.seed, drift)
    rows = predicted_rows(held_out.rows, held_out.new_run, held_out.log_density, frame[fold.train], fit.hull)
    return rows, scores_of_draws(rows, held_out.new_run)
