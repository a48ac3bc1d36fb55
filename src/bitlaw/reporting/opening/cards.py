"""The cards a report opens with: one for every question that was put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bitlaw.inference.fit import Fit
from bitlaw.reporting.opening.after_training_card import after_training_card
from bitlaw.reporting.opening.card import Card
from bitlaw.reporting.opening.loss_card import loss_card
from bitlaw.reporting.opening.spending_card import spending_card
from bitlaw.reporting.opening.training_cards import fixed_card, free_card
from bitlaw.reporting.several import SeveralLaws

if TYPE_CHECKING:
    from bitlaw.reporting.answers import Answers


def cards(fit: Fit, answers: Answers, several: SeveralLaws | None) -> tuple[Card, ...]:
    """Every question with its answer, in the order in which they are decided.

    Parameters
    ----------
    fit, answers, several
        As for ``write_report``.
    """
    free, budget = answers.precision_free, answers.budget
    return (
        fixed_card(answers.precision_fixed, fit.law, several),
        *([] if free is None else [free_card(free, several)]),
        *([] if budget is None else [spending_card(budget, several)]),
        after_training_card(answers.post_training, fit.law, several),
        *([] if fit.law.base.is_observed else [loss_card(answers.prediction, several)]),
    )
