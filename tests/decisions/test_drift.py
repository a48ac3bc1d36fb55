"""Structural error in every decision: wider beyond the data, gone with drift=False, said in words and JSON."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from bitlaw.decisions.across_laws import optimum_across
from bitlaw.decisions.critical_tokens import critical_tokens
from bitlaw.decisions.decision_table import decision_table
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.precision_draws import precision_draws
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.inference.draws import points_frame
from bitlaw.inference.drift import drift_draws
from fits import collapsed_fit, kumar_constants

COUPLED = {
    "mean_loss": 2.9, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5,
}  # fmt: skip
INCLUDED = "Structural error beyond the data is included"
LEFT_OUT = "Without structural error beyond the data"
FAR = {"n_params": 7e9, "tokens": 2e11}


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit(
        "kumar2024", kumar_constants(), samples=1000, jitter=0.01, vocab_size=50000, drift=True
    )


@pytest.fixture(scope="module")
def without_any(fit):
    """The same posterior with a drift of nothing."""
    return replace(fit, drift=xr.zeros_like(fit.drift))


@pytest.fixture(scope="module")
def fits(fit):
    coupled = collapsed_fit(
        "kumar2024-coupled",
        kumar_constants() | COUPLED,
        samples=1000,
        jitter=0.01,
        vocab_size=50000,
        drift=True,
    )
    return [fit, coupled]


def width(interval):
    return interval.hi - interval.lo


def said(answer):
    """The answer as JSON reads it, without what says that drift is on."""
    return json.loads(json.dumps(answer.to_dict(), allow_nan=False))


def neutral(content):
    """JSON without the keys of drift, at every level."""
    if isinstance(content, dict):
        return {name: neutral(value) for name, value in content.items() if name != "drift"}
    return [neutral(value) for value in content] if isinstance(content, list) else content


@pytest.mark.parametrize(
    "decide",
    [
        lambda fit, **drift: predict(
            fit, points_frame(**FAR, bits_weights=[16.0, 3.2], bits_post=2.5), **drift
        ),
        lambda fit, **drift: optimum(fit, flops=3e22, **drift),
        lambda fit, **drift: optimum(fit, **FAR, bits=(16, 4, 3.2), **drift),
        lambda fit, **drift: ptq(fit, 1e9, 5e12, bits=(4, 3), **drift),
    ],
    ids=["predict", "free", "fixed", "ptq"],
)
def test_no_drift_is_the_answer_of_the_law_itself(fit, without_any, decide):
    on, off = decide(fit), decide(fit, drift=False)
    assert neutral(said(off)) == neutral(said(decide(without_any)))
    assert neutral(said(off)) != neutral(said(on))
    assert said(on)["drift"] is True
    assert said(off)["drift"] is False
    assert INCLUDED in on.sentence()
    assert LEFT_OUT in off.sentence()
    assert LEFT_OUT not in on.sentence()
    if on.to_dict().get("under_prior"):
        assert on.under_prior.drift
        assert not off.under_prior.drift


def test_inside_nothing_is_said_or_added(fit):
    inside = {"n_params": 1e8, "tokens": 1e10}
    for decide in (
        lambda drift: predict(fit, points_frame(**inside, bits_weights=6.0), drift=drift),
        lambda drift: optimum(fit, **inside, bits=(16, 8, 6), drift=drift),
        lambda drift: ptq(fit, **inside, bits=(6, 4, 3), drift=drift),
    ):
        on, off = decide(True), decide(False)
        for text in (INCLUDED, LEFT_OUT):
            assert text not in on.sentence() + off.sentence()
    point = predict(fit, points_frame(**inside)).to_dict()["points"][0]
    assert point["drift"] == 0.0
    assert predict(fit, points_frame(**inside), drift=False).to_dict()["points"][0]["drift"] is None


def test_the_drift_of_a_prediction_is_the_spread_of_its_log_error(fit):
    flat = replace(fit, drift=fit.drift.assign(omega=0.0 * fit.drift["omega"] + 0.02))
    one, two = predict(flat, points_frame(n_params=[4e9, 4e10], tokens=1e10)).points
    assert one.drift == pytest.approx(0.02, rel=0.05)
    assert two.drift == pytest.approx(np.sqrt(2.0) * one.drift, rel=1e-3)
    off = predict(flat, points_frame(n_params=[4e9, 4e10], tokens=1e10), drift=False).points[1]
    assert width(two.law_mean) > width(off.law_mean)
    assert width(two.new_run) > width(off.new_run)


def test_a_far_budget_has_a_wider_loss_and_less_certain_bits(fit):
    on, off = (optimum(fit, flops=3e22, drift=drift) for drift in (True, False))
    shares = [option.probability_best for option in on.options if not option.refused]
    assert math.fsum(shares) == pytest.approx(1.0)
    for option in on.options[:-1]:
        other = off.option(option.bits)
        assert width(option.loss) > width(other.loss)
        assert option.n_params == other.n_params
        assert option.tokens == other.tokens
        assert option.break_even == other.break_even
        assert option.drift > 0
    best = off.best
    assert on.option(best).probability_best < off.option(best).probability_best
    assert on.option(best).expected_regret > off.option(best).expected_regret


def test_options_of_one_size_share_the_drift_of_the_loss(fit):
    loud = replace(fit, drift=fit.drift.assign(omega_penalty=0.0 * fit.drift["omega_penalty"]))
    on, off = (optimum(loud, **FAR, bits=(16, 8, 6, 4), drift=drift) for drift in (True, False))
    for option in on.options:
        assert width(option.loss) > 1.2 * width(off.option(option.bits).loss)
        assert option.probability_within == pytest.approx(
            off.option(option.bits).probability_within, abs=0.01
        )
    assert on.option(16).probability_within == 1.0
    assert on.option(16).expected_regret == 0.0


def test_the_penalty_drifts_where_sizes_are_fixed(fit):
    asked = {"n_params": 1e8, "tokens": 4e12, "tolerance": 0.05, "bits": (16, 6, 5)}
    on, off = (optimum(fit, **asked, drift=drift) for drift in (True, False))
    assert off.option(6).probability_within in (0.0, 1.0)
    assert 0.0 < on.option(6).probability_within < 1.0


def test_bits_without_capacity_stay_as_they_are(fit):
    decision = optimum(fit, flops=1e25, bits=(8, 2))
    assert decision.option(2).loss.lo == decision.option(2).loss.hi == pytest.approx(math.log(50000))
    assert decision.option(2).drift == 0.0
    assert decision.option(2).probability_best == 0.0


def test_critical_tokens_widen_beyond_the_data_only(fit):
    points = points_frame(n_params=1e8, tokens=1e10, bits_post=[6.0, 3.0, 2.0], method_post="gptq")
    on, off = (np.log(critical_tokens(fit, points, drift=drift)) for drift in (True, False))
    shortest, longest = 2.5e9, 4e10
    assert (off[:, 0] > np.log(longest)).all()
    assert ((off[:, 1] > np.log(shortest)) & (off[:, 1] < np.log(longest))).all()
    np.testing.assert_array_equal(on[:, 1], off[:, 1])
    assert on[:, 0].std() > 1.2 * off[:, 0].std()
    unbounded = collapsed_fit("kumar2024", kumar_constants(), samples=1000, drift=True)
    flat = replace(unbounded, drift=fit.drift.assign(omega_penalty=1.0 + 0.0 * fit.drift["omega"]))
    on, off = (np.log(critical_tokens(flat, points, drift=drift)) for drift in (True, False))
    decades = np.maximum(off[0] - np.log(longest), 0.0) + np.maximum(np.log(shortest) - off[0], 0.0)
    beyond = decades / np.log(10) + np.array([0.0, 0.0, 1.0])
    shift = -np.sqrt(beyond) * fit.drift["z_post"].to_numpy()[:, None] / (0.5068 + 0.4965)
    np.testing.assert_allclose(on - off, shift, atol=1e-9)


def test_laws_of_a_stack_drift_on_their_own(fits):
    points = points_frame(n_params=1e8, tokens=1e14)
    of_one, of_other = (predict(fit, points).points[0].drift for fit in fits)
    assert of_one != of_other
    assert not fits[0].drift.equals(fits[1].drift)
    for across, off in (
        (predict_across(fits, points), predict_across(fits, points, drift=False)),
        (optimum_across(fits, flops=1e25), optimum_across(fits, flops=1e25, drift=False)),
        (ptq_across(fits, 7e9, 1e14), ptq_across(fits, 7e9, 1e14, drift=False)),
    ):
        content, other = said(across), said(off)
        assert content["drift"] is True
        assert other["drift"] is False
        assert all(law["drift"] for law in content["laws"].values())
        assert not any(law["drift"] for law in other["laws"].values())
    assert predict_across(fits, points).stack.points[0].drift > 0
    assert optimum_across(fits, flops=1e25).stack.option(8).drift > 0


def test_the_table_of_decisions_can_leave_it_out(fits):
    for drift in (True, False):
        table = decision_table(fits, drift=drift)
        assert table.prediction.stack.drift is drift
        assert table.sizes_free.stack.drift is drift
        assert table.sizes_fixed.stack.drift is drift


def test_draws_of_a_decision_carry_what_drift_adds(fit):
    from bitlaw.decisions.on_offer import on_offer
    from bitlaw.decisions.optimum import precision_question

    question = precision_question((fit,), flops=1e25, bits=(8, 6))
    offer = on_offer(question, (fit,))
    on, off = (precision_draws(fit, question, offer, drift=drift) for drift in (True, False))
    assert off.drift is None
    np.testing.assert_allclose(on.loss, off.loss * np.exp(on.drift))
    assert drift_draws(1000, 0, "kumar2024").equals(fit.drift)
