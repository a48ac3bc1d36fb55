"""How fast a long step log is imported, in a process of its own, and with how much memory."""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 1_000_000
RUNS = 50
EVALUATED_EVERY = 100


def write_log(path: Path) -> None:
    """Write a log of a million steps of fifty runs, one in a hundred with an evaluation."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8") as lines:
        for row in range(ROWS):
            run, step = row % RUNS, row // RUNS
            line = {
                "run_id": f"run{run}",
                "step": step,
                "train/loss": 3 + rng.random(),
                "lr": 3e-4 * rng.random(),
                "grad_norm": rng.random(),
                "tokens": (step + 1) * 524_288,
                "n_params": 1e8 * (1 + run),
                "tokens_per_second": 1e5 * rng.random(),
            }
            if step % EVALUATED_EVERY == EVALUATED_EVERY - 1:
                line["eval/loss"] = 2 + rng.random()
            lines.write(json.dumps(line) + "\n")


def import_step_log() -> dict[str, object]:
    """Wall and processor seconds, and peak memory, of ``bitlaw import`` on that log."""
    record: dict[str, object] = {"rows": ROWS, "runs": RUNS}
    with tempfile.TemporaryDirectory() as folder:
        log, table = Path(folder) / "steps.jsonl", Path(folder) / "runs.csv"
        write_log(log)
        record["megabytes"] = round(log.stat().st_size / 1e6)
        for name, options in (("final_value", []), ("mean_of_last_5", ["--last", "5"])):
            command = [str(Path(sys.executable).with_name("bitlaw")), "import", str(log), "--from", "jsonl"]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            subprocess.run([*command, "--out", str(table), *options], check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            record[name] = {
                "seconds": round(time.perf_counter() - start, 2),
                "processor_seconds": round(
                    after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2
                ),
                "peak_gb_so_far": round(after.ru_maxrss / 1e6, 3),
            }
    return record
