"""The claims of arXiv 2411.04330 under every law: ``python docs/studies/claims.py [--data DIR] [--fresh] [--page]``.

Fits what each table can tell to every law that can explain it, takes published constants where there are no runs, and
writes ``docs/claims.md`` and ``claims.json``: every number and every verdict on the page comes from the run. Fits
are kept in ``fits/``, so that an interrupted run goes on where it stopped; ``--page`` writes the page anew from
``claims.json`` alone.
"""

import argparse
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from claims_after import OVER_TRAINED, after_training, measured_turns, published_after
from claims_evidence import METHODS, TABLES, fitted, tables
from claims_known import Known, from_fit, published
from claims_numbers import (
    BITS_SAVED,
    NEAR,
    PROB,
    SPEED_UP,
    WASTE,
    compute_optimal,
    fixed_size,
    hardware,
    larger_models,
    waste,
)
from claims_page import claims_page
from claims_verdict import SURE
from numbers_of import convergence
from store import Store
from threadpoolctl import threadpool_limits
from written import as_json, rounded, write

from bitlaw import law_names, load_law
from bitlaw.decisions.hardware import load_chip

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
RATIOS = {"tiny sweep": (20.0, 500.0), "quest": (25.0, 1500.0)}
"""Tokens per parameter, few and many, that each table has runs of."""

_USAGE = 2
_OF_TRAINING: dict[str, Callable[[Known], dict[str, Any]]] = {
    "optimal": compute_optimal,
    "waste": waste,
    "larger": larger_models,
    "fixed": fixed_size,
    "hardware": hardware,
}


def main() -> int:
    """Run the study; 2 where a table is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--fresh", action="store_true", help="fit again what was fitted before")
    parser.add_argument(
        "--page", action="store_true", help="write the page from claims.json, without fitting"
    )
    options = parser.parse_args()
    if not options.page:
        missing = [name for name in TABLES.values() if not (options.data / name).is_file()]
        if missing:
            print(
                f"{options.data}: no such table: {', '.join(missing)}; give their folder with --data",
                file=sys.stderr,
            )
            return _USAGE
        # The matrices are small: threads of linear algebra would only get into each other's way.
        with threadpool_limits(limits=1, user_api="blas"):
            write(
                HERE / "claims.json",
                as_json(rounded(_numbers(options.data, Store(HERE / "fits", options.fresh)))),
            )
    write(HERE.parent / "claims.md", claims_page(json.loads((HERE / "claims.json").read_text())).encode())
    print(f"written: {HERE.parent / 'claims.md'}")
    return 0


def _numbers(data: Path, store: Store) -> dict[str, Any]:
    found = fitted(data, store)
    known = [
        from_fit(one, RATIOS[one.source]) for one, _ in found if one.source in RATIOS and one.fit.law.training
    ]
    every = [*known, *published()]
    after = [
        after_training(one)
        for one, _ in found
        if one.fit.law.post and one.fit.rows["bits_post"].notna().any()
    ]
    after += published_after()
    return {
        "claims": {name: _asked(ask, every) for name, ask in _OF_TRAINING.items()} | _of_after(after),
        "turns": measured_turns(tables(data)["tiny sweep"].frame),
        "silent": [name for name in law_names() if not load_law(name).training and not load_law(name).post],
        "laws": list(law_names()),
        "asked": {"prob": PROB, "sure": SURE, "near": NEAR, "waste": WASTE, "factor": BITS_SAVED}
        | {"speed_up": SPEED_UP, "over_trained": OVER_TRAINED, "methods": list(METHODS), "ratios": RATIOS},
        "sizes": [
            {"source": name}
            | {"n_params": one.sizes[0], "tokens": one.sizes[1], "flops": one.flops, "small": one.small}
            for name in RATIOS
            for one in [next(own for own in known if own.source == name)]
        ],
        "chips": {
            name: {
                "title": chip.title,
                "source": chip.source,
                "read": str(chip.read),
                "peak": dict(chip.peak),
            }
            for name in ("a100", "h100", "b200")
            for chip in [load_chip(name)]
        },
        "fits": [convergence(one) for _, one in found],
        "machine": runpy.run_path(str(REPOSITORY / "benchmarks" / "machine.py"))["machine"](),
    }


def _asked(ask: Callable[[Known], Any], every: list[Known]) -> list[dict[str, Any]]:
    """One row or several of each law and source."""
    found = [ask(one) for one in every]
    return [row for rows in found for row in (rows if isinstance(rows, list) else [rows])]


def _of_after(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The two halves of the claim on quantization after training."""
    of_four = [next((one for one in row["critical"] if one["bits"] == 4), None) for row in rows]
    return {
        "suffer": [row | {"probability": row["grows"], "silent": ""} for row in rows],
        "hurts": [
            row | {"probability": None if four is None else four["in_reach"]}
            for row, four in zip(rows, of_four, strict=True)
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
