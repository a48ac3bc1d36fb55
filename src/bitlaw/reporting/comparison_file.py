"""comparison.json: laws compared, for machines. No times and no paths in it."""

import json
import os
from pathlib import Path

from bitlaw.criticism.comparison import Comparison
from bitlaw.decisions.intervals import json_value


def save_comparison(comparison: Comparison, path: str | Path) -> Path:
    """Write a comparison; the file appears only when it is complete.

    Parameters
    ----------
    comparison
        The comparison.
    path
        Where to; its folder is made if needed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(json_value(comparison.to_dict()), indent=1, allow_nan=False, ensure_ascii=False)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
