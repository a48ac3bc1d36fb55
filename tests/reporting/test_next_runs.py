"""Which run to log next, on the page: a section with words, a table and a figure, or none."""

from dataclasses import replace

import pandas as pd
import pytest

from bitlaw.decisions.asked import asked_about
from bitlaw.decisions.plan import plan
from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.reporting import captions, tables
from bitlaw.reporting.answers import Answers, answers_of
from bitlaw.reporting.figures import next_runs
from bitlaw.reporting.report import render
from bitlaw.reporting.summary import summary

SIZES = {"n_params": 1e9, "tokens": 1e11}


@pytest.fixture(scope="module")
def planned(backtested: Fit) -> PlanDecision:
    return plan(backtested, **SIZES, budget=1e20)


@pytest.fixture(scope="module")
def nothing(fit: Fit) -> PlanDecision:
    """Inside the data, without drift, one run of no consequence."""
    return plan(
        fit, **SIZES, budget=1e20, candidates=points_frame(n_params=1e7, tokens=1e8).assign(cost=1e20)
    )


def test_the_left_panel_steps_down_from_now_to_the_plan(planned: PlanDecision, backtested: Fit) -> None:
    left, right = next_runs.figure(planned, backtested.rows).axes
    steps = left.lines[0].get_ydata()
    assert steps[0] == pytest.approx(100 * planned.sd)
    assert steps[-1] == pytest.approx(100 * planned.sd_after)
    assert left.lines[0].get_xdata()[-1] == 100.0
    assert len(right.collections[0].get_offsets()) == len(planned.offered)
    star = right.lines[-1]
    assert (star.get_xdata().tolist(), star.get_ydata().tolist()) == ([1e9], [1e11])


def test_a_plan_without_picks_is_drawn_and_said(nothing: PlanDecision, fit: Fit) -> None:
    without = replace(nothing, picks=())
    left, _ = next_runs.figure(without, fit.rows).axes
    assert len(set(left.lines[0].get_ydata())) == 1
    assert captions.next_runs(without).startswith("None of 1 candidates within 1e+20 FLOP")
    assert tables.plan_table(without).rows == ()


def test_what_was_measured_already_is_drawn_and_said(fit: Fit) -> None:
    measured = pd.DataFrame({"bits_post": [5.0], "loss": [3.02]})
    question = {"n_params": 1e8, "tokens": 1e10, "loss": 3.0, "measured": measured, "bits": (5,)}
    settled = plan(fit, "ptq", **question, budget=1e17)
    assert settled.offered == ()
    left, right = next_runs.figure(settled, fit.rows).axes
    assert [text.get_text() for text in left.texts] == []
    assert len(right.collections[0].get_offsets()) == 0
    assert "was measured: no run is needed" in captions.next_runs(settled)


def test_money_is_spent_in_its_own_unit(fit: Fit) -> None:
    found = plan(fit, **SIZES, money=1e4, price=2.0, hardware="h100")
    left, _ = next_runs.figure(found, fit.rows).axes
    assert left.get_xlabel() == "spent, % of 10,000 in money"
    assert "in money" in captions.next_runs(found)
    assert tables.plan_table(found).head[1] == "cost, money"
    assert found.costs_text() == "6 N D, each FLOP in the time it takes on h100"


def test_the_caption_and_the_table_say_what_the_plan_says(planned: PlanDecision) -> None:
    caption = captions.next_runs(planned)
    assert planned.sd_text(planned.sd) in caption
    assert planned.sd_text(planned.sd_after) in caption
    table = tables.plan_table(planned)
    assert len(table.rows) == min(12, len(planned.picks))
    assert table.rows[0][0] == planned.picks[0].text


def test_the_page_has_the_section_where_there_is_a_plan(
    fit: Fit, answers: Answers, planned: PlanDecision
) -> None:
    page = render(fit, replace(answers, plan=planned))
    assert "Which run to log next" in page
    assert 'href="#next"' in page
    assert "Which run to log next" not in render(fit, answers)
    assert summary(fit, replace(answers, plan=planned))["plan"]["picks"]
    assert summary(fit, answers)["plan"] is None


def test_reports_plan_with_a_tenth_of_the_compute_asked_about(fit: Fit) -> None:
    found = answers_of(fit, asked_about(fit, 1e9, 1e11)).plan
    assert found is not None
    assert found.decision == "loss"
    assert found.budget.flops == pytest.approx(0.1 * 6e20)
    least = answers_of(fit, asked_about(fit, 2.5e7, 2.5e9)).plan
    assert least is not None
    assert least.budget.flops == pytest.approx(10 * 6 * 2.5e7 * 2.5e9)
