"""How long a report takes from saved fits of the embedded sweep (627 rows), and how large its page is."""

import resource
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

SWEEP = files("bitlaw.data").joinpath("tiny_sweep.csv")
LAWS = ("bitlaw-default", "kumar2024-coupled")


def report_runs() -> dict[str, object]:
    """`bitlaw report` of one fit and of two, each in a process of its own; the fits are not timed."""
    bitlaw = str(Path(sys.executable).with_name("bitlaw"))
    record: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        fits = [str(Path(folder) / f"{law}.nc") for law in LAWS]
        for law, fit in zip(LAWS, fits, strict=True):
            _timed([bitlaw, "fit", str(SWEEP), "--law", law, "--out", fit])
        for name, given in (("one_law", fits[:1]), ("two_laws", fits)):
            out = Path(folder) / name
            record[name] = _timed([bitlaw, "report", *given, "--out", str(out)]) | {
                f"{path.stem}_kilobytes": round(path.stat().st_size / 1e3) for path in sorted(out.iterdir())
            }
    return record


def _timed(command: list[str]) -> dict[str, float]:
    """Wall and processor seconds of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode not in (0, 1):  # 1: done, but the fit did not converge
        raise RuntimeError(f"exit {done.returncode}: {' '.join(command)}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(time.perf_counter() - start, 2), "processor_seconds": round(spent, 2)}
