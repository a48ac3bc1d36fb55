"""summary.json: everything the report says, for machines. No times and no paths in it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bitlaw.criticism.contraction import contraction_table
from bitlaw.decisions.intervals import json_value
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit

if TYPE_CHECKING:
    from bitlaw.reporting.report import Answers

_NOT_BUILT_YET = ("compare", "backtest", "budget", "plan")


def summary(fit: Fit, answers: Answers) -> dict[str, Any]:
    """The report as plain JSON types.

    Parameters
    ----------
    fit
        The fit.
    answers
        What was decided from it.

    Returns
    -------
    dict
        The envelope ``command``, ``status``, ``findings``; ``question``; ``prediction``, ``optimum``
        (``sizes_fixed`` and ``sizes_free``) and ``ptq`` as their commands give them; ``constants``,
        ``data``, ``provenance``; and null for rooms that are not built yet.
    """
    findings = all_findings(fit, answers)
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    report = {
        "command": "report",
        "status": str(overall_status(findings)),
        "findings": [finding.to_dict() for finding in findings],
        "law": fit.law.name,
        "question": answers.question,
        "prediction": answers.prediction.to_dict(),
        "optimum": {
            "sizes_fixed": fixed.to_dict() if fixed is not None else None,
            "sizes_free": free.to_dict() if free is not None else None,
        },
        "ptq": post.to_dict() if post is not None else None,
        "constants": contraction_table(fit).to_dict("records"),
        "data": _data(fit),
        "provenance": _provenance(fit),
    }
    return json_value(report | dict.fromkeys(_NOT_BUILT_YET))


def all_findings(fit: Fit, answers: Answers) -> tuple[Finding, ...]:
    """The fit's findings and those of its answers, each once; of answers the caveats only."""
    decisions = (answers.prediction, answers.precision_fixed, answers.precision_free, answers.post_training)
    of_answers = [
        finding
        for decision in decisions
        if decision is not None
        for finding in decision.findings
        if finding.status is not Status.PASS
    ]
    return tuple(dict.fromkeys([*fit.findings, *of_answers]))


def source_name(fit: Fit) -> str:
    """Name of the run table, without the folder it was in."""
    return PurePath(fit.provenance.source).name or fit.provenance.source


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
