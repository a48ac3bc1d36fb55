"""The figures of a report, drawn, each with its finding: which there are depends on what was measured."""

from collections.abc import Iterator

import pandas as pd

from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.inference.fit import Fit
from bitlaw.reporting import captions
from bitlaw.reporting.exhibit import Exhibit, exhibit, one_group
from bitlaw.reporting.figures import (
    data_and_fit,
    degradation_against_bits,
    degradation_against_tokens,
    formats,
    next_runs,
    penalty_against_bits,
    post_training_options,
    posterior_against_prior,
    precision_options,
    predicted_against_observed,
    shrinkage,
)
from bitlaw.reporting.formats import format_table
from bitlaw.reporting.grouping import SIXTEEN
from bitlaw.reporting.observed import paired_gaps, trained_rows
from bitlaw.reporting.shrinkage import most_group_dependent, shrinkage_table
from bitlaw.reporting.style import DEFAULT_STYLE, Style
from bitlaw.reporting.words import joined


def decision_exhibits(
    fixed: PrecisionDecision | None,
    free: PrecisionDecision | None,
    post: PostTrainingDecision | None,
    style: Style = DEFAULT_STYLE,
) -> dict[str, Exhibit]:
    """The figures of the decisions there are, by name."""
    found = []
    if fixed is not None or free is not None:
        found.append(
            exhibit(
                "precision-options",
                precision_options.figure(fixed, free, style),
                captions.precision_options(fixed, free),
                "Blue bars are the answer and whatever is near-optimal. Dashed lines: the probability "
                "asked for, and the regret up to which an option counts as near-optimal. Regret is the "
                "loss given up on average by settling on these bits.",
                style,
            )
        )
    if post is not None:
        found.append(
            exhibit(
                "post-training-options",
                post_training_options.figure(post, style),
                captions.post_training_options(post),
                "Blue bit-widths are safe. Dashed lines: the tolerance, and the probability asked for. An "
                "arrow marks an interval that reaches zero or below.",
                style,
            )
        )
    return {one.name: one for one in found}


def next_exhibit(plan: PlanDecision, fit: Fit, style: Style = DEFAULT_STYLE) -> Exhibit:
    """The figure of the runs to log next."""
    return exhibit(
        "next-runs",
        next_runs.figure(plan, fit.rows, style),
        captions.next_runs(plan),
        "Left: the standard deviation expected as the picks are logged one after the other; dashed, after every "
        "candidate. Right: candidates by size, larger circles for what removes more of the variance by itself, "
        "whatever it costs; the numbers are those of the picks.",
        style,
    )


def evidence_exhibits(
    fit: Fit, constants: pd.DataFrame, residuals: pd.DataFrame, style: Style = DEFAULT_STYLE
) -> tuple[Exhibit, ...]:
    """The figures of data, fit and constants that the fitted table has something for."""
    return tuple(_evidence(fit, constants, residuals, style))


def _evidence(fit: Fit, constants: pd.DataFrame, residuals: pd.DataFrame, style: Style) -> Iterator[Exhibit]:
    if len(trained_rows(fit)) and not fit.law.base.is_observed:
        yield exhibit(
            "data-and-fit",
            data_and_fit.figure(fit, style),
            captions.data_and_fit(fit),
            "Points are logged runs, lines the law's median, bands hold 90 % of new runs. Dashed: the same "
            "law at 16 bits. At most six precisions are shown, among them the fewest bits of each kind."
            f"{one_group(fit)}",
            style,
        )
    if penalty_against_bits.measured_kinds(fit):
        yield exhibit(
            "penalty-against-bits",
            penalty_against_bits.figure(fit, style),
            captions.penalty_against_bits(fit),
            "Points are runs less their 16-bit twin of the same seed, in the cells with most precisions "
            "logged; a single pair still carries the noise of two runs, which the bands leave "
            f"out.{one_group(fit)}",
            style,
        )
    by_format = format_table(fit)
    if len(by_format):
        yield exhibit(
            "formats",
            formats.figure(by_format, style),
            captions.formats(by_format),
            "Points are medians, lines 90 % intervals (ETI), on the right the training runs behind each. "
            "Grey: a format that was never measured, drawn from the spread between those that "
            f"were.{one_group(fit)}",
            style,
        )
    yield from _degradations(fit, style)
    yield from _shrinkage(fit, style)
    yield exhibit(
        "posterior-against-prior",
        posterior_against_prior.figure(constants, style),
        captions.posterior_against_prior(constants),
        "Each constant on its own scale: the grey bar is the prior's 90 % interval, the blue one the "
        "posterior's. Contraction is the share of the prior's variance that the data took away: near 0 the "
        "prior decides.",
        style,
    )
    yield exhibit(
        "predicted-against-observed",
        predicted_against_observed.figure(residuals, fit.rows, style),
        captions.predicted_against_observed(residuals),
        "Every fitted row against its prediction, with the 90 % interval of a new run. Strips: residuals of "
        "the loss by precision, ticks their medians; a median away from zero is structure the law "
        "misses.",
        style,
    )


def _degradations(fit: Fit, style: Style) -> Iterator[Exhibit]:
    """What quantizing after training costs: against tokens, or against bits where no size has two lengths."""
    if fit.law.post is None:
        return
    hollow = "Hollow points on the lower edge are below what can be measured."
    if degradation_against_tokens.has_lengths(SIXTEEN.rows(paired_gaps(fit))):
        yield exhibit(
            "degradation-against-tokens",
            degradation_against_tokens.figure(fit, style),
            captions.degradation_against_tokens(fit),
            "Degradation of runs trained at 16 bits when their weights are quantized afterwards"
            f"{_by_method(fit)}. {hollow}{one_group(fit)}",
            style,
        )
    elif len(SIXTEEN.rows(paired_gaps(fit, every_group=True))):
        yield exhibit(
            "degradation-against-bits",
            degradation_against_bits.figure(fit, style),
            captions.degradation_against_bits(fit),
            "Degradation of runs trained at 16 bits when their weights are quantized afterwards, by the "
            f"methods and models with most rows; bands hold 90 % of new runs. {hollow}",
            style,
        )


def _by_method(fit: Fit) -> str:
    return ", by the method with most rows" if len(fit.levels("method_post")) > 1 else ""


def _shrinkage(fit: Fit, style: Style) -> Iterator[Exhibit]:
    """One figure per column whose groups have constants of their own."""
    table = shrinkage_table(fit)
    for column in dict.fromkeys(table["column"]):
        shown = most_group_dependent(table, column)
        constants, groups = shown["name"].nunique(), shown["group"].nunique()
        every = table[table["column"] == column]
        left_out = [
            f"{most} {what} of {whole}"
            for most, whole, what in (
                (constants, every["name"].nunique(), "most group-dependent constants"),
                (groups, every["group"].nunique(), "groups with most rows"),
            )
            if most < whole
        ]
        yield exhibit(
            f"shrinkage-{column.replace('_', '-')}",
            shrinkage.figure(shown, style),
            captions.shrinkage(table, column),
            "Groups are drawn towards the common value the more, the less their own data say. Grey: where "
            "90 % of groups never measured would lie. Spread: the standard deviation between the groups. "
            "They count as told apart where the two farthest apart differ by more than twice the standard "
            f"deviation of that difference.{f' Shown: the {joined(left_out)}.' if left_out else ''}",
            style,
        )
