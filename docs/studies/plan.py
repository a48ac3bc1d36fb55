"""Which run to log next, replayed on real tables: ``python docs/studies/plan.py [--data DIR] [--starts N]``.

Starts with a quarter of the runs of a table, buys more by a rule, refits, and looks at the largest runs, which
were never for sale. Writes ``docs/plan.md``, ``plan.json`` and ``figures/plan_money.png``. Every replay is kept in
``replays/``, so that an interrupted run goes on where it stopped (empty that folder to replay afresh); ``--kept``
writes the page from what was replayed so far.
"""

import argparse
import os
import platform
import sys
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd
from held_out import Table, read_tables
from page import render
from replay import START, STARTS, replays
from replay_numbers import numbers, with_starts
from replay_pictures import money
from replay_why import why_numbers, whys
from threadpoolctl import threadpool_limits
from written import as_json, as_png, rounded, write

from bitlaw import read_runs

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
_TABLES = ("c4_original", "quest_qat", "sweep")
_FILES = ("chinchilla_digitised.csv", "gadre_overtraining.csv", "quest_qat.csv")
_LIBRARIES = ("bitlaw", "nutpie", "pymc", "numpy")
_USAGE = 2


def main() -> int:
    """Run the study; 2 where a table is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--starts", type=int, default=STARTS, metavar="N", help="starts of each table")
    parser.add_argument("--kept", action="store_true", help="the page from what was replayed so far")
    options = parser.parse_args()
    missing = [name for name in _FILES if not (options.data / name).is_file()]
    if missing:
        print(
            f"{options.data}: no such table: {', '.join(missing)}; give their folder with --data",
            file=sys.stderr,
        )
        return _USAGE
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        sweep = read_runs(path)
    tables = {table.name: table for table in read_tables(options.data, sweep) if table.name in _TABLES}
    with threadpool_limits(limits=1, user_api="blas"):
        replayed = pd.concat([_replayed(tables[name], options.starts, options.kept) for name in _TABLES])
        why = pd.concat([whys(tables[name], HERE / "replays", kept_only=options.kept) for name in _TABLES])
    replayed = replayed[replayed["table"].isin(with_starts(replayed))]
    if replayed.empty:
        print("nothing was replayed so far; run without --kept", file=sys.stderr)
        return _USAGE
    found = rounded(
        numbers(replayed) | {"why": why_numbers(why), "start_share": START, "machine": _machine()}
    )
    written = {
        HERE / "plan.json": as_json(found),
        HERE.parent / "plan.md": render("plan.md.j2", found).encode(),
        HERE / "figures" / "plan_money.png": as_png(money(found)),
    }
    for path, content in written.items():
        write(path, content)
    print(f"written: {HERE.parent / 'plan.md'}")
    return 0


def _replayed(table: Table, starts: int, kept: bool) -> pd.DataFrame:
    return replays(table, HERE / "replays", starts=starts, kept_only=kept)


def _machine() -> dict[str, str | int | None]:
    """What it ran on."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }


if __name__ == "__main__":
    sys.exit(main())
