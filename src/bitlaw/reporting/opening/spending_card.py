"""The card on how to spend the compute."""

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.budget_option import BudgetOption
from bitlaw.decisions.intervals import count_text, interval_text, nats_text
from bitlaw.reporting.opening.card import Card, Fact, State, refused
from bitlaw.reporting.opening.would_change import another_law, other_runs, without_data
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.words import precision_text
from bitlaw.units import LOSS_UNIT, format_count, format_probability

_SECTION = "spending"


def spending_card(decision: BudgetDecision, several: SeveralLaws | None) -> Card:
    """How the compute is best spent.

    Parameters
    ----------
    decision
        The answer.
    several
        Several laws beside each other, where there are.
    """
    name, question = "spend", f"How to spend {decision.question.text()}"
    if decision.best is None and decision.risk is not None:
        return refused(name, question, _SECTION, decision.risk, decision.sentence())
    best = decision.option(decision.best)  # type: ignore[arg-type]
    across = None if several is None else several.spending
    prior = decision.under_prior
    return Card(
        name,
        question,
        f"Train {best.text()}",
        State.ANSWERED,
        _SECTION,
        (
            *_sure(decision, best),
            Fact("Loss of a new run", interval_text(best.new_run)),
            *_sizes(decision),
            *_speed(best),
        ),
        decision.risk,
        (
            *_runner_up(decision, best),
            another_law(several, across, decision.answer),
            *_more(decision),
            *other_runs(decision.risk),
            *without_data(None if prior is None else prior.answer),
        ),
        decision.sentence(),
    )


def _sure(decision: BudgetDecision, best: BudgetOption) -> tuple[Fact, ...]:
    """How probably its precision is the best, where there is a choice, and what not knowing the law costs."""
    regret = best.regret
    costs = (
        f"not knowing the law costs {nats_text(best.expected_regret)} {LOSS_UNIT} on average "
        f"({100 * regret.prob:g} % {regret.kind} {nats_text(regret.lo)} to {nats_text(regret.hi)})"
    )
    if len(decision.options) < 2:
        return (Fact("How sure", costs),)
    return (
        Fact(
            "How sure",
            f"{precision_text(best.key)} is best with probability {format_probability(best.probability_best)}; {costs}",
        ),
    )


def _sizes(decision: BudgetDecision) -> tuple[Fact, ...]:
    if not decision.n_params.lo < decision.n_params.hi:
        return ()
    return (Fact("Where the optimum is", f"{count_text(decision.n_params)}, {count_text(decision.tokens)}"),)


def _speed(best: BudgetOption) -> tuple[Fact, ...]:
    """What its precision is assumed to cost, where no chip is named."""
    said = best.speed_text()
    return (Fact("Counted at", said),) if said else ()


def _runner_up(decision: BudgetDecision, best: BudgetOption) -> tuple[Fact, ...]:
    others = [option for option in decision.options if option.key != best.key and not option.refused]
    if not others:
        return ()
    option = max(others, key=lambda one: one.probability_best)
    return (
        Fact(
            "Runner-up",
            f"{option.text()}, best with probability {format_probability(option.probability_best)}",
        ),
    )


def _more(decision: BudgetDecision) -> tuple[Fact, ...]:
    more = decision.more
    if more is None or more.refused:
        return ()
    times = "twice" if more.factor == 2.0 else f"{more.factor:g} times"
    return (
        Fact(
            "More compute",
            f"{times} the budget lowers the loss by {interval_text(more.gain)}, with "
            f"{format_count(more.n_params)} parameters on {format_count(more.tokens)} tokens",
        ),
    )
