"""Intervals beyond the data, on real runs: ``python docs/studies/extrapolation.py [--data DIR] [--fresh]``.

Fits the smaller runs of every table, predicts the larger ones, and writes ``docs/extrapolation.md``,
``extrapolation.json`` and ``figures/extrapolation_*.png``: every number on the page comes from the run.
Fits are kept in ``fits/``, so that an interrupted run goes on where it stopped; drifts are tried without
fitting again.
"""

import argparse
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from common_practice import DELTA, RESAMPLED
from drifts import STATED
from example import example
from extrapolation_numbers import (
    COMMON,
    DRIFT,
    FACTORS,
    FIRST,
    IN_SAMPLE,
    NO_DRIFT,
    Draws,
    by_scale,
    by_table,
    competitors,
    grid_scores,
    over_tables,
    ratios,
    split_scores,
    targets,
    tried,
    were_it_right,
    where_needed,
)
from extrapolation_pictures import figures
from forecasts import Forecasts, forecast
from held_out import SHARES, read_tables, splits
from numbers_of import convergence
from page import render
from pandas import DataFrame
from penalty_drift import Errors, measure, penalty_numbers
from penalty_splits import penalty_splits
from quest_qat import METHODS
from store import Fitted, Store
from threadpoolctl import threadpool_limits
from written import as_json, as_png, rounded, write

from bitlaw import RunTable, read_runs
from bitlaw.inference.drift import DRIFT_PRIOR

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
_TABLES = ("chinchilla_digitised.csv", "gadre_overtraining.csv", "quest_qat.csv", "ptq_perplexity_tables.csv")
_USAGE = 2


def main() -> int:
    """Run the study; 2 where a table is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--fresh", action="store_true", help="fit again what was fitted before")
    options = parser.parse_args()
    missing = [name for name in _TABLES if not (options.data / name).is_file()]
    if missing:
        print(
            f"{options.data}: no such table: {', '.join(missing)}; give their folder with --data",
            file=sys.stderr,
        )
        return _USAGE
    store = Store(HERE / "fits", options.fresh)
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        sweep = read_runs(path)
    # The matrices are small: threads of linear algebra would only get into each other's way.
    with threadpool_limits(limits=1, user_api="blas"):
        forecasts = _forecasts(options.data, sweep, store)
        errors, failed, fits = _penalties(options.data, sweep, store)
        shown, fitted = example(sweep, store)
        scored = grid_scores(forecasts.held_out)
        draws = competitors(scored)
        every = [*forecasts.fits, *fits, fitted]
        numbers = rounded(shown | _numbers(forecasts, scored, draws, every) | _of_penalties(errors, failed))
    drawn = figures(forecasts.held_out, draws, errors, numbers)
    written = {
        HERE / "extrapolation.json": as_json(numbers),
        HERE.parent / "extrapolation.md": render("extrapolation.md.j2", numbers).encode(),
    } | {HERE / "figures" / name: as_png(figure) for name, figure in drawn.items()}
    for path, content in written.items():
        write(path, content)
    print(f"written: {HERE.parent / 'extrapolation.md'}")
    return 0


def _forecasts(data: Path, sweep: RunTable, store: Store) -> Forecasts:
    return forecast([split for table in read_tables(data, sweep) for split in splits(table)], store)


def _penalties(
    data: Path, sweep: RunTable, store: Store
) -> tuple[list[Errors], dict[str, str], list[Fitted]]:
    quest = read_runs(data / "quest_qat.csv")
    quest = quest.without(~quest.frame["method"].isin(METHODS), "another method")
    tables = read_runs(data / "ptq_perplexity_tables.csv")
    return measure(list(penalty_splits(quest, tables, sweep)), store)


def _numbers(
    forecasts: Forecasts, scored: dict[str, DataFrame], draws: dict[str, Draws], fits: list[Fitted]
) -> dict[str, Any]:
    held_out = forecasts.held_out
    by_split = split_scores(held_out, draws)
    tables = by_table(by_split)
    base_only = tables[tables.index.get_level_values("table").isin(tables.loc[COMMON].index)]
    return {
        "splits": [_split(one) for one in held_out],
        "left_out": forecasts.left_out,
        "by_split": by_split.to_dict("records"),
        "by_table": tables.reset_index().to_dict("records"),
        "over_tables": [over_tables(tables, name) for name in draws],
        "without_precision": [over_tables(base_only, name) for name in draws],
        "ratios": {other: ratios(tables, DRIFT, other) for other in (NO_DRIFT, COMMON, "chinchilla")},
        "targets": {name: targets(tables, name) for name in (FIRST, DRIFT, IN_SAMPLE)},
        "where_needed": {name: where_needed(tables, name) for name in (DRIFT, FIRST)},
        "were_it_right": {name: were_it_right(held_out, draws[name]) for name in (FIRST, DRIFT, IN_SAMPLE)},
        "tried": tried(held_out, scored, tables),
        "by_scale": by_scale(scored),
        "drift": vars(DRIFT_PRIOR),
        "first_stated": {"scale": STATED.scale, "spread": STATED.spread},
        "factors": FACTORS,
        "common_practice": {"delta": DELTA, "resampled": RESAMPLED},
        "shares": SHARES,
        "fits": [convergence(fitted) for fitted in fits],
    }


def _of_penalties(errors: list[Errors], failed: dict[str, str]) -> dict[str, Any]:
    return {"penalty": penalty_numbers(errors) | {"left_out": failed}}


def _split(one: Any) -> dict[str, Any]:
    return {
        "split": one.label,
        "table": one.table,
        "fitted": len(one.fitted_sizes),
        "held_out": len(one.measured),
        "compute_ratio": float(one.compute_ratio.max()),
        "decades": float((one.vector**2).sum(axis=1).max() ** 0.5),
    }


if __name__ == "__main__":
    sys.exit(main())
