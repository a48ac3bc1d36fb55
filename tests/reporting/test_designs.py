"""Reports and figures for tables of other designs than the demo's."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from bitlaw.criticism.contraction import contraction_table
from bitlaw.criticism.residuals import residual_table
from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.exhibits import evidence_exhibits
from bitlaw.reporting.figures import data_and_fit
from bitlaw.reporting.report import render
from bitlaw.reporting.style import Style
from bitlaw.reporting.summary import summary

COARSE = Style(dpi=40)
EXPECTED = {
    "16 bits only": {"data-and-fit"},
    "many sizes": {"data-and-fit"},
    "one size": {"data-and-fit", "penalty-against-bits", "degradation-against-tokens"},
    "one size, one length": {"data-and-fit", "penalty-against-bits", "degradation-against-bits"},
    "no rows quantized after training": {"data-and-fit", "penalty-against-bits"},
    "no 16-bit runs": {"data-and-fit"},
    "rows after training only": set(),
    "pooled": {"data-and-fit", "penalty-against-bits", "degradation-against-tokens", "shrinkage-corpus"},
}


@pytest.mark.parametrize("design", EXPECTED)
def test_figures_are_those_the_table_has_something_for(edge_fits: dict[str, Fit], design: str) -> None:
    fit = edge_fits[design]
    shown = evidence_exhibits(fit, contraction_table(fit), residual_table(fit), COARSE)
    always = {"posterior-against-prior", "predicted-against-observed"}
    assert {exhibit.name for exhibit in shown} == EXPECTED[design] | always
    assert all(exhibit.finding.endswith(".") for exhibit in shown)
    assert not any("nan" in exhibit.finding for exhibit in shown)


@pytest.mark.parametrize("design", ["16 bits only", "no rows quantized after training"])
def test_report_says_what_it_cannot_say(
    edge_fits: dict[str, Fit], answers_for: Callable[[Fit], Answers], design: str
) -> None:
    fit = edge_fits[design]
    answers = answers_for(fit)
    page = render(fit, answers, style=COARSE)
    assert "says nothing" in page
    assert ("has no term for training precision" in page) == (not fit.law.training)
    json.dumps(summary(fit, answers), allow_nan=False)


@pytest.mark.parametrize("design", ["16 bits only", "many sizes", "one size", "one size, one length"])
def test_no_empty_panels_and_few_of_them(edge_fits: dict[str, Fit], design: str) -> None:
    drawn = data_and_fit.figure(edge_fits[design])
    assert isinstance(drawn, Figure)
    assert 1 <= len(drawn.axes) <= 6
    for axis in drawn.axes:
        assert axis.get_title(loc="left")
        points = [line for line in axis.lines if line.get_linestyle() == "None"]
        assert sum(len(np.atleast_1d(line.get_xdata())) for line in points) > 0


def test_pooled_figures_show_one_group(edge_fits: dict[str, Fit]) -> None:
    fit = edge_fits["pooled"]
    drawn = data_and_fit.figure(fit, COARSE)
    drawn.canvas.draw()
    assert len(fit.rows["corpus"].unique()) == 2
    shown = sum(len(line.get_xdata()) for line in drawn.axes[0].lines if line.get_linestyle() == "None")
    trained = fit.rows[fit.rows["bits_post"].isna() & (fit.rows["bits_weights"] >= 16)]
    assert shown == len(trained) / 2
