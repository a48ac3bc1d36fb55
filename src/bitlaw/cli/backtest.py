"""``bitlaw backtest``: how well a law predicts logged runs that it was not fitted to."""

from typing import TYPE_CHECKING, Annotated

import typer

from bitlaw.cli import complete
from bitlaw.cli.files import open_runs
from bitlaw.cli.fit import show_progress
from bitlaw.cli.options import (
    ExecutorName,
    Json,
    LawName,
    MapFile,
    Pool,
    Quiet,
    Runs,
    Scheduler,
    Seed,
    read_names,
)
from bitlaw.cli.output import exit_code, print_findings, print_json, print_plain, print_text
from bitlaw.cli.progress import task_bar
from bitlaw.cli.tables import print_table
from bitlaw.laws.registry import DEFAULT_LAW

if TYPE_CHECKING:
    from bitlaw.criticism.backtest import Backtest

EXAMPLE = """Examples:

bitlaw backtest runs.csv

bitlaw backtest runs.csv --law coupled --map mapping.toml --folds 8 --executor processes

bitlaw backtest runs.csv --pool family --kind compute,bits,groups --json

bitlaw backtest runs.csv --executor dask --scheduler tcp://10.0.0.1:8786
"""

Kinds = Annotated[
    str,
    typer.Option(
        "--kind",
        parser=read_names,
        metavar="KIND,…",
        help="What is predicted: compute (the larger runs from the smaller), bits (the lowest bit-width from "
        "the others), groups (each group of --pool from the others).",
        autocompletion=complete.kinds,
    ),
]
Folds = Annotated[int, typer.Option("--folds", metavar="COUNT", help="Folds over compute.")]


def backtest(
    runs: Runs,
    law: LawName = DEFAULT_LAW,
    mapping: MapFile = None,
    pool: Pool = None,
    kinds: Kinds = "compute",
    folds: Folds = 4,
    executor: ExecutorName = "serial",
    scheduler: Scheduler = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fit a law to some runs, and score what it predicts of others: larger, in fewer bits, of a new group."""
    from bitlaw.inference.executors import executor_named
    from bitlaw.laws.registry import load_law
    from bitlaw.workflow import backtesting

    chosen, asked = executor_named(executor, scheduler), load_law(law)
    table = open_runs(runs, mapping)
    with task_bar("folds", show_progress(as_json, quiet)) as on_fold:
        found = backtesting.backtest(
            table,
            asked,
            pool=pool,
            kinds=kinds,
            folds=folds,
            executor=chosen,
            seed=seed,
            on_fold=on_fold,
        )
    if as_json:
        print_json("backtest", found.status, found.findings, found.to_dict())
    elif quiet:
        print_plain(found.sentence())
    else:
        _print(found)
    return exit_code(found.status)


def _print(found: "Backtest") -> None:
    print_text(found.sentence())
    if found.folds or found.dropped:
        print_text("")
        print_table(found.table())
    print_findings(found.findings)
