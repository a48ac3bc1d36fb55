"""Several chips side by side: what each precision on each of them loses, how probably, and the time it takes."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.on_chips import OnChips
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.reporting.chip_rows import ChipRow, chip_rows
from bitlaw.reporting.figures.bars import labelled_bars
from bitlaw.reporting.figures.grouped_rows import GroupedRows, grouped_rows, label_rows
from bitlaw.reporting.style import DEFAULT_STYLE, Style, drawing
from bitlaw.units import LOSS_UNIT, format_amount, format_probability

_STAR = 13


def figure(
    chips: OnChips[PrecisionDecision] | OnChips[BudgetDecision], style: Style = DEFAULT_STYLE
) -> Figure:
    """Loss, probability and GPU-hours of every precision, grouped by chip, with each chip's answer marked.

    Parameters
    ----------
    chips
        The answers.
    style
        The style.
    """
    shown = chip_rows(chips)
    rows = grouped_rows({chip: [row.called for row in shown if row.chip == chip] for chip in chips.by_chip})
    first: Any = next(iter(chips.decisions.values()))
    with drawing(style):
        drawn = Figure(figsize=(style.width, 0.27 * rows.height + 1.0), dpi=style.dpi, layout="constrained")
        losses, probabilities, hours = drawn.subplots(1, 3, width_ratios=(1.35, 1.0, 1.1))
        _losses(losses, shown, rows, style)
        _probabilities(probabilities, shown, rows, style)
        if isinstance(first, PrecisionDecision) and first.question.sizes_fixed:
            probabilities.axvline(first.confidence, color=style.ink, linewidth=1.0, linestyle=(0, (4, 3)))
            probabilities.set_xlabel(f"P(within {first.question.tolerance:g} of 16 bits)")
        else:
            probabilities.set_xlabel("P(lowest loss on the chip)")
        _hours(hours, shown, rows, style)
        losses.set_title(_asked(first))
        for axis in (losses, probabilities, hours):
            label_rows(axis, rows, style, shown=axis is losses)
    return drawn


def _asked(decision: PrecisionDecision | BudgetDecision) -> str:
    """What is the same for every precision on a chip."""
    question = decision.question.precision if isinstance(decision, BudgetDecision) else decision.question
    if question.sizes_fixed or question.budget is None:
        return "N and D fixed"
    unit = question.budget.unit
    return f"{'' if question.n_params is None else 'N and '}{'compute' if unit == 'FLOP' else unit} fixed"


def _losses(axis: Axes, shown: Sequence[ChipRow], rows: GroupedRows, style: Style) -> None:
    for place, row in zip(rows.places, shown, strict=True):
        colour = _colour(row, style)
        axis.plot([row.loss.lo, row.loss.hi], [place] * 2, color=colour, linewidth=2.6, solid_capstyle="butt")
        axis.plot(
            [row.loss.median],
            [place],
            "*" if row.is_chosen else "o",
            color="white" if row.is_refused else colour,
            markersize=_STAR if row.is_chosen else 6.5,
            markeredgecolor=colour if row.is_refused else "white",
        )
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.set_xlabel(f"loss, {LOSS_UNIT}")


def _probabilities(axis: Axes, shown: Sequence[ChipRow], rows: GroupedRows, style: Style) -> None:
    values = [row.probability for row in shown]
    texts = [format_probability(value) for value in values]
    labelled_bars(axis, values, texts, [_colour(row, style) for row in shown], style, rows.places)
    axis.set_xlim(0.0, 1.5)
    axis.set_xticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])


def _hours(axis: Axes, shown: Sequence[ChipRow], rows: GroupedRows, style: Style) -> None:
    hours = [row.gpu_hours for row in shown]
    priced = any(row.money is not None for row in shown)
    texts = [
        format_amount(row.gpu_hours) + ("" if row.money is None else f" ({format_amount(row.money)})")
        for row in shown
    ]
    labelled_bars(axis, hours, texts, [_colour(row, style) for row in shown], style, rows.places)
    axis.set_xlim(0.0, (2.4 if priced else 1.7) * max(hours))
    axis.xaxis.set_major_locator(MaxNLocator(2))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_amount(value)))
    axis.set_xlabel(f"GPU-hours{' (money)' if priced else ''}")


def _colour(row: ChipRow, style: Style) -> str:
    """The answer and what is as good as it stand out; what is refused does not."""
    if row.is_refused:
        return style.quiet
    return style.colours[0] if row.is_chosen or row.is_near else style.faded
