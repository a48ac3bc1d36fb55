"""``bitlaw fit``: fit a law to a run table and save what is then believed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitlaw.cli.files import open_runs, require_output_file
from bitlaw.cli.options import Json, LawName, MapFile, NoBacktest, Pool, Quiet, Runs, Seed
from bitlaw.cli.output import (
    exit_code,
    mark_unconverged,
    print_findings,
    print_json,
    print_plain,
    print_text,
)
from bitlaw.cli.progress import stages, task_bar
from bitlaw.cli.tables import print_rows
from bitlaw.laws.registry import DEFAULT_LAW

if TYPE_CHECKING:
    from bitlaw.inference.fit import Fit

EXAMPLE = """Examples:

bitlaw fit runs.csv --out fit.nc

bitlaw fit runs.csv --law chinchilla --map mapping.toml --pool family --out fits/by_family.nc

bitlaw fit runs.csv --law my_law.toml --pool family,corpus --out fits/mine.nc
"""

DivergedAsBounds = Annotated[
    bool,
    typer.Option(
        "--diverged-as-bounds",
        help="Use diverged runs that logged a loss: the law's loss there is at least that.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="FIT.nc", help="Where the fit is saved; ends in .nc.")]


def fit(
    runs: Runs,
    out: Out,
    law: LawName = DEFAULT_LAW,
    mapping: MapFile = None,
    pool: Pool = None,
    seed: Seed = 0,
    diverged_as_bounds: DivergedAsBounds = False,
    no_backtest: NoBacktest = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fit a law by sampling, test it on the larger runs, and save all that predictions need."""
    require_output_file(out)
    from bitlaw.laws.registry import load_law
    from bitlaw.workflow import backtesting, fitting

    asked = load_law(law)
    table = open_runs(runs, mapping)
    shown = show_progress(as_json, quiet)
    with stages(shown) as on_stage, task_bar("backtest", shown) as on_fold:
        fitted = fitting.fit(
            table,
            asked,
            pool=pool,
            seed=seed,
            progress=shown,
            diverged_as_bounds=diverged_as_bounds,
            backtest_folds=0 if no_backtest else backtesting.DEFAULT_FOLDS,
            on_fold=on_fold,
            on_stage=on_stage,
        )
    from bitlaw.inference.fit_file import save_fit

    save_fit(fitted, out)
    _print(fitted, out, as_json, quiet)
    return exit_code(fitted.status)


def show_progress(as_json: bool, quiet: bool = False) -> bool:
    """Whether a progress bar helps anyone: on a terminal, not beside JSON, and not where quiet is asked for."""
    return sys.stderr.isatty() and not as_json and not quiet


def _print(fitted: "Fit", out: Path, as_json: bool, quiet: bool) -> None:
    from bitlaw.criticism.backtest import from_dict, without_rows
    from bitlaw.criticism.contraction import contraction_table

    mark_unconverged(fitted.status, as_json or quiet)
    if quiet and not as_json:
        print_plain(fitted.sentence())
        return
    constants = contraction_table(fitted)
    if as_json:
        result = {
            "fit": str(out),
            "law": fitted.law.name,
            "rows": len(fitted.rows),
            "left_out": len(fitted.excluded),
            "reference": {"n_params": fitted.reference.n_params, "tokens": fitted.reference.tokens},
            "attempts": fitted.provenance.attempts,
            "backtest": without_rows(fitted.backtest) if fitted.backtest is not None else None,
            "constants": constants.to_dict("records"),
            "prob": 0.9,
            "kind": "ETI",
        }
        print_json("fit", fitted.status, fitted.findings, result)
        return
    print_text(fitted.sentence())
    print_rows(
        ["", "posterior (90 % ETI)", "prior (90 % ETI)", "contraction", "meaning"],
        [_row(row) for row in constants.to_dict("records")],
        fold=True,
    )
    if fitted.backtest is not None:
        print_text(f"\n{from_dict(fitted.backtest).sentence()}")
    print_findings(fitted.findings)
    print_text(f"\nSaved: {out}")


def _row(constant: dict) -> list[str]:
    interval = ("{0}_median", "{0}_lo", "{0}_hi")
    texts = [
        "{:.3g} ({:.3g} to {:.3g})".format(*(constant[name.format(which)] for name in interval))
        for which in ("posterior", "prior")
    ]
    unit = f" [{constant['unit']}]" if constant["unit"] else ""
    return [constant["name"], *texts, f"{constant['contraction']:.2f}", f"{constant['meaning']}{unit}"]
