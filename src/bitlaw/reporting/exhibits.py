"""The figures of a report, drawn, each with its finding: which there are depends on what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from bitlaw.decisions.post_training_decision import PostTrainingDecision
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.inference.fit import Fit
from bitlaw.reporting import captions
from bitlaw.reporting.figures import (
    data_and_fit,
    degradation_against_tokens,
    penalty_against_bits,
    post_training_options,
    posterior_against_prior,
    precision_options,
    predicted_against_observed,
)
from bitlaw.reporting.grouping import SIXTEEN
from bitlaw.reporting.observed import paired_gaps, trained_rows
from bitlaw.reporting.style import DEFAULT_STYLE, Style, data_uri, png


@dataclass(frozen=True)
class Exhibit:
    """A figure as the page holds it.

    Parameters
    ----------
    name
        Its anchor.
    image
        PNG as a data URI.
    finding
        What it shows, with numbers; also its alternative text.
    reading
        How to read it.
    """

    name: str
    image: str
    finding: str
    reading: str


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
            _exhibit(
                "precision-options",
                precision_options.figure(fixed, free, style),
                captions.precision_options(fixed, free),
                "Dark bars are the answer and whatever is near-optimal. Dashed lines: the probability "
                "asked for, and "
                "the regret up to which an option counts as near-optimal. Regret is the loss given up on "
                "average by "
                "settling on these bits.",
                style,
            )
        )
    if post is not None:
        found.append(
            _exhibit(
                "post-training-options",
                post_training_options.figure(post, style),
                captions.post_training_options(post),
                "Blue bit-widths are safe. Dashed lines: the tolerance, and the probability asked for. An "
                "arrow "
                "marks an interval that reaches zero or below.",
                style,
            )
        )
    return {exhibit.name: exhibit for exhibit in found}


def evidence_exhibits(
    fit: Fit, constants: pd.DataFrame, residuals: pd.DataFrame, style: Style = DEFAULT_STYLE
) -> tuple[Exhibit, ...]:
    """The figures of data, fit and constants that the fitted table has something for."""
    return tuple(_evidence(fit, constants, residuals, style))


def _evidence(fit: Fit, constants: pd.DataFrame, residuals: pd.DataFrame, style: Style) -> Iterator[Exhibit]:
    if len(trained_rows(fit)):
        yield _exhibit(
            "data-and-fit",
            data_and_fit.figure(fit, style),
            captions.data_and_fit(fit),
            "Points are logged runs, lines the law's median, bands hold 90 % of new runs. Dashed: the same "
            "law at 16 "
            "bits. At most six precisions are shown, among them the fewest bits of each kind.",
            style,
        )
    if fit.law.capacity is not None and penalty_against_bits.measured_kinds(fit):
        yield _exhibit(
            "penalty-against-bits",
            penalty_against_bits.figure(fit, style),
            captions.penalty_against_bits(fit),
            "Points are runs less their 16-bit twin of the same seed, in the cells with most precisions "
            "logged; a "
            "single pair still carries the noise of two runs, which the bands leave out.",
            style,
        )
    if fit.law.post is not None and len(SIXTEEN.rows(paired_gaps(fit))):
        yield _exhibit(
            "degradation-against-tokens",
            degradation_against_tokens.figure(fit, style),
            captions.degradation_against_tokens(fit),
            "Degradation of runs trained at 16 bits when their weights are quantized afterwards. Hollow "
            "points on "
            "the lower edge are below what can be measured.",
            style,
        )
    yield _exhibit(
        "posterior-against-prior",
        posterior_against_prior.figure(constants, style),
        captions.posterior_against_prior(constants),
        "Each constant on its own scale: the grey bar is the prior's 90 % interval, the blue one the "
        "posterior's. "
        "Contraction is the share of the prior's variance that the data took away: near 0 the prior decides.",
        style,
    )
    yield _exhibit(
        "predicted-against-observed",
        predicted_against_observed.figure(residuals, style),
        captions.predicted_against_observed(residuals),
        "Left: every fitted row against its prediction, with the 90 % interval of a new run. Strips: "
        "residuals of "
        "the loss by bits, black ticks their medians; a median away from zero is structure the law misses.",
        style,
    )


def _exhibit(name: str, figure: Figure, finding: str, reading: str, style: Style) -> Exhibit:
    return Exhibit(name, data_uri(png(figure, style)), finding, reading)
