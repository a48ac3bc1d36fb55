"""Columns of the run table that vary and that a law ignores."""

import pandas as pd

from bitlaw.criticism.levels import training_runs
from bitlaw.finding import Finding, Status
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS

_MOST_LEVELS_SHOWN = 6
_EVERYWHERE = ("corpus", "family")
_WITHIN_PRECISION = ("format", "format_backward", "method", "group_size")
_AFTER_TRAINING = ("method_post", "group_size")


def ignored_column_findings(law: Law, frame: pd.DataFrame, pool: str | None = None) -> tuple[Finding, ...]:
    """One WARN per column that varies without a term for it; one PASS where there is none.

    A format, method or group size counts as varying where it does so among runs that are quantized
    in training, or among those that are not, or among rows quantized after training: that 16-bit runs
    have a method of their own is what their bits say already. ``seed``, ``loss_se`` and
    ``vocab_size`` do not count.
    """
    runs = training_runs(frame)
    quantized = runs[list(TRAINING_BITS)].lt(UNQUANTIZED_BITS).any(axis=1)
    after = frame[frame["bits_post"].notna()]
    looked_at = {column: [runs[column]] for column in _EVERYWHERE}
    for column in _WITHIN_PRECISION:
        looked_at[column] = [runs.loc[quantized, column], runs.loc[~quantized, column]]
    if law.post is not None:
        for column in _AFTER_TRAINING:
            looked_at[column] = [*looked_at.get(column, []), after[column]]
    explained = law.capacity.columns if law.capacity else ()
    for column in TRAINING_BITS:
        if column not in explained:
            looked_at[column] = [runs[column].clip(upper=UNQUANTIZED_BITS)]
    found = []
    for column, parts in looked_at.items():
        if column != pool and any(part.dropna().unique().size > 1 for part in parts):
            found.append(_varies(law, column, pd.concat(parts)))
    if found:
        return tuple(found)
    message = f"No column varies that law {law.name} ignores."
    return (Finding("design.ignored_column", Status.PASS, 0.0, 0.0, message),)


def _varies(law: Law, column: str, values: pd.Series) -> Finding:
    known = sorted(values.dropna().unique())
    shown = [_shown(level) for level in known[:_MOST_LEVELS_SHOWN]]
    more = [f"and {len(known) - len(shown)} more"] if len(known) > len(shown) else []
    advice = "Fit rows of one level at a time"
    advice += f", or pool over it (--pool {column})." if column in _EVERYWHERE else "."
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
