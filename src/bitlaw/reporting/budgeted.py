"""A budget as a report shows it: its plans as a table, and the figure with its finding."""

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.budget_option import BudgetOption
from bitlaw.decisions.intervals import nats_text
from bitlaw.decisions.spending_plans import CandidatePlan
from bitlaw.inference.fit import Fit
from bitlaw.reporting.exhibit import Exhibit, exhibit
from bitlaw.reporting.figures import budget as drawn
from bitlaw.reporting.style import DEFAULT_STYLE, Style
from bitlaw.reporting.tables import Table
from bitlaw.reporting.words import cell_text, precision_text, range_text, whole_bracket
from bitlaw.units import LOSS_UNIT, Interval, format_count, format_probability

_NAME = "budget"


def budget_table(decision: BudgetDecision) -> Table:
    """The plan made of every option, then the user's own."""
    question = decision.question
    rows = [_option_row(decision, option) for option in decision.options]
    rows += [_plan_row(plan) for plan in decision.plans]
    graded = "" if decision.risk is None else f"Risk {decision.risk.grade}. "
    keys = [option.key for option in decision.options]
    plans = (
        "; of the user's plans among them, and their regret is against the recommended one"
        if decision.plans
        else ""
    )
    return Table(
        f"Plans for {question.text()}. {graded}Loss and regret in {LOSS_UNIT}; intervals are {100 * decision.prob:g} % "
        f"ETI of the law's mean over {decision.draws} draws. P(best): of each precision with sizes of its own in every "
        f"draw{plans}. Regret: of one plan for all draws, what not knowing the law costs.",
        (
            "plan",
            "parameters",
            "tokens",
            "of the budget",
            "loss",
            "expected loss",
            f"{100 * question.preference.level:g} % quantile of a new run",
            f"P(new run ≤ {question.target:.4g})",
            "P(best)",
            "expected regret",
            "optimal parameters",
        ),
        tuple(rows),
        () if decision.best is None else (keys.index(decision.best),),
    )


def budget_exhibit(fit: Fit, decision: BudgetDecision, style: Style = DEFAULT_STYLE) -> Exhibit:
    """The figure of a budget; parameters as for the figure itself."""
    return exhibit(
        _NAME,
        drawn.figure(fit, decision, style),
        caption(decision),
        f"Left: fitted runs and what they span (grey); what the budget buys in each precision (thin lines), where "
        f"{100 * decision.prob:g} % of draws have the optimum on it (thick), and the one plan for all draws (star). "
        "Right: the law's mean loss of each plan, median and interval. Hollow marks are over budget or too far "
        f"beyond the data.{_left_out(decision)}",
        style,
    )


def caption(decision: BudgetDecision) -> str:
    """What the figure of a budget shows, with its numbers."""
    if decision.best is None:
        asked = decision.question.text()
        return f"Nothing measured supports a plan for {asked}: its optima lie far from the fitted runs."
    option, prob = decision.option(decision.best), f"{100 * decision.prob:g} % ETI"
    varies = (
        f"; the optimum has {_counts(decision.n_params, prob)} parameters"
        if decision.n_params.lo < decision.n_params.hi
        else ""
    )
    more = decision.more
    twice = (
        ""
        if more is None or more.refused
        else f" {more.factor:g} times the budget would gain {nats_text(more.gain.median)}."
    )
    return (
        f"For {decision.question.text()}: {option.text()}, with a loss of {range_text(option.loss)} {LOSS_UNIT} "
        f"({prob}){varies}.{twice}"
    )


def _option_row(decision: BudgetDecision, option: BudgetOption) -> tuple[str, ...]:
    refused = " (refused)" if option.refused else ""
    return (
        f"{precision_text(option.key)}{refused}",
        format_count(option.n_params),
        format_count(option.tokens),
        "100 %",
        cell_text(option.loss),
        f"{option.scores.mean:.4g}",
        f"{option.scores.quantile:.4g}",
        _probability(option.scores.reach),
        _probability(option.probability_best),
        nats_text(option.expected_regret),
        whole_bracket(_counts(option.best_n_params)),
    )


def _plan_row(plan: CandidatePlan) -> tuple[str, ...]:
    over, refused = (", over" if plan.over_budget else ""), (" (refused)" if plan.refused else "")
    return (
        f"{plan.name}, {plan.precision}{refused}",
        format_count(plan.n_params),
        format_count(plan.tokens),
        f"{100 * plan.share:.3g} %{over}",
        cell_text(plan.loss),
        f"{plan.scores.mean:.4g}",
        f"{plan.scores.quantile:.4g}",
        _probability(plan.scores.reach),
        _probability(plan.probability_best),
        "–" if plan.expected_regret is None else nats_text(plan.expected_regret),
        "–",
    )


def _left_out(decision: BudgetDecision) -> str:
    more = len(decision.plans) - drawn.MOST_PLANS
    return f" {more} more plans are in the table." if more > 0 else ""


def _counts(interval: Interval, said: str = "") -> str:
    median, lo, hi = (format_count(end) for end in (interval.median, interval.lo, interval.hi))
    return f"{median} ({said}{' ' if said else ''}{lo} to {hi})"


def _probability(value: float) -> str:
    return format_probability(value).replace(" ", "\N{NO-BREAK SPACE}")
