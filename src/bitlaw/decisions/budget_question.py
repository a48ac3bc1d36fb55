"""What is asked of a training budget, validated before anything is computed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.costs import inference_flop, training_flop
from bitlaw.decisions.preference import TARGET, Preference
from bitlaw.decisions.question import PrecisionQuestion, bits_problems
from bitlaw.decisions.spending import Budget
from bitlaw.errors import InputError
from bitlaw.inference.distance import measured_rows
from bitlaw.inference.fit import Fit
from bitlaw.units import format_bits, format_count


@dataclass(frozen=True)
class BudgetQuestion:
    """How to spend a budget.

    Parameters
    ----------
    precision
        The budget, what training costs and what is on offer for it, the group, and the probability of
        intervals.
    preference
        By what plans are compared.
    target
        Loss whose probability of being reached is shown, nats/token: the one preferred, or the lowest
        that was logged.
    lifetime_tokens
        Tokens to be served over the model's lifetime, which the budget pays for too; 0 for none.
    serving_bits
        Bits that a FLOP of serving costs; None = what a FLOP of training costs in the same option.
    """

    precision: PrecisionQuestion
    preference: Preference
    target: float
    lifetime_tokens: float = 0.0
    serving_bits: float | None = None

    def __post_init__(self) -> None:
        """Check the question.

        Raises
        ------
        InputError
            All problems together.
        """
        tokens, bits = self.lifetime_tokens, self.serving_bits
        problems = []
        if not (math.isfinite(tokens) and tokens >= 0):
            problems.append(f"lifetime_tokens is {tokens:g}; valid: a number from 0")
        if bits is not None:
            problems += bits_problems("serving_bits", (bits,))
            if tokens == 0:
                problems.append(
                    "serving_bits is of tokens served, and there are none; valid: with lifetime_tokens"
                )
        if problems:
            raise InputError(problems)

    @property
    def flops(self) -> float:
        """The budget, FLOP at 16 bits."""
        return self.budget.flops

    @property
    def budget(self) -> Budget:
        """The budget as it was given."""
        if self.precision.budget is None:
            raise InputError("no budget; valid: one of flops, gpu_hours and money")
        return self.precision.budget

    @property
    def group(self) -> str | None:
        """Group of a pooled fit."""
        return self.precision.group

    @property
    def prob(self) -> float:
        """Probability inside every interval."""
        return self.precision.prob

    def served(self, cost: np.ndarray | float) -> np.ndarray | float:
        """What serving costs per parameter, FLOP at 16 bits.

        Parameters
        ----------
        cost
            Cost of a FLOP of training, relative to one at 16 bits.
        """
        own = cost if self.serving_bits is None else self.precision.pricing.cost(self.serving_bits)
        return inference_flop(1.0, self.lifetime_tokens) * own * np.ones_like(cost)

    def cost_of(self, n_params: float, tokens: float, cost: float) -> float:
        """What a plan costs, training and serving, FLOP at 16 bits.

        Parameters
        ----------
        n_params, tokens
            Its parameters and training tokens.
        cost
            Cost of a FLOP in its precision, relative to one at 16 bits.
        """
        return float(training_flop(n_params, tokens) * cost + n_params * self.served(cost))

    def text(self) -> str:
        """What is asked, in words."""
        budget = self.budget.text(self.precision.pricing)
        if not self.lifetime_tokens:
            return budget
        bits = "" if self.serving_bits is None else f" in {format_bits(self.serving_bits)} bits"
        return f"{budget}, which also serves {format_count(self.lifetime_tokens)} tokens{bits}"


def target_of(fits: Sequence[Fit], preference: Preference, group: str | None) -> float:
    """The loss whose probability is shown: the one preferred, or the lowest logged as trained.

    Parameters
    ----------
    fits
        Fits to the same rows.
    preference
        The preference.
    group
        Group of a pooled fit; of one that was never measured the lowest of all.
    """
    if preference.kind == TARGET and preference.value is not None:
        return preference.value
    fit, rows = fits[0], measured_rows(fits[0])
    rows = rows[rows["bits_post"].isna()]
    if group is not None:
        names = [name.strip() for name in group.split(",")] if len(fit.pool) > 1 else [group]
        own = np.all(
            [rows[column].astype(str) == name for column, name in zip(fit.pool, names, strict=True)], axis=0
        )
        rows = rows[own] if own.any() else rows
    return float(rows["loss"].min())
