"""What each precision buys on each chip: loss, time and money, of either question that is put to chips."""

from collections.abc import Iterator
from dataclasses import dataclass

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.on_chips import OnChips
from bitlaw.decisions.on_offer import key_text
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.units import Interval


@dataclass(frozen=True)
class ChipRow:
    """One precision on one chip.

    Parameters
    ----------
    chip
        Name of the chip.
    called
        The precision, with the chip's format where bits leave that open.
    loss
        The law's mean loss, nats/token.
    probability
        Of having the lowest loss on that chip; where parameters and tokens are fixed, of staying within tolerance.
    gpu_hours, money
        What the training takes there; money is None without a price.
    is_chosen, is_near
        Whether it is the chip's answer, and whether it is near-optimal there; where parameters and tokens are fixed
        the answer alone is.
    is_refused
        Whether nothing measured supports it.
    """

    chip: str
    called: str
    loss: Interval
    probability: float
    gpu_hours: float
    money: float | None
    is_chosen: bool
    is_near: bool
    is_refused: bool


def chip_rows(chips: OnChips[PrecisionDecision] | OnChips[BudgetDecision]) -> tuple[ChipRow, ...]:
    """Every precision on every chip, in the order of the chips, dearest first."""
    return tuple(row for chip, decision in chips.decisions.items() for row in _rows(chip, decision))


def _rows(chip: str, decision: PrecisionDecision | BudgetDecision) -> Iterator[ChipRow]:
    if isinstance(decision, BudgetDecision):
        return _of_budget(chip, decision)
    return _of_precision(chip, decision)


def _of_precision(chip: str, decision: PrecisionDecision) -> Iterator[ChipRow]:
    for option in decision.options:
        within = option.probability_within
        yield ChipRow(
            chip=chip,
            called=option.called,
            loss=option.loss,
            probability=option.probability_best if within is None else within,
            gpu_hours=option.gpu_hours or 0.0,
            money=option.money,
            is_chosen=option.key == decision.best,
            is_near=within is None and option.key in decision.near_optimal,
            is_refused=option.refused,
        )


def _of_budget(chip: str, decision: BudgetDecision) -> Iterator[ChipRow]:
    pricing, flops = decision.question.precision.pricing, decision.question.flops
    for option in decision.options:
        yield ChipRow(
            chip=chip,
            called=key_text(option.key),
            loss=option.loss,
            probability=option.probability_best,
            gpu_hours=pricing.gpu_hours(flops) or 0.0,
            money=pricing.money(flops),
            is_chosen=option.key == decision.best,
            is_near=option.key in decision.near_optimal,
            is_refused=option.refused,
        )
