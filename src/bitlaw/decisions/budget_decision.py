"""The answer to how a budget is best spent: one plan, what it buys, and the user's own plans beside it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from bitlaw.criticism.risk import Grade
from bitlaw.decisions.budget_option import BudgetOption, MoreBudget
from bitlaw.decisions.budget_question import BudgetQuestion
from bitlaw.decisions.caveats import is_beyond
from bitlaw.decisions.decision import Decision
from bitlaw.decisions.intervals import count_text, drift_text, interval_text, json_value, nats_text
from bitlaw.decisions.on_offer import Key, key_text
from bitlaw.decisions.preference import MEAN, Scores
from bitlaw.decisions.spending_plans import CandidatePlan
from bitlaw.units import LOSS_UNIT, Interval, format_count, format_probability


@dataclass(frozen=True, kw_only=True)
class BudgetDecision(Decision):
    """How a budget is best spent, under one law or a stack of laws.

    Parameters
    ----------
    question
        What was asked.
    options
        Every precision on offer, dearest first.
    best
        The option whose plan is recommended; None where the answer is refused.
    n_params, tokens
        Parameters and tokens of every draw's overall optimum, whichever option that is.
    near
        Expected regret up to which an option counts as near-optimal, nats/token: 1 % of the median reducible
        loss of the recommended plan.
    near_optimal
        Options whose plans are near-optimal.
    ties
        Options whose probability of being best is within two Monte Carlo errors of the recommended one's.
    at_edge
        Whether the recommended option has the fewest or most bits of those that may be, so that the answer may
        lie outside.
    more
        What twice the budget buys; None where nothing is recommended.
    plans
        The user's plans, in the order given.
    best_plan
        Which of them is preferred among those within the budget that may be chosen; None where none is.
    under_prior
        The same decision from the prior alone, without plans; None in that decision itself.
    """

    question: BudgetQuestion
    options: tuple[BudgetOption, ...]
    best: Key | None
    n_params: Interval
    tokens: Interval
    near: float
    near_optimal: tuple[Key, ...]
    ties: tuple[Key, ...]
    at_edge: bool
    more: MoreBudget | None = None
    plans: tuple[CandidatePlan, ...] = ()
    best_plan: str | None = None
    under_prior: "BudgetDecision | None" = None

    @property
    def refused(self) -> bool:
        """Whether nothing measured supports any answer."""
        return self.best is None

    @property
    def answer(self) -> str:
        """The recommendation in a few words."""
        return "refused" if self.best is None else self.option(self.best).text()

    def option(self, key: Key) -> BudgetOption:
        """The option with these bits, or in this format."""
        return next(option for option in self.options if option.key == key)

    def plan(self, name: str) -> CandidatePlan:
        """The user's plan of that name."""
        return next(plan for plan in self.plans if plan.name == name)

    def sentence(self) -> str:
        """The answer in words, with its uncertainty."""
        if self.best is None and self.risk is not None:
            text = (
                f"{self.risk.refusal()} That is about {self.question.text()}. What {self.law} and its priors would say "
                "of each option is in the table, no basis for a decision."
            )
            return " ".join(part for part in (text, self._plans_text()) if part)
        parts = [self._answer(), self._speed(), self._posterior(), self._more(), *self._choice()]
        parts.append(self._plans_text())
        if self.under_prior is not None:
            parts.append(f"The prior alone would say {self.under_prior.answer}.")
        if self.risk is not None:
            parts.append(self.risk.sentence())
        return " ".join(part for part in parts if part)

    def _answer(self) -> str:
        if self.best is None:
            return ""
        option, preference = self.option(self.best), self.question.preference
        promised = "" if preference.kind == MEAN else f" ({preference.promise(option.scores)})"
        said = drift_text(self.drift, option.drift, is_beyond(self.findings))
        return (
            f"Under {self.law}, for {self.question.text()}, train {option.text()}: the plan with {preference.text()}"
            f"{promised}. The law's mean loss of it is {interval_text(option.loss)}, that of a new run "
            f"{interval_text(option.new_run)}.{said}"
        )

    def _speed(self) -> str:
        """The speed that the recommended precision is assumed to have."""
        said = "" if self.best is None else self.option(self.best).speed_text()
        return f"Training in it is counted at {said}." if said else ""

    def _posterior(self) -> str:
        if self.best is None:
            return ""
        option = self.option(self.best)
        others = sorted(
            (one for one in self.options if one.key != self.best and not one.refused),
            key=lambda one: -one.probability_best,
        )
        rest = [f"{key_text(one.key)} {format_probability(one.probability_best)}" for one in others[:2]]
        sizes = ""
        if self.n_params.lo < self.n_params.hi:
            sizes = f" The optimum has {count_text(self.n_params)} and {count_text(self.tokens)}."
        best = (
            f"{key_text(self.best)} is best with probability {format_probability(option.probability_best)} "
            f"(Monte Carlo error {100 * option.probability_error:.1f} %; {', '.join(rest)}).{sizes}"
            if rest
            else sizes.lstrip()
        )
        return (
            f"{best} Not knowing the law costs {nats_text(option.expected_regret)} {LOSS_UNIT} on average "
            f"({100 * option.regret.prob:g} % {option.regret.kind} {nats_text(option.regret.lo)} to "
            f"{nats_text(option.regret.hi)})."
        ).lstrip()

    def _more(self) -> str:
        more = self.more
        if more is None:
            return ""
        times = "Twice" if more.factor == 2.0 else f"{more.factor:g} times"
        if more.refused:
            return f"{times} the budget is too far beyond the data for an answer."
        return (
            f"{times} the budget would lower the loss by {interval_text(more.gain)}, with "
            f"{format_count(more.n_params)} parameters on {format_count(more.tokens)} tokens."
        )

    def _choice(self) -> list[str]:
        parts = []
        others = [key for key in self.near_optimal if key != self.best]
        if others:
            within = f"{nats_text(self.near)} {LOSS_UNIT}"
            parts.append(
                f"Near-optimal too, expected regret within {within}: {', '.join(map(key_text, others))}."
            )
        if self.ties:
            parts.append(f"Tied within 2 Monte Carlo errors: {', '.join(map(key_text, self.ties))}.")
        refused = [option for option in self.options if option.refused]
        if self.at_edge and len(self.options) > 1:
            edge = "may be recommended" if refused else "was offered"
            beyond = ": the optimum may lie beyond it" if self.question.precision.pricing.chip is None else ""
            parts.append(f"That is the edge of what {edge}{beyond}.")
        if refused:
            them = "it" if len(refused) == 1 else "them"
            parts.append(
                f"Not to be recommended, for nothing measured supports {them}: "
                f"{', '.join(key_text(option.key) for option in refused)}."
            )
        return parts

    def _plans_text(self) -> str:
        """The user's plans in a sentence or two."""
        if not self.plans:
            return ""
        left_out = [
            f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {why}"
            for names, why in (
                ([plan.name for plan in self.plans if plan.over_budget], "over budget"),
                (
                    [plan.name for plan in self.plans if plan.refused and not plan.over_budget],
                    "too far beyond the data",
                ),
            )
            if names
        ]
        said = f" {'; '.join(left_out)}." if left_out else ""
        if self.best_plan is None:
            return f"None of your plans may be chosen:{said}"
        plan, several = self.plan(self.best_plan), len(self.plans) > 1
        named = f"Your plan {plan.name} has a loss of {interval_text(plan.loss)}"
        if several:
            named = (
                f"Of your {len(self.plans)} plans {plan.name} has {self.question.preference.text()}, best of them "
                f"with probability {format_probability(plan.probability_best)}: {interval_text(plan.loss)}"
            )
        regret = (
            "" if plan.expected_regret is None else f", {_apart(plan.expected_regret)} the recommended one"
        )
        return f"{named}{regret}.{said}"

    def table(self) -> pd.DataFrame:
        """One row per option with its plan, then one per plan of the user's, for display."""
        rows = [self._option_row(option) for option in self.options]
        return pd.DataFrame(rows + [self._plan_row(plan) for plan in self.plans])

    def _option_row(self, option: BudgetOption) -> dict[str, str]:
        recommended = option.key == self.best
        risk = str(self.risk.grade) if recommended and self.risk is not None else ""
        return {
            "plan": "recommended" if recommended else "option",
            "precision": key_text(option.key),
            "parameters": format_count(option.n_params),
            "tokens": format_count(option.tokens),
            "cost": self._cost(self.question.flops, 1.0),
            "loss": interval_text(option.loss),
            **self._scores(option.scores),
            "P(best)": format_probability(option.probability_best),
            "expected regret": nats_text(option.expected_regret),
            "optimal parameters": count_text(option.best_n_params),
            "risk": str(Grade.REFUSE) if option.refused else risk,
        }

    def _plan_row(self, plan: CandidatePlan) -> dict[str, str]:
        would = "would " if plan.over_budget or plan.refused else ""
        return {
            "plan": plan.name,
            "precision": plan.precision,
            "parameters": format_count(plan.n_params),
            "tokens": format_count(plan.tokens),
            "cost": self._cost(plan.flops, plan.share, plan.over_budget),
            "loss": interval_text(plan.loss),
            **self._scores(plan.scores),
            "P(best)": f"{would}{format_probability(plan.probability_best)} of plans",
            "expected regret": "" if plan.expected_regret is None else nats_text(plan.expected_regret),
            "optimal parameters": "",
            "risk": str(plan.risk.grade),
        }

    def _time(self) -> dict[str, float | None]:
        """GPU-hours of the budget, and hours by the clock; None where that is not known."""
        pricing = self.question.precision.pricing
        hours = pricing.gpu_hours(self.question.flops)
        return {"gpu_hours": hours, "wall_clock": pricing.wall_clock(hours)}

    def _cost(self, flops: float, share: float, over: bool = False) -> str:
        return f"{self.question.budget.amount_text(flops)} ({100 * share:.3g} %{', over' if over else ''})"

    def _scores(self, scores: Scores) -> dict[str, str]:
        return {
            "expected loss": f"{scores.mean:.4g}",
            f"{100 * self.question.preference.level:g} % quantile": f"{scores.quantile:.4g}",
            f"P(loss <= {self.question.target:.4g})": format_probability(scores.reach),
        }

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain JSON types."""
        question, preference = self.question, self.question.preference
        return self.record() | {
            "question": json_value(
                {
                    "flops": question.flops,
                    "budget": question.budget.amount(question.flops),
                    "unit": question.budget.unit,
                    "hardware": None
                    if question.precision.pricing.chip is None
                    else question.precision.pricing.name,
                    "price": question.precision.pricing.price,
                    "gpus": question.precision.pricing.gpus,
                    **self._time(),
                    "tensors": question.precision.tensors,
                    "group": question.group,
                    "lifetime_tokens": question.lifetime_tokens,
                    "serving_bits": question.serving_bits,
                    "prefer": {"kind": preference.kind, "value": preference.value},
                    "level": preference.level,
                    "target": question.target,
                }
            ),
            "options": [option.to_dict() for option in self.options],
            "best": self.best,
            "refused": self.refused,
            "n_params": json_value(self.n_params),
            "tokens": json_value(self.tokens),
            "near": json_value(self.near),
            "near_optimal": list(self.near_optimal),
            "ties": list(self.ties),
            "at_edge": self.at_edge,
            "more": None if self.more is None else self.more.to_dict(),
            "plans": [plan.to_dict() for plan in self.plans],
            "best_plan": self.best_plan,
            "under_prior": None if self.under_prior is None else self.under_prior.to_dict(),
        }


def _apart(regret: float) -> str:
    """How far a plan is from the recommended one, in words."""
    return f"{nats_text(abs(regret))} {LOSS_UNIT} {'above' if regret > 0 else 'below'}"
