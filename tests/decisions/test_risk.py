"""Every decision carries its risk, and is refused where nothing measured supports an answer."""

import json
from dataclasses import replace

import numpy as np
import pytest

from backtests import kept_backtest
from bitlaw.criticism.risk import Grade
from bitlaw.decisions import across_laws, stacked
from bitlaw.decisions.across_laws import optimum_across
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants

COUPLED = {
    "mean_loss": 2.9, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5,
}  # fmt: skip
CENTRE = {"n_params": 1e8, "tokens": 1e10}


@pytest.fixture(scope="module")
def fit():
    made = collapsed_fit(
        "kumar2024", kumar_constants(), samples=1000, jitter=0.01, vocab_size=50000, drift=True
    )
    return replace(made, backtest=kept_backtest(0.9))


@pytest.fixture(scope="module")
def other():
    constants = kumar_constants() | COUPLED
    return collapsed_fit(
        "kumar2024-coupled", constants, samples=500, jitter=0.01, vocab_size=50000, drift=True
    )


def risk_at(fit, **point):
    return predict(fit, points_frame(**CENTRE | point)).points[0].risk


def weigh(monkeypatch, *weights):
    for module in (stacked, across_laws):
        monkeypatch.setattr(module, "law_weights", lambda fits: np.array(weights))


def decisions(fit, **sizes):
    return (
        predict(fit, points_frame(**CENTRE | sizes)),
        optimum(fit, **CENTRE | sizes, bits=(16, 8, 6, 4)),
        ptq(fit, **CENTRE | sizes, bits=(6, 4, 3)),
    )


def test_inside_a_well_measured_table_with_a_good_backtest_risk_is_low(fit):
    assert risk_at(fit).grade is Grade.LOW
    assert risk_at(fit, bits_weights=6.0).grade is Grade.LOW
    assert risk_at(fit, bits_post=4.0).grade is Grade.LOW
    for decision in decisions(fit)[1:]:
        assert decision.risk.grade is Grade.LOW
        assert "Risk LOW" in decision.sentence()
        assert not decision.refused


@pytest.mark.parametrize("kept", [None, kept_backtest(rows=0, runs=11)])
def test_without_a_backtest_it_is_never_low(fit, kept):
    for decision in decisions(replace(fit, backtest=kept)):
        risk = decision.points[0].risk if hasattr(decision, "points") else decision.risk
        assert risk.grade is Grade.MODERATE
        assert risk.backtest.status is Status.NOT_RUN
        assert any("backtest" in reason for reason in risk.reasons)
        assert any("12 usable runs" in run for run in risk.would_help) == (kept is not None)


@pytest.mark.parametrize("name", ["n_params", "tokens"])
@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_moving_farther_never_lowers_the_grade(fit, name, direction):
    steps = np.arange(0.0, 5.1, 0.25)
    for low in ({}, {"bits_weights": 5.0}, {"bits_post": 4.0}):
        grades = [
            risk_at(fit, **low, **{name: CENTRE[name] * 10 ** (direction * step)}).grade.rank
            for step in steps
        ]
        assert grades == sorted(grades)
        assert grades[0] == Grade.LOW.rank
        assert grades[-1] == Grade.REFUSE.rank


def test_fewer_bits_never_lower_the_grade(fit):
    for column in ("bits_weights", "bits_kv", "bits_post"):
        grades = [risk_at(fit, **{column: bits}).grade.rank for bits in (6, 5, 4, 3.7, 3.4, 3.1, 2.9, 2, 1.5)]
        assert grades == sorted(grades)
        assert grades[-1] == Grade.REFUSE.rank


@pytest.mark.parametrize("drift", [True, False])
def test_shares_sum_to_one_wherever_it_is_asked(fit, drift):
    points = points_frame(
        n_params=[1e8, 4e9, 1e13], tokens=1e10, bits_weights=[16.0, 4.0, 2.0], bits_post=1.5
    )
    for risk in (
        *(point.risk for point in predict(fit, points, drift=drift).points),
        optimum(fit, flops=1e22, drift=drift).risk,
        optimum(fit, **CENTRE, bits=(8,), drift=drift).risk,
        ptq(fit, 1e9, 1e12, drift=drift).risk,
    ):
        assert sum(risk.shares.values()) == pytest.approx(1.0)
        assert drift or risk.shares["drift"] == 0.0
    inside, beyond = (risk_at(fit, n_params=n).shares["drift"] for n in (1e8, 4e10))
    assert inside == 0.0
    assert beyond > 0.5
    assert optimum(fit, flops=1e21).risk.shares["noise"] == 0.0
    assert ptq(fit, **CENTRE).risk.shares["noise"] > 0.5


def test_a_number_the_prior_decides_is_high(fit):
    prior = replace(fit, posterior=fit.prior)
    risk = risk_at(prior)
    assert risk.grade is Grade.HIGH
    assert risk.shares["prior"] > 0.9
    assert "the prior of the law's constants" in risk.reasons[0]


def test_a_thousand_times_beyond_is_refused_and_the_interval_stays(fit):
    for decision in decisions(fit, n_params=4.1e11):
        assert decision.status is Status.REFUSED
        assert decision.sentence().startswith("REFUSED: nothing measured supports an answer. ")
        assert "Runs that would change it: a run of " in decision.sentence()
        content = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
        assert content["refused"] is True
        assert "risk.refused" in {finding["code"] for finding in content["findings"]}
    point, precision, post = (
        json.loads(json.dumps(one.to_dict())) for one in decisions(fit, n_params=4.1e11)
    )
    assert point["points"][0]["refused"]
    assert point["points"][0]["lo"] < point["points"][0]["hi"]
    assert precision["best"] is None
    assert precision["near_optimal"] == []
    assert precision["under_prior"]["best"] is None
    assert post["smallest_safe_bits"] is None
    for content in (precision, post):
        assert all(option["refused"] for option in content["options"])
        assert content["risk"]["grade"] == "REFUSE"
        assert content["risk"]["would_help"]
    assert precision["options"][0]["loss"]["lo"] < precision["options"][0]["loss"]["hi"]
    assert post["options"][0]["degradation"]["lo"] < post["options"][0]["degradation"]["hi"]


def test_one_refused_point_of_many_is_named(fit):
    prediction = predict(fit, points_frame(n_params=[1e8, 1e14, 1e15], tokens=1e10))
    assert [point.risk.refused for point in prediction.points] == [False, True, True]
    finding = next(item for item in prediction.findings if item.code == "risk.refused")
    assert finding.message.startswith("Points 2, 3 of 3")
    assert prediction.status is Status.REFUSED
    assert prediction.sentence().startswith("Under kumar2024")


def test_an_option_below_all_bits_is_not_recommended_and_the_rest_is_decided(fit):
    easy = {"tolerance": 10.0}
    decision = optimum(fit, **CENTRE, bits=(16, 8, 4, 3, 2), **easy)
    assert decision.best == 4
    assert [option.key for option in decision.options if option.refused] == [3, 2]
    assert decision.status is not Status.REFUSED
    assert "Not to be recommended, for nothing measured supports them: 3, 2 bits" in decision.sentence()
    assert "edge of what may be recommended" in decision.sentence()
    assert not {3, 2} & {*decision.near_optimal, *decision.ties}
    assert sum(option.probability_best for option in decision.options if not option.refused) == pytest.approx(
        1.0
    )
    assert decision.option(2).probability_best > 0.9
    after = ptq(fit, **CENTRE, bits=(6, 4, 3, 2), tolerance=10.0)
    assert after.smallest_safe_bits == 3
    assert after.option(2).refused
    assert after.option(2).probability_safe == 1.0
    assert "smallest that may be recommended" in after.sentence()


def test_where_every_quantized_option_is_below_all_bits_the_answer_is_refused(fit):
    for bits in ((16, 3), (3, 2)):
        decision = optimum(fit, **CENTRE, bits=bits)
        assert decision.refused
        assert decision.best is None
        assert any("at 3 bits" in run for run in decision.risk.would_help)
    assert not optimum(fit, **CENTRE, bits=(16,)).refused
    assert ptq(fit, **CENTRE, bits=(2,)).refused


def test_convergence_fails_before_an_answer_is_refused(fit):
    failed = Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "R-hat is 1.2.")
    assert optimum(replace(fit, findings=(failed,)), flops=1e30).status is Status.FAIL


def test_a_new_method_is_high(fit):
    assert ptq(fit, **CENTRE, bits=(6, 4), method_post="new").risk.grade is Grade.HIGH


def test_laws_that_disagree_make_it_high(fit, other, monkeypatch):
    weigh(monkeypatch, 0.6, 0.4)
    worse = replace(other, posterior=other.posterior.assign(C=10.0 * other.posterior["C"]))
    point = predict_across([fit, worse], points_frame(**CENTRE, bits_post=3.0)).stack.points[0]
    after = ptq_across([fit, worse], **CENTRE, bits=(6, 4, 3)).stack
    for risk in (point.risk, after.risk):
        assert risk.grade is Grade.HIGH
        assert risk.disagreement == pytest.approx(0.4)
        assert any("laws disagree" in reason for reason in risk.reasons)
    weigh(monkeypatch, 0.99, 0.01)
    assert ptq_across([fit, worse], **CENTRE, bits=(6, 4, 3)).stack.risk.grade is not Grade.HIGH


def test_precisions_that_differ_between_laws_make_it_high(fit, other, monkeypatch):
    weigh(monkeypatch, 0.6, 0.4)
    keen = {f"gamma_{kind}": 0.2 * other.posterior[f"gamma_{kind}"] for kind in ("w", "a", "kv")}
    across = optimum_across(
        [fit, replace(other, posterior=other.posterior.assign(keen))], flops=1e20, bits=(8, 6, 4)
    )
    assert len({answer.best for answer in across.by_law.values()}) == 2
    assert across.stack.risk.grade is Grade.HIGH
    assert across.stack.risk.disagreement == pytest.approx(0.4)
    assert all(answer.risk.disagreement is None for answer in across.by_law.values())


def test_a_stack_is_refused_by_its_own_distance(fit, other, monkeypatch):
    weigh(monkeypatch, 0.6, 0.4)
    for across in (
        predict_across([fit, other], points_frame(n_params=1e13, tokens=1e10)),
        optimum_across([fit, other], n_params=1e13, tokens=1e10),
        ptq_across([fit, other], 1e13, 1e10),
    ):
        assert across.status is Status.REFUSED
        assert sum(finding.code == "risk.refused" for finding in across.findings) == 1
        assert across.sentence().startswith("REFUSED")


def test_no_near_optimal_option_is_said_with_the_lowest_regret(fit):
    decision = optimum(fit, flops=1e21, near=1e-12)
    assert decision.near_optimal == ()
    least = min(
        (option for option in decision.options if not option.refused),
        key=lambda option: option.expected_regret,
    )
    assert "None is near-optimal" in decision.sentence()
    assert f", of {least.bits:g} bits." in decision.sentence()
