"""One question under several laws fitted to the same rows: each law's answer, and the stack's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from bitlaw.criticism.risk import REFUSED
from bitlaw.criticism.stacking import law_weights
from bitlaw.decisions.caveats import one_law_finding
from bitlaw.decisions.on_offer import key_text, on_offer
from bitlaw.decisions.optimum import decide, precision_question
from bitlaw.decisions.pooling import stack_rows
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_draws import PrecisionDraws, precision_draws
from bitlaw.decisions.precision_summary import summarise
from bitlaw.decisions.risk import pooled_evidence, refusal, weight_apart
from bitlaw.decisions.support import precision_risk, supported_options
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.notebook import result_html
from bitlaw.units import format_probability

STACK = "the stack"
"""What the mixture of all laws by their weights is called."""

DISAGREEMENT = "laws.disagreement"


class LawAnswer(Protocol):
    """What an answer under one law can do."""

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to bear in mind."""
        ...

    def sentence(self) -> str:
        """The answer in words."""
        ...

    def table(self) -> pd.DataFrame:
        """The numbers."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain JSON types."""
        ...


@dataclass(frozen=True)
class AcrossLaws[Answer: LawAnswer]:
    """Answers to one question under several laws.

    Parameters
    ----------
    weights
        Stacking weight of each law, by name; they sum to 1.
    by_law
        The answer under each law.
    stack
        The answer from draws of all laws, each law's in proportion to its weight; with its findings,
        among them how far the laws disagree.
    """

    weights: dict[str, float]
    by_law: dict[str, Answer]
    stack: Answer

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of the stack."""
        return self.stack.findings

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return self.stack.status

    def sentence(self) -> str:
        """The stack's answer, its weights, and whether the laws disagree."""
        weights = ", ".join(f"{name} {format_probability(weight)}" for name, weight in self.weights.items())
        said = [finding.message for finding in self.findings if finding.code == DISAGREEMENT]
        return " ".join([self.stack.sentence(), f"The stack weighs {weights}.", *said])

    def table(self) -> pd.DataFrame:
        """The numbers of the stack, then those under each law."""
        tables = [self.stack.table().assign(law=STACK)]
        tables += [
            answer.table().assign(law=f"{name} ({format_probability(self.weights[name])})")
            for name, answer in self.by_law.items()
        ]
        every = pd.concat(tables, ignore_index=True)
        return every[["law", *(name for name in every if name != "law")]]

    def _repr_html_(self) -> str:
        return result_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The stack's answer as plain JSON types, with every law's weight and answer under ``laws``."""
        laws = {
            name: {"weight": self.weights[name]} | _without_laws(answer.to_dict())
            for name, answer in self.by_law.items()
        }
        return self.stack.to_dict() | {"laws": laws}


def stack_of[Answer: LawAnswer](answer: Answer | AcrossLaws[Answer]) -> Answer:
    """The answer itself; of several laws that of their stack."""
    return answer.stack if isinstance(answer, AcrossLaws) else answer


def optimum_across(
    fits: Sequence[Fit], *, seed: int | None = None, drift: bool = True, **question: Any
) -> AcrossLaws[PrecisionDecision]:
    """Decide on a training precision under several laws, and under their stack.

    Every draw's optimum is inside its own law; the stack summarises draws of all laws.

    Parameters
    ----------
    fits
        One fit per law, to the same rows.
    seed
        Recorded with the decision; by default the first fit's.
    drift
        Include structural error beyond the data; every law has draws of its own.
    **question
        As for ``optimum``. Without ``bits`` and ``formats``, the fitted formats where one of the laws
        knows no other.

    Raises
    ------
    InputError
        If the fits cannot be compared, or the question cannot be put to one of the laws.
    """
    weights = law_weights(fits)
    asked = precision_question(fits, **question)
    offer = on_offer(asked, fits)
    seed = fits[0].provenance.seed if seed is None else seed
    names = [fit.law.name for fit in fits]
    draws = [[precision_draws(fit, asked, offer, prior, drift) for prior in (False, True)] for fit in fits]
    by_law = {
        fit.law.name: decide(fit, asked, offer, posterior, prior, seed)
        for fit, (posterior, prior) in zip(fits, draws, strict=True)
    }
    if len(fits) == 1:
        alone = by_law[names[0]]
        stack = replace(alone, findings=(*alone.findings, one_law_finding()))
    else:
        posterior, prior = (pooled([pair[which] for pair in draws], weights) for which in (0, 1))
        supported = supported_options(fits, asked, offer, posterior)
        stack, under_prior = (
            summarise(STACK, asked, offer, own, supported, fits[0], seed) for own in (posterior, prior)
        )
        apart = weight_apart([decision.answer for decision in by_law.values()], weights)
        risk = precision_risk(pooled_evidence(fits, weights), stack, offer, posterior, prior, apart)
        findings = (*shared_findings(by_law), *refusal(risk), _disagreement(by_law, weights))
        stack = replace(stack, findings=findings, risk=risk, under_prior=under_prior)
    return AcrossLaws(dict(zip(names, map(float, weights), strict=True)), by_law, stack)


def pooled(draws: Sequence[PrecisionDraws], weights: np.ndarray) -> PrecisionDraws:
    """Draws of all laws together, each law's in proportion to its weight."""
    rows = stack_rows(weights, [item.samples for item in draws])
    together: dict[str, Any] = {}
    for field in fields(PrecisionDraws):
        values = [getattr(item, field.name) for item in draws]
        known = [value[own] for value, own in zip(values, rows, strict=True) if value is not None]
        together[field.name] = np.concatenate(known) if len(known) == len(draws) else None
    return PrecisionDraws(**together)


def shared_findings(by_law: Mapping[str, LawAnswer]) -> tuple[Finding, ...]:
    """Findings of all laws: once where all laws have it, else with the names of those that do."""
    laws: dict[Finding, list[str]] = {}
    for name, answer in by_law.items():
        for finding in answer.findings:
            if finding.code == REFUSED:  # of that law's answer; the stack's may not be
                continue
            laws.setdefault(finding, []).append(name)
    return tuple(
        finding
        if len(names) == len(by_law)
        else replace(finding, message=f"{', '.join(names)}: {finding.message}")
        for finding, names in laws.items()
    )


def disagreement_finding(
    answers: Mapping[str, str], weights: Sequence[float] | np.ndarray, agree: bool, consequence: str
) -> Finding:
    """Whether the answer depends on the law: PASS where the laws agree, else WARN.

    Parameters
    ----------
    answers
        Each law's answer in a few words.
    weights
        The laws' stacking weights.
    agree
        Whether the answers are as good as one.
    consequence
        What agreement or disagreement means here, as a sentence; may be empty.
    """
    listed = "; ".join(
        f"{name} (weight {format_probability(float(weight))}) {answer}"
        for (name, answer), weight in zip(answers.items(), weights, strict=True)
    )
    status = Status.PASS if agree else Status.WARN
    message = f"The laws {'agree' if agree else 'disagree'}: {listed}. {consequence}".rstrip()
    advice = (
        "" if agree else "Log runs where the laws differ, or take an answer that is near-optimal under all."
    )
    return Finding(DISAGREEMENT, status, float(len(set(answers.values()))), 1.0, message, advice)


def _disagreement(by_law: Mapping[str, PrecisionDecision], weights: np.ndarray) -> Finding:
    answers = {name: decision.answer for name, decision in by_law.items()}
    near = [decision.near_optimal for decision in by_law.values()]
    common = [key_text(key) for key in near[0] if all(key in other for other in near)]
    consequence = (
        f"Near-optimal under every law: {', '.join(common)}."
        if common
        else "No option is near-optimal under every law."
    )
    agree = len(set(answers.values())) == 1 and bool(common)
    return disagreement_finding(answers, weights, agree, consequence)


def _without_laws(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != "laws"}
