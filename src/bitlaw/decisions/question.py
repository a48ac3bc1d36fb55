"""What is asked of a precision decision, validated before anything is computed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bitlaw.decisions.intervals import require_probability
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.decisions.spending import Budget
from bitlaw.errors import InputError, did_you_mean
from bitlaw.runs.columns import BY_NAME
from bitlaw.units import format_bits, format_count

TENSORS: dict[str, str] = {
    "weights": "bits_weights",
    "activations": "bits_activations",
    "kv": "bits_kv",
    "gradients": "bits_gradients",
}
"""Tensor kinds a decision may quantize, and their run-table columns."""

_VALID = "valid: flops; n_params and flops; n_params and tokens (gpu_hours or money do for flops)"


@dataclass(frozen=True)
class PrecisionQuestion:
    """Which training precision, given what is fixed.

    Parameters
    ----------
    budget
        What may be spent, in FLOP at 16 bits; None where tokens are fixed.
    n_params, tokens
        What is fixed besides; None where it is free.
    bits
        Bit-widths on offer, largest first, without repeats.
    formats
        Number formats on offer besides, by name.
    group_size
        Elements that share one scale, for options that do not say it themselves; None = as logged.
    tensors
        Tensor kinds trained at these bits; the others stay at 16.
    tolerance
        Loss above the 16-bit run that is acceptable where both sizes are fixed, nats/token.
    near
        Expected regret of a near-optimal option, nats/token; None = 1 % of the reducible loss.
    prob
        Probability inside every interval.
    group
        Group of a pooled fit.
    pricing
        What training costs: in proportion to bits, or on a chip.
    left_out
        Formats of the chip that are not on offer, with the reason.
    """

    budget: Budget | None
    n_params: float | None
    tokens: float | None
    bits: tuple[float, ...]
    formats: tuple[str, ...]
    group_size: float | None
    tensors: tuple[str, ...]
    tolerance: float
    near: float | None
    prob: float
    group: str | None
    pricing: Pricing = FLOP_BITS
    left_out: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Check the question.

        Raises
        ------
        InputError
            All problems together.
        """
        given = [name for name in ("flops", "n_params", "tokens") if getattr(self, name) is not None]
        problems: list[str] = []
        if given not in (["flops"], ["flops", "n_params"], ["n_params", "tokens"]):
            problems.append(f"cannot decide from {' and '.join(given) or 'nothing'}; {_VALID}")
        problems += [
            f"{name} is {getattr(self, name):g}; valid: a positive number"
            for name in (*given, "tolerance", "near", "group_size")
            if not _is_positive(getattr(self, name))
        ]
        if self.bits or not self.formats:
            problems += bits_problems("bits", self.bits)
        problems += [f'tensors: "{name}" is unknown; {did_you_mean(name, list(TENSORS))}'
                     for name in self.tensors if name not in TENSORS]  # fmt: skip
        if not self.tensors:
            problems.append(f"tensors is empty; valid: one or more of {', '.join(TENSORS)}")
        if problems:
            raise InputError(problems)
        require_probability("prob", self.prob)

    @property
    def sizes_fixed(self) -> bool:
        """Whether parameters and tokens are both fixed, so that more bits never lose."""
        return self.budget is None

    @property
    def flops(self) -> float | None:
        """The budget in FLOP at 16 bits; None where tokens are fixed."""
        return None if self.budget is None else self.budget.flops

    def text(self) -> str:
        """What is asked, in words."""
        n_params = "" if self.n_params is None else f"{format_count(self.n_params)} parameters"
        if self.budget is None:
            where = "" if self.pricing.chip is None else f" on {self.pricing.name}"
            return f"{n_params} and {format_count(self.tokens or math.nan)} tokens{where}"
        budget = self.budget.text(self.pricing)
        return f"{n_params} and {budget}" if n_params else f"{budget}, parameters and tokens chosen for it"


def bits_problems(name: str, bits: tuple[float, ...]) -> list[str]:
    """What is wrong with bit-widths on offer, one sentence each.

    Examples
    --------
    >>> bits_problems("bits", (8.0, 0.5))
    ['bits has 0.5; valid: 1 to 32']
    """
    column = BY_NAME["bits_weights"]
    low, high = column.low or 0.0, column.high or math.inf
    if not bits:
        return [f"{name} is empty; valid: one or more of {low:g} to {high:g}"]
    return [
        f"{name} has {format_bits(value)}; valid: {low:g} to {high:g}"
        for value in bits
        if not low <= value <= high
    ]


def largest_first(bits: Iterable[float]) -> tuple[float, ...]:
    """Bit-widths without repeats, largest first.

    Examples
    --------
    >>> largest_first([4, 16, 8, 8])
    (16.0, 8.0, 4.0)
    """
    return tuple(sorted({float(value) for value in bits}, reverse=True))


def _is_positive(value: float | None) -> bool:
    return value is None or (math.isfinite(value) and value > 0)
