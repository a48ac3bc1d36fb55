"""What a run table holds, in a few numbers; and the documentation of its columns."""

from typing import TYPE_CHECKING, Any

from bitlaw.runs.columns import TRAINING_BITS
from bitlaw.runs.describe import describe_columns

if TYPE_CHECKING:
    import pandas as pd

    from bitlaw.runs.table import RunTable


def summarise(table: "RunTable") -> dict[str, Any]:
    """Rows, ranges and levels of the usable rows, as plain JSON types."""
    frame = table.frame
    levels = {name: _levels(frame[name]) for name in (*TRAINING_BITS, "bits_post")}
    texts = {name: _levels(frame[name]) for name in ("method_post", "corpus", "family")}
    return {
        "source": table.source,
        "rows": len(frame),
        "training_runs": int(frame["run_id"].nunique()),
        "ptq_rows": len(table.post),
        "left_out": len(table.excluded),
        "n_params": _range(frame["n_params"]),
        "tokens": _range(frame["tokens"]),
        "tokens_per_parameter": _range(frame["tokens"] / frame["n_params"]),
        "loss": _range(frame["loss"]),
    } | {name: found for name, found in (levels | texts).items() if found}


def exclusions(table: "RunTable") -> list[dict[str, Any]]:
    """Rows left out: row number in the source, run and reason."""
    left_out = table.excluded
    return [
        {"row": int(row), "run_id": str(run_id), "reason": str(reason)}
        for row, run_id, reason in zip(left_out.index, left_out["run_id"], left_out["reason"], strict=True)
    ]


def columns_help() -> str:
    """The columns of a run table, a line each."""
    lines = [_line(column) for column in describe_columns()]
    return "Columns of a run table, one row per evaluated loss:\n\n" + "\n\n".join(lines)


def _line(column: dict[str, str]) -> str:
    required = {"no": "", "yes": " Required."}.get(
        column["required"], f" Required ({column['required'][5:]})."
    )
    default = f" Default {column['default']}." if column["default"] else ""
    return f"{column['name']}: {column['meaning']} Valid: {column['valid']}.{required}{default}"


def _levels(values: "pd.Series") -> list[Any]:
    return [value for value in sorted(values.dropna().unique().tolist()) if value != ""]


def _range(values: "pd.Series") -> dict[str, Any]:
    return {"distinct": int(values.nunique()), "lowest": float(values.min()), "highest": float(values.max())}
