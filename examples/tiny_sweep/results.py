"""Result files: one small CSV per finished run, one assembled table, one record."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
from pathlib import Path

COLUMNS = (
    "run_id",
    "n_params",
    "tokens",
    "loss",
    "bits_weights",
    "bits_activations",
    "bits_kv",
    "bits_post",
    "method_post",
    "seed",
    "vocab_size",
    "status",
    "corpus",
    "family",
    "wall_seconds",
)


def write_atomically(path: Path, text: str) -> None:
    """Write the whole file or nothing: a temporary file, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def format_rows(rows: list[dict[str, object]]) -> str:
    """Rows as CSV text with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        loss, seconds = float(row["loss"]), float(row["wall_seconds"])
        writer.writerow(row | {"loss": f"{loss:.6f}", "wall_seconds": f"{seconds:.2f}"})
    return text.getvalue()


def run_path(folder: Path, run_id: str) -> Path:
    """Where a finished run's rows lie."""
    return folder / "rows" / f"{run_id}.csv"


def finished_run_ids(folder: Path) -> set[str]:
    """Ids of the runs whose rows have been written."""
    return {path.stem for path in (folder / "rows").glob("n*.csv")}


def read_rows(folder: Path) -> list[dict[str, str]]:
    """All finished rows, in an order that depends only on what they are."""
    rows = []
    for path in (folder / "rows").glob("n*.csv"):
        with open(path, encoding="utf-8", newline="") as handle:
            rows.extend(csv.DictReader(handle))
    return sorted(rows, key=sort_key)


def sort_key(row: dict[str, str]) -> tuple[int, ...]:
    """Wide to narrow bits, small to large models, trained row before rounded ones."""
    bits = [int(row[name]) for name in ("bits_weights", "bits_activations", "bits_kv")]
    size = [int(row[name]) for name in ("n_params", "tokens", "seed")]
    return (*(-value for value in bits), *size, -int(row["bits_post"] or 1000))


def processor_name() -> str:
    """The processor's model name, where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as handle:
            for line in handle:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine_record(torch_version: str, workers: int | None = None) -> dict[str, object]:
    """What the wall times depend on."""
    return {
        "python_version": platform.python_version(),
        "torch_version": torch_version,
        "processor": processor_name(),
        "processor_count": os.cpu_count(),
        "workers": workers,
        "threads_per_worker": 1,
    }


def read_json(path: Path) -> dict[str, object]:
    """A JSON record, or an empty one if there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_json(path: Path, record: dict[str, object]) -> None:
    """Write a JSON record atomically."""
    write_atomically(path, json.dumps(record, indent=2, sort_keys=True) + "\n")


def assemble(folder: Path, target: Path, planned: int) -> dict[str, object]:
    """Write the combined table to ``target`` and its record beside it."""
    rows = read_rows(folder)
    record = {
        "corpus": read_json(folder / "corpus.json"),
        "machine": read_json(folder / "sweep.json"),
        "runs_planned": planned,
        "runs_finished": len({row["run_id"] for row in rows}),
        "runs_diverged": len({row["run_id"] for row in rows if row["status"] != "ok"}),
        "rows": len(rows),
        "rows_rounded_after_training": sum(bool(row["bits_post"]) for row in rows),
        "thread_seconds": round(sum(float(row["wall_seconds"]) for row in rows), 1),
    }
    write_atomically(target, format_rows(rows))
    write_json(target.with_suffix(".json"), record)
    return record
