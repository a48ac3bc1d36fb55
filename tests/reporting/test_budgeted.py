"""A budget as a report shows it: table, figure, caption, with and without plans, and refused."""

from dataclasses import replace

import pytest

from bitlaw.decisions.budget import budget
from bitlaw.inference.draws import points_frame
from bitlaw.reporting.budgeted import budget_exhibit, budget_table, caption
from bitlaw.reporting.figures.budget import MOST_PLANS, figure, shown_options
from bitlaw.reporting.style import Style

COARSE = Style(dpi=20)
FLOPS = 6e18


@pytest.fixture(scope="module")
def decision(fit):
    plans = points_frame(n_params=[1e8, 4e8], tokens=[1e10, 1e11]).assign(name=["ours", "dear"])
    return budget(fit, flops=FLOPS, plans=plans)


def test_table_has_every_option_and_plan(decision):
    table = budget_table(decision)
    assert len(table.rows) == len(decision.options) + 2
    assert [len(row) for row in table.rows] == [len(table.head)] * len(table.rows)
    marked = [option.key for option in decision.options].index(decision.best)
    assert table.marked == (marked,)
    assert table.rows[-1][0].startswith("dear, 16 bits")
    assert table.rows[-1][3] == "4e+03 %, over"
    assert "90 % ETI" in table.caption


def test_caption_says_the_plan_with_its_numbers(decision):
    best = decision.option(decision.best)
    assert best.text() in caption(decision)
    assert f"{best.loss.median:.2f}"[:4] in caption(decision)
    assert "2 times the budget would gain" in caption(decision)


def test_shown_options_begin_with_the_answer_and_may_well_be_best(decision):
    shown = shown_options(decision)
    assert shown[0].key == decision.best
    assert all(option.probability_best >= 0.05 and not option.refused for option in shown[1:])


def test_figure_shows_runs_options_plans_and_twice_the_budget(fit, decision):
    left, right = figure(fit, decision, COARSE).axes
    labels = [text.get_text() for text in right.get_yticklabels()]
    assert labels[-3:] == ["ours", "dear (over)", "2x budget"]
    assert left.get_xscale() == left.get_yscale() == "log"
    assert "recommended plan" in left.get_legend_handles_labels()[1]
    for axis, sizes in ((left.get_xlim(), (1e8, 4e8)), (left.get_ylim(), (1e10, 1e11))):
        assert all(axis[0] < size < axis[1] for size in sizes)


def test_many_plans_are_cut_and_counted(fit):
    plans = points_frame(n_params=[1e8 + step for step in range(9)], tokens=1e10)
    decision = budget(fit, flops=FLOPS, bits=(16, 8), plans=plans)
    shown = budget_exhibit(fit, decision, COARSE)
    assert f"{9 - MOST_PLANS} more plans are in the table" in shown.reading
    assert shown.image.startswith("<svg viewBox=")


def test_a_refused_budget_is_drawn_and_says_so(fit):
    decision = budget(fit, flops=1e28)
    shown = budget_exhibit(fit, decision, COARSE)
    assert shown.finding.startswith("Nothing measured supports a plan")
    assert budget_table(decision).marked == ()
    assert all("(refused)" in row[0] for row in budget_table(decision).rows)


def test_no_capacity_and_one_measured_size_are_drawn(fit):
    decision = budget(fit, flops=FLOPS, bits=(16, 8, 1.5), lifetime_tokens=1e10)
    assert budget_exhibit(fit, decision, COARSE).image
    alone = replace(fit, hull=fit.hull[:1])
    assert budget_exhibit(alone, decision, COARSE).image
