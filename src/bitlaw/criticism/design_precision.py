"""Whether the training precisions can identify the capacity term of a law."""

from itertools import combinations

import pandas as pd

from bitlaw.criticism.levels import level_finding, levels, plural, span, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.laws.law import Law
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits

_FEWEST_BITS = 2


def precision_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """Levels of bits per tensor kind, kinds that vary together, and runs at 16 bits; none without a term."""
    if law.capacity is None:
        return ()
    runs = training_runs(frame)
    kinds = [kind for kind in TENSOR_KINDS if kind[1] in law.capacity.columns]
    bits = {column: runs[column].clip(upper=UNQUANTIZED_BITS) for _, column, _ in kinds}
    return (
        *(_bits_finding(kind, column, name, bits[column]) for kind, column, name in kinds),
        _together_finding(kinds, bits),
        _reference_finding(kinds, bits),
    )


def _bits_finding(kind: str, column: str, name: str, bits: pd.Series) -> Finding:
    """Two bit-widths below 16 tell the sensitivity from the floor; none tells neither."""
    below = levels(bits[bits < UNQUANTIZED_BITS])
    constants = f"gamma_{kind} and P0_{kind}"
    if not len(below):
        summary, problem = f"No run has {name} below 16 bits", f"the priors decide {constants}"
    else:
        summary = f"Bits of the {name} below 16: {span(below, format_bits)}"
        problem = f"one bit-width cannot tell {constants} apart, and the priors decide how they share"
    advice = f"Add runs with other bits of the {name}, or do not ask about them."
    return level_finding(f"design.{column}", len(below), _FEWEST_BITS, summary, problem, advice)


def _together_finding(kinds: list[tuple[str, str, str]], bits: dict[str, pd.Series]) -> Finding:
    """Two tensor kinds whose bits always change together share one effect."""
    code = "design.bits_together"
    varying = [item for item in kinds if len(levels(bits[item[1]])) > 1]
    pairs = list(combinations(varying, 2))
    if not pairs:
        message = "Fewer than two tensor kinds vary in bits, so whether they vary apart was not checked."
        return Finding(code, Status.NOT_RUN, None, 0.0, message)
    together = [(one, two) for one, two in pairs if _one_to_one(bits[one[1]], bits[two[1]])]
    if not together:
        message = f"The bits of {', '.join(name for *_, name in varying)} vary apart from each other."
        return Finding(code, Status.PASS, 0.0, 0.0, message)
    tied = "; ".join(f"{one[2]} and {two[2]}" for one, two in together)
    constants = "; ".join(
        f"gamma_{one[0]}, P0_{one[0]} and gamma_{two[0]}, P0_{two[0]}" for one, two in together
    )
    return Finding(
        code,
        Status.WARN,
        float(len(together)),
        0.0,
        f"Bits always change together for {tied}: the priors decide how {constants} share the effect.",
        "Add runs in which one of them is quantized alone.",
    )


def _one_to_one(one: pd.Series, two: pd.Series) -> bool:
    pairs = pd.DataFrame({"one": one, "two": two}).drop_duplicates()
    return len(pairs) == one.nunique() == two.nunique()


def _reference_finding(kinds: list[tuple[str, str, str]], bits: dict[str, pd.Series]) -> Finding:
    unquantized = pd.DataFrame(bits).ge(UNQUANTIZED_BITS).all(axis=1)
    count = int(unquantized.sum())
    names = ", ".join(f"gamma_{kind}" for kind, *_ in kinds)
    return level_finding(
        "design.reference",
        count,
        1,
        f"{plural(count, 'run')} at 16 bits to compare with"
        if count
        else "No run has 16 bits in every tensor kind",
        f"the loss at 16 bits is extrapolated, and the priors decide partly a and {names}",
        "Add runs at 16 bits with the N and D of quantized ones.",
    )
