"""``bitlaw report``: from a run table, or a fit, to the page that answers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitlaw.cli.files import FIT_SUFFIX, open_fit, open_runs, require_output_folder
from bitlaw.cli.fit import show_progress
from bitlaw.cli.options import (
    Flops,
    Group,
    Json,
    LawName,
    MapFile,
    MethodPost,
    Params,
    Pool,
    Seed,
    Tokens,
    Tolerance,
    given,
)
from bitlaw.cli.output import exit_code, mark_unconverged, print_findings, print_object, print_text
from bitlaw.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from bitlaw.inference.fit import Fit
    from bitlaw.laws.law import Law
    from bitlaw.runs.table import RunTable

EXAMPLE = """Examples:

bitlaw report runs.csv --out reports/mine

bitlaw report fit.nc --out reports/7b --n-params 7B --tokens 1T --tolerance 0.01
"""

FIT_NAME, SUMMARY = "fit.nc", "summary.json"

Source = Annotated[
    Path, typer.Argument(metavar="RUNS|FIT.nc", help="Run table, which is fitted first, or a Fit file.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for index.html and summary.json.")]


def report(
    source: Source,
    out: Out,
    law: LawName = "kumar2024-coupled",
    mapping: MapFile = None,
    pool: Pool = None,
    seed: Seed = 0,
    n_params: Params = None,
    tokens: Tokens = None,
    flops: Flops = None,
    tolerance: Tolerance = 0.01,
    method_post: MethodPost = None,
    group: Group = None,
    as_json: Json = False,
) -> int:
    """Write the report: the answer with its intervals, the evidence, the diagnostics.

    Without --n-params and --tokens the question is about the largest logged run.
    """
    require_output_folder(out)
    if (n_params is None) != (tokens is None):
        raise InputError("--n-params and --tokens go together; leave out both for the largest logged run")
    from bitlaw import workflow
    from bitlaw.laws.registry import load_law

    asked = load_law(law)
    opened: Fit | RunTable
    if source.suffix == FIT_SUFFIX:
        opened = open_fit([source])
    else:
        opened = open_runs(source, mapping)
        _require_question(source, opened, asked, pool, method_post, group)
    question = given(
        n_params=n_params,
        tokens=tokens,
        flops=flops,
        tolerance=tolerance,
        method_post=method_post,
        group=group,
    )
    fitted, page = workflow.report(
        opened, out, law=asked, pool=pool, seed=seed, progress=show_progress(as_json), **question
    )
    return print_report("report", fitted, page, question, as_json)


def print_report(command: str, fitted: "Fit", page: Path, question: dict[str, Any], as_json: bool) -> int:
    """Print how a report opens and where it is, and return the exit code."""
    files = {"report": str(page)}
    fit_file = page.with_name(FIT_NAME)
    if fit_file.is_file():
        files["fit"] = str(fit_file)
    mark_unconverged(fitted.status, as_json)
    if as_json:
        summary = json.loads(page.with_name(SUMMARY).read_text(encoding="utf-8"))
        print_object(summary | {"command": command} | files)
        return exit_code(fitted.status)
    from bitlaw import workflow
    from bitlaw.reporting import opening

    answers = workflow.answer(fitted, **question)
    print_text(f"For {answers.question}:")
    print_text(opening.training_sentence(answers.precision_fixed, fitted.law.name))
    print_text(opening.post_training_sentence(answers.post_training, fitted.law.name))
    print_findings(fitted.findings)
    print_text("\n" + "\n".join(f"{name.capitalize()}: {path}" for name, path in files.items()))
    return exit_code(fitted.status)


def _require_question(
    source: Path, table: "RunTable", law: "Law", pool: str | None, method_post: str | None, group: str | None
) -> None:
    """Check what is asked about a run table before anything is sampled."""
    methods = sorted(set(table.post["method_post"])) if law.post else []
    if method_post is not None and method_post not in methods:
        hint = (
            did_you_mean(method_post, methods) if methods else f"law {law.name} has no rows to learn it from"
        )
        raise InputError(f'--method-post "{method_post}" is not in {source}; {hint}')
    if method_post is None and len(methods) > 1:
        raise InputError(f"--method-post is needed, {source} has several; valid: {', '.join(methods)}")
    if pool is None:
        if group is not None:
            raise InputError(f'--group "{group}" needs --pool, the column that names the groups')
        return
    groups = sorted(set(table.frame[pool].astype(str)))
    if group is not None and group not in groups:
        raise InputError(f'--group "{group}" is not in column {pool}; {did_you_mean(group, groups)}')
