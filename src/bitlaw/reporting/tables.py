"""Tables of the report as plain rows of text; the template only lays them out."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.intervals import count_text, nats_text
from bitlaw.decisions.on_offer import Key
from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.decisions.post_training_decision import PostTrainingDecision, PostTrainingOption
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import spread_scale
from bitlaw.inference.parameters import spread_name
from bitlaw.inference.refit_limits import HIGHEST_PARETO_K
from bitlaw.laws.spec import ARGUMENTS
from bitlaw.reporting.words import (
    bits_text,
    cell_text,
    precision_text,
    share_text,
    short_name,
    significant,
    symbol,
    whole_bracket,
)
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import (
    LOSS_UNIT,
    Interval,
    format_amount,
    format_bits,
    format_count,
    format_duration,
    format_probability,
)

_MOST_NAMES = 200
_MOST_PICKS = 12
_ORDER = (Status.FAIL, Status.REFUSED, Status.WARN, Status.NOT_RUN)


@dataclass(frozen=True)
class Table:
    """A table of text.

    Parameters
    ----------
    caption
        What it holds, with the unit and kind of its intervals.
    head
        Column headings; the first column heads its rows.
    rows
        Cells.
    marked
        Indices of rows to set off.
    anchors
        An anchor per row, to link to; empty without any.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: tuple[int, ...] = ()
    anchors: tuple[str, ...] = ()


def fixed_table(decision: PrecisionDecision) -> Table:
    """The options where parameters and tokens are fixed."""
    question, prior = decision.question, decision.under_prior
    rows = [
        (
            precision_text(option.key),
            _cost(option),
            _probability(option.probability_within or 0.0),
            _probability(prior.option(option.key).probability_within or 0.0) if prior else "–",
            nats_text(option.expected_regret),
            cell_text(option.loss),
            *_hours(option),
            str(option.diverged),
            _within_logged(option),
        )
        for option in decision.options
    ]
    return Table(
        f"Parameters and tokens fixed: {question.text()}. {_graded(decision.risk)}Loss in {LOSS_UNIT}; intervals are "
        f"{100 * question.prob:g} % ETI of the law's mean over {decision.draws} draws.",
        (
            "training precision",
            "cost over 16 bits",
            f"P(within {question.tolerance:g} of 16 bits)",
            "the same, prior alone",
            "expected loss above the best",
            "loss",
            *([] if question.pricing.chip is None else [_hours_head(question.pricing.gpus)]),
            *([] if question.pricing.price is None else ["money"]),
            "logged runs diverged",
            "within what was logged",
        ),
        tuple(rows),
        _marked([option.key for option in decision.options], decision.best),
    )


def free_table(decision: PrecisionDecision) -> Table:
    """The options where parameters and tokens are re-optimised."""
    question, prior = decision.question, decision.under_prior
    rows = [
        (
            precision_text(option.key),
            _cost(option),
            _with_error(option.probability_best, option.probability_error),
            _probability(prior.option(option.key).probability_best) if prior else "–",
            nats_text(option.expected_regret),
            cell_text(option.loss),
            _counts(option.n_params),
            _counts(option.tokens),
            cell_text(option.break_even),
            _probability_or_dash(option.probability_pays),
        )
        for option in decision.options
    ]
    return Table(
        f"Compute fixed: {question.text()}. {_graded(decision.risk)}Loss and regret in {LOSS_UNIT}; intervals are "
        f"{100 * question.prob:g} % ETI over {decision.draws} draws; ± is the Monte Carlo error. "
        f"It pays where the break-even speed-up is below 1/cost. {decision.under_costs_text()} "
        f"{decision.limit_text()}".rstrip(),
        (
            "training precision",
            "cost over 16 bits",
            "P(best)",
            "P(best), prior alone",
            "expected regret",
            "loss",
            "parameters",
            "tokens",
            "break-even speed-up",
            "P(it pays)",
        ),
        tuple(rows),
        _marked([option.key for option in decision.options], decision.best),
    )


def _cost(option: PrecisionOption) -> str:
    """What an option costs relative to 16 bits, and by which speed."""
    if option.assumed is not None:
        return f"{option.cost:.3g} (assumed)"
    if option.runs_in is None or option.bits >= UNQUANTIZED_BITS:
        return f"{option.cost:.3g}"
    return f"{option.cost:.3g} ({option.runs_in}, {'measured' if option.speed_measured else 'peak'})"


def _hours(option: PrecisionOption) -> list[str]:
    """GPU-hours, with the time by the clock, and money, those that are known."""
    known = [format_amount(value) for value in (option.gpu_hours, option.money) if value is not None]
    if option.wall_clock is not None:
        known[0] += f" ({format_duration(option.wall_clock)})"
    return known


def _hours_head(gpus: int | None) -> str:
    return "GPU-hours" if gpus is None else f"GPU-hours (on {gpus} at once)"


def post_table(decision: PostTrainingDecision) -> Table:
    """The bit-widths after training."""
    prior = decision.under_prior
    rows = [
        (
            bits_text(option.bits_post),
            _probability(option.probability_safe),
            _probability(prior.option(option.bits_post).probability_safe) if prior else "–",
            cell_text(option.degradation),
            cell_text(option.degradation_mean),
            option.source,
            f"{option.weights_gb:.3g}",
            "–" if option.critical_tokens is None else _counts(option.critical_tokens),
            _probability_or_dash(option.probability_past_critical),
            _within_logged(option),
        )
        for option in decision.options
    ]
    return Table(
        f"Weights quantized after training{f' by {decision.method_post}' if decision.method_post else ''}: "
        f"{format_count(decision.n_params)} parameters, {format_count(decision.tokens)} tokens. "
        f"{_graded(decision.risk)}Degradation in {LOSS_UNIT}; intervals are "
        f"{100 * decision.prob:g} % ETI over {decision.draws} draws. "
        "D_crit: tokens beyond which more pretraining makes the quantized model worse.",
        (
            "bits after training",
            f"P(degradation ≤ {decision.tolerance:g})",
            "the same, prior alone",
            f"degradation {'of a new run' if decision.measured is None else 'of this run'}",
            "degradation, law's mean",
            "source",
            "weights, GB",
            "D_crit, tokens",
            "P(D_crit < tokens)",
            "within logged bits",
        ),
        tuple(rows),
        _marked([option.bits_post for option in decision.options], decision.smallest_safe_bits),
    )


def plan_table(plan: PlanDecision) -> Table:
    """The runs to log next, in order."""
    shown = plan.table().head(_MOST_PICKS)
    more = len(plan.picks) - len(shown)
    left_out = f" {more} more picks are in summary.json." if more > 0 else ""
    return Table(
        "Runs to log next, each given those before it. Expected SD: one standard deviation of "
        f"{plan.quantity}, now {plan.sd_text(plan.sd)}.{left_out}",
        tuple(str(name) for name in shown.columns),
        tuple(tuple(str(cell) for cell in row) for row in shown.itertuples(index=False)),
    )


def _within_logged(option: PrecisionOption | PostTrainingOption) -> str:
    if option.refused:
        return "refused"
    within = option.within_measured if isinstance(option, PostTrainingOption) else option.measured
    return "yes" if within else "no"


def _graded(risk: Risk | None) -> str:
    return "" if risk is None else f"Risk {risk.grade}. "


def not_passed(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Every check that did not pass, the worst first, by the anchor of its row."""
    ordered = sorted(
        (finding for finding in findings if finding.status is not Status.PASS),
        key=lambda finding: _ORDER.index(finding.status),
    )
    return {f"check-{place}": finding for place, finding in enumerate(ordered, start=1)}


def findings_table(findings: Sequence[Finding]) -> Table:
    """Every check that did not pass, the worst first, with advice."""
    ordered = not_passed(findings)
    rows = [
        (
            finding.status.value.replace("_", " "),
            finding.code,
            significant(finding.value),
            significant(finding.threshold),
            finding.message,
            finding.advice,
        )
        for finding in ordered.values()
    ]
    return Table(
        "Checks that did not pass, the worst first. Only convergence can FAIL; NOT RUN is never a pass.",
        ("status", "check", "value", "limit", "finding", "advice"),
        tuple(rows),
        anchors=tuple(ordered),
    )


def passed_table(findings: Sequence[Finding]) -> Table:
    """Every check that passed."""
    rows = [
        (finding.code, significant(finding.value), significant(finding.threshold), finding.message)
        for finding in findings
        if finding.status is Status.PASS
    ]
    return Table("Checks that passed.", ("check", "value", "limit", "finding"), tuple(rows))


def constants_table(constants: pd.DataFrame) -> Table:
    """Posterior and prior of every constant."""
    rows = [
        (
            f"{symbol(one['name'])}{f' ({unit})' if (unit := one['unit']) else ''}",
            one["meaning"],
            cell_text(_interval(one, "posterior")),
            cell_text(_interval(one, "prior")),
            share_text(one["contraction"]),
        )
        for one in constants.to_dict("records")
    ]
    return Table(
        "Constants and noise scales: median and 90 % ETI. Contraction is the share of the prior's variance "
        "that the data took away.",
        ("constant", "meaning", "posterior", "prior", "contraction"),
        tuple(rows),
    )


def priors_table(fit: Fit) -> Table:
    """The priors with their reasons and sources."""
    rows = []
    for prior in fit.law.priors:
        names = ARGUMENTS[prior.distribution]
        arguments = ", ".join(f"{name} {value:g}" for name, value in zip(names, prior.arguments, strict=True))
        times = ""
        if prior.times:
            times = f" × {format_bits(fit.reference.smallest_bits[prior.times])} bits"
        text = f"{prior.distribution}({arguments}){times}{_spreads(fit, prior.name)}"
        rows.append((symbol(prior.name), text, prior.reason, prior.source))
    for name, same in fit.law.ties.items():
        rows.append((symbol(name), f"= {symbol(same)}", "tied", ""))
    return Table("Priors of the sampled quantities.", ("quantity", "prior", "reason", "source"), tuple(rows))


def _spreads(fit: Fit, name: str) -> str:
    """The priors on a quantity's spread between the groups, formats or methods it differs over."""
    columns = [column for column in (*fit.pool, *fit.law.by) if spread_name(name, column) in fit.posterior]
    scales = [
        f"{column} HalfNormal({spread_scale(fit.law, name, column):g})" for column in dict.fromkeys(columns)
    ]
    return f"; spread over {', '.join(scales)}" if scales else ""


def runs_table(fit: Fit) -> Table:
    """The runs that the fit leans on so much that leaving them out cannot be told from the draws."""
    worst = fit.runs[~(fit.runs["pareto_k"] <= HIGHEST_PARETO_K)].sort_values("pareto_k", ascending=False)
    rows = [
        (short_name(str(run["run_id"])), f"{run['pareto_k']:.2f}", f"{run['elpd']:.1f}")
        for run in worst.head(_MOST_NAMES).to_dict("records")
    ]
    return Table(
        f"Runs with a Pareto k above {HIGHEST_PARETO_K:g}: the fit leans on them, and their elpd is not "
        "reliable.",
        ("run", "Pareto k", "elpd, nats"),
        tuple(rows),
    )


def excluded_table(fit: Fit) -> Table:
    """The rows left out, by reason."""
    rows = []
    for reason, group in fit.excluded.groupby("reason", sort=True):
        names = list(dict.fromkeys(short_name(str(name)) for name in group["run_id"]))
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        rows.append((str(reason), str(len(group)), f"{', '.join(names[:_MOST_NAMES])}{more}"))
    return Table("Rows left out, by reason.", ("reason", "rows", "runs"), tuple(rows))


def _probability(value: float) -> str:
    """A probability that a narrow cell does not break."""
    return format_probability(value).replace(" ", "\N{NO-BREAK SPACE}")


def _probability_or_dash(value: float | None) -> str:
    return "–" if value is None else _probability(value)


def _interval(one: dict, which: str) -> Interval:
    return Interval(*(one[f"{which}_{end}"] for end in ("median", "lo", "hi")))


def _counts(interval: Interval) -> str:
    text = count_text(interval).replace(f"{100 * interval.prob:g} % {interval.kind} ", "")
    return whole_bracket(text.removesuffix(f" {interval.unit}").replace("inf", "∞"))


def _with_error(probability: float, error: float) -> str:
    text = _probability(probability)
    return (
        text
        if text.startswith(("<", ">"))
        else f"{text} ± {100 * error:.1f}".replace(" ", "\N{NO-BREAK SPACE}")
    )


def _marked(keys: Sequence[Key], best: Key | None) -> tuple[int, ...]:
    return (keys.index(best),) if best is not None and best in keys else ()
