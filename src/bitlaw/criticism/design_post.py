"""Whether the rows quantized after training can identify the post-training term of a law."""

import pandas as pd

from bitlaw.criticism.design_growth import growth_finding
from bitlaw.criticism.levels import constant_names, level_finding, levels, plural, span, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.laws.law import Law
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits

_FEWEST_BITS = 2
_MOST_SHOWN = 6


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
    growth = growth_finding(
        "design.post_size",
        training_runs(rows),
        "gamma_D",
        "gamma_N",
        "with PTQ rows",
        "Evaluate runs after post-training quantization",
    )
    bits_before = (_training_bits_finding(rows),) if constant_names(law, "C_w") else ()
    several = "method_post" in law.by and rows["method_post"].nunique() > 1
    methods = (_methods_finding(law, rows),) if several else ()
    return (_bits_finding(law, rows), *methods, growth, *bits_before, _paired_finding(frame, rows))


def _bits_finding(law: Law, rows: pd.DataFrame) -> Finding:
    found = levels(rows["bits_post"])
    runs = plural(rows["run_id"].nunique(), "run")
    return level_finding(
        "design.bits_post",
        len(found),
        _FEWEST_BITS,
        f"{plural(len(rows), 'PTQ row')} of {runs}; bits after training {span(found, format_bits)}",
        f"the priors decide {constant_names(law, 'gamma_post', 'gamma_P')}",
        "Evaluate at other bit-widths after training.",
    )


def _methods_finding(law: Law, rows: pd.DataFrame) -> Finding:
    """Each method has constants of its own: with one bit-width, its slope is that of the others."""
    found = rows.groupby("method_post")["bits_post"].nunique()
    few = [str(name) for name, count in found.items() if count < _FEWEST_BITS]
    shown = f"{', '.join(few[:_MOST_SHOWN])}{f' and {len(few) - _MOST_SHOWN} more' if len(few) > _MOST_SHOWN else ''}"
    return level_finding(
        "design.method_post",
        int(found.min()),
        _FEWEST_BITS,
        f"{len(found)} methods after training, with {int(found.min())} bit-widths or more each"
        if not few
        else f"{len(few)} of {len(found)} methods after training were measured at one bit-width ({shown})",
        f"the other methods and the prior of their spread decide {constant_names(law, 'gamma_post', 'gamma_P')} there",
        "Evaluate these methods at other bit-widths.",
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
