"""Chips side by side as a report shows them: figure, table and words, and whether fewer bits pay on each."""

import math
from collections.abc import Mapping
from typing import Any

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.on_chips import OnChips, chosen
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.reporting.chip_rows import ChipRow, chip_rows
from bitlaw.reporting.exhibit import Exhibit, exhibit
from bitlaw.reporting.figures import break_even
from bitlaw.reporting.figures import chips as drawn
from bitlaw.reporting.figures.break_even import paying_options
from bitlaw.reporting.style import DEFAULT_STYLE, Style
from bitlaw.reporting.tables import Table
from bitlaw.reporting.words import cell_text, joined, range_text
from bitlaw.units import LOSS_UNIT, format_amount, format_probability

Chips = OnChips[PrecisionDecision] | OnChips[BudgetDecision]
_DIGITS = 3


def chips_context(
    fixed: OnChips[PrecisionDecision] | None,
    free: OnChips[PrecisionDecision] | None,
    decision: PrecisionDecision | None,
    style: Style = DEFAULT_STYLE,
) -> dict[str, Any]:
    """What the page says of chips, and of whether fewer bits pay.

    Parameters
    ----------
    fixed, free
        Answers on several chips with parameters and tokens fixed, and with compute fixed; None of one chip.
    decision
        The answer with compute fixed on the first chip, or in proportion to bits; None where there is none.
    style
        How figures are drawn.
    """
    shown = {
        name: chips for name, chips in (("chips-fixed", fixed), ("chips-free", free)) if chips is not None
    }
    decisions = {} if decision is None else {"": decision}
    return {
        "break_even": break_even_exhibit(decisions if free is None else free.decisions, style),
        "chips": [(chips_exhibit(name, chips, style), chips_table(chips)) for name, chips in shown.items()],
        "chips_text": chips_sentence(fixed, free),
    }


def chips_sentence(fixed: OnChips[PrecisionDecision] | None, free: OnChips[PrecisionDecision] | None) -> str:
    """That the recommendation is for the first chip, and what the others would be told; empty of one chip."""
    shown = {what: chips for what, chips in (("sizes", fixed), ("compute", free)) if chips is not None}
    if not shown:
        return ""
    first, *others = next(iter(shown.values())).by_chip
    if not any(chips.turns for chips in shown.values()):
        return f"This is for {first}, the first of the chips asked about; on {joined(others)} it is the same."
    said = joined(f"{_others(chips)} with {what} fixed" for what, chips in shown.items())
    return f"This is for {first}, the first of the chips asked about; {said}."


def _others(chips: OnChips[PrecisionDecision]) -> str:
    """What the chips after the first are told."""
    decisions = list(chips.decisions.items())[1:]
    answers = {chosen(decision) for _, decision in decisions}
    if len(answers) == 1:
        return f"{answers.pop()} on {joined(name for name, _ in decisions)}"
    return joined(f"{chosen(decision)} on {name}" for name, decision in decisions)


def chips_exhibit(name: str, chips: Chips, style: Style = DEFAULT_STYLE) -> Exhibit:
    """The figure of several chips.

    Parameters
    ----------
    name
        Its anchor.
    chips, style
        As for the figure itself.
    """
    first = next(iter(chips.decisions.values()))
    fixed = isinstance(first, PrecisionDecision) and first.question.sizes_fixed
    asked = " Dashed: the probability asked for." if fixed else ""
    return exhibit(
        name,
        drawn.figure(chips, style),
        chips_caption(chips),
        f"Stars: each chip's answer; dark: what is as good there. Lines: {100 * first.prob:g} % ETI of the law's mean "
        f"loss. Grey rings: what nothing measured supports.{asked}",
        style,
    )


def chips_caption(chips: Chips) -> str:
    """What each chip's answer loses, and the time and money it takes."""
    said = [
        f"{row.called} on {row.chip}: {range_text(row.loss)} {LOSS_UNIT} in {format_amount(row.gpu_hours)} GPU-hours"
        f"{'' if row.money is None else f', {format_amount(row.money)} in money'}"
        for row in chip_rows(chips)
        if row.is_chosen
    ]
    return " ".join(
        [*filter(None, (chips.turns_text(), chips.least_text())), *([f"{'; '.join(said)}."] if said else [])]
    )


def chips_table(chips: OnChips[PrecisionDecision]) -> Table:
    """Every precision on every chip, the answers marked."""
    first = next(iter(chips.decisions.values()))
    fixed, rows = first.question.sizes_fixed, chip_rows(chips)
    options = [option for decision in chips.decisions.values() for option in decision.options]
    priced = any(row.money is not None for row in rows)
    what = f"P(within {first.question.tolerance:g} of 16 bits)" if fixed else "P(best on the chip)"
    head = ["chip", "training precision", "speed-up", what, "loss", "GPU-hours"]
    head += (["money"] if priced else []) + ["break-even speed-up", "P(it pays)"]
    return Table(
        f"{'Parameters and tokens' if fixed else 'Compute'} fixed, on every chip. Loss in {LOSS_UNIT}; intervals are "
        f"{100 * first.prob:g} % ETI over {first.draws} draws. Speed-up: over 16 bits on that chip, "
        "and what it rests on.",
        tuple(head),
        tuple(_cells(row, option, priced) for row, option in zip(rows, options, strict=True)),
        tuple(index for index, row in enumerate(rows) if row.is_chosen),
    )


def _cells(row: ChipRow, option: PrecisionOption, priced: bool) -> tuple[str, ...]:
    money = ["–" if row.money is None else format_amount(row.money)] if priced else []
    return (
        row.chip,
        f"{row.called}{' (refused)' if row.is_refused else ''}",
        f"{1.0 / option.cost:.3g}x{_rests_on(option)}",
        _probability(row.probability),
        cell_text(row.loss),
        format_amount(row.gpu_hours),
        *money,
        cell_text(option.break_even),
        "–" if option.probability_pays is None else _probability(option.probability_pays),
    )


def _rests_on(option: PrecisionOption) -> str:
    if option.probability_pays is None or option.speed_measured is None:
        return ""
    return ", measured" if option.speed_measured else ", peak"


def break_even_exhibit(
    decisions: Mapping[str, PrecisionDecision], style: Style = DEFAULT_STYLE
) -> Exhibit | None:
    """The figure of whether fewer bits pay; None where no option has fewer.

    Parameters
    ----------
    decisions, style
        As for the figure itself.
    """
    if not any(paying_options(decision) for decision in decisions.values()):
        return None
    return exhibit(
        "break-even",
        break_even.figure(decisions, style),
        break_even_caption(decisions),
        "Lines: how many times as fast as at 16 bits training must run to lose nothing; an arrow goes on beyond the "
        "axis. Diamonds: how many times as fast it runs, filled where measured, hollow where by peaks "
        "or assumed. It pays in the draws in which the diamond is to the right.",
        style,
    )


def break_even_caption(decisions: Mapping[str, PrecisionDecision]) -> str:
    """The probability that each option pays, with the speed-up it needs and the one it has."""
    said = []
    for name, decision in decisions.items():
        options = [
            f"{option.called} {format_probability(option.probability_pays or 0.0)} ({_needs(option)}, "
            f"{'has' if option.assumed is None else 'is assumed to have'} {1.0 / option.cost:.{_DIGITS}g}x)"
            for option in paying_options(decision)
        ]
        if options:
            said.append(f"{f'on {name}, ' if len(decisions) > 1 else ''}{', '.join(options)}")
    return f"The probability that training in fewer bits pays: {'; '.join(said)}."


def _needs(option: PrecisionOption) -> str:
    median = option.break_even.median
    return f"needs {median:.{_DIGITS}g}x" if math.isfinite(median) else "no speed-up is enough"


def _probability(value: float) -> str:
    return format_probability(value).replace(" ", "\N{NO-BREAK SPACE}")
