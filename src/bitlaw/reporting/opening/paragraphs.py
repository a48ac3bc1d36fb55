"""The opening in full sentences, a paragraph on each matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitlaw.finding import Finding
from bitlaw.inference.fit import Fit
from bitlaw.reporting.on_chips import chips_sentence
from bitlaw.reporting.opening.after_training import post_training_sentence
from bitlaw.reporting.opening.agreement import laws_sentence
from bitlaw.reporting.opening.certainty import (
    drift_sentence,
    prior_sentence,
    risk_sentence,
    sure_sentence,
    that_count,
)
from bitlaw.reporting.opening.measured import range_sentence
from bitlaw.reporting.opening.spending import spending_sentence
from bitlaw.reporting.opening.training import free_sentence, training_sentence
from bitlaw.reporting.several import SeveralLaws

if TYPE_CHECKING:
    from bitlaw.reporting.answers import Answers


@dataclass(frozen=True)
class Paragraph:
    """What the report opens with on one matter."""

    head: str
    text: str


def paragraphs(
    fit: Fit, answers: Answers, findings: tuple[Finding, ...], several: SeveralLaws | None
) -> tuple[Paragraph, ...]:
    """The opening: what to do, how sure that is, whether it depends on the law, and for which models.

    Parameters
    ----------
    fit, answers, several
        As for ``write_report``.
    findings
        What was found in them.
    """
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    laws = tuple(several.weights) if several is not None else ()
    texts = {
        "Training precision": (
            training_sentence(fixed, fit.law),
            free_sentence(free),
            chips_sentence(answers.chips_fixed, answers.chips_free),
        ),
        **({} if answers.budget is None else {"Spending the compute": (spending_sentence(answers.budget),)}),
        "After training": (post_training_sentence(post, fit.law),),
        "How sure": (
            sure_sentence(that_count(findings, several), laws),
            risk_sentence(answers),
            drift_sentence(answers, findings),
            prior_sentence(fixed, free, post),
        ),
        "Does it depend on the law": (laws_sentence(fit.law, several),),
        "For which models": (range_sentence(fit),),
    }
    return tuple(Paragraph(head, " ".join(filter(None, parts))) for head, parts in texts.items())
