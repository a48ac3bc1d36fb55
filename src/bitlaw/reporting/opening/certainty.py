"""How sure the answers are: checks that failed or warned, grades, structural error, and the prior alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitlaw.criticism.risk import Grade
from bitlaw.decisions.across_laws import DISAGREEMENT
from bitlaw.decisions.caveats import is_beyond
from bitlaw.decisions.intervals import drift_text
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.finding import Finding, Status
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.tables import not_passed
from bitlaw.reporting.words import first_clause, gist, joined, of_status, precision_text

if TYPE_CHECKING:
    from bitlaw.reporting.answers import Answers

_LEAST_WEIGHT = 0.05
"""Weight of a law in the stack below which the opening does not repeat what was found in it."""


def sure_sentence(findings: tuple[Finding, ...], laws: Sequence[str] = ()) -> str:
    """Every check that failed or warned, in a clause each; whether laws disagree has its own sentence.

    Parameters
    ----------
    findings
        What was found.
    laws
        Names of the laws, where there are several.
    """
    findings = tuple(finding for finding in findings if finding.code != DISAGREEMENT)
    failed, warned = of_status(findings, Status.FAIL), of_status(findings, Status.WARN)
    passed, not_run = of_status(findings, Status.PASS), of_status(findings, Status.NOT_RUN)
    parts = []
    if failed:
        parts.append(f"Convergence failed, so do not use these numbers: {_gists(failed, laws)}.")
    if warned:
        checks = "check warns" if len(warned) == 1 else "checks warn"
        parts.append(f"{len(warned)} {checks}: {_gists(warned, laws)}.")
    if not (failed or warned or of_status(findings, Status.REFUSED)):
        parts.append(f"All {len(passed)} checks that ran passed.")
    if not_run:
        parts.append(f"{len(not_run)} could not run.")
    return " ".join(parts)


@dataclass(frozen=True)
class Notice:
    """A check that did not pass, in a clause.

    Parameters
    ----------
    status
        FAIL or WARN.
    text
        Its first clause.
    anchor
        Of its row among the diagnostics.
    """

    status: Status
    text: str
    anchor: str


def notices(findings: tuple[Finding, ...], several: SeveralLaws | None) -> tuple[Notice, ...]:
    """Checks that failed or warned, the worst first; parameters as of ``that_count`` and ``sure_sentence``.

    Whether laws disagree has its own sentence, and refused questions cards of their own.
    """
    counted, laws = set(that_count(findings, several)), tuple(several.weights) if several is not None else ()
    return tuple(
        Notice(finding.status, gist(finding, laws), anchor)
        for anchor, finding in not_passed(findings).items()
        if finding in counted
        and finding.status in (Status.FAIL, Status.WARN)
        and finding.code != DISAGREEMENT
    )


def counted_sentence(findings: tuple[Finding, ...], shown: int) -> str:
    """How many checks passed, warned elsewhere, or could not run.

    Parameters
    ----------
    findings
        What was found.
    shown
        How many of those that failed or warned are listed beside the sentence.
    """
    count = {status: len(of_status(findings, status)) for status in Status}
    noticed = count[Status.FAIL] + count[Status.WARN]
    ran = noticed + count[Status.PASS]
    parts = [f"{count[Status.PASS]} of {ran} checks that ran passed"]
    if noticed > shown:
        parts.append(
            f"{noticed - shown} more warn, of laws that weigh next to nothing or of how far laws disagree"
        )
    if count[Status.NOT_RUN]:
        parts.append(f"{count[Status.NOT_RUN]} could not run")
    return f"{'; '.join(parts)}."


def _gists(findings: Sequence[Finding], laws: Sequence[str]) -> str:
    return "; ".join(gist(finding, laws) for finding in findings)


def that_count(findings: tuple[Finding, ...], several: SeveralLaws | None) -> tuple[Finding, ...]:
    """Findings but those on laws that have next to no weight in the answer; diagnostics list them all."""
    light = [name for name, weight in several.weights.items() if weight < _LEAST_WEIGHT] if several else []
    return tuple(
        finding for finding in findings if not any(finding.message.startswith(f"{name}: ") for name in light)
    )


def risk_sentence(answers: Answers) -> str:
    """The grade of every answer, the worst first, with the first reason for those that are not LOW."""
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    asked = (
        ("the precision with sizes fixed", None if fixed is None else fixed.risk),
        ("the precision with compute fixed", None if free is None else free.risk),
        ("the plan for the compute", None if answers.budget is None else answers.budget.risk),
        ("quantizing after training", None if post is None else post.risk),
        ("the predicted loss", answers.prediction.points[0].risk),
    )
    alike: dict[tuple[Grade, str], list[str]] = {}
    for what, risk in asked:
        if risk is not None:
            why = "" if risk.grade is Grade.LOW else f" ({first_clause(risk.reasons[0])})"
            alike.setdefault((risk.grade, why), []).append(what)
    ordered = sorted(alike.items(), key=lambda item: -item[0][0].rank)
    said = [f"{grade} for {joined(whats)}{why}" for (grade, why), whats in ordered]
    return f"Risk, by what was measured: {'; '.join(said)}."


def drift_sentence(answers: Answers, findings: tuple[Finding, ...]) -> str:
    """That losses beyond the data include structural error, or do not; empty where there is none."""
    free = answers.precision_free
    added = [point.drift or 0.0 for point in answers.prediction.points]
    if free is not None and free.best is not None:
        added.append(free.option(free.best).drift or 0.0)
    return drift_text(answers.prediction.drift, max(added), is_beyond(findings)).strip()


def prior_sentence(
    fixed: PrecisionDecision | None, free: PrecisionDecision | None, post: PostTrainingDecision | None
) -> str:
    """What the same questions would have been answered without any data."""
    answers = []
    for decision, what in ((fixed, "with sizes fixed"), (free, "with sizes free")):
        if decision is not None and decision.under_prior is not None and not decision.refused:
            answers.append(f"{precision_text(decision.under_prior.best)} in training {what}")
    if post is not None and post.under_prior is not None and not post.refused:
        answers.append(f"{precision_text(post.under_prior.smallest_safe_bits)} after it")
    return f"Without the data, the prior alone would say {joined(answers)}." if answers else ""
