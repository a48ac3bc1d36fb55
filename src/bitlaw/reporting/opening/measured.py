"""Which models were measured, in a sentence."""

import math

import pandas as pd

from bitlaw.inference.fit import Fit
from bitlaw.units import format_count

_SOMEBODY_ELSES_MODEL = 7e9
_BYTES = 256


def range_sentence(fit: Fit) -> str:
    """Which models were measured, and that the numbers are about nothing else."""
    rows = fit.rows
    vocabulary = rows["vocab_size"].dropna().unique()
    level = ""
    if len(vocabulary) == 1:
        level = (
            f", byte-level (vocabulary {_BYTES})"
            if vocabulary[0] == _BYTES
            else (f", vocabulary {format_count(vocabulary[0])}")
        )
    return (
        f"The fitted runs have {_span(rows['n_params'])} parameters and {_span(rows['tokens'])} "
        f"tokens{level}; outside that these numbers are not "
        f"evidence{_not_for_others(float(rows['n_params'].max()))}."
    )


def _span(values: pd.Series) -> str:
    lo, hi = format_count(float(values.min())), format_count(float(values.max()))
    return lo if lo == hi else f"{lo} to {hi}"


def _not_for_others(largest: float) -> str:
    decades = math.log10(_SOMEBODY_ELSES_MODEL / largest)
    if decades < 1.0:
        return ""
    return f", and not advice for a {format_count(_SOMEBODY_ELSES_MODEL)} model, {decades:.1f} decades larger"
