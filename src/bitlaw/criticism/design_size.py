"""Whether the sizes of the runs can tell the constants of the base law apart."""

import numpy as np
import pandas as pd

from bitlaw.criticism.levels import (
    SAME_SIZE,
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
from bitlaw.laws.noise import ALL_NOISE

HIGHEST_CONDITION_NUMBER = 10.0
"""Of the centred design in log N and log D, columns of unit length: |correlation| .98.

From 10 on, dependencies between columns begin to harm estimates (Belsley, Kuh and Welsch 1980).
"""

RUNS_PER_PARAMETER = 2
_FEWEST_SIZES = 3
_LARGEST_CONDITION_NUMBER = 1e6
_FLOORS = ("E", "floor_share")
_TOKEN_SLOPES = ("beta", "slope_d")
"""What a base samples for its slope in tokens, where that is not the one in parameters."""


def size_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """Number of runs, levels of N, D and D/N, and whether N and D vary apart.

    A law that takes losses as trained as data has no base to identify: its degradations are counted.
    """
    runs = training_runs(frame)
    if law.base.is_observed:
        return (_degradations_finding(law, frame),)
    return (
        runs_finding(law, runs),
        _axis_finding(law, runs, "n_params", "N", ("a", "alpha", "g")),
        _axis_finding(law, runs, "tokens", "D", ("b", "beta", "g")),
        _ratio_finding(law, runs),
        collinear_finding(law, runs),
    )


def runs_finding(law: Law, runs: pd.DataFrame) -> Finding:
    """Training runs against twice the constants that are sampled; noise scales are not counted."""
    sampled = sampled_constants(law)
    return level_finding(
        "design.runs",
        len(runs),
        RUNS_PER_PARAMETER * sampled,
        f"{plural(len(runs), 'training run')} for {sampled} sampled constants",
        f"fewer than {RUNS_PER_PARAMETER} runs per constant, so the priors decide some of them",
        "Log more runs, or choose a law with fewer terms.",
    )


def sampled_constants(law: Law) -> int:
    """How many constants have a prior of their own, noise scales left out."""
    noise = {parameter.name for parameter in ALL_NOISE}
    return sum(prior.name not in noise for prior in law.priors)


def _degradations_finding(law: Law, frame: pd.DataFrame) -> Finding:
    after = frame[frame["bits_post"].notna()]
    sampled = sampled_constants(law)
    return level_finding(
        "design.runs",
        len(after),
        RUNS_PER_PARAMETER * sampled,
        f"{plural(len(after), 'degradation')} of {plural(after['run_id'].nunique(), 'run')} for {sampled} "
        "sampled constants",
        f"fewer than {RUNS_PER_PARAMETER} degradations per constant, so the priors decide some of them",
        "Evaluate more bit-widths or runs after post-training quantization.",
    )


def _axis_finding(
    law: Law, runs: pd.DataFrame, column: str, symbol: str, candidates: tuple[str, ...]
) -> Finding:
    """Three sizes tell a slope from a floor, two a slope without a floor; one tells neither."""
    found = levels(runs[column], SAME_SIZE)
    sampled = {parameter.name for parameter in law.base.sampled}
    has_floor = not sampled.isdisjoint(_FLOORS)
    # An outer exponent that is not sampled is another constant by another name.
    names = constant_names(law, *(name for name in candidates if name != "g" or name in sampled))
    needed = _FEWEST_SIZES if has_floor else _FEWEST_SIZES - 1
    if len(found) == 1:
        summary = f"Every run has {symbol} = {span(found).removesuffix(' only')}"
        problem = f"the priors decide {names}" + (" (and E partly)" if has_floor else "")
    else:
        summary = f"{symbol} {span(found)}"
        problem = f"fewer than {needed} cannot tell {names} from E, so the priors decide them partly"
    advice = f"Add runs of other {symbol}, ideally a factor of 4 or more apart."
    return level_finding(f"design.{column}", len(found), needed, summary, problem, advice)


def _ratio_finding(law: Law, runs: pd.DataFrame) -> Finding:
    found = ratio_levels(runs)
    has_two_slopes = any(parameter.name in _TOKEN_SLOPES for parameter in law.base.sampled)
    names = constant_names(law, *(("alpha", "beta") if has_two_slopes else ("a", "b")))
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
    return condition_of(abs(np.corrcoef(np.log(runs["n_params"]), np.log(runs["tokens"]))[0, 1]))


def condition_of(correlation: float) -> float:
    """Condition number of two centred columns of unit length with this absolute correlation.

    Examples
    --------
    >>> condition_of(0.0), round(condition_of(0.98), 1)
    (1.0, 9.9)
    """
    smallest = _LARGEST_CONDITION_NUMBER**-2
    return round(float(np.sqrt((1 + correlation) / max(1 - correlation, 2 * smallest))), 6)
