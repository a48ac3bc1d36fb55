"""What would change an answer: another law, other runs, having no data."""

from typing import Any

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.across_laws import AcrossLaws
from bitlaw.reporting.opening.card import Fact
from bitlaw.reporting.several import SeveralLaws
from bitlaw.units import format_probability

_WORTH_ASKING = 0.05


def another_law(several: SeveralLaws | None, across: AcrossLaws[Any] | None, own: str) -> Fact:
    """What other laws say of the same question, or that it was not checked.

    Parameters
    ----------
    several
        The laws of the report; None of one.
    across
        Their answers to this question; None where that is not kept.
    own
        The answer of the card, in the words that answers have for themselves.
    """
    label = "Another law"
    if several is None:
        return Fact(label, "not checked (NOT RUN): one law was fitted")
    if across is None or len(across.by_law) < 2:
        return Fact(label, "not checked (NOT RUN): only one of the laws has a term for it")
    answers = {name: answer.answer for name, answer in across.by_law.items()}
    others = {name: answer for name, answer in answers.items() if answer != own}
    if not others:
        return Fact(label, "both say the same" if len(answers) == 2 else f"all {len(answers)} say the same")
    listed = (
        f"{name} (weight {format_probability(several.weights[name])}) says {answer}"
        for name, answer in others.items()
    )
    return Fact(label, "; ".join(listed))


def lower_bar(option: str, probability: float) -> Fact:
    """What would do if less certainty were asked; that nothing would, where the next option hardly ever does.

    Examples
    --------
    >>> lower_bar("6 bits", 0.68).text
    '6 bits if a probability of 68 % is enough'
    >>> lower_bar("4 bits", 0.004).text
    '4 bits stays within tolerance with probability 0.4 % only'
    """
    found = format_probability(probability)
    if probability < _WORTH_ASKING:
        return Fact("Next cheaper", f"{option} stays within tolerance with probability {found} only")
    return Fact("A lower bar", f"{option} if a probability of {found} is enough")


def other_runs(risk: Risk | None) -> tuple[Fact, ...]:
    """The runs that would change the grade, the most needed first."""
    if risk is None or not risk.would_help:
        return ()
    return (Fact("Runs that would help", "; ".join(risk.would_help)),)


def without_data(answer: str | None) -> tuple[Fact, ...]:
    """What the prior alone would say."""
    return () if answer is None else (Fact("Without the data", f"the prior alone would say {answer}"),)
