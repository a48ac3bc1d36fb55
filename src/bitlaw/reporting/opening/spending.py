"""How the compute is best spent, in a sentence."""

from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.intervals import interval_text, nats_text
from bitlaw.reporting.words import precision_text
from bitlaw.units import LOSS_UNIT, format_probability


def spending_sentence(decision: BudgetDecision | None) -> str:
    """The plan recommended for the compute, how sure that is, and the loss it leads to; empty without one.

    Parameters
    ----------
    decision
        The answer; None where the law takes losses as trained as data.
    """
    if decision is None:
        return ""
    if decision.best is None:
        return "" if decision.risk is None else f"For {decision.question.text()}, {decision.risk.refusal()}"
    best = decision.option(decision.best)
    sure = ""
    if len(decision.options) > 1:
        sure = f" {precision_text(best.key)} is best with probability {format_probability(best.probability_best)}."
    return (
        f"For {decision.question.text()}, train {best.text()}: a new run of that plan has a loss of "
        f"{interval_text(best.new_run)}.{sure} Not knowing the law costs {nats_text(best.expected_regret)} {LOSS_UNIT} "
        "on average."
    )
