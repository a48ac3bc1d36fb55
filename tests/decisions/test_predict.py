"""Predictions of new runs."""

import json

import numpy as np
import pytest

from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from fits import NOISE, collapsed_fit, kumar_constants

CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
GAP = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=1000, jitter=0.01, vocab_size=50000)


def test_the_laws_own_loss_at_the_centre():
    fit = collapsed_fit("chinchilla", CHINCHILLA | NOISE | {"nu": 1e6, "sigma_cell": 1e-9}, samples=4000)
    point = predict(fit, points_frame(run_id="x", n_params=1e8, tokens=1e10)).points[0]
    assert point.mean == pytest.approx(2.5)
    assert point.law_mean.lo == pytest.approx(2.5)
    assert point.new_run.lo == pytest.approx(2.5 * np.exp(-1.645 * 0.005), abs=0.001)
    assert point.new_run.hi == pytest.approx(2.5 * np.exp(1.645 * 0.005), abs=0.001)


def test_keys_of_the_envelope(fit):
    points = points_frame(run_id="x", n_params=1e8, tokens=[1e10, 1e14], bits_post=[np.nan, 3.0])
    envelope = json.loads(json.dumps(predict(fit, points).to_dict(), allow_nan=False))
    inside, outside = envelope["points"]
    for key in (
        "n_params",
        "tokens",
        "mean",
        "median",
        "lo",
        "hi",
        "lo_mean",
        "hi_mean",
        "drift",
        "risk",
        "reasons",
    ):
        assert key in inside
    assert inside["lo"] < inside["lo_mean"] < inside["hi_mean"] < inside["hi"]
    assert inside["drift"] == outside["drift"] == 0.0
    assert inside["risk"]["grade"] == "MODERATE"
    assert (inside["refused"], outside["refused"]) == (False, True)
    assert inside["bits_post"] is None
    assert inside["reasons"] == []
    assert outside["reasons"]
    assert inside["under_prior"]["hi"] - inside["under_prior"]["lo"] > inside["hi"] - inside["lo"]
    assert envelope["prob"] == 0.9
    assert envelope["kind"] == "ETI"
    assert envelope["status"] == "REFUSED"


def test_without_run_ids_all_points_are_one_run(fit):
    prediction = predict(fit, points_frame(n_params=1e8, tokens=[1e10, 1e10]))
    assert prediction.points[0].new_run == prediction.points[1].new_run


def test_wider_probability_and_seed(fit):
    points = points_frame(run_id="x", n_params=1e8, tokens=1e10)
    half, most = (predict(fit, points, prob=prob).points[0].new_run for prob in (0.5, 0.99))
    assert most.lo < half.lo < half.hi < most.hi
    assert predict(fit, points, seed=3).to_dict() == predict(fit, points, seed=3).to_dict()
    assert predict(fit, points).seed == fit.provenance.seed


def test_words_and_table(fit):
    points = points_frame(
        run_id="x", n_params=1e8, tokens=[1e10, 2e10], bits_weights=8.0, bits_activations=8.0, bits_post=4.0
    )
    prediction = predict(fit, points)
    for words in (
        "kumar2024",
        "100M parameters on 10B tokens",
        "8/8/16 bits",
        "4 bits after",
        "1 more point",
    ):
        assert words in prediction.sentence()
    assert len(prediction.table()) == 2


def test_measured_loss_stands_for_the_laws():
    quiet = {"tau": 1e-9, "kappa": 1e-9, "sigma_gap": 1e-9}
    for law, constants in (("kumar2024", kumar_constants()), ("ptq-gap", GAP)):
        fit = collapsed_fit(law, constants | quiet, samples=4)
        points = points_frame(run_id="x", n_params=1e8, tokens=1e10, bits_post=[np.nan, 4.0])
        prediction = predict(fit, points, measured=2.5)
        trained, after = prediction.points
        assert trained.new_run.lo == trained.new_run.hi == trained.mean == 2.5
        degradation = ptq(fit, 1e8, 1e10, loss=2.5, bits=(4,)).option(4).degradation_mean.median
        assert after.mean == pytest.approx(2.5 + degradation)
        assert "a measured loss of 2.5 nats/token as trained" in prediction.sentence()
        assert prediction.to_dict()["measured"] == 2.5


def test_a_law_that_takes_the_loss_as_data_needs_it():
    fit = collapsed_fit("ptq-gap", GAP, samples=4, vocab_size=32000)
    points = points_frame(run_id="x", n_params=1e8, tokens=1e10, bits_post=4.0)
    with pytest.raises(InputError, match="--loss"):
        predict(fit, points)
    for loss, message in ((-1.0, "loss is -1"), (11.0, "no better than guessing")):
        with pytest.raises(InputError, match=message):
            predict(fit, points, measured=loss)
    of_a_fitted_run = predict(fit, points.assign(run_id=fit.rows["run_id"].iloc[0]))
    assert of_a_fitted_run.points[0].mean > 2.5


def test_a_new_method_is_less_certain_than_a_seen_one(fit):
    points = points_frame(run_id="x", n_params=1e8, tokens=1e10, bits_post=3.0, method_post=["gptq", "new"])
    seen, new = (point.law_mean for point in predict(fit, points).points)
    assert new.hi - new.lo > seen.hi - seen.lo
    with pytest.raises(InputError, match='"awq" was not seen.*"new"'):
        predict(fit, points.assign(method_post="awq"))


def test_one_law_says_that_disagreement_was_not_checked(fit):
    envelope = predict(fit, points_frame(n_params=1e8, tokens=1e10)).to_dict()
    codes = {finding["code"]: finding["status"] for finding in envelope["findings"]}
    assert codes["laws.disagreement"] == "NOT_RUN"
    assert envelope["laws"] is None


def test_bad_points(fit):
    with pytest.raises(InputError, match="no points"):
        predict(fit, points_frame(n_params=1e8, tokens=1e10).iloc[:0])
    with pytest.raises(InputError, match="row 2: tokens is -1"):
        predict(fit, points_frame(n_params=1e8, tokens=[1e10, -1.0]))
    with pytest.raises(InputError, match="prob is 0"):
        predict(fit, points_frame(n_params=1e8, tokens=1e10), prob=0.0)
    chinchilla = collapsed_fit("chinchilla", CHINCHILLA)
    with pytest.raises(InputError, match="bits_weights"):
        predict(chinchilla, points_frame(run_id="x", n_params=1e8, tokens=1e10, bits_weights=4.0))
