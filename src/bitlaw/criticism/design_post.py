"""Whether the rows quantized after training can identify the post-training term of a law."""

import pandas as pd

from bitlaw.criticism.design_size import HIGHEST_CONDITION_NUMBER, condition_number
from bitlaw.criticism.levels import level_finding, levels, plural, ratio_levels, span, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.laws.law import Law
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits, format_count

_FEWEST_BITS = 2


def post_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """Levels of bits, sizes and training bits among rows quantized after training; none without a term."""
    if law.post is None:
        return ()
    rows = frame[frame["bits_post"].notna()]
    names = ", ".join(parameter.name for parameter in law.post.parameters)
    if rows.empty:
        return (
            Finding(
                "design.bits_post",
                Status.WARN,
                0.0,
                float(_FEWEST_BITS),
                f"No row is quantized after training: the priors decide {names}.",
                "Evaluate the runs after post-training quantization, or choose a law without that term.",
            ),
        )
    return (
        _bits_finding(rows),
        _size_finding(rows),
        _training_bits_finding(rows),
        _paired_finding(frame, rows),
    )


def _bits_finding(rows: pd.DataFrame) -> Finding:
    found = levels(rows["bits_post"])
    runs = plural(rows["run_id"].nunique(), "run")
    return level_finding(
        "design.bits_post",
        len(found),
        _FEWEST_BITS,
        f"{plural(len(rows), 'PTQ row')} of {runs}; bits after training {span(found, format_bits)}",
        "the priors decide gamma_post",
        "Evaluate at other bit-widths after training.",
    )


def _size_finding(rows: pd.DataFrame) -> Finding:
    """Whether the growth with tokens and the decline with parameters can be told apart."""
    code, runs = "design.post_size", training_runs(rows)
    value = condition_number(runs)
    if value is None:
        fixed = {
            constant: f"{symbol} = {format_count(levels(runs[column])[0])}"
            for column, symbol, constant in (("tokens", "D", "gamma_D"), ("n_params", "N", "gamma_N"))
            if len(levels(runs[column])) == 1
        }
        summary = f"Every run with PTQ rows has {' and '.join(fixed.values())}"
        problem = f"the priors decide {' and '.join(fixed)}"
        advice = "Evaluate runs of other sizes after post-training quantization."
        return level_finding(code, 1, 2, summary, problem, advice)
    ratios = ratio_levels(runs)
    apart = value <= HIGHEST_CONDITION_NUMBER
    summary = f"D/N among runs with PTQ rows {span(ratios, '{:.3g}'.format)}"
    shared = (
        f" and N and D vary together (condition number {value:.3g}, limit {HIGHEST_CONDITION_NUMBER:g}): "
        "the priors decide partly how gamma_D and gamma_N share the effect."
    )
    return Finding(
        code,
        Status.PASS if apart else Status.WARN,
        value,
        HIGHEST_CONDITION_NUMBER,
        summary + ("." if apart else shared),
        "" if apart else "Evaluate runs with other ratios of tokens to parameters after quantization.",
    )


def _training_bits_finding(rows: pd.DataFrame) -> Finding:
    """C_w says how the damage depends on the distance to the training bits, so these must vary."""
    found = levels(rows["bits_weights"].clip(upper=UNQUANTIZED_BITS))
    return level_finding(
        "design.post_training_bits",
        len(found),
        2,
        f"Training bits of the weights among PTQ rows {span(found, format_bits)}",
        "the priors decide C_w",
        "Evaluate runs trained in few bits after post-training quantization too.",
    )


def _paired_finding(frame: pd.DataFrame, rows: pd.DataFrame) -> Finding:
    """A gap to the run's own loss is free of seed noise; a row without it is not."""
    own = frame.loc[frame["bits_post"].isna(), "run_id"]
    unpaired = int((~rows["run_id"].isin(own)).sum())
    message = f"{len(rows) - unpaired} of {len(rows)} PTQ rows come with the loss of their run before it"
    return Finding(
        "design.paired",
        Status.WARN if unpaired else Status.PASS,
        float(unpaired),
        0.0,
        f"{message}: the other {unpaired} carry seed noise, so kappa, tau and C are learned from fewer."
        if unpaired
        else f"{message}.",
        "Add the row with empty bits_post for each run." if unpaired else "",
    )
