"""Whether the training precisions can identify the training terms of a law."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from bitlaw.criticism.design_formats import (
    block_finding,
    floating_finding,
    group_size_finding,
    scheme_finding,
)
from bitlaw.criticism.design_growth import growth_finding
from bitlaw.criticism.levels import constant_names, level_finding, levels, plural, span, training_runs
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import law_columns
from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.laws.law import Law
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits

_FEWEST_BITS = 2
_KINDS = (*TENSOR_KINDS, ("g", "bits_gradients", "gradients"))
_GROWTH = ("gamma_D_train", "gamma_N_train")


@dataclass(frozen=True)
class _Kind:
    """A tensor kind whose bits a law reads, with its constants; ``tied`` are those that equal another's."""

    column: str
    name: str
    bits: pd.Series
    constants: tuple[str, ...]
    tied: dict[str, str]


def precision_findings(law: Law, frame: pd.DataFrame) -> tuple[Finding, ...]:
    """What each training term needs of the runs; none for a law without one.

    Bits per tensor kind, kinds that vary together, formats, group sizes, sizes of quantized runs, and
    runs at 16 bits to compare with.
    """
    if not law.training:
        return ()
    return tuple(_findings(law, training_runs(frame)))


def _findings(law: Law, runs: pd.DataFrame) -> Iterator[Finding]:
    columns = law_columns(runs)
    quantized = columns["is_quantized"] | columns["is_quantized_backward"]
    kinds = _kinds(law, runs)
    yield from (_bits_finding(kind) for kind in kinds if kind.constants)
    if kinds:
        yield _together_finding(kinds)
    for term in law.training:
        if "is_floating" in term.columns:
            yield floating_finding(term, columns)
        if "block_size" in term.columns:
            yield block_finding(columns)
        for parameter in term.parameters:
            if parameter.by in ("scheme", "scheme_backward"):
                yield scheme_finding(parameter, runs)
        if "group_size" in term.columns:
            yield group_size_finding(term, runs[columns["is_quantized"]])
    if constant_names(law, *_GROWTH):
        yield growth_finding(
            "design.training_size", runs[quantized], *_GROWTH, "quantized in training", "Add runs in few bits"
        )
    yield _reference_finding(law, kinds, int((~quantized).sum()))


def _kinds(law: Law, runs: pd.DataFrame) -> tuple[_Kind, ...]:
    kinds = []
    for kind, column, name in _KINDS:
        readers = [term for term in law.training if column in term.columns]
        if not readers:
            continue
        every = [parameter.name for term in readers for parameter in term.parameters]
        own = [constant for constant in every if constant.endswith(f"_{kind}")] or every
        tied = {constant: law.ties[constant] for constant in own if constant in law.ties}
        bits = runs[column].clip(upper=UNQUANTIZED_BITS)
        kinds.append(_Kind(column, name, bits, tuple(one for one in own if one not in tied), tied))
    return tuple(kinds)


def _bits_finding(kind: _Kind) -> Finding:
    """As many bit-widths below 16 as the kind has constants of a curve, at most two; one tells neither."""
    below = levels(kind.bits[kind.bits < UNQUANTIZED_BITS])
    constants = " and ".join(kind.constants)
    if not len(below):
        summary, problem = f"No run has {kind.name} below 16 bits", f"the priors decide {constants}"
    else:
        summary = f"Bits of the {kind.name} below 16: {span(below, format_bits)}"
        problem = f"one bit-width cannot tell {constants} apart, and the priors decide how they share"
    advice = f"Add runs with other bits of the {kind.name}, or do not ask about them."
    needed = min(len(kind.constants), _FEWEST_BITS)
    return level_finding(f"design.{kind.column}", len(below), needed, summary, problem, advice)


def _together_finding(kinds: tuple[_Kind, ...]) -> Finding:
    """Two tensor kinds whose bits always change together share one effect, and may have been tied for it."""
    code = "design.bits_together"
    varying = [kind for kind in kinds if len(levels(kind.bits)) > 1]
    if len(varying) < 2:
        message = "Fewer than two tensor kinds vary in bits, so whether they vary apart was not checked."
        return Finding(code, Status.NOT_RUN, None, 0.0, message)
    sources = {kind.column: _source(kind, kinds) for kind in kinds}
    free = [kind for kind in varying if sources[kind.column] is None]
    pairs = [(one, two) for one, two in combinations(free, 2) if _one_to_one(one.bits, two.bits)]
    sentences = [
        _tied_sentence(kind, [other for other in kinds if sources[other.column] is kind])
        for kind in kinds
        if any(source is kind for source in sources.values())
    ]
    if pairs:
        tied = "; ".join(f"{one.name} and {two.name}" for one, two in pairs)
        constants = "; ".join(
            f"{', '.join(one.constants)} and {', '.join(two.constants)}" for one, two in pairs
        )
        sentences.append(
            f"Bits always change together for {tied}: the priors decide how {constants} share the effect."
        )
    if not sentences:
        message = f"The bits of {', '.join(kind.name for kind in varying)} vary apart from each other."
        return Finding(code, Status.PASS, 0.0, 0.0, message)
    number = len(pairs) + sum(source is not None for source in sources.values())
    advice = "Add runs in which one of them is quantized alone."
    return Finding(code, Status.WARN, float(number), 0.0, " ".join(sentences), advice)


def _source(kind: _Kind, kinds: tuple[_Kind, ...]) -> _Kind | None:
    """The kind whose constants this one's are tied to because their bits are the same in every run."""
    return next(
        (
            other
            for other in kinds
            if set(kind.tied.values()) & set(other.constants)
            and len(levels(kind.bits)) > 1
            and (kind.bits == other.bits).all()
        ),
        None,
    )


def _tied_sentence(source: _Kind, tied: list[_Kind]) -> str:
    *others, last = [source.name, *(kind.name for kind in tied)]
    ties = ", ".join(f"{name} is tied to {to}" for kind in tied for name, to in kind.tied.items())
    return (
        f"The bits of {', '.join(others)} and {last} are the same in every row, so only their joint effect "
        f"is identified: {ties}; a question about {source.name} alone rests on that assumption."
    )


def _one_to_one(one: pd.Series, two: pd.Series) -> bool:
    pairs = pd.DataFrame({"one": one, "two": two}).drop_duplicates()
    return len(pairs) == one.nunique() == two.nunique()


def _reference_finding(law: Law, kinds: tuple[_Kind, ...], count: int) -> Finding:
    by_kind = [kind.constants[0] for kind in kinds if kind.constants]
    of_kinds = {name for kind in kinds for name in (*kind.constants, *kind.tied)}
    others = [term.parameters[0].name for term in law.training]
    names = ", ".join([*by_kind, *(name for name in others if name not in of_kinds)])
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
