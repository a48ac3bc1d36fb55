"""Predictions and post-training decisions under several laws."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions import stacked
from bitlaw.decisions.pooling import pooled
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants

COUPLED = {
    "mean_loss": 2.9, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5,
}  # fmt: skip
POINTS = points_frame(run_id="x", n_params=1e8, tokens=[1e10, 2e10], bits_post=[np.nan, 4.0])


@pytest.fixture(scope="module")
def fits():
    constants = kumar_constants()
    worse = constants | COUPLED | {"C": 10 * constants["C"]}
    return [
        collapsed_fit("kumar2024", constants, samples=400, jitter=0.01, vocab_size=32000),
        collapsed_fit("kumar2024-coupled", worse, samples=200, jitter=0.01, vocab_size=32000),
    ]


def weigh(monkeypatch, *weights):
    monkeypatch.setattr(stacked, "law_weights", lambda fits: np.array(weights))


def finding_of(answer):
    return next(finding for finding in answer.findings if finding.code == "laws.disagreement")


def test_a_stack_of_one_is_the_fit(fits):
    across = predict_across(fits[:1], POINTS)
    assert across.weights == {"kumar2024": 1.0}
    assert across.stack == predict(fits[0], POINTS)
    assert ptq_across(fits[:1], 1e8, 1e10).stack.to_dict() == ptq(fits[0], 1e8, 1e10).to_dict()


def test_all_weight_on_one_law_is_that_law(fits, monkeypatch):
    weigh(monkeypatch, 1.0, 0.0)
    for own, alone in zip(
        predict_across(fits, POINTS).stack.points, predict(fits[0], POINTS).points, strict=True
    ):
        assert replace(own, risk=alone.risk) == alone
        assert own.risk.disagreement == 0.0
    stack, alone = ptq_across(fits, 1e8, 1e10).stack, ptq(fits[0], 1e8, 1e10)
    assert stack.options == alone.options
    assert stack.under_prior.options == alone.under_prior.options


def test_every_law_answers_as_it_does_alone(fits, monkeypatch):
    weigh(monkeypatch, 0.5, 0.5)
    for across, alone in (
        (predict_across(fits, POINTS), [predict(fit, POINTS) for fit in fits]),
        (ptq_across(fits, 1e8, 1e10), [ptq(fit, 1e8, 1e10) for fit in fits]),
    ):
        for answer, own in zip(across.by_law.values(), alone, strict=True):
            expected = own.to_dict()
            expected["findings"] = [item for item in expected["findings"] if item["status"] != "NOT_RUN"]
            assert answer.to_dict() == expected


def test_the_stack_is_served_on_the_chips_asked_about(fits, monkeypatch):
    weigh(monkeypatch, 0.5, 0.5)
    across = ptq_across(fits, 1e8, 1e10, hardware=("h100", "b200"))
    for decision in (across.stack, *across.by_law.values()):
        assert [chip.name for chip in decision.chips] == ["h100", "b200"]
        assert "fits in the memory of one h100 (80 GB) or one b200" in decision.sentence()


def test_draws_are_pooled_in_proportion_to_weights(fits, monkeypatch):
    weigh(monkeypatch, 0.75, 0.25)
    across = predict_across(fits, POINTS)
    means = [answer.points[0].mean for answer in across.by_law.values()]
    assert across.stack.points[0].mean == pytest.approx(0.75 * means[0] + 0.25 * means[1], rel=1e-3)
    decision = ptq_across(fits, 1e8, 1e10)
    safe = [answer.option(5).probability_safe for answer in decision.by_law.values()]
    assert safe[0] > safe[1]
    assert decision.stack.option(5).probability_safe == pytest.approx(np.dot([0.75, 0.25], safe), abs=0.02)
    assert len(pooled([np.zeros(300), np.ones(100)], np.array([0.75, 0.25]))) == 400


def test_laws_that_disagree_are_named(fits, monkeypatch):
    weigh(monkeypatch, 0.999, 0.001)
    prediction = finding_of(predict_across(fits, POINTS).stack)
    assert prediction.status is Status.WARN
    assert prediction.value > 0.5 == prediction.threshold
    for law in ("kumar2024 (", "kumar2024-coupled ("):
        assert law in prediction.message
    decision = finding_of(ptq_across(fits, 1e8, 1e10).stack)
    assert decision.status is Status.WARN
    assert "Safe under every law: 8 bits" in decision.message


def test_laws_that_agree_pass(fits, monkeypatch):
    constants = kumar_constants()
    same = collapsed_fit("kumar2024-coupled", constants | _coupled(constants), samples=200, vocab_size=32000)
    weigh(monkeypatch, 0.5, 0.5)
    for answer in (predict_across([fits[0], same], POINTS), ptq_across([fits[0], same], 1e8, 1e10)):
        assert finding_of(answer.stack).status is Status.PASS


def _coupled(p):
    """What the coupled law samples where it is Chinchilla's with these constants."""
    loss = p["E"] + p["a"] + p["b"]
    return {
        "mean_loss": loss, "floor_share": p["E"] / loss, "n_share": p["a"] / (p["a"] + p["b"]), "g": 1.0,
        "slope_n": p["alpha"] * p["a"] / loss, "slope_d": p["beta"] * p["b"] / loss,
    }  # fmt: skip


def test_json_is_the_stack_with_every_law(fits, monkeypatch):
    weigh(monkeypatch, 0.75, 0.25)
    for across in (predict_across(fits, POINTS), ptq_across(fits, 1e8, 1e10)):
        envelope = json.loads(json.dumps(across.to_dict(), allow_nan=False))
        assert envelope["law"] == "the stack"
        weights = {name: own["weight"] for name, own in envelope["laws"].items()}
        assert weights == {"kumar2024": 0.75, "kumar2024-coupled": 0.25}
        key = "points" if "points" in envelope else "options"
        for own in envelope["laws"].values():
            assert len(own[key]) == len(envelope[key])
        assert len(across.table()) == 3 * len(envelope[key])


def test_the_measured_loss_and_the_question_reach_every_law(fits, monkeypatch):
    weigh(monkeypatch, 0.5, 0.5)
    across = predict_across(fits, POINTS, measured=3.0)
    assert [answer.points[0].mean for answer in across.by_law.values()] == pytest.approx([3.0, 3.0])
    decision = ptq_across(fits, 1e8, 1e10, bits=(6, 4), method_post="new", seed=5)
    for answer in (*decision.by_law.values(), decision.stack):
        assert [option.bits_post for option in answer.options] == [6.0, 4.0]
        assert (answer.method_post, answer.seed) == ("new", 5)


def test_laws_of_measured_pairs_stack_without_critical_tokens(monkeypatch):
    gap = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3}
    fits = [
        collapsed_fit("ptq-gap", gap | {"gamma_post": 0.6, "C_w": 50.0}, samples=40),
        collapsed_fit("ptq-gap-power", gap | {"gamma_P": 5.0}, samples=40),
    ]
    weigh(monkeypatch, 0.5, 0.5)
    across = ptq_across(fits, 1e8, 1e10, loss=2.5)
    assert across.stack.option(4).critical_tokens is None
    assert sum(finding.code == "ptq.critical_tokens" for finding in across.findings) == 2


def test_fits_of_one_law_cannot_be_stacked(fits):
    with pytest.raises(InputError, match="occurs 2 times"):
        predict_across([fits[0], fits[0]], POINTS)
