"""What a budget decision is made of: every draw's optimum at the budget, and one plan for all draws."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.budget_question import BudgetQuestion
from bitlaw.decisions.law_draws import LawDraws, law_draws
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.pooling import pooled
from bitlaw.decisions.precision_draws import require_trainable, with_error
from bitlaw.decisions.preference import MEAN, QUANTILE, Preference
from bitlaw.decisions.reoptimise import Allocation, golden_section, purse, reoptimise, sizes_at
from bitlaw.inference.fit import Fit

_TOLERANCE = 3e-4
_ROOM = 0.05
_ROUNDS = 3
_LEVELS = (0.01, 0.99)


@dataclass(frozen=True)
class BudgetDraws:
    """Draws of what is best at a budget, under one law.

    Parameters
    ----------
    flops
        The budget, FLOP at 16 bits.
    law
        The law at the options.
    served
        What serving costs per parameter, FLOP at 16 bits, shape (options,).
    spent
        Every draw's optimum in every option, shape (samples, options).
    loss
        The law's mean loss there, nats/token, with structural error where that is asked for.
    """

    flops: float
    law: LawDraws
    served: np.ndarray
    spent: Allocation
    loss: np.ndarray


@dataclass(frozen=True)
class Beliefs:
    """What one law, or several by their weights, say of a budget.

    Parameters
    ----------
    parts
        One per law.
    weights
        The laws' weights; they sum to 1.
    """

    parts: tuple[BudgetDraws, ...]
    weights: np.ndarray

    def pool(self, of: Callable[[BudgetDraws], np.ndarray]) -> np.ndarray:
        """What is said of each part, as one array of draws."""
        return pooled([of(part) for part in self.parts], self.weights)

    def only(self, option: int) -> "Beliefs":
        """The same of one option."""
        return Beliefs(tuple(_only(part, option) for part in self.parts), self.weights)


def budget_draws(
    fit: Fit, question: BudgetQuestion, offer: Sequence[OnOffer], prior: bool = False, drift: bool = True
) -> BudgetDraws:
    """Put a budget to every draw of one fit.

    Sizes are chosen by the law itself, and structural error then enters the loss (``precision_draws``).

    Parameters
    ----------
    fit
        The fit.
    question, offer
        The budget, and the options.
    prior
        Use draws of the prior in place of the posterior.
    drift
        Include the law's structural error beyond the data.

    Raises
    ------
    InputError
        As for ``law_draws``, and for a budget that trains no model.
    """
    law = law_draws(fit, offer, question.group, prior)
    served = np.asarray(question.served(law.cost))
    spent = reoptimise(law, question.flops, served)
    if not prior:
        require_trainable(question.precision, spent)
    loss = with_error(fit, law, question.group, offer, spent) if drift else spent.loss
    return BudgetDraws(question.flops, law, served, spent, loss)


def plan_sizes(beliefs: Beliefs, flops: float, preference: Preference) -> tuple[np.ndarray, np.ndarray]:
    """One split of a budget for all draws: parameters and tokens of every option, shape (options,).

    The one that the preference likes best under the law's mean loss. The expected loss is a mean of
    functions with one minimum each, so its own lies between theirs, and is found by golden section; so is
    that of a quantile, which has one wherever draws differ in level more than in shape. The probability of
    a target is highest where the quantile of that level is lowest, so its level is found in turn. Draws
    that leave an option no capacity have no say, for to them no split is better than another.

    Parameters
    ----------
    beliefs
        Draws of one law or several.
    flops
        Budget, FLOP at 16 bits; may be another than that of the draws.
    preference
        The preference.
    """
    nothing = beliefs.pool(lambda part: part.law.no_capacity())
    found = beliefs.pool(_coordinate)
    first = beliefs.parts[0]
    room = _ROOM + abs(math.log(flops / first.flops))
    product, served = purse(first.law, flops, first.served)
    reference = first.law.reference
    middle = 0.5 * np.log(product * reference.n_params / reference.tokens)
    some = ~nothing.all(axis=0)
    lo = np.where(some, np.where(nothing, np.inf, found).min(axis=0), middle) - room
    hi = np.where(some, np.where(nothing, -np.inf, found).max(axis=0), middle) + room

    def loss(at: np.ndarray) -> np.ndarray:
        sizes = sizes_at(at, product, served)
        return np.where(nothing, 0.0, beliefs.pool(lambda part: part.law.loss(*sizes)))

    def lowest(score: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return golden_section(lambda at: score(loss(at)), lo, hi, _TOLERANCE)[0]

    if preference.kind == MEAN:
        at = lowest(_mean)
    elif preference.kind == QUANTILE:
        at = lowest(lambda losses: np.quantile(losses, preference.level, axis=0))
    else:
        at = _likeliest(lowest, loss, preference.value or 0.0)
    return sizes_at(at, product, served)


def _likeliest(
    lowest: Callable[[Callable[[np.ndarray], np.ndarray]], np.ndarray],
    loss: Callable[[np.ndarray], np.ndarray],
    target: float,
) -> np.ndarray:
    """Where a target is reached with the highest probability: the lowest point of the quantile of that level."""
    at = lowest(_mean)
    for _ in range(_ROUNDS):
        level = np.clip((loss(at) <= target).mean(axis=0), *_LEVELS)
        at = lowest(lambda losses, level=level: _quantiles(losses, level))  # type: ignore[misc]
    return at


def _mean(losses: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return losses.mean(axis=0)


def _quantiles(losses: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """A quantile of each column, of a level of its own."""
    return np.array([np.quantile(column, level) for column, level in zip(losses.T, levels, strict=True)])


def _coordinate(part: BudgetDraws) -> np.ndarray:
    """Where each draw's optimum is in the coordinate of ``sizes_at``, shape (samples, options)."""
    return np.log(purse(part.law, part.flops, part.served)[0] / part.spent.tokens)


def _only(part: BudgetDraws, option: int) -> BudgetDraws:
    one = slice(option, option + 1)
    spent = Allocation(*(values[:, one] for values in vars(part.spent).values()))
    return BudgetDraws(part.flops, part.law.only(option), part.served[one], spent, part.loss[:, one])
