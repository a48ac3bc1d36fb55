"""Run the sweep, resume it, show its plan, or assemble its table.

python sweep.py --plan
python sweep.py --out DIR --workers 2 --nice 19
python sweep.py --out DIR --assemble TABLE.csv
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from pathlib import Path

import torch
from corpus import Corpus, load_corpus
from grid import Run, planned_runs
from results import (
    assemble,
    finished_run_ids,
    format_rows,
    machine_record,
    read_json,
    run_path,
    write_atomically,
    write_json,
)
from train import execute

worker_corpus: Corpus | None = None
worker_folder: Path | None = None


def start_worker(folder: Path, niceness: int) -> None:
    """Prepare a worker process: low priority, one thread, its own corpus."""
    global worker_corpus, worker_folder
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    worker_corpus, worker_folder = load_corpus(), folder


def work(run: Run) -> list[dict[str, object]]:
    """Execute one run in a worker and write its rows, all at once."""
    rows = execute(run, worker_corpus)
    write_atomically(run_path(worker_folder, run.run_id), format_rows(rows))
    return rows


def prepare_folder(folder: Path, workers: int) -> None:
    """Record corpus and machine; refuse to mix two corpora in one folder."""
    record = load_corpus().record.to_dict()
    known = read_json(folder / "corpus.json")
    if known and known["files_sha256"] != record["files_sha256"]:
        sys.exit(f"{folder} holds results of another corpus; choose a new folder")
    write_json(folder / "corpus.json", record)
    write_json(folder / "sweep.json", machine_record(torch.__version__, workers))
    needed = max(run.tokens for run in planned_runs())
    if record["training_bytes"] < needed:
        print(
            f"note: only {record['training_bytes']} training bytes for runs of up to "
            f"{needed}; the longest runs repeat data",
            flush=True,
        )


def describe(rows: list[dict[str, object]]) -> str:
    """One line on a finished run: its id, seconds and losses."""
    losses = " ".join(f"{row['bits_post'] or 'trained'}:{row['loss']:.4f}" for row in rows)
    return f"{rows[0]['run_id']} {rows[0]['wall_seconds']:.1f}s {losses}"


def run_sweep(folder: Path, workers: int, niceness: int) -> None:
    """Execute what is not finished yet, then assemble DIR/runs.csv."""
    prepare_folder(folder, workers)
    runs = planned_runs()
    finished = finished_run_ids(folder)
    waiting = [run for run in runs if run.run_id not in finished]
    print(f"{len(runs)} runs planned, {len(runs) - len(waiting)} finished", flush=True)
    processes = multiprocessing.get_context("spawn")
    with processes.Pool(workers, start_worker, (folder, niceness)) as pool:
        for at, rows in enumerate(pool.imap_unordered(work, waiting), 1):
            print(f"{at}/{len(waiting)} {describe(rows)}", flush=True)
    assemble(folder, folder / "runs.csv", len(runs))


def show_plan() -> None:
    """Print the ordered runs with their estimated seconds, and the totals."""
    runs = planned_runs()
    elapsed = 0.0
    for run in runs:
        elapsed += run.estimated_seconds
        print(f"{run.run_id:55s} {run.estimated_seconds:7.0f} s {elapsed:8.0f} s")
    post_rows = sum(run.post_rows for run in runs)
    print(f"{len(runs)} training runs, {post_rows} rounded rows, about {elapsed:.0f} thread-seconds")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Tiny precision sweep on the CPU.")
    add = parser.add_argument
    add("--plan", action="store_true", help="show the runs and stop")
    add("--out", type=Path, help="folder of the results")
    add("--workers", type=int, default=2, help="processes, one thread each")
    add("--nice", type=int, default=0, help="niceness of the workers")
    add(
        "--assemble",
        type=Path,
        metavar="TABLE.csv",
        help="combine the finished runs of --out and stop",
    )
    return parser.parse_args()


def main() -> None:
    """Do what the command line asks."""
    arguments = parse_arguments()
    if arguments.plan:
        show_plan()
    elif arguments.out is None:
        sys.exit("--out DIR is needed")
    elif arguments.assemble:
        record = assemble(arguments.out, arguments.assemble, len(planned_runs()))
        print(f"{record['runs_finished']} of {record['runs_planned']} runs, {record['rows']} rows")
    else:
        run_sweep(arguments.out, arguments.workers, arguments.nice)


if __name__ == "__main__":
    main()
