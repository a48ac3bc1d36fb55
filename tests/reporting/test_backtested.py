"""The backtest in numbers and as a table, and the figures of them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.backtest_findings import not_leading, switched_off
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.reporting.backtested import (
    backtest_of,
    coverage_table,
    error_table,
    folds_table,
    nearer_and_farther,
    rows_predicted,
    why_no_backtest,
)
from bitlaw.reporting.figures import coverage, extrapolation_error
from bitlaw.reporting.palette import SERIES
from bitlaw.reporting.style import Style

COARSE = Style(dpi=40)


def test_coverage_is_the_records_and_the_band_is_binomial(backtest: Backtest) -> None:
    table = coverage_table(backtest)
    rows = rows_predicted(backtest)
    assert rows == backtest.folds[0].n_test + backtest.folds[2].n_test
    assert dict(zip(table["prob"], table["with_drift"], strict=True)) == dict(backtest.coverage)
    assert dict(zip(table["prob"], table["without_drift"], strict=True)) == dict(
        backtest.without_drift.coverage
    )
    assert (table["with_drift"] > table["without_drift"]).any()
    for one in table.to_dict("records"):
        inside = binom.cdf(rows * one["hi"], rows, one["prob"]) - binom.cdf(
            rows * one["lo"] - 1, rows, one["prob"]
        )
        assert 0.9 <= inside < 0.97
        assert one["lo"] < one["prob"] < one["hi"]


def test_errors_are_the_records_row_by_row(backtest: Backtest) -> None:
    table = error_table(backtest)
    assert len(table) == rows_predicted(backtest)
    assert list(table["fitted"].unique()) == [backtest.folds[0].n_train, backtest.folds[2].n_train]
    assert table["error"].mean() == pytest.approx(backtest.scores.mae_log)
    assert 2 * table["half_width"].mean() == pytest.approx(backtest.scores.width)
    near, far = nearer_and_farther(table)
    assert len(near) - len(far) in (0, 1)
    assert near["ratio"].max() <= far["ratio"].min()


def test_every_fold_has_its_line_and_says_why_it_does_not_count(backtest: Backtest) -> None:
    table = folds_table(backtest)
    assert all(len(row) == len(table.head) for row in table.rows)
    first, unconverged, _, dropped, together = table.rows
    found = backtest.folds[0].scores
    assert first[:4] == (
        backtest.folds[0].name,
        str(backtest.folds[0].n_train),
        str(backtest.folds[0].n_test),
        f"{backtest.folds[0].max_ratio:.3g}x",
    )
    assert first[4] == f"{100 * found.coverage[0.9]:.0f}\N{NO-BREAK SPACE}%"
    assert first[7:10] == (f"{found.mae_log:.2g}", f"{found.width:.2g}", f"{found.crps:.2g}")
    assert unconverged[-1] == "did not converge (R-hat 1.40), in no average"
    assert dropped[-1] == "dropped: no row is left to predict"
    assert together[2] == str(rows_predicted(backtest))
    assert table.marked == (4,)


def test_one_fold_has_no_average(backtest: Backtest) -> None:
    one = replace(backtest, folds=backtest.folds[:1], dropped=())
    assert len(folds_table(one).rows) == 1
    assert folds_table(one).marked == ()


def test_a_fit_without_a_backtest_says_why(fit: Fit, backtest: Backtest) -> None:
    for findings, said in (
        ((switched_off(),), "No backtest was run"),
        ((not_leading("coupled"),), "only coupled was tested"),
        ((), "No backtest is kept"),
    ):
        assert backtest_of(replace(fit, findings=findings)) is None
        finding = why_no_backtest(replace(fit, findings=findings))
        assert finding.status is Status.NOT_RUN
        assert said in finding.message
    nothing = replace(backtest, folds=backtest.folds[1:2])
    unscored = Finding("backtest.coverage", Status.NOT_RUN, None, 0.8, "No fold could be scored.")
    failed = replace(fit, backtest=nothing.to_dict(), findings=(unscored,))
    assert backtest_of(failed) is None
    assert why_no_backtest(failed) is unscored
    with pytest.raises(ValueError, match="no scores"):
        coverage_table(nothing)


def test_coverage_is_drawn_as_it_is(backtest: Backtest) -> None:
    table = coverage_table(backtest)
    axis = coverage.figure(table, COARSE).axes[0]
    drawn = {line.get_label(): line for line in axis.lines}
    for label, column in (("with drift", "with_drift"), ("without drift", "without_drift")):
        np.testing.assert_allclose(drawn[label].get_xdata(), 100 * table["prob"])
        np.testing.assert_allclose(drawn[label].get_ydata(), 100 * table[column])
        assert axis.get_ylim()[0] < drawn[label].get_ydata().min()
    assert drawn["with drift"].get_linestyle() != drawn["without drift"].get_linestyle()
    np.testing.assert_allclose(drawn["as promised"].get_xdata(), drawn["as promised"].get_ydata())
    assert "rows independent" in " ".join(text.get_text() for text in axis.get_legend().get_texts())


def test_every_held_out_row_is_drawn_once_with_its_error_and_width(backtest: Backtest) -> None:
    table = error_table(backtest)
    table.loc[table.index[0], "error"] = 0.0
    drawn = extrapolation_error.figure(table, COARSE)
    left, right = drawn.axes
    for axis in (left, right):
        assert sum(len(line.get_xdata()) for line in axis.lines) == len(table)
    hollow = [line for line in left.lines if line.get_color() == "none"]
    assert [len(line.get_xdata()) for line in hollow] == [1]
    assert hollow[0].get_ydata()[0] == left.get_ylim()[0]
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert labels == [f"{fold.n_train} rows fitted" for fold in backtest.converged]
    assert {line.get_color() for line in right.lines} == set(SERIES[:2])
