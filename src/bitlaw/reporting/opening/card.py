"""A card: the answer to one question at a glance, how sure it is, what it risks, and what would change it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bitlaw.criticism.risk import Risk


class State(StrEnum):
    """Whether there is an answer."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True)
class Fact:
    """One thing to know of an answer.

    Parameters
    ----------
    label
        What it is about, in a word or three.
    text
        What there is to know, with numbers.
    """

    label: str
    text: str


@dataclass(frozen=True)
class Card:
    """The answer to one question.

    Parameters
    ----------
    name
        Its anchor.
    question
        What was asked.
    headline
        What to do, in plain words.
    state
        Whether there is an answer.
    section
        Anchor of the section that shows it in figures and tables.
    facts
        How sure it is, and its numbers, intervals with their probability, kind and unit.
    risk
        Whether to rely on it; None where nothing is answered.
    changes
        What would change it.
    detail
        The same in full sentences, and more.
    """

    name: str
    question: str
    headline: str
    state: State
    section: str
    facts: tuple[Fact, ...] = ()
    risk: Risk | None = None
    changes: tuple[Fact, ...] = ()
    detail: str = ""

    @property
    def reason(self) -> str:
        """The first reason of its grade."""
        return "" if self.risk is None else self.risk.reasons[0]

    def to_dict(self) -> dict[str, Any]:
        """The card as plain JSON types."""
        return {
            "question": self.question,
            "headline": self.headline,
            "state": str(self.state),
            "facts": {fact.label: fact.text for fact in self.facts},
            "risk": None if self.risk is None else str(self.risk.grade),
            "reason": self.reason,
            "would_change_it": {fact.label: fact.text for fact in self.changes},
        }


def refused(name: str, question: str, section: str, risk: Risk, detail: str) -> Card:
    """The card of a question that is refused: why, and the runs that would help."""
    return Card(
        name,
        question,
        "Refused: nothing measured supports an answer",
        State.REFUSED,
        section,
        tuple(Fact("Why" if place == 0 else "And", text) for place, text in enumerate(_decisive(risk)[1:])),
        risk,
        tuple(Fact("Runs that would help", text) for text in risk.would_help),
        detail,
    )


def in_full(sentence: str, risk: Risk | None) -> str:
    """A sentence of the opening with the risk of what it says."""
    return sentence if risk is None else f"{sentence} {risk.sentence()}"


def _decisive(risk: Risk) -> tuple[str, ...]:
    return risk.reasons[: risk.decisive]


def silent(name: str, question: str, section: str, why: str) -> Card:
    """The card of a question that the law says nothing about."""
    return Card(name, question, "No answer from this law", State.SILENT, section, (Fact("Why", why),))
