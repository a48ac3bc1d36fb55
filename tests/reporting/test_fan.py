"""The way out of the data, and the fan along it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.lines import Line2D

from bitlaw.criticism.backtest import Backtest
from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.inference.hull import hull_vector
from bitlaw.laws.law import Reference
from bitlaw.reporting.fan import Fan, fan, way_out
from bitlaw.reporting.figures import fan_chart
from bitlaw.reporting.style import Style

COARSE = Style(dpi=40)
LARGEST = (4e8, 4e10)
FAR = (7e9, 1e12)


def series(shown: Fan) -> dict[str, Line2D]:
    """The lines of a fan chart by their labels."""
    axis = fan_chart.figure(shown, COARSE).axes[0]
    return {str(line.get_label()): line for line in axis.lines}


def legend(shown: Fan) -> list[str]:
    return [text.get_text() for text in fan_chart.figure(shown, COARSE).legends[0].get_texts()]


@pytest.mark.parametrize("asked", [LARGEST, FAR])
def test_the_way_leads_from_the_centre_to_what_is_asked_about(fit: Fit, asked: tuple[float, float]) -> None:
    way = way_out(fit, asked)
    n_params, tokens = way.sizes(np.array([6.0 * 1e8 * 1e10, 6.0 * asked[0] * asked[1]]))
    np.testing.assert_allclose(n_params, [1e8, asked[0]], rtol=1e-9)
    np.testing.assert_allclose(tokens, [1e10, asked[1]], rtol=1e-9)
    points = points_frame(n_params=[asked[0], 1e8], tokens=[asked[1], 1e11])
    assert way.distance(points)[0] == pytest.approx(0.0, abs=1e-9)
    assert way.distance(points)[1] == pytest.approx(way.unit[0])


def test_a_question_within_the_data_is_left_for_the_largest_run(fit: Fit) -> None:
    assert np.allclose(way_out(fit, (3e7, 3e9)).unit, way_out(fit, LARGEST).unit)


def test_runs_of_equal_compute_are_left_with_both_growing_alike(fit: Fit) -> None:
    sizes = np.geomspace(1e7, 1e9, len(fit.rows))
    alike = replace(
        fit,
        rows=fit.rows.assign(n_params=sizes, tokens=1e18 / sizes),
        reference=Reference(1e8, 1e10, fit.reference.smallest_bits),
    )
    np.testing.assert_allclose(way_out(alike, (1e9, 1e9)).unit, np.sqrt([0.5, 0.5]))


@pytest.mark.parametrize("asked", [LARGEST, FAR, (1e9, 1e11)])
def test_the_edge_is_where_the_way_leaves_the_hull(fit: Fit, asked: tuple[float, float]) -> None:
    shown, way = fan(fit, asked), way_out(fit, asked)
    assert shown is not None
    assert shown.edge is not None
    inside, outside = (np.log10(np.stack(way.sizes(np.array([shown.edge * x])), axis=1)) for x in (1.0, 1.03))
    assert not hull_vector(fit.hull, inside).any()
    assert hull_vector(fit.hull, outside).any()
    assert shown.asked == pytest.approx(6.0 * asked[0] * asked[1])
    assert shown.asked_beyond == (asked != LARGEST)
    assert shown.law.x[-1] == pytest.approx(max(6.0 * 4e8 * 4e10 * 100, 6.0 * asked[0] * asked[1] * 10**0.3))


def test_drift_widens_the_fan_beyond_the_edge_only(backtested: Fit) -> None:
    shown, plain = (fan(backtested, LARGEST, drift=drift) for drift in (True, False))
    inside = (shown.law.x >= 6e18) & (shown.law.x <= shown.edge)
    beyond = shown.law.x > 1.2 * shown.edge
    wide, narrow = (one.hi - one.lo for one in (shown.law_with_drift, shown.law))
    np.testing.assert_allclose(wide[inside], narrow[inside])
    assert (wide[beyond] > narrow[beyond]).all()
    assert (shown.new_run.hi - shown.new_run.lo)[-1] > (plain.new_run.hi - plain.new_run.lo)[-1]
    assert plain.law_with_drift is None
    np.testing.assert_allclose(plain.law.lo, shown.law.lo)
    assert "the law, 90 % interval with drift" in legend(shown)
    assert "the law, 90 % interval with drift" not in legend(plain)


def test_bands_are_the_laws_own(backtested: Fit) -> None:
    shown = fan(backtested, FAR)
    at = int(np.flatnonzero(shown.law.x == shown.asked)[0])
    point = points_frame(n_params=FAR[0], tokens=FAR[1], vocab_size=50257.0)
    mean = loss_draws(backtested, point).mean[:, 0]
    ends = shown.law_with_drift.lo[at], shown.law_with_drift.hi[at]
    np.testing.assert_allclose(ends, np.quantile(mean, [0.05, 0.95]))


def test_runs_held_out_are_the_last_folds_and_drawn_once(backtested: Fit, backtest: Backtest) -> None:
    shown = fan(backtested, LARGEST, backtest)
    assert shown.fold.cut == 0.7
    own = backtested.rows.loc[[row.row for row in backtest.folds[2].rows]]
    sixteen = own[(own["bits_weights"] >= 16) & own["bits_post"].isna()]
    assert sorted(shown.held_out.index) == sorted(sixteen.index)
    by_row = {row.row: row for row in backtest.folds[2].rows}
    for index, held in shown.held_out.iterrows():
        assert held["loss"] == pytest.approx(sixteen.loc[index, "loss"])
        ends = [by_row[index].median, by_row[index].lo, by_row[index].hi]
        np.testing.assert_allclose(held[["median", "lo", "hi"]], np.exp(ends))
    drawn = series(shown)
    counts = [
        len(drawn[label].get_xdata())
        for label in ("runs on this way", "runs off this way", "held out, with its predicted 90 % interval")
    ]
    assert counts == [2, 9 - 2 - len(sixteen), len(sixteen)]
    assert sum(counts) == len(shown.measured) == 9


def test_without_a_backtest_nothing_is_held_out(fit: Fit) -> None:
    shown = fan(fit, LARGEST)
    assert shown.fold is None
    assert len(shown.held_out) == 0
    assert not any("held out" in label for label in legend(shown))


def test_marks_that_fall_together_are_one(fit: Fit) -> None:
    for asked, texts in (
        (LARGEST, ["edge of the data, asked about"]),
        (FAR, ["edge of the data", "asked about"]),
        ((3e7, 9e9), ["edge of the data"]),
    ):
        axis = fan_chart.figure(fan(fit, asked), COARSE).axes[0]
        assert [text.get_text() for text in axis.texts] == texts


@pytest.mark.parametrize("design", ["no 16-bit runs", "one size, one length", "16 bits only", "many sizes"])
def test_other_designs_have_a_fan_too(edge_fits: dict[str, Fit], design: str) -> None:
    shown = fan(edge_fits[design], LARGEST)
    assert (shown.precision.label == "16 bits") == (design != "no 16-bit runs")
    assert len(shown.measured) > 0
    assert np.isfinite(shown.new_run.hi).all()
    fan_chart.figure(shown, COARSE)


def test_a_pooled_fit_shows_one_group(edge_fits: dict[str, Fit]) -> None:
    fit = edge_fits["pooled"]
    assert len(fan(fit, LARGEST).measured) == 9


def test_no_fan_where_losses_as_trained_are_not_explained(
    law_fit: Callable[[str], Fit], edge_fits: dict[str, Fit]
) -> None:
    assert fan(law_fit("ptq-gap"), LARGEST) is None
    assert fan(edge_fits["rows after training only"], LARGEST) is None
