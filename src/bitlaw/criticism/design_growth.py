"""Whether runs can tell how a penalty grows with tokens from how it falls with parameters."""

import pandas as pd

from bitlaw.criticism.design_size import HIGHEST_CONDITION_NUMBER, condition_number
from bitlaw.criticism.levels import level_finding, levels, ratio_levels, span
from bitlaw.finding import Finding, Status
from bitlaw.units import format_count


def growth_finding(
    code: str, runs: pd.DataFrame, of_tokens: str, of_parameters: str, which: str, advice: str
) -> Finding:
    """Whether the growth of a penalty with tokens and its decline with parameters can be told apart.

    Parameters
    ----------
    code
        Of the finding.
    runs
        One row per run that has the penalty.
    of_tokens, of_parameters
        Names of the two exponents.
    which
        Completes "runs …": which runs these are.
    advice
        Completes "… of other sizes" and "… with other ratios of tokens to parameters".
    """
    if runs.empty:
        problem = f"the priors decide {of_tokens} and {of_parameters}"
        return level_finding(code, 0, 2, f"There are no runs {which}", problem, f"{advice}.")
    value = condition_number(runs)
    if value is None:
        fixed = {
            constant: f"{symbol} = {format_count(levels(runs[column])[0])}"
            for column, symbol, constant in (("tokens", "D", of_tokens), ("n_params", "N", of_parameters))
            if len(levels(runs[column])) == 1
        }
        summary = f"All runs {which} have {' and '.join(fixed.values())}"
        problem = f"the priors decide {' and '.join(fixed)}"
        return level_finding(code, 1, 2, summary, problem, f"{advice} of other sizes.")
    apart = value <= HIGHEST_CONDITION_NUMBER
    summary = f"D/N among runs {which} {span(ratio_levels(runs), '{:.3g}'.format)}"
    shared = (
        f" and N and D vary together (condition number {value:.3g}, limit {HIGHEST_CONDITION_NUMBER:g}): "
        f"the priors decide partly how {of_tokens} and {of_parameters} share the effect."
    )
    return Finding(
        code,
        Status.PASS if apart else Status.WARN,
        value,
        HIGHEST_CONDITION_NUMBER,
        summary + ("." if apart else shared),
        "" if apart else f"{advice} with other ratios of tokens to parameters.",
    )
