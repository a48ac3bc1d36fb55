"""Several laws fitted to the rows all of them can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, RIVAL_LAW, load_law
from bitlaw.runs.groups import require_groups
from bitlaw.runs.table import RunTable
from bitlaw.workflow.backtesting import executor_of, with_backtest
from bitlaw.workflow.fitting import fit_compiled
from bitlaw.workflow.preparing import as_columns, as_table, prepare
from bitlaw.workflow.stages import COMPILING, SHOWS_ITSELF, Stage, of_law, untold

if TYPE_CHECKING:
    from bitlaw.criticism.comparison import Comparison
    from bitlaw.inference.executors import Executor, Progress


def compare(
    runs: str | Path | RunTable,
    laws: Sequence[str | Law] | None = None,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    progress: bool = False,
    executor: str | Executor = "serial",
    scheduler: str | None = None,
    backtest_folds: int = 0,
    on_refit: Progress | None = None,
    on_stage: Stage = untold,
) -> tuple[Comparison, dict[str, Fit]]:
    """Fit several laws to the rows all of them can use, and say which the data support.

    Each law is compiled once. Runs are left out one at a time by importance sampling, and by refitting
    where that is not reliable; then the largest fifth of the runs is held out together.

    Parameters
    ----------
    runs, mapping, pool, seed, progress
        As for ``fit``.
    laws
        Names in the library, paths of TOML files, or laws; the whole library by default. Those that the
        table says nothing about are listed with the reason.
    out
        Folder for ``LAW.nc`` of every fit and ``comparison.json``; nothing is written by default.
    executor, scheduler
        Where refits run, as for ``backtest``; the fits themselves run here.
    backtest_folds
        Folds over compute of a backtest of the law with the most weight, kept with its fit; none by default.
    on_refit
        Told how many refits, or folds, of a law are done, and of how many.
    on_stage
        As for ``fit``, with the law in front.

    Returns
    -------
    Comparison, dict
        The comparison, and the fits by name of the law, best first.

    Raises
    ------
    InputError
        For an unknown law, or if no law applies.
    """
    from bitlaw.criticism.backtest_findings import not_leading
    from bitlaw.criticism.common_rows import common_rows, load_laws
    from bitlaw.criticism.comparison import compare_laws
    from bitlaw.inference.compiled import compile_law
    from bitlaw.inference.fit_file import save_fit
    from bitlaw.inference.largest_runs import largest_runs
    from bitlaw.inference.recipe import keep, recipe_of
    from bitlaw.inference.refit import exact_scores
    from bitlaw.reporting.comparison_file import save_comparison

    chosen = executor_of(executor, scheduler)
    asked = load_laws(laws)
    table = as_table(runs, mapping)
    require_groups(table, as_columns(pool))
    common = common_rows(asked, table)
    held_out = largest_runs(common.table.frame)
    scored, refits, recipes = [], [], {}
    for law in common.laws:
        prepared = prepare(common.table, law, pool=pool)
        on_law = of_law(law.name, on_stage)
        on_law(COMPILING)
        compiled = compile_law(prepared.law, prepared.table.frame, prepared.pool)
        fitted, compiled = fit_compiled(compiled, prepared, seed, progress, on_law)
        recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed)
        keep(recipe, compiled)
        recipes[law.name] = recipe
        on_law(SHOWS_ITSELF)
        scores, together = exact_scores(recipe, fitted, held_out, executor=chosen, progress=on_refit)
        scored.append(scores)
        refits += [together] if together is not None else []
    comparison = compare_laws(common, scored, held_out, refits, seed)
    by_name = {item.fit.law.name: item.fit for item in scored}
    best_first = {law.law: by_name[law.law] for law in comparison.laws}
    lead = comparison.leading
    fits = {
        name: with_backtest(own, recipes[name], common.table.source, backtest_folds, chosen, on_refit)
        if name == lead or not backtest_folds
        else replace(own, findings=(*own.findings, not_leading(lead)))
        for name, own in best_first.items()
    }
    if out is not None:
        for name, own in fits.items():
            save_fit(own, Path(out) / f"{name}.nc")
        save_comparison(comparison, Path(out) / "comparison.json")
    return comparison, fits


def with_rival(law: Law, table: RunTable) -> tuple[Law, ...]:
    """The law, and beside it one that explains training precision in another way, where both apply.

    Parameters
    ----------
    law
        The law asked for.
    table
        The run table.
    """
    from bitlaw.criticism.common_rows import common_rows
    from bitlaw.inference.usable import not_applicable

    rival = load_law(RIVAL_LAW if law.name == DEFAULT_LAW else DEFAULT_LAW)
    if law.base.is_observed or not_applicable(law, table) or not_applicable(rival, table):
        return (law,)
    both = common_rows([law, rival], table).laws
    return both if len(both) > 1 else (law,)
