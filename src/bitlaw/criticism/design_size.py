"""Whether the sizes of the runs can tell the constants of the base law apart."""

import numpy as np
import pandas as pd

from bitlaw.criticism.levels import (
    constant_names,
    level_finding,
    levels,
    plural,
    ratio_levels,
    span,
    training_runs,
)
from bitlaw.finding import Finding, Status
from bitlaw.laws.law import Law

HIGHEST_CONDITION_NUMBER = 10.0
"""Of the centred design in log N and log D, columns of unit length: |correlation| .98.

From 10 on, dependencies between columns begin to harm estimates (Belsley, Kuh and Welsch 1980).
"""

RUNS_PER_PARAMETER = 2
_FEWEST_SIZES = 3
_LARGEST_CONDITION_NUMBER = 1e6


def size_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """Number of runs, levels of N, D and D/N, and whether N and D vary apart."""
    runs = training_runs(frame)
    return (
        runs_finding(law, runs),
        _axis_finding(law, runs, "n_params", "N", ("a", "alpha", "g")),
        _axis_finding(law, runs, "tokens", "D", ("b", "beta", "g")),
        _ratio_finding(law, runs),
        collinear_finding(law, runs),
    )


def runs_finding(law: Law, runs: pd.DataFrame) -> Finding:
    """Training runs against twice the constants that are sampled; noise scales are not counted."""
    sampled = len(law.base.sampled)
    sampled += len(law.capacity.parameters) if law.capacity else 0
    sampled += len(law.post.parameters) if law.post else 0
    return level_finding(
        "design.runs",
        len(runs),
        RUNS_PER_PARAMETER * sampled,
        f"{plural(len(runs), 'training run')} for {sampled} sampled constants",
        f"fewer than {RUNS_PER_PARAMETER} runs per constant, so the priors decide some of them",
        "Log more runs, or choose a law with fewer terms.",
    )


def _axis_finding(
    law: Law, runs: pd.DataFrame, column: str, symbol: str, candidates: tuple[str, ...]
) -> Finding:
    """Three sizes tell a slope from a floor; one tells neither."""
    found = levels(runs[column])
    names = constant_names(law, *candidates)
    if len(found) == 1:
        summary = f"Every run has {symbol} = {span(found).removesuffix(' only')}"
        problem = f"the priors decide {names} (and E partly)"
    else:
        summary = f"{symbol} {span(found)}"
        problem = f"fewer than {_FEWEST_SIZES} cannot tell {names} from E, so the priors decide them partly"
    advice = f"Add runs of other {symbol}, ideally a factor of 4 or more apart."
    return level_finding(f"design.{column}", len(found), _FEWEST_SIZES, summary, problem, advice)


def _ratio_finding(law: Law, runs: pd.DataFrame) -> Finding:
    found = ratio_levels(runs)
    names = constant_names(law, "alpha", "beta")
    if len(found) == 1:
        summary = f"Every run has D/N = {found[0]:.3g}"
    else:
        summary = f"D/N {span(found, '{:.3g}'.format)}"
    problem = (
        f"the data see the sum of {names.replace(', ', ' and ')}, and the priors decide how it is shared"
    )
    return level_finding(
        "design.ratio", len(found), 2, summary, problem, "Add runs with other ratios of tokens to parameters."
    )


def collinear_finding(law: Law, runs: pd.DataFrame) -> Finding:
    """Condition number of the centred design in log N and log D."""
    code = "design.collinear"
    value = condition_number(runs)
    if value is None:
        message = "N or D has one level, so whether they vary apart was not checked."
        return Finding(code, Status.NOT_RUN, None, HIGHEST_CONDITION_NUMBER, message, "Vary both N and D.")
    shown = f"above {value:.0e}" if value >= _LARGEST_CONDITION_NUMBER else f"{value:.1f}"
    apart = value <= HIGHEST_CONDITION_NUMBER
    names = constant_names(law, "a", "b", "alpha", "beta").replace(", ", " and ")
    return Finding(
        code,
        Status.PASS if apart else Status.WARN,
        value,
        HIGHEST_CONDITION_NUMBER,
        f"The condition number of the design in log N and log D is {shown}"
        + (
            f"; up to {HIGHEST_CONDITION_NUMBER:g} they vary apart."
            if apart
            else f" (limit {HIGHEST_CONDITION_NUMBER:g}): N and D vary together, so the priors decide "
            f"partly how the loss is shared between {names}."
        ),
        "" if apart else "Add runs with other ratios of tokens to parameters.",
    )


def condition_number(runs: pd.DataFrame) -> float | None:
    """Of [log N, log D], centred and of unit length; None where one of them does not vary.

    Examples
    --------
    >>> condition_number(pd.DataFrame({"n_params": [1e6, 1e6, 1e7, 1e7], "tokens": [1e8, 1e9, 1e8, 1e9]}))
    1.0
    """
    if min(len(levels(runs[column])) for column in ("n_params", "tokens")) < 2:
        return None
    correlation = abs(np.corrcoef(np.log(runs["n_params"]), np.log(runs["tokens"]))[0, 1])
    smallest = _LARGEST_CONDITION_NUMBER**-2
    return round(float(np.sqrt((1 + correlation) / max(1 - correlation, 2 * smallest))), 6)
