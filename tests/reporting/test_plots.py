"""Figures one by one: Axes that can be changed and that pyplot shows."""

import inspect
from collections.abc import Iterator
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

import bitlaw
from bitlaw.criticism.backtest import Backtest
from bitlaw.decisions.budget import budget
from bitlaw.decisions.on_chips import optimum_on_chips
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.plan import plan
from bitlaw.decisions.predict import predict
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.reporting import plots
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.style import Style

COARSE = Style(dpi=40)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    with matplotlib.rc_context({"backend": "agg"}):
        yield
        pyplot.close("all")


@pytest.fixture(scope="module")
def drawn_from(backtested: Fit, answers: Answers) -> dict[str, tuple[Any, ...]]:
    return {
        "plot_data": (backtested,),
        "plot_penalty": (backtested,),
        "plot_degradation": (backtested,),
        "plot_constants": (backtested,),
        "plot_residuals": (backtested,),
        "plot_fan": (backtested, 1e9, 1e11),
        "plot_coverage": (backtested,),
        "plot_extrapolation": (backtested,),
        "plot_decision": (answers.precision_fixed,),
        "plot_break_even": (answers.precision_free,),
        "plot_budget": (backtested, answers.budget),
        "plot_plan": (backtested, plan(backtested, "loss", n_params=1e9, tokens=1e10, budget=1e18)),
        "plot_prediction": (answers.prediction,),
        "plot_risk": ({"the loss": answers.prediction, "precision": answers.precision_fixed},),
    }


NAMES = [name for name, _ in inspect.getmembers(plots, inspect.isfunction) if name.startswith("plot_")]


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_is_axes_with_labels_that_pyplot_shows(name: str, drawn_from: dict[str, Any]) -> None:
    axes = getattr(bitlaw.plots, name)(*drawn_from[name], style=COARSE)
    assert axes
    assert all(isinstance(axis, Axes) for axis in axes)
    assert pyplot.gcf() is axes[0].get_figure(root=True)
    assert any(axis.has_data() for axis in axes)
    axes[0].set_title("mine")
    pyplot.gcf().canvas.draw()


@pytest.mark.parametrize("which", ["precision_free", "post_training"])
def test_other_decisions_have_panels_of_their_own(which: str, answers: Answers) -> None:
    assert plots.plot_decision(getattr(answers, which), COARSE)


def test_what_cannot_be_shown_says_why(
    law_fit, fit: Fit, edge_fits: dict[str, Fit], backtest: Backtest
) -> None:
    observed = law_fit("ptq-gap")
    for plot in (plots.plot_data, lambda one: plots.plot_fan(one, 1e9, 1e11)):
        with pytest.raises(InputError, match="ptq-gap explains no loss as trained"):
            plot(observed)
    with pytest.raises(InputError, match="no run has a 16-bit twin"):
        plots.plot_penalty(edge_fits["16 bits only"])
    with pytest.raises(InputError, match="no size was trained"):
        plots.plot_degradation(edge_fits["no rows quantized after training"])
    with pytest.raises(InputError, match="keeps no backtest"):
        plots.plot_coverage(fit)
    with pytest.raises(InputError, match="nothing to plot"):
        plots.plot_risk({})
    spent = budget(fit, flops=1e18, bits=(16, 8))
    with pytest.raises(InputError, match="BudgetDecision has a figure of its own, plot_budget"):
        plots.plot_decision(spent)
    with pytest.raises(InputError, match="only a training precision pays"):
        plots.plot_break_even(spent)
    with pytest.raises(InputError, match="no option has fewer than 16 bits"):
        plots.plot_break_even(optimum(fit, flops=1e18, bits=(16,)))


def test_chips_side_by_side(fit: Fit) -> None:
    chips = optimum_on_chips(fit, ["h100", "b200"], n_params=1e8, tokens=1e10)
    panels = plots.plot_decision(chips, COARSE)
    labels = [text.get_text() for text in panels[0].get_yticklabels()]
    assert labels[0] == "h100"
    assert "b200" in labels
    assert len(plots.plot_break_even(chips, COARSE)) == 2


def test_hollow_where_nothing_measured_supports_a_prediction(fit: Fit) -> None:
    points = points_frame(n_params=[1e8, 1e13], tokens=1e10, bits_weights=[4, 16])
    prediction = predict(fit, points)
    assert [point.risk.refused for point in prediction.points] == [False, True]
    axis = plots.plot_prediction(prediction, COARSE)[0]
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert labels == ["100M, 10B tokens, 4/16/16 bits", "10T, 10B tokens"]
