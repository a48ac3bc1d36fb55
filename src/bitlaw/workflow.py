"""The Python API: rooms composed, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law
from bitlaw.laws.registry import load_law
from bitlaw.runs.groups import require_groups
from bitlaw.runs.read import read_runs
from bitlaw.runs.table import RunTable
from bitlaw.units import format_count

if TYPE_CHECKING:
    from bitlaw.reporting.report import Answers

DEFAULT_LAW = "kumar2024-coupled"


def as_table(runs: str | Path | RunTable, mapping: str | Path | None = None) -> RunTable:
    """A run table, read if a path is given."""
    return runs if isinstance(runs, RunTable) else read_runs(runs, mapping)


def check(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | None = None,
) -> tuple[RunTable, tuple[Finding, ...]]:
    """Validate a table and say what it can and cannot identify of a law, before any sampling.

    Returns
    -------
    RunTable, tuple of Finding
        The rows the law can use, and what was found.
    """
    from bitlaw.criticism.design import design_findings
    from bitlaw.inference.usable import usable_rows

    law = law if isinstance(law, Law) else load_law(law)
    table = as_table(runs, mapping)
    if pool is not None:
        require_groups(table, pool)
    usable, no_term = usable_rows(law, table)
    return usable, (*table.findings, *no_term, *design_findings(law, usable.frame, pool))


def fit(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | None = None,
    seed: int = 0,
    progress: bool = False,
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
        Column to pool the law's constants over.
    seed
        Seed of everything random.
    progress
        Show the sampler's progress bar.

    Raises
    ------
    InputError
        For input that cannot be worked with.
    """
    from bitlaw.criticism.contraction import contraction_findings
    from bitlaw.criticism.predictive import predictive_findings
    from bitlaw.criticism.prior_sensitivity import prior_sensitivity_findings
    from bitlaw.inference.assemble import assemble_fit
    from bitlaw.inference.model import build_model
    from bitlaw.inference.rows import arrange, reference_scales
    from bitlaw.inference.sample import compile_model, default_settings, draw_posterior

    law = law if isinstance(law, Law) else load_law(law)
    table, before = check(runs, law, mapping, pool)
    rows, reference = arrange(law, table.frame, pool), reference_scales(table.frame)
    compiled = compile_model(build_model(law, rows, reference), law, rows)
    settings = default_settings(compiled.n_dim, seed)
    for attempt in (1, 2):
        sampled = draw_posterior(compiled, settings, progress)
        fitted = assemble_fit(law, table, rows, reference, sampled, settings, attempt, seed)
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
    return replace(fitted, findings=(*before, *after))


def _convergence(fitted: Fit) -> Sequence[Finding]:
    from bitlaw.criticism.attempts import attempts_finding
    from bitlaw.criticism.convergence import convergence_findings
    from bitlaw.criticism.reported import reported_quantities

    found = convergence_findings(fitted.posterior, fitted.sample_stats, reported_quantities(fitted))
    return (*found, attempts_finding(fitted.provenance.attempts, overall_status(found)))


def answer(
    fitted: Fit,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    tolerance: float = 0.01,
    method_post: str | None = None,
    group: str | None = None,
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
        Group of a pooled fit.

    Raises
    ------
    InputError
        If only one of ``n_params`` and ``tokens`` is given.
    """
    from bitlaw.decisions.costs import training_flop
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
        group = group or (largest[fitted.pool] if fitted.pool else None)
    point = points_frame(n_params=n_params, tokens=tokens)
    if fitted.pool:
        point[fitted.pool] = group
    budget = flops or float(training_flop(n_params, tokens))
    fixed = free = after = None
    if fitted.law.capacity is not None:
        fixed = optimum(fitted, n_params=n_params, tokens=tokens, tolerance=tolerance, group=group)
        free = optimum(fitted, flops=budget, group=group)
    if fitted.rows["bits_post"].notna().any():
        after = ptq(fitted, n_params, tokens, tolerance=tolerance, method_post=method_post, group=group)
    return Answers(
        question=f"{format_count(n_params)} parameters and {format_count(tokens)} tokens, {question}",
        prediction=predict(fitted, point),
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
