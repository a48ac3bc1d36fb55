"""Numbers, pages and figures of a study as files, complete or not at all."""

import io
import json
import math
import os
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bitlaw.reporting.style import DEFAULT_STYLE, drawing

_SIGNIFICANT = 6


def rounded(value: Any) -> Any:
    """Plain JSON types, floats to six digits, what is not finite as null."""
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{_SIGNIFICANT}g}") if math.isfinite(value) else None
    return value


def as_json(numbers: dict[str, Any]) -> bytes:
    """Numbers as they are committed."""
    return (json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def as_png(figure: Figure) -> bytes:
    """A figure as it is committed: the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with drawing(DEFAULT_STYLE):
        figure.savefig(buffer, format="png", dpi=figure.dpi, metadata={"Software": None})
    return buffer.getvalue()


def write(path: Path, content: bytes) -> None:
    """The file appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
