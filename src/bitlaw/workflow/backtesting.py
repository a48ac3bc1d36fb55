"""A law fitted to some of the runs predicts others; the record that is kept with a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW
from bitlaw.runs.table import RunTable
from bitlaw.workflow.preparing import as_columns, prepare

if TYPE_CHECKING:
    from bitlaw.criticism.backtest import Backtest
    from bitlaw.inference.executors import Executor, Progress
    from bitlaw.inference.recipe import Recipe

DEFAULT_FOLDS = 4
"""Folds of the backtest that is kept with a fit."""


def executor_of(executor: str | Executor, scheduler: str | None) -> Executor:
    """An executor, by its name if that is given."""
    from bitlaw.inference.executors import executor_named

    return executor_named(executor, scheduler) if isinstance(executor, str) else executor


def with_backtest(
    fitted: Fit,
    recipe: Recipe,
    source: str,
    folds: int,
    executor: Executor,
    on_fold: Progress | None = None,
) -> Fit:
    """A fit with the record of a backtest over compute, or with a finding that there is none.

    Parameters
    ----------
    fitted
        The fit.
    recipe
        Of its law and rows.
    source
        Name of the run table.
    folds
        Number of folds; 0 for no backtest.
    executor
        Where they run.
    on_fold
        Told how many folds are done, and of how many.
    """
    from bitlaw.criticism.backtest import run_backtest
    from bitlaw.criticism.backtest_findings import switched_off

    if folds == 0:
        return replace(fitted, findings=(*fitted.findings, switched_off()))
    found = run_backtest(recipe, source, executor, cuts=folds, progress=on_fold)
    return replace(fitted, backtest=found.to_dict(), findings=(*fitted.findings, *found.findings))


def backtest(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    kinds: str | Sequence[str] = ("compute",),
    folds: int = DEFAULT_FOLDS,
    executor: str | Executor = "serial",
    scheduler: str | None = None,
    seed: int = 0,
    on_fold: Progress | None = None,
) -> Backtest:
    """Fit a law to some of the runs and score what it predicts of others, fold by fold.

    The law is compiled once, per worker where there are several.

    Parameters
    ----------
    runs, law, mapping, pool, seed
        As for ``fit``.
    kinds
        ``compute`` (the larger runs from the smaller), ``bits`` (the lowest bit-width from the others),
        ``groups`` (each group of a pooled fit from the others); one or several, separated by commas.
    folds
        Folds over compute.
    executor
        ``serial``, ``processes``, ``dask``, or an executor. A script that uses processes has to guard its
        main part with ``if __name__ == "__main__"``.
    scheduler
        Address of a Dask cluster, for the executor ``dask``.
    on_fold
        Told how many folds are done, and of how many.

    Raises
    ------
    InputError
        For input that cannot be worked with, or a scheduler that cannot be reached.
    """
    from bitlaw.criticism.backtest import run_backtest
    from bitlaw.inference.recipe import recipe_of

    chosen = executor_of(executor, scheduler)
    prepared = prepare(runs, law, mapping, pool)
    recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed)
    names = as_columns(kinds)
    found = run_backtest(recipe, prepared.table.source, chosen, names, folds, on_fold)
    return replace(found, findings=(*prepared.findings, *found.findings))
