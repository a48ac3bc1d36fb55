"""The machine and versions a measurement was made on."""

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_LOOPS, _STEPS = 5, 4_000_000


def loop_seconds() -> float:
    """The fastest of five runs of a fixed loop in plain Python.

    A virtual processor is as fast as its neighbours let it be, up to a factor of three between hours of one day.
    Seconds of two measurements compare after division by this.
    """
    taken = []
    for _ in range(_LOOPS):
        start, total = time.perf_counter(), 0
        for step in range(_STEPS):
            total += step * step
        taken.append(time.perf_counter() - start)
    return round(min(taken), 3)


def machine() -> dict[str, str | float]:
    """Processor, its speed now, cores, Python and library versions, and the day."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        processor = names[0] if names else processor
    libraries = {name: version(name) for name in ("bitlaw", "pymc", "pytensor", "nutpie", "arviz", "numpy")}
    return {
        "processor": processor,
        "cores": os.cpu_count() or 0,
        "load_at_start": round(os.getloadavg()[0], 2),
        "loop_seconds": loop_seconds(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        **libraries,
    }
