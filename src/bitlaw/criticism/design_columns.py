"""Columns of the run table that vary and that a law ignores."""

from collections.abc import Sequence

import pandas as pd

from bitlaw.criticism.levels import constant_names, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import law_columns
from bitlaw.laws.formats import bits_say_all
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS

_MOST_LEVELS_SHOWN = 6
_GROUPS = ("corpus", "family", "method")
_FORWARD = (*TRAINING_BITS[:3], "format")
_READ_THROUGH = {
    "scheme": _FORWARD,
    "is_floating": _FORWARD,
    "block_size": ("group_size",),
    "scheme_backward": ("format_backward", "bits_gradients"),
}
"""Run-table columns that a term reads under another name."""


def ignored_column_findings(law: Law, frame: pd.DataFrame, pool: Sequence[str] = ()) -> tuple[Finding, ...]:
    """One WARN per column that varies without a term for it; one PASS where there is none.

    A format, method or group size counts as varying where it does so among runs that are quantized
    in training, or among those that are not, or among rows quantized after training: that 16-bit runs
    have a method of their own is what their bits say already. ``seed``, ``loss_se`` and
    ``vocab_size`` do not count.
    """
    found = [
        _varies(column, pd.concat(parts), law)
        for column, parts in _looked_at(law, frame).items()
        if column not in pool and any(part.dropna().unique().size > 1 for part in parts)
    ]
    if found:
        return tuple(found)
    message = f"No column varies that law {law.name} ignores."
    return (Finding("design.ignored_column", Status.PASS, 0.0, 0.0, message),)


def explained_columns(law: Law) -> frozenset[str]:
    """Run-table columns that the training terms of a law read, under whatever name.

    Examples
    --------
    >>> from bitlaw.laws.registry import load_law
    >>> sorted(explained_columns(load_law("quartet2025")) - set(TRAINING_BITS))
    ['format', 'format_backward', 'is_quantized', 'is_quantized_backward', 'scheme', 'scheme_backward']
    """
    through = [column for name in law.training_columns for column in _READ_THROUGH.get(name, ())]
    return law.training_columns | set(through)


def _looked_at(law: Law, frame: pd.DataFrame) -> dict[str, list[pd.Series]]:
    """By column no term explains, the groups of rows within which it is to be the same."""
    runs, after = training_runs(frame), frame[frame["bits_post"].notna()]
    columns = law_columns(runs)
    quantized = columns["is_quantized"] | columns["is_quantized_backward"]
    # Bits tell int4 from int8, and bf16 from neither.
    runs = runs.assign(format=runs["format"].where(~runs["format"].astype(str).map(bits_say_all), ""))
    looked_at = {column: [runs[column]] for column in ("corpus", "family")}
    for column in ("format", "format_backward", "method", "group_size"):
        looked_at[column] = [runs.loc[quantized, column], runs.loc[~quantized, column]]
    for column in TRAINING_BITS:
        looked_at[column] = [runs[column].clip(upper=UNQUANTIZED_BITS)]
    looked_at = {column: parts for column, parts in looked_at.items() if column not in explained_columns(law)}
    if law.post is not None:
        looked_at.setdefault("group_size", []).append(after["group_size"])
        if "method_post" not in law.by:
            looked_at["method_post"] = [after["method_post"]]
    if law.base.is_observed and constant_names(law, "C_w"):
        del looked_at["bits_weights"]
    return looked_at


def _varies(column: str, values: pd.Series, law: Law) -> Finding:
    known = sorted(values.dropna().unique())
    shown = [_shown(level) for level in known[:_MOST_LEVELS_SHOWN]]
    more = [f"and {len(known) - len(shown)} more"] if len(known) > len(shown) else []
    advice = "Fit rows of one level at a time"
    can_pool = column in _GROUPS and "" not in known
    advice += f", or pool over it (--pool {column})." if can_pool else "."
    return Finding(
        "design.ignored_column",
        Status.WARN,
        float(len(known)),
        1.0,
        f"Column {column} varies ({', '.join(shown + more)}) and law {law.name} ignores it: "
        "its effect ends up in the constants and in the noise.",
        advice,
    )


def _shown(level: object) -> str:
    if isinstance(level, float):
        return f"{level:g}"
    return str(level) or "empty"
