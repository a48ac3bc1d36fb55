"""Candidate plans of the user's: what each costs of a budget, and the loss it promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.budget_question import BudgetQuestion
from bitlaw.decisions.groups import place_in_group
from bitlaw.decisions.intervals import interval_of, json_value, mean_of, monte_carlo_error
from bitlaw.decisions.on_offer import OnOffer, key_text, priced, widest
from bitlaw.decisions.precision_draws import above
from bitlaw.decisions.preference import Scores
from bitlaw.decisions.question import TENSORS
from bitlaw.decisions.spending_plan_draws import PlanDraws
from bitlaw.decisions.winners import lowest_wins
from bitlaw.errors import InputError
from bitlaw.inference.columns import backward_schemes, schemes
from bitlaw.inference.fit import Fit
from bitlaw.inference.usable import training_without_term
from bitlaw.laws.formats import bits_say_all
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT, Interval

_ROUNDING = 1e-9
_OPERANDS = ("weights", "activations")


@dataclass(frozen=True)
class CandidatePlan:
    """One of the user's plans.

    Parameters
    ----------
    name
        What it is called.
    precision
        What it is trained in, in words.
    n_params, tokens
        Parameters and training tokens.
    cost
        Cost of a FLOP in its precision, relative to one at 16 bits.
    flops, spent, share
        What it costs, training and serving: FLOP at 16 bits, in the unit of the budget, as a share of it.
    probability_best
        Share of draws in which it has the lowest loss of the plans that may be chosen: within the budget, and
        supported by what was measured. Of another, in which it would beat all of them.
    probability_error
        Monte Carlo error of that share.
    expected_regret
        Mean over draws of its loss above that of the recommended plan, nats/token; negative where it is
        better, as a plan over budget may be. None where nothing is recommended.
    loss, new_run
        The law's mean loss, and that of a new run, nats/token.
    scores
        What it promises by every preference.
    drift
        What structural error beyond the data adds, a standard deviation of log loss; None where left out.
    risk
        Whether to rely on its loss.
    """

    name: str
    precision: str
    n_params: float
    tokens: float
    cost: float
    flops: float
    spent: float
    share: float
    probability_best: float
    probability_error: float
    expected_regret: float | None
    loss: Interval
    new_run: Interval
    scores: Scores
    drift: float | None
    risk: Risk

    @property
    def over_budget(self) -> bool:
        """Whether it costs more than the budget."""
        return self.share > 1.0 + _ROUNDING

    @property
    def refused(self) -> bool:
        """Whether nothing measured supports an answer about it."""
        return self.risk.refused

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain JSON types."""
        return json_value(
            vars(self)
            | {
                "scores": vars(self.scores),
                "risk": self.risk.to_dict(),
                "over_budget": self.over_budget,
                "refused": self.refused,
            }
        )


@dataclass(frozen=True)
class Candidates:
    """Plans to compare.

    Parameters
    ----------
    names, precisions
        What each is called, and trained in.
    cost
        Cost of a FLOP of each, relative to one at 16 bits, shape (plans,).
    points
        Their run-table columns, one row each.
    """

    names: tuple[str, ...]
    precisions: tuple[str, ...]
    cost: np.ndarray
    points: pd.DataFrame


def read_candidates(
    fits: Sequence[Fit], plans: pd.DataFrame, question: BudgetQuestion, offer: Sequence[OnOffer]
) -> Candidates:
    """Check plans against what the laws have terms for, and price their precision.

    Parameters
    ----------
    fits
        Fits to the same rows.
    plans
        One row each, canonical columns as from ``points_frame``; ``name``, or else ``run_id``, is what they are
        called.
    question, offer
        The budget, and the options: a plan in the precision of one costs what that does.

    Raises
    ------
    InputError
        For sizes that are no positive numbers, names given twice, plans quantized after training, a
        precision that a law has no term for or whose cost is not known, and as for ``place_in_group``.
    """
    names = _names(plans)
    problems = [
        f'plan "{name}" is given twice; valid: a name each'
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    for column in ("n_params", "tokens"):
        values = plans[column].to_numpy(np.float64)
        good = np.isfinite(values) & (values > 0)
        problems += [
            f'plan "{names[row]}": {column} is {values[row]:g}; valid: a positive number'
            for row in np.flatnonzero(~good)
        ]
    points = plans.drop(columns=["name", "run_id", "loss"], errors="ignore").reset_index(drop=True)
    for fit in fits:
        for rows, reason in training_without_term(fit.law, points):
            problems += [f'plan "{names[row]}": {reason}' for row in np.flatnonzero(rows.to_numpy())]
    problems += [
        f'plan "{names[row]}": bits_post is {points["bits_post"].iloc[row]:g}; valid: empty, for a budget trains '
        "(what quantizing afterwards costs: bitlaw ptq)"
        for row in np.flatnonzero(points["bits_post"].notna().to_numpy())
    ]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    points = place_in_group(fits[0], points, question.group)
    cost = np.array([_cost(row, question, offer) for row in points.to_dict("records")])
    return Candidates(names, _precisions(points, question), cost, points)


def assess_plans(
    candidates: Candidates,
    question: BudgetQuestion,
    draws: PlanDraws,
    recommended: np.ndarray | None,
    risks: Sequence[Risk],
    drift: bool,
) -> tuple[CandidatePlan, ...]:
    """Plans side by side.

    Parameters
    ----------
    candidates, question
        The plans, and the budget.
    draws
        Draws of their losses.
    recommended
        The law's mean loss of the recommended plan, shape (samples,); None where there is none.
    risks
        Risk of each loss.
    drift
        Whether losses include structural error.
    """
    points, prob, law_mean, new_run = candidates.points, question.prob, draws.law_mean, draws.new_run
    flops = [
        question.cost_of(n_params, tokens, cost)
        for n_params, tokens, cost in zip(points["n_params"], points["tokens"], candidates.cost, strict=True)
    ]
    share = np.array(flops) / question.flops
    may = (share <= 1.0 + _ROUNDING) & ~np.array([risk.refused for risk in risks], dtype=bool)
    wins = lowest_wins(law_mean, may if may.any() else np.ones(len(may), dtype=bool)).mean(axis=0)
    regret = None if recommended is None else above(law_mean, recommended[:, None])
    return tuple(
        CandidatePlan(
            name=candidates.names[row],
            precision=candidates.precisions[row],
            n_params=float(points["n_params"].iloc[row]),
            tokens=float(points["tokens"].iloc[row]),
            cost=float(candidates.cost[row]),
            flops=flops[row],
            spent=question.budget.amount(flops[row]),
            share=float(share[row]),
            probability_best=float(wins[row]),
            probability_error=monte_carlo_error(float(wins[row]), len(law_mean)),
            expected_regret=None if regret is None else mean_of(regret[:, row]),
            loss=interval_of(law_mean[:, row], prob, LOSS_UNIT),
            new_run=interval_of(new_run[:, row], prob, LOSS_UNIT),
            scores=question.preference.scores(law_mean[:, row], new_run[:, row], question.target),
            drift=float(draws.drift[:, row].std()) if drift else None,
            risk=risks[row],
        )
        for row in range(len(points))
    )


def _names(plans: pd.DataFrame) -> tuple[str, ...]:
    """The ``name`` of each plan, or its ``run_id``, or its number."""
    columns = [plans[name] for name in ("name", "run_id") if name in plans]
    given = [
        [str(value).strip() for value in row if not pd.isna(value)] for row in zip(*columns, strict=True)
    ]
    given = given or [[]] * len(plans)
    return tuple(next(filter(None, own), f"plan {row}") for row, own in enumerate(given, start=1))


def _cost(row: dict[Any, Any], question: BudgetQuestion, offer: Sequence[OnOffer]) -> float:
    """Cost of a FLOP: that of the option in the same precision; otherwise of the wider operand."""
    for option in offer:
        if all(
            _bits(option.columns.get(name, UNQUANTIZED_BITS)) == _bits(row[name]) for name in TRAINING_BITS
        ) and (_format(option.columns.get("format", "")) == _format(row["format"])):
            return option.cost
    tensors = question.precision.tensors
    bits = widest(row, [name for name in tensors if name in _OPERANDS] or tensors)
    name = None if bits_say_all(str(row["format"])) or bits >= UNQUANTIZED_BITS else str(row["format"])
    return priced(bits, name, row, question.precision.pricing).cost


def _bits(value: float) -> float:
    return min(float(value), UNQUANTIZED_BITS)


def _format(name: str) -> str:
    return "" if bits_say_all(name) else name.lower()


def _precisions(points: pd.DataFrame, question: BudgetQuestion) -> tuple[str, ...]:
    """What each is trained in: the bits of an option, or the format and the bits of each tensor kind."""
    columns = [TENSORS[name] for name in question.precision.tensors]
    others = [name for name in TRAINING_BITS if name not in columns]
    said = []
    for scheme, backward, row in zip(
        schemes(points), backward_schemes(points), points.to_dict("records"), strict=True
    ):
        own = {_bits(row[name]) for name in columns}
        joint = len(own) == 1 and {_bits(row[name]) for name in others} <= {UNQUANTIZED_BITS}
        if joint and bits_say_all(str(row["format"])) and bits_say_all(str(row["format_backward"])):
            said.append(key_text(own.pop()))
        else:
            said.append(" / ".join(part for part in (scheme or "bf16", backward) if part))
    return tuple(said)
