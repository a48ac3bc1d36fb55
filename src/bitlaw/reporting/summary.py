"""summary.json: everything the report says, for machines. No times and no paths in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bitlaw.criticism.backtest import without_rows
from bitlaw.criticism.contraction import contraction_table
from bitlaw.decisions.across_laws import DISAGREEMENT
from bitlaw.decisions.caveats import one_law_finding
from bitlaw.decisions.intervals import json_value
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.reporting.opening.cards import cards
from bitlaw.reporting.opening.paragraphs import paragraphs
from bitlaw.reporting.several import SeveralLaws
from bitlaw.reporting.words import by_law

if TYPE_CHECKING:
    from bitlaw.reporting.answers import Answers


def summary(fit: Fit, answers: Answers, several: SeveralLaws | None = None) -> dict[str, Any]:
    """The report as plain JSON types.

    Parameters
    ----------
    fit
        The fit; of several laws the leading one.
    answers
        What was decided from it; of several laws by their stack.
    several
        The laws beside each other, where there are several.

    Returns
    -------
    dict
        The envelope ``command``, ``status``, ``findings``; ``question``; ``opening``, the first paragraph by heading;
        ``cards``, what page one says of each question; ``prediction``, ``optimum`` (``sizes_fixed`` and
        ``sizes_free``), ``hardware``, the same on each of several chips, ``ptq``, ``budget`` and ``plan`` as their
        commands give them; ``backtest`` of the fit, without the rows its folds predicted; ``compare``, the scores and
        answers of several laws, by name; ``constants``, ``data`` and ``provenance``.
    """
    findings = all_findings(fit, answers, several)
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    report = {
        "command": "report",
        "status": str(overall_status(findings)),
        "findings": [finding.to_dict() for finding in findings],
        "law": fit.law.name,
        "question": answers.question,
        "opening": {one.head: one.text for one in paragraphs(fit, answers, findings, several)},
        "cards": {one.name: one.to_dict() for one in cards(fit, answers, several)},
        "prediction": answers.prediction.to_dict(),
        "optimum": {
            "sizes_fixed": fixed.to_dict() if fixed is not None else None,
            "sizes_free": free.to_dict() if free is not None else None,
        },
        "hardware": _chips(answers),
        "ptq": post.to_dict() if post is not None else None,
        "budget": answers.budget.to_dict() if answers.budget is not None else None,
        "plan": answers.plan.to_dict() if answers.plan is not None else None,
        "backtest": _backtest(fit),
        "compare": several.to_dict() if several is not None else None,
        "constants": contraction_table(fit).to_dict("records"),
        "data": _data(fit),
        "provenance": _provenance(fit),
    }
    return json_value(report)


def all_findings(fit: Fit, answers: Answers, several: SeveralLaws | None = None) -> tuple[Finding, ...]:
    """What was found in the fit and in its answers, each once.

    Parameters
    ----------
    fit, answers, several
        As for ``summary``. Of several laws the answers say what was found in each, and with which law;
        of answers under one law the caveats only.
    """
    decisions = (answers.prediction, answers.precision_fixed, answers.precision_free, answers.post_training)
    laws = tuple(several.weights) if several is not None else ()
    of_fit = [finding for finding in fit.findings if several is None or finding.status is Status.PASS]
    of_answers = [
        _about_free_sizes(finding, laws) if decision is answers.precision_free else finding
        for decision in decisions
        if decision is not None
        for finding in decision.findings
        if finding.status is not Status.PASS or finding.code == DISAGREEMENT
    ]
    found = list(dict.fromkeys([*of_fit, *of_answers, *_of_budget(answers, laws), *_of_chips(answers)]))
    if several is None and not any(finding.code == DISAGREEMENT for finding in found):
        found.append(one_law_finding())
    return tuple(found)


def _of_budget(answers: Answers, laws: tuple[str, ...]) -> list[Finding]:
    """What was found in the budget and not in the precision for the same compute, of much the same model."""
    if answers.budget is None:
        return []
    free = answers.precision_free
    known = {finding.code for finding in free.findings} if free is not None else set()
    return [
        _about_free_sizes(finding, laws)
        for finding in answers.budget.findings
        if finding.status is not Status.PASS and finding.code not in known
    ]


def _of_chips(answers: Answers) -> list[Finding]:
    """What was found of the chips besides the one decided for: of their speeds, and of what is not on offer there."""
    return [
        finding
        for chips in (answers.chips_fixed, answers.chips_free)
        if chips is not None
        for answer in list(chips.decisions.values())[1:]
        for finding in answer.findings
        if finding.code.startswith("hardware.") and finding.status is not Status.PASS
    ]


def _chips(answers: Answers) -> dict[str, Any] | None:
    """The answers on several chips; None where no more than one was asked about."""
    fixed, free = answers.chips_fixed, answers.chips_free
    if fixed is None or free is None:
        return None
    return {
        "turns": {"sizes_fixed": fixed.turns, "sizes_free": free.turns},
        "by_chip": {
            name: {
                "sizes_fixed": fixed.by_chip[name].to_dict(),
                "sizes_free": free.by_chip[name].to_dict(),
            }
            for name in fixed.by_chip
        },
    }


def _about_free_sizes(finding: Finding, laws: tuple[str, ...]) -> Finding:
    """A finding on how far the compute-optimal model is from the data, which then says so."""
    if not finding.code.startswith("extrapolation."):
        return finding
    whose, message = by_law(finding.message, laws)
    said = f"With sizes chosen anew for the same compute, {message}"
    return replace(finding, message=f"{whose}: {said}" if whose else said)


def source_name(fit: Fit) -> str:
    """Name of the run table, without the folder it was in."""
    return PurePath(fit.provenance.source).name or fit.provenance.source


def _backtest(fit: Fit) -> dict[str, Any] | None:
    return without_rows(fit.backtest) | {"source": source_name(fit)} if fit.backtest is not None else None


def _data(fit: Fit) -> dict[str, Any]:
    rows = fit.rows
    reasons = fit.excluded["reason"].value_counts().sort_index()
    return {
        "rows": len(rows),
        "runs": int(rows["run_id"].nunique()),
        "rows_after_training": int(rows["bits_post"].notna().sum()),
        "n_params": [float(rows["n_params"].min()), float(rows["n_params"].max())],
        "tokens": [float(rows["tokens"].min()), float(rows["tokens"].max())],
        "excluded": {str(reason): int(count) for reason, count in reasons.items()},
        "worst_pareto_k": float(fit.runs["pareto_k"].max()),
    }


def _provenance(fit: Fit) -> dict[str, Any]:
    provenance = fit.provenance
    return {
        "source": source_name(fit),
        "table_hash": provenance.table_hash,
        "seed": provenance.seed,
        "attempts": provenance.attempts,
        "settings": dict(provenance.settings),
        "versions": dict(provenance.versions),
    }
