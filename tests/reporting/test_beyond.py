"""What the page says of the data's edge and beyond: the record's own numbers, and what they mean."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.backtest_findings import switched_off
from bitlaw.decisions.predict import predict
from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.reporting import beyond, exhibits
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.backtested import error_table, nearer_and_farther, rows_predicted
from bitlaw.reporting.beyond_exhibits import beyond_exhibits
from bitlaw.reporting.fan import fan
from bitlaw.reporting.figures import risk_breakdown
from bitlaw.reporting.report import render
from bitlaw.reporting.style import Style
from bitlaw.reporting.summary import summary

COARSE = Style(dpi=40)
LARGEST = (4e8, 4e10)
FAR = (7e9, 1e12)
SHARES = {
    "7B, 1T tokens": {"prior": 0.05, "constants": 0.3, "drift": 0.6, "noise": 0.05},
    "4 bits in training": {"prior": 0.7, "constants": 0.2, "drift": 0.1, "noise": 0.0},
}


def section(page: str) -> str:
    """The text of the section, without its images."""
    found = re.search(r'<h2 id="beyond">(.*?)</section>', page, re.DOTALL).group(1)
    return re.sub(r'src="data:[^"]*"', "", found)


def test_coverage_is_told_with_the_records_numbers(backtest: Backtest) -> None:
    found, plain = backtest.scores.coverage, backtest.without_drift.coverage
    with_drift, without = f"{100 * found[0.9]:.0f} %", f"{100 * plain[0.9]:.0f} %"
    rows = rows_predicted(backtest)
    told = beyond.coverage(backtest)
    assert told.startswith(
        f"90 % intervals held {with_drift} of {rows} held-out losses, {without} without drift;"
    )
    assert f"50 % intervals held {100 * found[0.5]:.0f} %, {100 * plain[0.5]:.0f} % without drift." in told
    told = beyond.coverage(backtest, drift=False)
    assert told.startswith(
        f"90 % intervals without drift held {without} of {rows} held-out losses, {with_drift}"
    )


def test_errors_are_told_with_the_records_numbers(backtest: Backtest) -> None:
    near, far = nearer_and_farther(error_table(backtest))
    told = beyond.extrapolation_error(backtest)
    for half in (near, far):
        assert f"{100 * half['error'].median():.2g} % of the loss (median)" in told
        assert f"±{100 * half['half_width'].median():.2g} %" in told
    assert f"up to {near['ratio'].max():.3g}x the compute fitted" in told
    assert f"up to {far['ratio'].max():.3g}x, by" in told


def test_the_fan_is_told_with_the_predictions_own_interval(backtested: Fit, backtest: Backtest) -> None:
    shown = fan(backtested, FAR, backtest)
    told = beyond.fan_chart(shown)
    point = points_frame(n_params=FAR[0], tokens=FAR[1])
    for drift, words in ((True, "with drift"), (False, "without")):
        interval = predict(backtested, point, drift=drift).points[0].law_mean
        assert f"({interval.prob:.0%} ETI {interval.lo:.2f}".replace("90%", "90 %") in told
        assert words in told
    inside = sum(
        row.lo <= row.log_loss <= row.hi for row in backtest.folds[2].rows if row.row in shown.held_out.index
    )
    assert f"Of {len(shown.held_out)} runs held out, {inside} lie in" in told
    assert told.startswith("At the model asked about (7B parameters, 1T tokens)")
    assert f"{backtest.folds[2].n_train} rows" in beyond.fan_reading(shown)
    plain = fan(backtested, LARGEST, drift=False)
    assert "is left out" in beyond.fan_chart(plain)
    assert beyond.fan_chart(plain).startswith("At the right end")
    assert "stated prior" not in beyond.fan_reading(plain)


def test_the_verdict_is_at_every_probability(backtest: Backtest) -> None:
    told = beyond.verdict(backtest)
    assert told.startswith("Beyond what chance allows independent rows, intervals with drift")
    assert "fewer losses than they promise at 90 and 95 % (too narrow)" in told
    fair = replace(
        backtest,
        folds=tuple(
            replace(fold, scores=replace(fold.scores, coverage={0.5: 0.5, 0.8: 0.8, 0.9: 0.9, 0.95: 0.95}))
            for fold in backtest.folds
        ),
    )
    assert beyond.verdict(fair).endswith("intervals with drift, as in the answers, hold what they promise.")
    wide = replace(
        backtest,
        folds=tuple(
            replace(fold, scores=replace(fold.scores, coverage=dict.fromkeys(fold.scores.coverage, 1.0)))
            for fold in backtest.folds
        ),
    )
    assert "more than they promise at 50, 80, 90 and 95 % (wider than they need be)" in beyond.verdict(wide)
    assert "without drift, as in the answers" in beyond.verdict(wide, drift=False)


def test_the_question_is_told_from_what_was_tested(fit: Fit, backtest: Backtest) -> None:
    assert "within the fitted sizes" in beyond.reach(fit, backtest, LARGEST)
    near = beyond.reach(fit, backtest, (4e8, 1e11))
    assert "is 0.4 decades beyond the fitted sizes" in near
    assert "predicted runs up to 0.6 decades beyond theirs" in near
    far = beyond.reach(fit, backtest, FAR)
    assert "no fold predicted a run farther than 0.6 decades" in far
    assert "stated prior of drift" in far
    assert "form alone" in beyond.reach(fit, backtest, FAR, drift=False)


def test_page_holds_folds_figures_and_meaning(backtested: Fit, backtest: Backtest, answers: Answers) -> None:
    text = section(render(backtested, answers, style=COARSE))
    assert "NOT RUN" not in text
    for name in ("fan-chart", "coverage", "extrapolation-error", "risk-breakdown"):
        assert f'id="{name}"' in text
    assert backtest.sentence().split(";")[0] in text
    assert "did not converge (R-hat 1.40)" in text
    assert "within the fitted sizes" in text
    assert text.count("<svg") == 4


def test_page_without_a_backtest_says_so(fit: Fit, answers: Answers) -> None:
    none = replace(fit, findings=(*fit.findings, switched_off()))
    text = section(render(none, answers, style=COARSE))
    assert "<strong>NOT RUN.</strong> No backtest was run with this fit." in text
    assert 'id="fan-chart"' in text
    assert 'id="coverage"' not in text
    assert summary(none, answers)["backtest"] is None


def test_summary_has_the_folds_without_rows_and_places(backtested: Fit, backtest: Backtest, answers: Answers):
    told = summary(backtested, answers)
    assert told["backtest"]["coverage"]["0.9"] == backtest.coverage[0.9]
    assert [fold["n_test"] for fold in told["backtest"]["folds"]] == [fold.n_test for fold in backtest.folds]
    assert not any("rows" in fold for fold in told["backtest"]["folds"])
    assert "/home" not in json.dumps(told)


def test_without_drift_no_figure_has_any(
    backtested: Fit, answers_for: Callable[[Fit], Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, own = [], exhibits.data_and_fit.figure
    monkeypatch.setattr(
        exhibits.data_and_fit, "figure", lambda fit, style: drawn.append(fit) or own(fit, style)
    )
    answers = answers_for(backtested)
    plain = replace(answers, prediction=replace(answers.prediction, drift=False))
    pages = [render(backtested, one, style=COARSE) for one in (answers, plain)]
    said = "Structural error beyond the data is left out of every figure"
    assert [said in page for page in pages] == [False, True]
    point = points_frame(n_params=FAR[0], tokens=FAR[1])
    with_drift, without = (loss_draws(fit, point).mean.std() for fit in drawn)
    assert with_drift > without == pytest.approx(loss_draws(backtested, point, drift=False).mean.std())


def test_risk_is_drawn_as_stacked_bars_that_fill_each_line(fit: Fit) -> None:
    drawn = risk_breakdown.figure(list(SHARES), list(SHARES.values()), COARSE)
    axis = drawn.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(SHARES)
    for line in range(2):
        bars = [container[line] for container in axis.containers]
        assert [bar.get_width() for bar in bars] == pytest.approx(
            [100 * share for share in list(SHARES.values())[line].values()]
        )
        assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(100.0)
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == list(risk_breakdown.SOURCES.values())
    assert {text.get_text() for text in axis.texts} == {"30", "60", "70", "20", "10"}
    shown = beyond_exhibits(fit, None, LARGEST, style=COARSE, shares=SHARES | {"16 bits": None})
    assert [one.name for one in shown] == ["fan-chart", "risk-breakdown"]
    assert "drift beyond the data for 7B, 1T tokens (60 %)" in shown[-1].finding
    assert "the prior for 4 bits in training (70 %)" in shown[-1].finding


@pytest.mark.parametrize("shares", [{"prior": 0.5}, {"prior": 0.5, "luck": 0.5}])
def test_shares_that_are_none_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="that sum to 1"):
        risk_breakdown.figure(["an answer"], [shares], COARSE)
