"""What the explorer offers at each price: as it was asked, in proportion to bits, and on every chip."""

from dataclasses import dataclass
from typing import Any

from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.hardware import chip_names
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import OnOffer, on_offer
from bitlaw.decisions.optimum import precision_question
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import level_names
from bitlaw.inference.usable import training_without_term


@dataclass(frozen=True)
class Priced:
    """Options at one price of training.

    Parameters
    ----------
    name, title
        What the price is of: a chip, or "FLOP x bits".
    options
        What is on offer, most bits first.
    """

    name: str
    title: str
    options: tuple[OnOffer, ...]


def priced_offers(fit: Fit, asked: PrecisionQuestion | None, group: str | None) -> list[Priced]:
    """What is on offer at every price that leaves a choice; none for a law without training precision.

    Parameters
    ----------
    fit
        The fit.
    asked
        The question that was answered, whose options come first; None where none was.
    group
        Group of a pooled fit.
    """
    if not fit.law.training:
        return []
    found = [] if asked is None else [Priced(asked.pricing.name, _title(asked), on_offer(asked, (fit,)))]
    alike: dict[str, Any] = {}
    if asked is not None:
        alike = {"group_size": asked.group_size, "tensors": asked.tensors}
    for chip in (None, *chip_names()):
        question = precision_question((fit,), n_params=1.0, tokens=1.0, hardware=chip, group=group, **alike)
        if any(question.pricing.name == known.name for known in found):
            continue
        options = tuple(option for option in on_offer(question, (fit,)) if _is_known(fit, option, group))
        if len(options) > 1:
            found.append(Priced(question.pricing.name, _title(question), options))
    return found


def _title(question: PrecisionQuestion) -> str:
    chip = question.pricing.chip
    if chip is None:
        return "a FLOP costs in proportion to its bits"
    return f"{chip.title}, {'measured speeds' if question.pricing.measured else 'peak speeds'}"


def _is_known(fit: Fit, option: OnOffer, group: str | None) -> bool:
    """Whether the law has a term for an option, and the fit its constants."""
    point = points_of((option,), [1.0], [1.0], group_columns(fit, group))
    if list(training_without_term(fit.law, point)):
        return False
    own = [column for column in ("scheme", "scheme_backward") if column in fit.law.by]
    labels = {column: level_names(point, column).iloc[0] for column in own}
    return all(label in ("", *fit.levels(column)) for column, label in labels.items())
