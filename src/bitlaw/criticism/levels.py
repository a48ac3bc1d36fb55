"""Sentences about the levels of a column, shared by the design checks."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from bitlaw.finding import Finding, Status
from bitlaw.laws.law import Law
from bitlaw.units import format_count

SAME_SIZE = 0.05
"""Relative difference up to which two N, or two D, are one level: too close to tell a slope by."""

_SAME_RATIO = 0.01
"""Relative difference below which two D/N are one level: D = 20 N is rounded to whole batches."""


def levels(values: pd.Series, same: float = 1e-6) -> np.ndarray:
    """Distinct positive numbers, sorted; one within a share of ``same`` above a level belongs to it.

    Examples
    --------
    >>> levels(pd.Series([20.0, 20.00001, 40.0])).tolist()
    [20.0, 40.0]
    >>> levels(pd.Series([100.0, 104.0, 108.0, 112.0]), same=0.05).tolist()
    [100.0, 108.0]
    """
    found: list[float] = []
    for value in np.unique(values.dropna().to_numpy(np.float64)):
        if not found or np.log(value / found[-1]) > same:
            found.append(value)
    return np.array(found)


def ratio_levels(runs: pd.DataFrame) -> np.ndarray:
    """Distinct tokens per parameter, sorted."""
    return levels(runs["tokens"] / runs["n_params"], _SAME_RATIO)


def training_runs(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per training run."""
    return frame.drop_duplicates("run_id")


def span(values: Sequence[float] | np.ndarray, form: Callable[[float], str] = format_count) -> str:
    """From where to where, and how many levels.

    Examples
    --------
    >>> span([25e3, 55e3, 332e3])
    'from 25k to 332k, 3 levels'
    >>> span([7e9])
    '7B only'
    """
    if len(values) == 1:
        return f"{form(values[0])} only"
    return f"from {form(values[0])} to {form(values[-1])}, {len(values)} levels"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> plural(1, "run"), plural(2, "bit-width")
    ('1 run', '2 bit-widths')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def constant_names(law: Law, *candidates: str) -> str:
    """Those of the names that are constants of the law, joined for a sentence."""
    known = {parameter.name for parameter in law.parameters}
    return ", ".join(name for name in candidates if name in known)


def level_finding(code: str, count: int, needed: int, summary: str, problem: str, advice: str) -> Finding:
    """PASS with the summary where there are levels enough, else WARN with the problem as well."""
    enough = count >= needed
    return Finding(
        code,
        Status.PASS if enough else Status.WARN,
        float(count),
        float(needed),
        f"{summary}." if enough else f"{summary}: {problem}.",
        "" if enough else advice,
    )
