"""``bitlaw compare``: fit several laws to the same rows, and say which the data support."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitlaw.cli import complete
from bitlaw.cli.files import open_runs, require_output_folder
from bitlaw.cli.fit import show_progress
from bitlaw.cli.options import ExecutorName, Json, MapFile, Pool, Quiet, Runs, Scheduler, Seed, read_names
from bitlaw.cli.output import exit_code, print_findings, print_json, print_plain, print_text
from bitlaw.cli.progress import stages, task_bar
from bitlaw.cli.tables import print_rows, print_table

if TYPE_CHECKING:
    from bitlaw.criticism.comparison import Comparison
    from bitlaw.decisions.decision_table import DecisionTable

EXAMPLE = """Examples:

bitlaw compare runs.csv --laws kumar2024-coupled,bitlaw-default --out laws

bitlaw compare runs.csv --map mapping.toml --laws coupled,my_law.toml --out laws --json

bitlaw compare runs.csv --out laws

bitlaw compare runs.csv --out laws --executor dask --scheduler tcp://10.0.0.1:8786
"""

Laws = Annotated[
    str | None,
    typer.Option(
        "--laws",
        parser=read_names,
        metavar="NAME|FILE,…",
        help="Laws of the library, or .toml files, with commas; by default the whole library.",
        autocompletion=complete.law_list,
    ),
]
Out = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for the fits, LAW.nc, and comparison.json.")
]


def compare(
    runs: Runs,
    out: Out,
    laws: Laws = None,
    mapping: MapFile = None,
    pool: Pool = None,
    executor: ExecutorName = "serial",
    scheduler: Scheduler = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fit several laws to the rows all of them can use, and say which the data support and if it matters."""
    require_output_folder(out)
    from bitlaw.criticism.common_rows import load_laws
    from bitlaw.inference.executors import executor_named
    from bitlaw.workflow import comparing

    chosen, asked = executor_named(executor, scheduler), load_laws(laws)
    table = open_runs(runs, mapping)
    shown = show_progress(as_json, quiet)
    with stages(shown) as on_stage, task_bar("refits", shown) as on_refit:
        comparison, fits = comparing.compare(
            table,
            asked,
            pool=None if pool is None else read_names(pool),
            out=out,
            seed=seed,
            progress=shown,
            executor=chosen,
            on_refit=on_refit,
            on_stage=on_stage,
        )
    if quiet and not as_json:
        print_plain(comparison.sentence())
        return exit_code(comparison.status)
    from bitlaw.decisions.decision_table import decision_table

    decided = decision_table(list(fits.values()))
    if as_json:
        result: dict[str, Any] = comparison.to_dict() | {"out": str(out), "decisions": decided.to_dict()}
        print_json("compare", comparison.status, comparison.findings, result)
    else:
        _print(comparison, decided, out)
    return exit_code(comparison.status)


def _print(comparison: "Comparison", decided: "DecisionTable", out: Path) -> None:
    print_text(comparison.sentence())
    print_text("")
    print_table(comparison.table())
    for sentence in comparison.differences.sentences():
        print_text(sentence)
    if comparison.not_applicable:
        rows = list(comparison.not_applicable.items())
        print_rows(["", ""], rows, title="Not applicable to this table", fold=True)
    print_text(f"\nDecisions for {decided.question}", style="bold")
    print_table(decided.table())
    print_findings((*comparison.findings, *decided.findings))
    print_text(f"\nSaved: {out}")
