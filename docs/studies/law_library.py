"""The law library on real runs: ``python docs/studies/law_library.py [--data DIR] [--fresh]``.

Fits every law of the study, and writes ``law_library.md``, ``law_library.json`` and ``figures/`` beside
this file: every number on the page comes from the run. Fits are kept in ``fits/``, so that an
interrupted run goes on where it stopped.
"""

import argparse
import runpy
import sys
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import corpora
import ptq_tables
import quest_qat
import tiny_sweep
from numbers_of import convergence
from page import render
from pictures import figures
from section import Section
from store import Store
from written import as_json, as_png, rounded, write

from bitlaw import RunTable, read_runs

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
TABLES = {
    "quest_qat": "quest_qat.csv",
    "ptq_tables": "ptq_perplexity_tables.csv",
    "corpora": "gadre_overtraining.csv",
}
_USAGE = 2


def main() -> int:
    """Run the study; 2 where a table is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--fresh", action="store_true", help="fit again what was fitted before")
    options = parser.parse_args()
    missing = [name for name in TABLES.values() if not (options.data / name).is_file()]
    if missing:
        print(
            f"{options.data}: no such table: {', '.join(missing)}; give their folder with --data",
            file=sys.stderr,
        )
        return _USAGE
    store = Store(HERE / "fits", options.fresh)
    sections = _sections(options.data, store)
    numbers = rounded(_numbers(sections))
    drawn = figures(sections)
    written = {
        HERE / "law_library.json": as_json(numbers),
        HERE / "law_library.md": render("law_library.md.j2", numbers).encode(),
    } | {HERE / "figures" / name: as_png(figure) for name, figure in drawn.items()}
    for path, content in written.items():
        write(path, content)
    print(f"written: {HERE / 'law_library.md'}")
    return 0


def _sections(data: Path, store: Store) -> dict[str, Section]:
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        sweep = read_runs(path)
    tables = {name: read_runs(data / file) for name, file in TABLES.items()} | {"tiny_sweep": sweep}
    parts: dict[str, Callable[[RunTable, Store], Section]] = {
        "quest_qat": quest_qat.section,
        "ptq_tables": ptq_tables.section,
        "tiny_sweep": tiny_sweep.section,
        "corpora": corpora.section,
    }
    return {name: part(tables[name], store) for name, part in parts.items()}


def _numbers(sections: dict[str, Section]) -> dict[str, Any]:
    fits = [convergence(fitted) for section in sections.values() for fitted in section.fits]
    comparisons = [compared for section in sections.values() for compared in section.comparisons]
    return {name: section.numbers for name, section in sections.items()} | {
        "fits": fits,
        "comparisons": [
            {"label": compared.label, "laws": len(compared.fits), "seconds": compared.seconds}
            | {"refits": sum(law["refits"] for law in compared.numbers["laws"])}
            for compared in comparisons
        ],
        "seconds": sum(compared.seconds for compared in comparisons)
        + sum(fit["seconds"] or 0.0 for fit in fits),
        "machine": runpy.run_path(str(REPOSITORY / "benchmarks" / "machine.py"))["machine"](),
        "prob": 0.9,
        "kind": "ETI",
    }


if __name__ == "__main__":
    sys.exit(main())
