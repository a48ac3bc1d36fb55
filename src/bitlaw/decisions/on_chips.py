"""One question on several chips, side by side: what each answers, and whether the precision turns with the chip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bitlaw.criticism.risk import REFUSED
from bitlaw.decisions.across_laws import AcrossLaws, optimum_across, shared_findings, stack_of
from bitlaw.decisions.budget import budget
from bitlaw.decisions.budget_across import budget_across
from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.hardware import chips_named
from bitlaw.decisions.on_offer import key_text
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.notebook import result_html
from bitlaw.units import LOSS_UNIT, format_amount


@dataclass(frozen=True)
class OnChips[Answer: (PrecisionDecision, BudgetDecision)]:
    """Answers to one question on several chips.

    Parameters
    ----------
    by_chip
        The answer on each chip, by its name: of one law, or of several and their stack.
    """

    by_chip: dict[str, Answer | AcrossLaws[Answer]]

    @property
    def decisions(self) -> dict[str, Answer]:
        """The answer on each chip; of several laws that of their stack."""
        return {name: stack_of(answer) for name, answer in self.by_chip.items()}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all chips: once where all have it, else with the names of those that do."""
        refused = tuple(
            replace(finding, message=f"{name}: {finding.message}")
            for name, answer in self.by_chip.items()
            for finding in answer.findings
            if finding.code == REFUSED
        )
        return shared_findings(self.by_chip) + refused

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    @property
    def turns(self) -> bool:
        """Whether the precision is not the same on every chip."""
        return len({chosen(decision) for decision in self.decisions.values()}) > 1

    def turns_text(self) -> str:
        """Whether the precision turns with the chip, in one line."""
        first, names = next(iter(self.decisions.values())), ", ".join(self.decisions)
        said = ", ".join(f"{decision.answer} on {name}" for name, decision in self.decisions.items())
        if self.turns:
            return f"The answer turns with the chip: {said}."
        if first.refused:
            return f"REFUSED on every chip: {names}."
        if len({decision.answer for decision in self.decisions.values()}) > 1:
            return f"The precision is the same on every chip, {chosen(first)}: {said}."
        return f"The answer is the same on every chip: {first.answer} on {names}."

    def least_text(self) -> str:
        """On which chip the answer loses least, or with parameters and tokens fixed is soonest done; may be empty."""
        known = {
            name: (decision, decision.option(decision.best))
            for name, decision in self.decisions.items()
            if decision.best is not None
        }
        if len(known) < 2:
            return ""
        fixed = all(
            isinstance(decision, PrecisionDecision) and decision.question.sizes_fixed
            for decision, _ in known.values()
        )
        values = {
            name: (getattr(option, "gpu_hours", None) or 0.0) if fixed else option.loss.median
            for name, (_, option) in known.items()
        }
        said = {name: format_amount(value) if fixed else f"{value:.4g}" for name, value in values.items()}
        least = min(values, key=lambda name: values[name])
        others = [f"{text} on {name}" for name, text in said.items() if name != least]
        if len(set(said.values())) == 1:
            return ""
        if fixed:
            return f"It takes the fewest GPU-hours on {least}: {said[least]}, against {', '.join(others)}."
        median = f"{said[least]} {LOSS_UNIT} at the median"
        return f"Its loss is the lowest on {least}: {median}, against {', '.join(others)}."

    def sentence(self) -> str:
        """Whether the precision turns with the chip, what it buys on which, then the answer on each."""
        first = " ".join(filter(None, (self.turns_text(), self.least_text())))
        return "\n\n".join([first, *(answer.sentence() for answer in self.by_chip.values())])

    def table(self) -> pd.DataFrame:
        """The numbers on every chip, named in the first column."""
        tables = [answer.table() for answer in self.by_chip.values()]
        for name, table in zip(self.by_chip, tables, strict=True):
            table.insert(0, "hardware", name)
        return pd.concat(tables, ignore_index=True)

    def _repr_html_(self) -> str:
        return result_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The first chip's answer as plain JSON types, with every chip's under ``hardware``."""
        answers = {name: answer.to_dict() for name, answer in self.by_chip.items()}
        own = {
            "status": str(self.status),
            "findings": [finding.to_dict() for finding in self.findings],
            "turns": self.turns,
            "hardware": answers,
        }
        return next(iter(answers.values())) | own


def chosen(decision: PrecisionDecision | BudgetDecision) -> str:
    """The precision that a decision settles on, in two words; without one, what it says instead."""
    return decision.answer if decision.best is None else key_text(decision.best)


def optimum_on_chips(
    fits: Fit | Sequence[Fit], hardware: Sequence[str], **question: Any
) -> OnChips[PrecisionDecision]:
    """Decide on a training precision on several chips, under one law or several.

    Parameters
    ----------
    fits
        A fit, or one per law to the same rows.
    hardware
        Names of the chips.
    **question
        As for ``optimum``. Measured speeds are of any of the chips; the others go by their peaks. A budget in FLOP
        at 16 bits is the same on all; GPU-hours and money are hours of each, at the price of each.

    Raises
    ------
    InputError
        As for ``optimum``; where no chip is named, or one twice.
    """
    return OnChips(_on_chips(fits, hardware, optimum, optimum_across, question))


def budget_on_chips(
    fits: Fit | Sequence[Fit], hardware: Sequence[str], **question: Any
) -> OnChips[BudgetDecision]:
    """Decide how to spend a budget on several chips, under one law or several.

    Parameters
    ----------
    fits, hardware
        As for ``optimum_on_chips``.
    **question
        As for ``budget``; speeds and budgets are of the chips as for ``optimum_on_chips``. Plans are put to
        every chip.

    Raises
    ------
    InputError
        As for ``budget``, also where one of the chips does not run what a plan or the question names; where no
        chip is named, or one twice.
    """
    return OnChips(_on_chips(fits, hardware, budget, budget_across, question))


def _on_chips[Answer](
    fits: Fit | Sequence[Fit],
    hardware: Sequence[str],
    alone: Callable[..., Answer],
    across: Callable[..., AcrossLaws[Any]],
    question: dict[str, Any],
) -> dict[str, Answer | AcrossLaws[Any]]:
    """The answer on each chip: under the law that is alone, or across several."""
    names = chips_named(hardware)
    several = [fits] if isinstance(fits, Fit) else list(fits)
    if len(several) == 1:
        return {name: alone(several[0], hardware=name, **question) for name in names}
    return {name: across(several, hardware=name, **question) for name in names}
