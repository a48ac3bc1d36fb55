"""The corpus: the Python standard library's own source files, as bytes.

Every ``*.py`` file of the running interpreter's standard library is read in
sorted order, exact duplicates and build-specific files are dropped, the files
are shuffled with a fixed seed, and a fixed share of the *files* is held out
for validation.
"""

from __future__ import annotations

import hashlib
import platform
import random
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

SHUFFLE_SEED = 0
HELD_OUT_SHARE_OF_FILES = 0.06
EXCLUDED_FOLDERS = frozenset({"site-packages", "dist-packages", "__pycache__"})


@dataclass(frozen=True)
class CorpusRecord:
    """What is written beside the results so that a table names its corpus."""

    corpus: str
    files_sha256: str
    python_version: str
    file_count: int
    byte_count: int
    training_files: int
    training_bytes: int
    validation_files: int
    validation_bytes: int
    shuffle_seed: int

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Corpus:
    """Training and held-out byte streams (uint8 tensors) and their record."""

    training: torch.Tensor
    validation: torch.Tensor
    record: CorpusRecord


def is_wanted(relative: Path) -> bool:
    """Keep library sources; drop installed packages and build-specific files."""
    folders = relative.parts[:-1]
    if any(part in EXCLUDED_FOLDERS or part.startswith("config-") for part in folders):
        return False
    return not relative.name.startswith("_sysconfigdata")


def read_library(root: Path) -> list[tuple[str, bytes]]:
    """(relative path, contents) of the wanted files, sorted, duplicates dropped."""
    paths = (path for path in root.rglob("*.py") if path.is_file())
    relatives = sorted((path.relative_to(root) for path in paths), key=lambda path: path.as_posix())
    seen: set[bytes] = set()
    files = []
    for relative in relatives:
        if not is_wanted(relative):
            continue
        contents = (root / relative).read_bytes()
        digest = hashlib.sha256(contents).digest()
        if contents and digest not in seen:
            seen.add(digest)
            files.append((relative.as_posix(), contents))
    return files


def hash_files(files: list[tuple[str, bytes]]) -> str:
    """One sha256 over the sorted list of paths and content hashes."""
    summary = hashlib.sha256()
    for name, contents in files:
        summary.update(f"{name}\t{hashlib.sha256(contents).hexdigest()}\n".encode())
    return summary.hexdigest()


def as_tensor(files: list[tuple[str, bytes]]) -> torch.Tensor:
    """The files' contents, end to end, as a one-dimensional uint8 tensor."""
    joined = bytearray(b"".join(contents for _, contents in files))
    return torch.frombuffer(joined, dtype=torch.uint8)


def load_corpus(root: Path | None = None) -> Corpus:
    """Read, shuffle and split the standard library of this interpreter."""
    files = read_library(root or Path(sysconfig.get_path("stdlib")))
    shuffled = list(files)
    random.Random(SHUFFLE_SEED).shuffle(shuffled)
    held_out = max(1, round(HELD_OUT_SHARE_OF_FILES * len(shuffled)))
    validation_files, training_files = shuffled[:held_out], shuffled[held_out:]
    training, validation = as_tensor(training_files), as_tensor(validation_files)
    record = CorpusRecord(
        corpus="python_stdlib",
        files_sha256=hash_files(files),
        python_version=platform.python_version(),
        file_count=len(files),
        byte_count=training.numel() + validation.numel(),
        training_files=len(training_files),
        training_bytes=training.numel(),
        validation_files=len(validation_files),
        validation_bytes=validation.numel(),
        shuffle_seed=SHUFFLE_SEED,
    )
    return Corpus(training, validation, record)


def training_offsets(stream_length: int, context: int, count: int, seed: int) -> torch.Tensor:
    """Start offsets of ``count`` training windows, in this seed's order.

    The stream is cut into non-overlapping windows, visited in a random order
    without repetition; only if more windows are asked for than there are does
    a second pass, in a new order, begin.
    """
    available = (stream_length - 1) // context
    generator = torch.Generator().manual_seed(1_000_003 + seed)
    passes = -(-count // available)
    order = torch.cat([torch.randperm(available, generator=generator) for _ in range(passes)])
    return order[:count] * context


def validation_windows(stream: torch.Tensor, context: int, count: int) -> torch.Tensor:
    """``count`` evenly spaced windows, as a (count, context + 1) tensor of bytes."""
    last = stream.numel() - context - 1
    offsets = torch.arange(count) * last // max(1, count - 1)
    return stream[offsets[:, None] + torch.arange(context + 1)].long()
