"""One training precision at a budget, with the plan made of it; and what a larger budget would buy."""

from dataclasses import dataclass
from typing import Any

from bitlaw.decisions.assumed_speed import AssumedSpeed
from bitlaw.decisions.intervals import json_value
from bitlaw.decisions.logged import Diverged
from bitlaw.decisions.on_offer import Key, key_text
from bitlaw.decisions.preference import Scores
from bitlaw.units import Interval, format_count


@dataclass(frozen=True)
class BudgetOption:
    """One training precision at a budget: where its optimum may be, and the one plan made of it.

    Parameters
    ----------
    bits, format, cost, assumed
        As of ``PrecisionOption``.
    probability_best
        Share of draws in which its own optimum has the lowest loss of the options that may be recommended;
        of a refused option, in which it would beat all of them.
    probability_error
        Monte Carlo error of that share.
    best_n_params, best_tokens
        Parameters and tokens of each draw's optimum; NaN where no draw has capacity at these bits.
    n_params, tokens
        The plan: one split of the budget for all draws, which the preference likes best.
    loss, new_run
        The law's mean loss of the plan, and that of a new run, nats/token.
    scores
        What the plan promises by every preference.
    expected_regret, regret
        The law's mean loss of the plan above that of the draw's best option and split, nats/token: what not
        knowing the law costs. Beyond the data structural error differs between the two, so that it may be
        negative in some draws.
    drift
        What structural error beyond the data adds to the plan's log loss, a standard deviation; None where
        drift is left out.
    diverged, measured
        As of ``PrecisionOption``.
    refused
        Whether it may not be recommended: nothing measured supports it, or any answer to the question.
    """

    bits: float
    format: str | None
    cost: float
    assumed: AssumedSpeed | None
    probability_best: float
    probability_error: float
    best_n_params: Interval
    best_tokens: Interval
    n_params: float
    tokens: float
    loss: Interval
    new_run: Interval
    scores: Scores
    expected_regret: float
    regret: Interval
    drift: float | None
    diverged: Diverged
    measured: bool
    refused: bool

    @property
    def key(self) -> Key:
        """What it is called: its bits, or the name of its format."""
        return self.bits if self.format is None else self.format

    def speed_text(self) -> str:
        """The speed that its precision is assumed to have; empty at 16 bits, and on a chip."""
        return "" if self.assumed is None else self.assumed.text(key_text(self.key))

    def text(self) -> str:
        """The plan in words."""
        return f"{format_count(self.n_params)} parameters on {format_count(self.tokens)} tokens in {key_text(self.key)}"

    def to_dict(self) -> dict[str, Any]:
        """The option as plain JSON types: with ``bits``, or with ``format`` and ``effective_bits``."""
        numbers = {name: value for name, value in vars(self).items() if name not in ("bits", "format")}
        called = (
            {"bits": self.bits}
            if self.format is None
            else {"format": self.format, "effective_bits": self.bits}
        )
        assumed = None if self.assumed is None else vars(self.assumed)
        said = {"assumed": assumed, "diverged": str(self.diverged), "scores": vars(self.scores)}
        return json_value(called | numbers | said)


@dataclass(frozen=True)
class MoreBudget:
    """What a larger budget would buy in the recommended precision.

    Parameters
    ----------
    factor
        How many times the budget.
    n_params, tokens
        The plan at that budget, made as the recommended one.
    loss
        The law's mean loss of it, nats/token.
    gain
        How much lower that is than of the recommended plan, drift shared.
    refused
        Whether nothing measured supports an answer that far out.
    """

    factor: float
    n_params: float
    tokens: float
    loss: Interval
    gain: Interval
    refused: bool

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain JSON types."""
        return json_value(vars(self))
