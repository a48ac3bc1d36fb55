"""The post-training decision where degradations of the very checkpoint were measured."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from bitlaw.criticism.risk import Grade
from bitlaw.decisions.ptq import ptq
from bitlaw.decisions.stacked import ptq_across
from bitlaw.errors import InputError
from bitlaw.finding import Status
from fits import collapsed_fit, kumar_constants

SIZES = {"n_params": 1e8, "tokens": 1e10}
LOSS = 3.0


@pytest.fixture(scope="module")
def fit():
    constants = kumar_constants() | {"kappa": 0.05}
    return collapsed_fit("kumar2024", constants, samples=2000, jitter=0.02, vocab_size=50000)


def points(*rows, **columns):
    bits, gaps = zip(*rows, strict=True)
    return pd.DataFrame({"bits_post": bits, "loss": LOSS + np.array(gaps)} | columns)


def test_what_was_measured_is_the_answer_there(fit):
    law = ptq(fit, **SIZES, loss=LOSS)
    decision = ptq(fit, **SIZES, loss=LOSS, measured=points((4.0, 0.02), loss_se=0.001))
    four = decision.option(4)
    assert (four.source, decision.option(5).source) == ("measured", "law")
    assert four.degradation.median == pytest.approx(0.02, abs=0.0001)
    assert four.degradation.hi - four.degradation.lo == pytest.approx(2 * 1.645 * 0.001, rel=0.05)
    assert four.probability_safe == 0.0
    assert law.option(4).degradation_mean.median > 0.03
    assert four.degradation_mean.median == pytest.approx(0.02, rel=0.2)


def test_other_bits_are_conditioned_on_it(fit):
    law = ptq(fit, **SIZES, loss=LOSS)
    factor = 0.5
    gaps = [(bits, factor * law.option(bits).degradation_mean.median) for bits in (4.0, 3.0)]
    decision = ptq(fit, **SIZES, loss=LOSS, measured=points(*gaps))
    before, after = law.option(5).degradation, decision.option(5).degradation
    assert after.median == pytest.approx(factor * before.median, rel=0.15)
    assert math.log(after.hi / after.lo) < 0.8 * math.log(before.hi / before.lo)
    assert decision.option(5).probability_safe > law.option(5).probability_safe
    assert [option.bits_post for option in decision.options] == [8, 6, 5, 4, 3, 2]


def test_without_a_standard_error_the_fits_own_is_taken(fit):
    option = ptq(fit, **SIZES, loss=LOSS, measured=points((4.0, 0.005))).option(4)
    noise = np.random.default_rng(0).standard_t(8.0, 100000) * 0.0005
    width = np.quantile(noise, 0.95) - np.quantile(noise, 0.05)
    assert option.degradation.hi - option.degradation.lo == pytest.approx(width, rel=0.1)
    assert option.probability_safe == 1.0


def test_measured_bits_are_on_offer_and_carry_low_risk(fit):
    decision = ptq(fit, **SIZES, loss=LOSS, measured=points((4.5, 0.001), (4.0, 0.002)))
    assert [option.bits_post for option in decision.options] == [8, 6, 5, 4.5, 4, 3, 2]
    assert decision.smallest_safe_bits == 4
    assert decision.risk.grade is Grade.LOW
    assert "measured on this very checkpoint" in decision.sentence()
    assert "the degradation measured on this checkpoint" in decision.sentence()
    chosen = ptq(fit, **SIZES, loss=LOSS, measured=points((4.5, 0.001), (4.0, 0.002)), bits=(8, 4))
    assert [option.source for option in chosen.options] == ["law", "measured"]


def test_measured_safety_takes_precedence_over_the_laws(fit):
    gap = ptq(fit, **SIZES, loss=LOSS).option(5).degradation_mean.median
    assert ptq(fit, **SIZES, loss=LOSS, tolerance=gap).smallest_safe_bits == 6
    safe = ptq(fit, **SIZES, loss=LOSS, tolerance=gap, measured=points((3.0, gap / 2)))
    assert safe.option(5).probability_safe < 0.95 or safe.option(4).probability_safe < 0.95
    assert safe.smallest_safe_bits == 3
    unsafe = ptq(fit, **SIZES, loss=LOSS, tolerance=gap, measured=points((6.0, 2 * gap), (3.0, gap / 2)))
    assert unsafe.smallest_safe_bits == 8


def test_a_measured_option_is_not_refused_where_the_law_is(fit):
    far = {"n_params": 1e13, "tokens": 1e15}
    assert ptq(fit, **far, loss=LOSS).refused
    decision = ptq(fit, **far, loss=LOSS, measured=points((4.0, 0.001)), bits=(4, 3))
    assert [option.refused for option in decision.options] == [False, True]
    assert decision.smallest_safe_bits == 4
    assert decision.status is not Status.REFUSED


def test_measurements_that_no_draw_explains_are_a_warning(fit):
    odd = ptq(fit, **SIZES, loss=LOSS, measured=points((6.0, 1.0), (5.0, 1.0), (4.0, 1.0)))
    found = next(finding for finding in odd.findings if finding.code == "ptq.measured")
    assert found.status is Status.WARN
    assert "hold 0 of 3" in found.message
    law = ptq(fit, **SIZES, loss=LOSS)
    usual = ptq(fit, **SIZES, loss=LOSS, measured=points((4.0, law.option(4).degradation.median)))
    found = next(finding for finding in usual.findings if finding.code == "ptq.measured")
    assert found.status is Status.PASS
    assert "hold 1 of 1" in found.message


def test_a_fitted_run_has_its_own_rows(fit):
    rows = fit.rows[(fit.rows["n_params"] == 4e8) & (fit.rows["tokens"] == 4e10)]
    run = rows[rows["bits_weights"] == 16]["run_id"].iloc[0]
    own = rows[rows["run_id"] == run].set_index("bits_post")["loss"]
    decision = ptq(fit, run_id=run)
    assert (decision.n_params, decision.tokens, decision.loss) == (4e8, 4e10, own[np.nan])
    assert {option.bits_post: option.source for option in decision.options} == {
        8: "law", 6: "measured", 5: "law", 4: "measured", 3: "measured", 2: "law",
    }  # fmt: skip
    for bits in (6, 4, 3):
        gap = own[bits] - own[np.nan]
        assert decision.option(bits).degradation.median == pytest.approx(gap, abs=0.0001)
    content = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
    assert content["question"]["run_id"] == run
    assert [(one["bits_post"], one["fitted"]) for one in content["measured"]] == [
        (6, True),
        (4, True),
        (3, True),
    ]
    assert content["options"][1]["source"] == "measured"
    more = ptq(fit, run_id=run, measured=pd.DataFrame({"bits_post": [5.0], "loss": [own[np.nan] + 0.02]}))
    assert more.option(5).source == "measured"
    assert len(more.to_dict()["measured"]) == 4


def test_the_loss_as_trained_may_come_with_the_points(fit):
    given = ptq(fit, **SIZES, loss=LOSS, measured=points((4.0, 0.01)))
    inside = ptq(fit, **SIZES, measured=points((np.nan, 0.0), (4.0, 0.01)))
    assert given.to_dict() == inside.to_dict()


def test_another_method_tells_the_run_but_is_no_option(fit):
    law = ptq(fit, **SIZES, loss=LOSS)
    high = 2 * law.option(4).degradation_mean.median
    decision = ptq(fit, **SIZES, loss=LOSS, measured=points((4.0, high), method_post="awq"))
    assert {option.source for option in decision.options} == {"law"}
    assert decision.option(4).degradation.median > 1.1 * law.option(4).degradation.median


def test_several_laws_share_what_was_measured():
    sampled = {
        "mean_loss": 3.0,
        "floor_share": 0.6,
        "n_share": 0.4,
        "slope_n": 0.06,
        "slope_d": 0.08,
        "g": 0.5,
    }
    first = collapsed_fit("kumar2024", kumar_constants(), samples=400, vocab_size=50000)
    other = collapsed_fit(
        "kumar2024-coupled", kumar_constants() | sampled, samples=400, vocab_size=50000, rows=first.rows
    )
    answer = ptq_across([first, other], **SIZES, loss=LOSS, measured=points((4.0, 0.005)))
    for decision in (answer.stack, *answer.by_law.values()):
        assert decision.option(4).source == "measured"
        assert decision.option(4).degradation.median == pytest.approx(0.005, abs=0.0002)
    assert "ptq.measured" in {finding.code for finding in answer.findings}
    assert "measured" in answer.table()["source"].tolist()


def test_the_prior_knows_nothing_of_it(fit):
    decision = ptq(fit, **SIZES, loss=LOSS, measured=points((4.0, 0.005)))
    plain = ptq(fit, **SIZES, loss=LOSS)
    assert decision.under_prior.option(4).degradation == plain.under_prior.option(4).degradation
    assert decision.under_prior.option(4).source == "law"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": None}, "missing; give loss"),
        ({"measured": points((np.nan, 0.1), (4.0, 0.2))}, "more than once"),
        ({"measured": points((4.0, 0.2), (4.0, 0.3))}, "is there twice"),
        ({"measured": points((16.0, 0.2))}, "below bits_weights 16"),
        ({"measured": points((4.0, -4.0))}, "loss is -1"),
        ({"measured": points((4.0, 0.1), loss_se=-1.0)}, "loss_se is -1"),
        ({"run_id": "nobody"}, 'run_id "nobody" is no run of the fit'),
        ({"n_params": None}, "n_params missing"),
        ({"run_id": "n1.0-d1.0-16b"}, "says n_params, tokens already"),
        ({"run_id": "n1.0-d1.0-16b", "n_params": None, "tokens": None}, "more than once"),
    ],
)
def test_bad_measurements(fit, change, message):
    asked = SIZES | {"loss": LOSS, "measured": points((4.0, 0.01))} | change
    with pytest.raises(InputError, match=message):
        ptq(fit, **asked)
