"""The answer to which run to log next: picks in order, what each costs, and what is left unknown."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bitlaw.decisions.decision import Decision
from bitlaw.decisions.intervals import json_value, nats_text
from bitlaw.decisions.pricing import Pricing
from bitlaw.decisions.spending import Budget
from bitlaw.units import LOSS_UNIT, format_probability

_MOST_NAMED = 3
_FACTOR_FROM = 0.5


@dataclass(frozen=True)
class Offered:
    """A candidate, by itself.

    Parameters
    ----------
    text, inputs
        What it is, in words and in run-table columns.
    cost, amount
        FLOP at 16 bits, and in the unit of the budget.
    share
        Share of the variance of the quantity that it alone is expected to remove.
    is_logged
        Whether its run was logged before, and would be quantized anew.
    """

    text: str
    inputs: dict[str, Any]
    cost: float
    amount: float
    share: float
    is_logged: bool

    def to_dict(self) -> dict[str, Any]:
        """The candidate as plain JSON types."""
        return json_value(vars(self))


@dataclass(frozen=True)
class Pick:
    """A run to log, given those before it.

    Parameters
    ----------
    candidate
        Its index among the candidates.
    text, inputs
        What it is, in words and in run-table columns.
    is_repeat
        Whether a run like it was picked before: then another seed of it.
    cost, spent
        What it costs, and with those before it, FLOP at 16 bits.
    amount
        What it costs in the unit of the budget.
    sd_after
        Standard deviation of the quantity expected then.
    removed
        Share of the quantity's variance expected to be gone then.
    """

    candidate: int
    text: str
    inputs: dict[str, Any]
    is_repeat: bool
    cost: float
    amount: float
    spent: float
    sd_after: float
    removed: float

    def to_dict(self) -> dict[str, Any]:
        """The pick as plain JSON types."""
        return json_value({name: value for name, value in vars(self).items() if name != "text"}) | {
            "run": self.text
        }


@dataclass(frozen=True, kw_only=True)
class PlanDecision(Decision):
    """Which runs to log next, under one law or a stack of laws.

    Parameters
    ----------
    decision
        ``loss``, ``optimum`` or ``ptq``: what the runs are for.
    question, quantity
        What is asked about, and the number whose variance counts, in words.
    asked
        Parameters and tokens of the points it is a number of.
    budget, pricing
        What may be spent, and what training costs.
    sd
        Standard deviation of the quantity now: of log loss, of a loss difference in nats/token, or of the
        logarithm of a degradation.
    picks
        Runs to log, the one that removes most per cost first, each given those before it.
    sd_all
        Standard deviation expected after every candidate within the budget, each once, whatever they cost
        together.
    offered
        The candidates within the budget.
    is_refused
        Whether an answer to the question itself is refused until more is logged.
    measured
        What was measured on the checkpoint asked about, where that is all the answer turns on; else empty.
    """

    decision: str
    question: str
    quantity: str
    asked: tuple[tuple[float, float], ...]
    budget: Budget
    pricing: Pricing
    sd: float
    picks: tuple[Pick, ...]
    sd_all: float
    offered: tuple[Offered, ...]
    is_refused: bool
    measured: str = ""

    @property
    def spent(self) -> float:
        """What the plan costs, FLOP at 16 bits."""
        return self.picks[-1].spent if self.picks else 0.0

    @property
    def sd_after(self) -> float:
        """Standard deviation of the quantity expected after the plan."""
        return self.picks[-1].sd_after if self.picks else self.sd

    @property
    def answer(self) -> str:
        """The first run to log, in a few words."""
        return self.picks[0].text if self.picks else "none"

    def cost_text(self, flops: float) -> str:
        """What some FLOP at 16 bits cost, in the unit of the budget."""
        return f"{self.budget.amount_text(flops)}{' in money' if self.budget.unit == 'money' else ''}"

    def costs_text(self) -> str:
        """How runs are priced, in words."""
        chip = "" if self.pricing.chip is None else f", each FLOP in the time it takes on {self.pricing.name}"
        return f"6 N D{chip}"

    def sd_text(self, sd: float) -> str:
        """A standard deviation of the quantity in words."""
        if self.decision == "optimum":
            return f"{nats_text(sd)} {LOSS_UNIT}"
        of = "the loss" if self.decision == "loss" else "the degradation"
        if sd > _FACTOR_FROM:
            return f"a factor of {math.exp(sd):.2g} in {of}" if sd < 20 else f"more than e^20 in {of}"
        return f"{100 * sd:.2g} % of {of}"

    def sentence(self) -> str:
        """The plan in words: what to log first, what all picks cost, and what they leave."""
        if self.measured:
            measured = (
                f"{self.quantity[:1].upper()}{self.quantity[1:]} was measured on this very checkpoint "
                f"({self.measured}): no run is needed to know it."
            )
            return " ".join([measured, *self._now()])
        parts = [
            f"Under {self.law}, {self.quantity} is known to within {self.sd_text(self.sd)} (one standard "
            "deviation)."
        ]
        if not self.picks:
            parts.append(
                f"None of {len(self.offered)} candidates within {self.cost_text(self.budget.flops)} is expected to "
                "narrow that."
            )
        else:
            first, more = self.picks[0], len(self.picks) - 1
            parts.append(
                f"Log next: {first.text}, for {self.cost_text(first.cost)}{self._on_chip()}; that is expected to leave "
                f"{self.sd_text(first.sd_after)}."
            )
            if more:
                named = "; ".join(pick.text for pick in self.picks[1:_MOST_NAMED])
                rest = f"; and {len(self.picks) - _MOST_NAMED} more" if len(self.picks) > _MOST_NAMED else ""
                parts.append(f"Then: {named}{rest}.")
                parts.append(
                    f"Together they cost {self._spent_text()}, remove "
                    f"{format_probability(self.picks[-1].removed)} of the variance and leave "
                    f"{self.sd_text(self.sd_after)}."
                )
        if self.offered:
            parts.append(
                f"All {len(self.offered)} candidates together, each within the budget, would leave "
                f"{self.sd_text(self.sd_all)}."
            )
        return " ".join([*parts, *self._now()])

    def _now(self) -> list[str]:
        """How far the answer may be relied on as it stands."""
        if self.risk is None:
            return []
        return ["Until then an answer is REFUSED." if self.is_refused else f"Now: {self.risk.sentence()}"]

    def _on_chip(self) -> str:
        """Where it runs, in words."""
        if self.pricing.chip is None:
            return ""
        return f"{' at 16 bits' if self.budget.unit == 'FLOP' else ''} on {self.pricing.name}"

    def _spent_text(self) -> str:
        """What the plan costs of the budget, the unit named once."""
        unit = f" {self.budget.unit}" if self.budget.unit != "money" else " in money"
        spent, whole = (self.cost_text(flops).removesuffix(unit) for flops in (self.spent, self.budget.flops))
        return f"{spent} of {whole}{unit}"

    def table(self) -> pd.DataFrame:
        """One row per pick, for display."""
        unit = self.budget.unit
        columns = ["log", f"cost, {unit}", f"spent, {unit}", "expected SD after", "variance removed"]
        return pd.DataFrame(
            [
                [
                    f"{pick.text}{' (again, another seed)' if pick.is_repeat else ''}",
                    self.budget.amount_text(pick.cost).removesuffix(f" {unit}"),
                    self.budget.amount_text(pick.spent).removesuffix(f" {unit}"),
                    self.sd_text(pick.sd_after),
                    format_probability(pick.removed),
                ]
                for pick in self.picks
            ],
            columns=columns,
        )

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON types."""
        return self.record() | json_value(
            {
                "decision": self.decision,
                "question": self.question,
                "quantity": self.quantity,
                "asked": [{"n_params": n_params, "tokens": tokens} for n_params, tokens in self.asked],
                "refused": self.is_refused,
                "budget": self.budget.flops,
                "spent": self.spent,
                "spending": {
                    "unit": self.budget.unit,
                    "budget": self.budget.amount(self.budget.flops),
                    "spent": self.budget.amount(self.spent),
                    "hardware": None if self.pricing.chip is None else self.pricing.name,
                    "price": self.pricing.price,
                    "speeds": dict(self.pricing.measured) or None,
                },
                "measured": self.measured or None,
                "sd": self.sd,
                "sd_after": self.sd_after,
                "sd_all": self.sd_all,
                "picks": [pick.to_dict() for pick in self.picks],
                "candidates": [offered.to_dict() for offered in self.offered],
            }
        )
