"""``bitlaw report``: from a run table, or a fit, to the page that answers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitlaw.cli.files import FIT_SUFFIX, open_runs, require_output_folder
from bitlaw.cli.fit import show_progress
from bitlaw.cli.measured import measured_from_file
from bitlaw.cli.options import (
    Flops,
    Gpus,
    Group,
    Hardware,
    Json,
    LawName,
    MapFile,
    MethodPost,
    NoBacktest,
    NoDrift,
    Params,
    Pool,
    Price,
    Quiet,
    Seed,
    Speeds,
    Tokens,
    Tolerance,
    given,
)
from bitlaw.cli.output import (
    exit_code,
    mark_unconverged,
    print_findings,
    print_object,
    print_plain,
    print_text,
)
from bitlaw.cli.progress import stages, task_bar
from bitlaw.cli.several import open_fits
from bitlaw.errors import InputError, did_you_mean
from bitlaw.finding import Finding, Status
from bitlaw.laws.registry import DEFAULT_LAW

if TYPE_CHECKING:
    from bitlaw.inference.fit import Fit
    from bitlaw.laws.law import Law
    from bitlaw.runs.table import RunTable

EXAMPLE = """Examples:

bitlaw report runs.csv --out reports/mine

bitlaw report fit.nc --out reports/7b --n-params 7B --tokens 1T --tolerance 0.01

bitlaw report fit.nc --out reports/7b --n-params 7B --tokens 1T --measured quantized.csv

bitlaw report fit.nc --out reports/h100 --hardware h100 --hardware b200 --speeds speeds.toml

bitlaw report laws/kumar2024.nc laws/bitlaw-default.nc --out reports/laws
"""

SUMMARY = "summary.json"

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUNS|FIT.nc…",
        help="Run table, which is fitted first, or a Fit file; of several laws one each, to the same rows.",
    ),
]
Measured = Annotated[
    Path | None,
    typer.Option(
        "--measured",
        metavar="POINTS.csv",
        help="Losses of the model asked about after quantization, as for bitlaw ptq; of fits only.",
    ),
]
Out = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for index.html, summary.json and model_card.md.")
]


def report(
    sources: Sources,
    out: Out,
    law: LawName = DEFAULT_LAW,
    mapping: MapFile = None,
    pool: Pool = None,
    seed: Seed = 0,
    n_params: Params = None,
    tokens: Tokens = None,
    flops: Flops = None,
    hardware: Hardware = None,
    speeds: Speeds = None,
    price: Price = None,
    gpus: Gpus = None,
    tolerance: Tolerance = 0.01,
    method_post: MethodPost = None,
    measured: Measured = None,
    group: Group = None,
    no_drift: NoDrift = False,
    no_backtest: NoBacktest = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write the report: the answer with its intervals, the evidence, the diagnostics.

    Without --n-params and --tokens the question is about the largest logged run. Of several laws the
    answers are those of their stack, with each law's beside them; of several chips those of the first, with
    the others' beside them.
    """
    require_output_folder(out)
    if (n_params is None) != (tokens is None):
        raise InputError("--n-params and --tokens go together; leave out both for the largest logged run")
    from bitlaw.decisions.asked import chips_of
    from bitlaw.laws.registry import load_law
    from bitlaw.workflow import backtesting, reporting

    chips_of(hardware or None, speeds, price, gpus)  # type: ignore[arg-type]  # before anything is read or sampled
    points = None if measured is None else measured_from_file(measured)
    asked = load_law(law)
    opened: Fit | list[Fit] | RunTable
    if all(source.suffix == FIT_SUFFIX for source in sources):
        fits = open_fits(sources)
        opened = fits[0] if len(fits) == 1 else fits
    else:
        opened = open_runs(_only(sources), mapping)
        _require_question(sources[0], opened, asked, pool, method_post, group)
    question = given(
        n_params=n_params,
        tokens=tokens,
        flops=flops,
        hardware=hardware or None,
        speeds=speeds,
        price=price,
        gpus=gpus,
        tolerance=tolerance,
        method_post=method_post,
        measured=points,
        group=group,
        drift=not no_drift,
    )
    shown = show_progress(as_json, quiet)
    with stages(shown) as on_stage, task_bar("refits and folds", shown) as on_task:
        _, page = reporting.report(
            opened,
            out,
            law=asked,
            pool=pool,
            seed=seed,
            progress=shown,
            backtest_folds=0 if no_backtest else backtesting.DEFAULT_FOLDS,
            on_task=on_task,
            on_stage=on_stage,
            **question,
        )
    return print_page("report", page, as_json, quiet)


def print_page(command: str, page: Path, as_json: bool, quiet: bool = False) -> int:
    """Print how a report opens and where it is, and return the exit code."""
    files = {"report": str(page)}
    summary = json.loads(page.with_name(SUMMARY).read_text(encoding="utf-8"))
    laws = list(summary["compare"] or [summary["law"]])
    fits = [path for path in (page.with_name(f"{law}.nc") for law in laws) if path.is_file()]
    if fits:
        files["fits"] = ", ".join(str(path) for path in fits)
    status = Status(summary["status"])
    mark_unconverged(status, as_json or quiet)
    if as_json:
        print_object(summary | {"command": command} | files)
        return exit_code(status)
    if quiet:
        print_plain(str(page))
        return exit_code(status)
    print_text(f"For {summary['question']}:")
    for head, text in summary["opening"].items():
        print_text(f"\n{head}. {text}")
    print_findings([Finding(**item | {"status": Status(item["status"])}) for item in summary["findings"]])
    print_text("\n" + "\n".join(f"{name.capitalize()}: {path}" for name, path in files.items()))
    return exit_code(status)


def _only(sources: Sequence[Path]) -> Path:
    """The one run table given.

    Raises
    ------
    InputError
        If there are several files, not all of them fits.
    """
    if len(sources) > 1:
        tables = ", ".join(str(source) for source in sources if source.suffix != FIT_SUFFIX)
        raise InputError(
            f"{len(sources)} files given, among them {tables}; valid: one run table, or fits ({FIT_SUFFIX})"
        )
    return sources[0]


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
    from bitlaw.inference.levels import NEW_LEVEL
    from bitlaw.runs.groups import require_groups
    from bitlaw.workflow.preparing import as_columns

    columns = as_columns(pool)
    require_groups(table, columns)
    if group is None:
        return
    if not columns:
        raise InputError(f'--group "{group}" needs --pool, the column that names the groups')
    names = [name.strip() for name in group.split(",")] if len(columns) > 1 else [group]
    if len(names) != len(columns):
        raise InputError(f'--group "{group}": one of each of {", ".join(columns)} is needed, with commas')
    for column, name in zip(columns, names, strict=True):
        groups = sorted(set(table.frame[column].astype(str)))
        if name not in (*groups, NEW_LEVEL):
            raise InputError(f'--group "{name}" is not in column {column}; {did_you_mean(name, groups)}')
