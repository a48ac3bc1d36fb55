"""What is asked of a training budget, validated before anything is computed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.costs import cost_in_bits, inference_flop, training_flop
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.preference import TARGET, Preference
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.decisions.question import PrecisionQuestion, bits_problems
from bitlaw.errors import InputError
from bitlaw.inference.distance import measured_rows
from bitlaw.inference.fit import Fit
from bitlaw.units import format_bits, format_count

FLOP, GPU_HOURS, MONEY = "FLOP", "GPU-hours", "money"
_PLAIN = 100.0


@dataclass(frozen=True)
class Budget:
    """What may be spent, in one of three units; it always becomes FLOP at 16 bits.

    Parameters
    ----------
    flops
        The budget, FLOP at 16 bits.
    amount
        The same in the unit it was given in.
    unit
        ``FLOP``, ``GPU-hours`` or ``money``.
    pricing
        What training costs in each precision, and what a FLOP at 16 bits takes.
    """

    flops: float
    amount: float
    unit: str
    pricing: Pricing

    def cost(self, flops: float) -> float:
        """What some FLOP at 16 bits cost in the unit of the budget."""
        return flops * self.amount / self.flops

    def cost_text(self, flops: float) -> str:
        """The same in words.

        Examples
        --------
        >>> budget_of(flops=1e21).cost_text(5e20)
        '5e+20 FLOP'
        """
        amount = self.cost(flops)
        return (
            f"{amount:.3g} {self.unit}"
            if amount < _PLAIN or self.unit == FLOP
            else f"{amount:,.0f} {self.unit}"
        )

    def text(self) -> str:
        """The budget in words.

        Examples
        --------
        >>> budget_of(flops=1e21).text()
        'a budget of 1e+21 FLOP'
        >>> from bitlaw.decisions.hardware import load_chip
        >>> budget_of(gpu_hours=1000, pricing=Pricing(load_chip("h100"))).text()
        'a budget of 1,000 GPU-hours on h100 (1.42e+21 FLOP at 16 bits)'
        """
        if self.unit == FLOP:
            return f"a budget of {self.flops:.3g} FLOP"
        price = f" at {self.pricing.price:g} per GPU-hour" if self.unit == MONEY else ""
        return (
            f"a budget of {self.cost_text(self.flops)}{price} on {self.pricing.name} "
            f"({self.flops:.3g} FLOP at 16 bits)"
        )


def budget_of(
    flops: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
    pricing: Pricing = FLOP_BITS,
) -> Budget:
    """The budget from the one unit it is given in.

    Parameters
    ----------
    flops, gpu_hours, money
        FLOP at 16 bits, hours of one chip, or money for them; one of the three.
    pricing
        What training costs: the chip, for hours, and its price, for money.

    Raises
    ------
    InputError
        If not just one is given, it is not positive, or there is no chip, or no price for money.
    """
    given = {FLOP: flops, GPU_HOURS: gpu_hours, MONEY: money}
    known = {unit: float(amount) for unit, amount in given.items() if amount is not None}
    if len(known) != 1:
        what = " and ".join({FLOP: "flops", GPU_HOURS: "gpu_hours", MONEY: "money"}[unit] for unit in known)
        raise InputError(f"a budget from {what or 'nothing'}; valid: one of flops, gpu_hours and money")
    ((unit, amount),) = known.items()
    if unit != FLOP:
        return Budget(pricing.flops(gpu_hours=gpu_hours, money=money), amount, unit, pricing)
    if not (math.isfinite(amount) and amount > 0):
        raise InputError(f"flops is {amount:g}; valid: a positive number")
    return Budget(amount, amount, unit, pricing)


@dataclass(frozen=True)
class BudgetQuestion:
    """How to spend a budget.

    Parameters
    ----------
    budget
        What may be spent.
    precision
        What is on offer for it, the group, and the probability of intervals.
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

    budget: Budget
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
        own = cost if self.serving_bits is None else cost_in_bits(self.serving_bits)
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

    def require_enough(self, offer: Sequence[OnOffer]) -> None:
        """Raise InputError where the budget trains, and serves, not one parameter on one token."""
        least = min(self.cost_of(1.0, 1.0, option.cost) for option in offer)
        if self.flops < least:
            serving = (
                f" and serve it {format_count(self.lifetime_tokens)} tokens" if self.lifetime_tokens else ""
            )
            raise InputError(
                f"a budget of {self.flops:.3g} FLOP cannot train the smallest model, one parameter on one token"
                f"{serving}, in any precision on offer; valid: at least {least:.3g} FLOP"
            )

    def text(self) -> str:
        """What is asked, in words."""
        if not self.lifetime_tokens:
            return self.budget.text()
        bits = "" if self.serving_bits is None else f" in {format_bits(self.serving_bits)} bits"
        return f"{self.budget.text()}, which also serves {format_count(self.lifetime_tokens)} tokens{bits}"


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
