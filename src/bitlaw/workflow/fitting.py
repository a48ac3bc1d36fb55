"""A law fitted to a run table, judged, and tested on the larger runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW
from bitlaw.runs.table import RunTable
from bitlaw.workflow.backtesting import DEFAULT_FOLDS, with_backtest
from bitlaw.workflow.preparing import Prepared, prepare
from bitlaw.workflow.stages import COMPILING, JUDGING, PILOT, SHOWS_ITSELF, Stage, untold

if TYPE_CHECKING:
    from bitlaw.inference.compiled import CompiledLaw
    from bitlaw.inference.executors import Progress


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
    on_stage: Stage = untold,
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
    on_stage
        Told what begins: compiling, the pilot, checking; with nothing where sampler or folds show themselves.

    Raises
    ------
    InputError
        For input that cannot be worked with.
    """
    from bitlaw.inference.compiled import compile_law
    from bitlaw.inference.executors import Serial
    from bitlaw.inference.recipe import keep, recipe_of

    prepared = prepare(runs, law, mapping, pool, diverged_as_bounds)
    on_stage(COMPILING)
    compiled = compile_law(prepared.law, prepared.table.frame, prepared.pool)
    fitted, compiled = fit_compiled(compiled, prepared, seed, progress, on_stage)
    recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed)
    keep(recipe, compiled)
    on_stage(SHOWS_ITSELF)
    return with_backtest(fitted, recipe, prepared.table.source, backtest_folds, Serial(), on_fold)


def fit_compiled(
    compiled: CompiledLaw,
    prepared: Prepared,
    seed: int = 0,
    progress: bool = False,
    on_stage: Stage = untold,
) -> tuple[Fit, CompiledLaw]:
    """Sample a compiled law and judge the result.

    Parameters
    ----------
    compiled
        What ``compile_law`` made of the prepared law and table.
    prepared
        What ``prepare`` returned.
    seed, progress, on_stage
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
    on_stage(PILOT)
    compiled = learn_coordinates(compiled, settings)
    for attempt in (1, 2):
        on_stage(SHOWS_ITSELF)
        sampled = sample_law(compiled, settings, progress)
        on_stage(JUDGING)
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
