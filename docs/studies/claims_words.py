"""Why a verdict is what it is, in one sentence from the numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from claims_numbers import ALIKE, MEASURED, PROPORTION
from claims_verdict import EVERYWHERE, HOLDS, SILENT, SURE

from bitlaw.units import format_probability

Rows = Sequence[dict[str, Any]]
_LARGEST = 1e4
_WHOLE_BITS = 16.0


def span(values: Sequence[float | None], form: Callable[[float], str]) -> str:
    """The smallest and the largest of values, once where they read alike; None is infinite."""
    known = sorted(float("inf") if value is None else value for value in values)
    first, last = (_finite(value, form) for value in (known[0], known[-1]))
    return first if first == last else f"{first} to {last}"


def _finite(value: float, form: Callable[[float], str]) -> str:
    return form(value) if value < _LARGEST else f"more than {_LARGEST:,.0f}"


def bits_text(value: float) -> str:
    """Bits without trailing zeros."""
    return f"{value:g}"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _times(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _both(rows: Rows) -> tuple[Rows, Rows]:
    """Rows that speak: those fitted to runs, and those at published constants."""
    spoken = [row for row in rows if row["verdict"] != SILENT]
    return [row for row in spoken if not row["published"]], [row for row in spoken if row["published"]]


def _medians(rows: Rows, name: str) -> list[float | None]:
    return [row[name]["median"] for row in rows]


def why_optimal(rows: Rows) -> str:
    """Of 7 to 8 bits."""
    fits, papers = _both(rows)
    eight = [row["eight_above"]["median"] for row in fits if row["eight_above"]]
    held = [f"{row['law']}, {row['source']}" for row in (*fits, *papers) if row["verdict"] == HOLDS]
    return (
        f"Laws fitted to runs put the optimum at {span(_medians(fits, 'best'), bits_text)} bits (medians), "
        f"published constants at {span(_medians(papers, 'best'), bits_text)}; training in 8 bits instead costs "
        f"{span(eight, _share)} of the reducible loss under the fits that can be asked. 7 to 8 bits holds at: "
        f"{'; '.join(held) or 'none'}."
    )


def why_waste(rows: Rows) -> str:
    """Of 16 bits."""
    said = []
    for cost, called in (
        (PROPORTION, "At a cost in proportion to bits"),
        (MEASURED, "at the measured 1.19x of 8 bits"),
    ):
        fits, papers = _both([row for row in rows if row["cost"] == cost])
        said.append(
            f"{called} it wastes {span(_medians(fits, 'wasted'), _share)} of the compute under laws fitted to runs "
            f"(medians) and {span(_medians(papers, 'wasted'), _share)} at published constants"
        )
    return f"{'; '.join(said)}; where fewer bits are not faster, nothing."


def why_larger(rows: Rows) -> str:
    """Of 4 bits."""
    fits, papers = _both(rows)
    held = [f"{row['law']} ({row['source']})" for row in (*fits, *papers) if row["verdict"] == HOLDS]
    return (
        f"At the same tokens, 4 bits needs {span(_medians(fits, 'factor'), _times)} times the parameters under "
        f"laws fitted to runs (medians) and {span(_medians(papers, 'factor'), _times)} at published constants; "
        f"more than the 4 that the bits save under {', '.join(held) or 'none'}."
    )


def why_suffer(rows: Rows) -> str:
    """Of degradation that grows with tokens."""
    fits, papers = _both(rows)
    growth = _medians(fits, "gamma_D")
    more = [2.0**value - 1.0 for value in growth if value is not None]
    return (
        f"γ_D is {span(growth, _times)} in the fits (medians) and {span(_medians(papers, 'gamma_D'), _times)} in "
        f"the papers: of two models of one size, the one trained on twice the tokens loses {span(more, _share)} "
        "more to the same quantization (medians of the fits)."
    )


def why_hurts(rows: Rows) -> str:
    """Of D_crit."""
    fits, papers = (_in_four(part) for part in _both(rows))
    return (
        f"At 4 bits D_crit is {span(fits, _whole)} tokens per parameter in the fits (medians) and "
        f"{span(papers, _whole)} at published constants, against 1875 of Llama 3 8B."
    )


def _in_four(rows: Rows) -> list[float | None]:
    return [one["ratio"]["median"] for row in rows for one in row["critical"] if one["bits"] == 4]


def _whole(value: float) -> str:
    return f"{value:.0f}"


def why_fixed(rows: Rows) -> str:
    """Of models of fixed size."""
    fits, papers = _both(rows)
    return (
        f"From few to many tokens per parameter the best bits go from {span(_medians(fits, 'few'), bits_text)} to "
        f"{span(_medians(fits, 'many'), bits_text)} in the fits (medians) and from "
        f"{span(_medians(papers, 'few'), bits_text)} to {span(_medians(papers, 'many'), bits_text)} at published "
        "constants."
    )


def why_hardware(rows: Rows) -> str:
    """Of hardware."""
    fits, papers = _both(rows)
    every = (*fits, *papers)
    pays = [row for row in every if "pays" in row]
    yes = [row for row in pays if row["pays"]["at_measured"] >= SURE]
    no = [f"{row['law']}, {row['source']}" for row in pays if row["pays"]["at_measured"] <= 1.0 - SURE]
    h100 = [row for row in pays if row["best"]["h100"]["bits"] < _WHOLE_BITS]
    return (
        f"Fewer than 16 bits are best at a cost in proportion to bits in {_below(every, PROPORTION)} of "
        f"{len(every)} cases and in {_below(every, ALIKE)} where no format is faster; 8 bits pays at the peaks of H100 "
        f"(2x) in {len(h100)} of the {len(pays)} that know 8 bits, at the measured 1.19x in {len(yes)} (not at: "
        f"{'; '.join(no) or 'none'})."
    )


def _below(rows: Rows, model: str) -> int:
    return sum(row["best"][model]["bits"] < _WHOLE_BITS for row in rows)


def to_act(claims: Mapping[str, Mapping[str, Any]]) -> str:
    """What to do with the verdicts, for whoever must decide."""
    said = []
    if claims["optimal"]["verdict"] != EVERYWHERE:
        said.append(
            "Do not take 7 to 8 bits from the article: the optimum follows from how the penalty falls with bits under "
            "your recipe, so log a few runs in few bits and ask `bitlaw optimum`."
        )
    pays = [row["pays"]["break_even"] for row in claims["hardware"]["rows"] if "pays" in row]
    lo, hi = min(one["lo"] for one in pays), max(one["hi"] for one in pays)
    said.append(
        f"Price the formats that your chip runs, by speeds you measured: 8 bits must train {lo:.2f} to {hi:.2f} times "
        "as fast as 16 to pay (all laws and sources, 90 % ETI of the fits)."
    )
    if claims["larger"]["verdict"] != EVERYWHERE:
        factors = _medians([row for row in claims["larger"]["rows"] if row["verdict"] != SILENT], "factor")
        said.append(
            f"Whether 4 bits is affordable differs between recipes and laws ({span(factors, _times)} times the "
            "parameters): no constant of a paper decides it for you."
        )
    if claims["fixed"]["verdict"] == EVERYWHERE:
        said.append(
            "Where the size is given and the tokens are many, plan more bits than at the compute optimum."
        )
    if claims["suffer"]["verdict"] == EVERYWHERE:
        said.append(
            "Before training far beyond the compute optimum, decide what the model will be quantized to and ask "
            "`bitlaw ptq`: the same rounding costs a longer-trained model more."
        )
    return " ".join(said)


def probability_text(value: float | None, draws: int | None) -> str:
    """A probability over draws; yes or no at constants without uncertainty."""
    if value is None:
        return "–"
    if draws == 1:
        return "yes" if value > 0.5 else "no"
    return format_probability(value)
