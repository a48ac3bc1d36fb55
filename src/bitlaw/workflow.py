"""The Python API: rooms composed, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, RIVAL_LAW, load_law
from bitlaw.laws.spec import with_ties
from bitlaw.runs.exclude import include_diverged
from bitlaw.runs.groups import require_groups
from bitlaw.runs.read import read_runs
from bitlaw.runs.table import RunTable

if TYPE_CHECKING:
    from bitlaw.criticism.backtest import Backtest
    from bitlaw.criticism.comparison import Comparison
    from bitlaw.inference.compiled import CompiledLaw
    from bitlaw.inference.executors import Executor, Progress
    from bitlaw.inference.recipe import Recipe
    from bitlaw.reporting.answers import Answers

DEFAULT_FOLDS = 4
"""Folds over compute of a backtest."""


def as_table(runs: str | Path | RunTable, mapping: str | Path | None = None) -> RunTable:
    """A run table, read if a path is given."""
    return runs if isinstance(runs, RunTable) else read_runs(runs, mapping)


def as_columns(pool: str | Sequence[str] | None) -> tuple[str, ...]:
    """Columns to pool over, from names separated by commas, a sequence of them, or none.

    Examples
    --------
    >>> as_columns("corpus"), as_columns("family,method"), as_columns(None)
    (('corpus',), ('family', 'method'), ())
    """
    if pool is None:
        return ()
    return tuple(name.strip() for name in pool.split(",")) if isinstance(pool, str) else tuple(pool)


@dataclass(frozen=True)
class Prepared:
    """A law and the rows it can use, before any sampling: the law with its ties, and what was found."""

    law: Law
    table: RunTable
    pool: tuple[str, ...]
    findings: tuple[Finding, ...]


def prepare(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    diverged_as_bounds: bool = False,
) -> Prepared:
    """Validate a table for a law, and say what it can and cannot identify.

    Tensor kinds with the same bits in every row are tied: only their joint effect is identified.

    Parameters
    ----------
    runs, law, mapping, pool, diverged_as_bounds
        As for ``fit``.

    Raises
    ------
    InputError
        For input that cannot be worked with.
    """
    from bitlaw.criticism.design import design_findings
    from bitlaw.inference.ties import tied_kinds
    from bitlaw.inference.usable import usable_rows

    law = law if isinstance(law, Law) else load_law(law)
    table, columns = as_table(runs, mapping), as_columns(pool)
    require_groups(table, columns)
    if diverged_as_bounds:
        table = include_diverged(table)
    usable, no_term = usable_rows(law, table)
    law = with_ties(law, tied_kinds(law, usable.frame))
    findings = (*table.findings, *no_term, *design_findings(law, usable.frame, columns))
    return Prepared(law, usable, columns, findings)


def check(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
) -> tuple[RunTable, tuple[Finding, ...]]:
    """Validate a table and say what it can and cannot identify of a law, before any sampling.

    Returns
    -------
    RunTable, tuple of Finding
        The rows the law can use, and what was found.
    """
    prepared = prepare(runs, law, mapping, pool)
    return prepared.table, prepared.findings


def fit(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    seed: int = 0,
    progress: bool = False,
    diverged_as_bounds: bool = False,
    backtest_folds: int = DEFAULT_FOLDS,
    on_fold: Progress | None = None,
) -> Fit:
    """Fit a law to logged runs, and record how well it predicts the larger of them from the smaller.

    Where convergence fails or a transition diverges, sampling is repeated once with a higher target
    acceptance, more tuning and more draws, and a finding says so.

    Parameters
    ----------
    runs
        Path of a run table, or a RunTable.
    law
        Name in the library, path of a TOML file, or a Law.
    mapping
        Mapping file that renames foreign columns.
    pool
        Column, or two columns, to pool the law's constants over.
    seed
        Seed of everything random.
    progress
        Show the sampler's progress bar.
    diverged_as_bounds
        Use diverged runs that logged a loss: the law's loss there is taken to be at least that
        (right-censored, normal tail). By default they are left out and counted.
    backtest_folds
        Folds over compute of the backtest that is kept with the fit; 0 for none.
    on_fold
        Told how many folds are done, and of how many.

    Raises
    ------
    InputError
        For input that cannot be worked with.
    """
    from bitlaw.inference.compiled import compile_law
    from bitlaw.inference.executors import Serial
    from bitlaw.inference.recipe import keep, recipe_of

    prepared = prepare(runs, law, mapping, pool, diverged_as_bounds)
    compiled = compile_law(prepared.law, prepared.table.frame, prepared.pool)
    fitted, compiled = fit_compiled(compiled, prepared, seed, progress)
    recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed)
    keep(recipe, compiled)
    return with_backtest(fitted, recipe, prepared.table.source, backtest_folds, Serial(), on_fold)


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


def _executor(executor: str | Executor, scheduler: str | None) -> Executor:
    from bitlaw.inference.executors import executor_named

    return executor_named(executor, scheduler) if isinstance(executor, str) else executor


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

    chosen = _executor(executor, scheduler)
    prepared = prepare(runs, law, mapping, pool)
    recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed)
    names = as_columns(kinds)
    found = run_backtest(recipe, prepared.table.source, chosen, names, folds, on_fold)
    return replace(found, findings=(*prepared.findings, *found.findings))


def fit_compiled(
    compiled: CompiledLaw, prepared: Prepared, seed: int = 0, progress: bool = False
) -> tuple[Fit, CompiledLaw]:
    """Sample a compiled law and judge the result.

    Parameters
    ----------
    compiled
        What ``compile_law`` made of the prepared law and table.
    prepared
        What ``prepare`` returned.
    seed, progress
        As for ``fit``.

    Returns
    -------
    Fit, CompiledLaw
        The fit, and the law in the coordinates it was sampled in.
    """
    from bitlaw.criticism.contraction import contraction_findings
    from bitlaw.criticism.predictive import predictive_findings
    from bitlaw.criticism.prior_sensitivity import prior_sensitivity_findings
    from bitlaw.inference.assemble import assemble_fit
    from bitlaw.inference.compiled import learn_coordinates, sample_law, settings_for

    settings = settings_for(compiled, seed)
    compiled = learn_coordinates(compiled, settings)
    for attempt in (1, 2):
        sampled = sample_law(compiled, settings, progress)
        fitted = assemble_fit(
            compiled.law,
            prepared.table,
            compiled.rows,
            compiled.reference,
            sampled,
            settings,
            attempt,
            seed,
        )
        convergence = _convergence(fitted)
        if overall_status(convergence) is not Status.FAIL and not fitted.sample_stats["diverging"].any():
            break
        settings = settings.more_careful()
    after = (
        *convergence,
        *contraction_findings(fitted),
        *prior_sensitivity_findings(fitted),
        *predictive_findings(fitted, seed),
    )
    return replace(fitted, findings=(*prepared.findings, *after)), compiled


def _convergence(fitted: Fit) -> Sequence[Finding]:
    from bitlaw.criticism.attempts import attempts_finding
    from bitlaw.criticism.convergence import convergence_findings
    from bitlaw.criticism.reported import reported_quantities

    found = convergence_findings(fitted.posterior, fitted.sample_stats, reported_quantities(fitted))
    return (*found, attempts_finding(fitted.provenance.attempts, overall_status(found)))


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
    from bitlaw.inference.recipe import keep, recipe_of
    from bitlaw.inference.refit import exact_scores, largest_runs
    from bitlaw.reporting.comparison_file import save_comparison

    chosen = _executor(executor, scheduler)
    asked = load_laws(laws)
    table = as_table(runs, mapping)
    require_groups(table, as_columns(pool))
    common = common_rows(asked, table)
    held_out = largest_runs(common.table.frame)
    scored, refits, recipes = [], [], {}
    for law in common.laws:
        prepared = prepare(common.table, law, pool=pool)
        compiled = compile_law(prepared.law, prepared.table.frame, prepared.pool)
        fitted, compiled = fit_compiled(compiled, prepared, seed, progress)
        recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed)
        keep(recipe, compiled)
        recipes[law.name] = recipe
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


def answer(
    fitted: Fit,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    tolerance: float = 0.01,
    method_post: str | None = None,
    group: str | None = None,
    loss: float | None = None,
    drift: bool = True,
) -> Answers:
    """Every answer a report gives, for one question.

    Parameters
    ----------
    fitted
        The fit.
    n_params, tokens
        The model asked about; the largest logged run where both are None.
    flops
        Compute to re-optimise N, D and precision for; that of the model by default.
    tolerance
        Loss that may be lost to precision, nats/token.
    method_post
        Post-training method; the only logged one by default.
    group
        Group of a pooled fit; that of the largest logged run by default.
    loss
        Measured loss of the model as trained, nats/token; it then replaces the law's.
    drift
        Include structural error beyond the data.

    Raises
    ------
    InputError
        If only one of ``n_params`` and ``tokens`` is given.
    """
    from bitlaw.decisions.asked import asked_about
    from bitlaw.reporting.answers import answers_of

    asked = asked_about(fitted, n_params, tokens, flops, group, loss)
    return answers_of(fitted, asked, tolerance, method_post, drift)


def report(
    source: str | Path | RunTable | Fit | Sequence[Fit],
    out: str | Path,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    seed: int = 0,
    progress: bool = False,
    tolerance: float = 0.01,
    method_post: str | None = None,
    backtest_folds: int = DEFAULT_FOLDS,
    drift: bool = True,
    **question: float | str | None,
) -> tuple[Fit, Path]:
    """Write the report of fits, or of a run table that is fitted first.

    A run table is fitted with the law and one rival, where both can explain its rows, and the answers
    are those of their stack.

    Parameters
    ----------
    source
        A Fit, several Fits to the same rows, the path of a Fit file (``.nc``), or a run table.
    out
        Folder for ``index.html`` and ``summary.json``; for a run table also ``LAW.nc`` of every fit,
        and ``comparison.json`` where laws were compared.
    law, mapping, pool, seed, progress
        As for ``fit``; not used where the source is a fit.
    tolerance, method_post, drift
        As for ``answer``.
    backtest_folds
        As for ``fit``; where laws are compared, of the one with the most weight. Not used where the source
        is a fit.
    **question
        ``n_params``, ``tokens``, ``flops``, ``group``, ``loss`` as for ``answer``.

    Returns
    -------
    Fit, Path
        The fit, of several the one with the most weight, and the path of the page.
    """
    from bitlaw.decisions.asked import asked_about
    from bitlaw.inference.fit_file import load_fit, save_fit
    from bitlaw.reporting.answers import answers_of, answers_of_several
    from bitlaw.reporting.report import write_report

    out, comparison = Path(out), None
    if isinstance(source, str | Path) and str(source).endswith(".nc"):
        source = load_fit(source)
    if isinstance(source, Fit):
        fits = [source]
    elif isinstance(source, str | Path | RunTable):
        table = as_table(source, mapping)
        laws = with_rival(law if isinstance(law, Law) else load_law(law), table)
        if len(laws) > 1:
            comparison, by_name = compare(
                table,
                laws,
                pool=pool,
                out=out,
                seed=seed,
                progress=progress,
                backtest_folds=backtest_folds,
            )
            fits = list(by_name.values())
        else:
            fits = [
                fit(
                    table,
                    laws[0],
                    pool=pool,
                    seed=seed,
                    progress=progress,
                    backtest_folds=backtest_folds,
                )
            ]
            save_fit(fits[0], out / f"{fits[0].law.name}.nc")
    else:
        fits = list(source)
    asked = asked_about(fits[0], **question)  # type: ignore[arg-type]
    if len(fits) == 1:
        return fits[0], write_report(fits[0], answers_of(fits[0], asked, tolerance, method_post, drift), out)
    answers, several = answers_of_several(fits, asked, tolerance, method_post, comparison, drift)
    lead = next(item for item in fits if item.law.name == several.leading)
    return lead, write_report(lead, answers, out, comparison=several)


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


def demo(out: str | Path = "reports/tiny_sweep", progress: bool = False) -> tuple[Fit, Path]:
    """Fit the embedded sweep and write its report."""
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        table = read_runs(path)
    return report(table, out, progress=progress)
