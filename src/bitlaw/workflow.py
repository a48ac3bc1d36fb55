"""The Python API: rooms composed, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, load_law
from bitlaw.laws.spec import with_ties
from bitlaw.runs.exclude import include_diverged
from bitlaw.runs.groups import require_groups
from bitlaw.runs.read import read_runs
from bitlaw.runs.table import RunTable
from bitlaw.units import format_count

if TYPE_CHECKING:
    from bitlaw.criticism.comparison import Comparison
    from bitlaw.inference.compiled import CompiledLaw
    from bitlaw.reporting.report import Answers

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
) -> Fit:
    """Fit a law to logged runs.

    Where convergence fails, sampling is repeated once with a higher target acceptance, more tuning
    and more draws, and a finding says so.

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

    Raises
    ------
    InputError
        For input that cannot be worked with.
    """
    from bitlaw.inference.compiled import compile_law

    prepared = prepare(runs, law, mapping, pool, diverged_as_bounds)
    compiled = compile_law(prepared.law, prepared.table.frame, prepared.pool)
    return fit_compiled(compiled, prepared, seed, progress)[0]


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
    from bitlaw.inference.compiled import learn_coordinates
    from bitlaw.inference.sample import default_settings, draw_posterior

    settings = default_settings(compiled.model.n_dim, seed)
    compiled = learn_coordinates(compiled, settings)
    for attempt in (1, 2):
        sampled = draw_posterior(compiled.model, settings, progress)
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
        if overall_status(convergence) is not Status.FAIL:
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

    Returns
    -------
    Comparison, dict
        The comparison, and the fits by name of the law, best first.

    Raises
    ------
    InputError
        For an unknown law, or if no law applies.
    """
    from bitlaw.criticism.common_rows import common_rows, load_laws
    from bitlaw.criticism.comparison import compare_laws
    from bitlaw.inference.compiled import compile_law
    from bitlaw.inference.fit_file import save_fit
    from bitlaw.inference.refit import exact_scores, largest_runs, refit_without
    from bitlaw.reporting.comparison_file import save_comparison

    asked = load_laws(laws)
    table = as_table(runs, mapping)
    require_groups(table, as_columns(pool))
    common = common_rows(asked, table)
    held_out = largest_runs(common.table.frame)
    scored, refits = [], []
    for law in common.laws:
        prepared = prepare(common.table, law, pool=pool)
        compiled = compile_law(prepared.law, prepared.table.frame, prepared.pool)
        fitted, compiled = fit_compiled(compiled, prepared, seed, progress)
        scored.append(exact_scores(compiled, fitted))
        if len(held_out):
            refits.append(refit_without(compiled, fitted, held_out))
    comparison = compare_laws(common, scored, held_out, refits, seed)
    by_name = {item.fit.law.name: item.fit for item in scored}
    fits = {law.law: by_name[law.law] for law in comparison.laws}
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

    Raises
    ------
    InputError
        If only one of ``n_params`` and ``tokens`` is given.
    """
    from bitlaw.decisions.costs import training_flop
    from bitlaw.decisions.groups import group_columns
    from bitlaw.decisions.optimum import optimum
    from bitlaw.decisions.predict import predict
    from bitlaw.decisions.ptq import ptq
    from bitlaw.inference.draws import points_frame
    from bitlaw.reporting.report import Answers

    if (n_params is None) != (tokens is None):
        raise InputError("give n_params and tokens together, or neither for the largest logged run")
    question = "the model asked about"
    if n_params is None or tokens is None:
        largest = fitted.largest_run()
        n_params, tokens, question = largest["n_params"], largest["tokens"], "the largest logged run"
        group = group or ",".join(largest[column] for column in fitted.pool) or None
        loss = largest["loss"] if fitted.law.base.is_observed and loss is None else loss
    point = points_frame(n_params=n_params, tokens=tokens, **group_columns(fitted, group))
    budget = flops or float(training_flop(n_params, tokens))
    fixed = free = after = None
    if fitted.law.training:
        fixed = optimum(fitted, n_params=n_params, tokens=tokens, tolerance=tolerance, group=group)
        free = optimum(fitted, flops=budget, group=group)
    if fitted.rows["bits_post"].notna().any():
        after = ptq(
            fitted, n_params, tokens, tolerance=tolerance, method_post=method_post, group=group, loss=loss
        )
    return Answers(
        question=f"{format_count(n_params)} parameters and {format_count(tokens)} tokens, {question}",
        prediction=predict(fitted, point, measured=loss),
        precision_fixed=fixed,
        precision_free=free,
        post_training=after,
    )


def report(
    source: str | Path | RunTable | Fit,
    out: str | Path,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | None = None,
    seed: int = 0,
    progress: bool = False,
    **question: float | str | None,
) -> tuple[Fit, Path]:
    """Write the report of a fit, or of a run table that is fitted first.

    Parameters
    ----------
    source
        A Fit, the path of a Fit file (``.nc``), or a run table.
    out
        Folder for ``index.html``, ``summary.json`` and, for a run table, ``fit.nc``.
    law, mapping, pool, seed, progress
        As for ``fit``; not used where the source is a fit.
    **question
        As for ``answer``.

    Returns
    -------
    Fit, Path
        The fit and the path of the page.
    """
    from bitlaw.inference.fit_file import load_fit, save_fit
    from bitlaw.reporting.report import write_report

    if isinstance(source, str | Path) and str(source).endswith(".nc"):
        source = load_fit(source)
    fitted = source if isinstance(source, Fit) else fit(source, law, mapping, pool, seed, progress)
    page = write_report(fitted, answer(fitted, **question), Path(out))  # type: ignore[arg-type]
    if fitted is not source:
        save_fit(fitted, Path(out) / "fit.nc")
    return fitted, page


def demo(out: str | Path = "reports/tiny_sweep", progress: bool = False) -> tuple[Fit, Path]:
    """Fit the embedded sweep and write its report."""
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        table = read_runs(path)
    return report(table, out, progress=progress)
