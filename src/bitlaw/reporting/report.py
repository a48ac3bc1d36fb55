"""The report: one self-contained page, summary.json and model_card.md, written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bitlaw.criticism.contraction import contraction_table
from bitlaw.criticism.residuals import residual_table
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.drift import without_drift
from bitlaw.inference.fit import Fit
from bitlaw.reporting import beyond, tables
from bitlaw.reporting.answers import Answers, risk_shares
from bitlaw.reporting.backtested import backtest_of, folds_table, why_no_backtest
from bitlaw.reporting.beyond_exhibits import beyond_exhibits
from bitlaw.reporting.budgeted import budget_exhibit, budget_table
from bitlaw.reporting.equations import equation
from bitlaw.reporting.exhibits import decision_exhibits, evidence_exhibits, next_exhibit
from bitlaw.reporting.explorer.embedded import explorer
from bitlaw.reporting.explorer.page import explorer_context
from bitlaw.reporting.meanings import Meaning, meanings, training_meanings
from bitlaw.reporting.model_card import model_card
from bitlaw.reporting.on_chips import chips_context
from bitlaw.reporting.opening.agreement import laws_sentence
from bitlaw.reporting.opening.cards import cards
from bitlaw.reporting.opening.certainty import counted_sentence, drift_sentence, notices, prior_sentence
from bitlaw.reporting.opening.measured import range_sentence
from bitlaw.reporting.palette import scheme
from bitlaw.reporting.several import SeveralLaws, laws_table
from bitlaw.reporting.style import DEFAULT_STYLE, Style
from bitlaw.reporting.summary import all_findings, source_name, summary
from bitlaw.reporting.words import printable, range_text, symbol
from bitlaw.units import format_count

PAGE, SUMMARY, CARD = "index.html", "summary.json", "model_card.md"


def write_report(
    fit: Fit,
    answers: Answers,
    out: Path,
    comparison: SeveralLaws | None = None,
    style: Style = DEFAULT_STYLE,
) -> Path:
    """Write ``index.html``, ``summary.json`` and ``model_card.md``.

    All are made in memory first and then put in place by renaming: whatever goes wrong, a figure
    for instance, leaves the folder as it was.

    Parameters
    ----------
    fit
        The fit; of several laws the one with the most weight, whose figures are shown.
    answers
        What was decided from it; of several laws by their stack (``stacked_answers``).
    out
        Folder to write to; made if needed.
    comparison
        Several laws beside each other; None where one was fitted.
    style
        How figures are drawn.

    Returns
    -------
    Path
        The page.
    """
    page = render(fit, answers, comparison, style)
    machine = json.dumps(summary(fit, answers, comparison), indent=1, allow_nan=False) + "\n"
    card = model_card(fit, answers, comparison)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    texts = {out / PAGE: page, out / SUMMARY: machine, out / CARD: card}
    parts = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in texts}
    try:
        for path, text in texts.items():
            parts[path].write_text(text, encoding="utf-8", newline="\n")
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return out / PAGE


def render(
    fit: Fit, answers: Answers, comparison: SeveralLaws | None = None, style: Style = DEFAULT_STYLE
) -> str:
    """The page as text; parameters as for ``write_report``."""
    environment = Environment(
        loader=PackageLoader("bitlaw.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css = "".join(
        environment.get_template(name).render(light=scheme("light"), dark=scheme("dark"))
        for name in ("report.css", "explorer.css")
    )
    return printable(
        environment.get_template("report.html.j2").render(
            _context(fit, answers, comparison, style),
            css=Markup(css),
            explorer=explorer_context(explorer(fit, answers)),
            several=comparison is not None,
        )
    )


def _context(fit: Fit, answers: Answers, several: SeveralLaws | None, style: Style) -> dict[str, Any]:
    findings = all_findings(fit, answers, several)
    constants = contraction_table(fit)
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    drift = answers.prediction.drift
    return {
        "title": f"Training and quantization precision: {source_name(fit)}",
        "question": answers.question,
        "failed": overall_status(findings) is Status.FAIL,
        **_opening(fit, answers, findings, several),
        "prediction": "" if fit.law.base.is_observed else answers.prediction.sentence(),
        "laws_table": laws_table(several) if several is not None else None,
        "differences": several.differences if several is not None else (),
        "precision_tables": [
            table(decision)
            for table, decision in ((tables.fixed_table, fixed), (tables.free_table, free))
            if decision is not None
        ],
        "post_table": tables.post_table(post) if post is not None else None,
        "decided": decision_exhibits(fixed, free, post, style),
        **chips_context(answers.chips_fixed, answers.chips_free, free, style),
        **_budget(fit, answers, style),
        "training_meanings": _printed(training_meanings(fit)),
        "meanings": _printed(meanings(fit)),
        **_beyond(fit, answers, style),
        **_next_runs(fit, answers, style),
        "drift": drift,
        "evidence": evidence_exhibits(
            fit if drift else without_drift(fit), constants, residual_table(fit), style
        ),
        "findings_table": tables.findings_table(findings),
        "passed_table": tables.passed_table(findings),
        "constants_table": tables.constants_table(constants),
        "runs_table": tables.runs_table(fit),
        "worst_k": f"{fit.runs['pareto_k'].max():.2f}",
        "elpd": f"{fit.runs['elpd'].sum():.1f}",
        "runs": len(fit.runs),
        "law": fit.law,
        "equation": equation,
        "noise_words": _noise(fit),
        "centre": [
            f"{symbol('N')}̄ = {format_count(fit.reference.n_params)} parameters",
            f"{symbol('D')}̄ = {format_count(fit.reference.tokens)} tokens",
        ],
        "priors_table": tables.priors_table(fit),
        "provenance": _provenance(fit),
        "excluded_table": tables.excluded_table(fit),
        "excluded": len(fit.excluded),
    }


def _opening(
    fit: Fit, answers: Answers, findings: tuple[Finding, ...], several: SeveralLaws | None
) -> dict[str, Any]:
    """Page one: the cards, whether laws agree, which models it is about, and what warns."""
    noticed = notices(findings, several)
    fixed, free, post = answers.precision_fixed, answers.precision_free, answers.post_training
    return {
        "cards": cards(fit, answers, several),
        "agreement": laws_sentence(fit.law, several),
        "measured": range_sentence(fit),
        "notices": noticed,
        "warned": [one for one in noticed if one.status is Status.WARN],
        "counted": counted_sentence(findings, len(noticed)),
        "structural": drift_sentence(answers, findings),
        "prior_alone": prior_sentence(fixed, free, post),
    }


def _budget(fit: Fit, answers: Answers, style: Style) -> dict[str, Any]:
    """What the page says of how the compute is best spent; None where nothing can be said."""
    decision = answers.budget
    if decision is None:
        return dict.fromkeys(("budget", "budget_table", "budget_figure"))
    return {
        "budget": decision.sentence(),
        "budget_table": budget_table(decision),
        "budget_figure": budget_exhibit(fit, decision, style),
    }


def _beyond(fit: Fit, answers: Answers, style: Style) -> dict[str, Any]:
    """What the page says of the data's edge and beyond: figures, the record of the backtest, its meaning."""
    backtest, drift, inputs = backtest_of(fit), answers.prediction.drift, answers.prediction.points[0].inputs
    asked = float(inputs["n_params"]), float(inputs["tokens"])
    found: dict[str, Any] = {
        "beyond": beyond_exhibits(fit, backtest, asked, drift, style, risk_shares(answers))
    }
    if backtest is None:
        return found | {"backtest": None, "no_backtest": why_no_backtest(fit)}
    said = (backtest.sentence(), beyond.verdict(backtest, drift), beyond.reach(fit, backtest, asked, drift))
    return found | {"backtest": " ".join(said), "folds_table": folds_table(backtest)}


def _next_runs(fit: Fit, answers: Answers, style: Style) -> dict[str, Any]:
    """Which runs to log next: in words, as a table and as a figure."""
    if answers.plan is None:
        return {"plan": None}
    shown = next_exhibit(answers.plan, fit, style)
    return {
        "plan": answers.plan.sentence(),
        "plan_table": tables.plan_table(answers.plan),
        "plan_figure": shown,
        "plan_costs": answers.plan.costs_text(),
    }


def _noise(fit: Fit) -> str:
    """How measured losses stray from the law, for those kinds of losses it models."""
    law, parts = fit.law, []
    if not law.base.is_observed:
        parts.append(
            "Log losses scatter with a Student-t around the law; runs of one corpus, size, length and seed "
            "share an effect. "
        )
    if law.training:
        parts.append("The scatter grows with what training in fewer bits costs (κ_train). ")
    if law.post is not None:
        parts.append(
            "A degradation is compared with the loss of its own run, with a Student-t error in proportion to it "
            "(κ) and an effect of the run (τ). "
        )
    if fit.pool:
        parts.append(
            f"Constants differ between groups ({', '.join(fit.pool)}) around common values, with spreads "
            "that are learned. "
        )
    return "".join(parts)


def _printed(found: tuple[Meaning, ...]) -> list[tuple[Meaning, str, str]]:
    return [(one, range_text(one.posterior), range_text(one.prior)) for one in found]


def _provenance(fit: Fit) -> list[tuple[str, str]]:
    own = fit.provenance
    return [
        ("run table", source_name(fit)),
        ("rows used", f"{len(fit.rows)} of {fit.rows['run_id'].nunique()} training runs"),
        ("SHA-256 of the rows used", own.table_hash),
        ("law", fit.law.name),
        ("pooled over", ", ".join(fit.pool) or "nothing"),
        ("seed", str(own.seed)),
        ("attempts", f"{own.attempts}{' (the automatic retry was needed)' if own.attempts > 1 else ''}"),
        ("sampler", ", ".join(f"{name} {value}" for name, value in own.settings.items())),
        ("versions", ", ".join(f"{name} {version}" for name, version in own.versions.items())),
    ]
