"""A report about a checkpoint on which losses were measured after quantization."""

from pathlib import Path

import pandas as pd
import pytest

from bitlaw.decisions.asked import asked_about
from bitlaw.errors import InputError
from bitlaw.reporting.answers import Answers, answers_of
from bitlaw.reporting.opening.after_training_card import after_training_card
from bitlaw.workflow.reporting import report
from fits import OBSERVED_LOSS, collapsed_fit, kumar_constants

MODEL = {"n_params": 1e9, "tokens": 2e10}
MEASURED = pd.DataFrame({"bits_post": [None, 5.0], "loss": [2.5, 2.504], "loss_se": [None, 0.0002]})


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=50, jitter=0.02, vocab_size=50257.0)


def after(answers: Answers):
    assert answers.post_training is not None
    return answers.post_training


def test_what_was_measured_answers_before_the_law(fit):
    alone = after(answers_of(fit, asked_about(fit, **MODEL)))
    decision = after(answers_of(fit, asked_about(fit, **MODEL, measured=MEASURED)))
    assert {option.source for option in alone.options} == {"law"}
    assert decision.option(5.0).source == "measured"
    assert decision.option(5.0).degradation.median == pytest.approx(0.004, abs=2e-4)
    assert decision.loss == 2.5
    card = after_training_card(decision, fit.law, None)
    assert "measured on this run" in card.facts[1].label


def test_measured_losses_of_the_largest_run_stand_beside_its_own(fit):
    own = after(answers_of(fit, asked_about(fit)))
    more = MEASURED.iloc[1:].assign(bits_post=7.0, loss=own.loss + 0.001)
    decision = after(answers_of(fit, asked_about(fit, measured=more)))
    assert decision.option(7.0).degradation.median == pytest.approx(0.001, abs=2e-4)
    assert decision.run_id == own.run_id


def test_a_law_of_degradations_takes_the_loss_as_trained_from_the_points(law_fit):
    fit = law_fit("ptq-gap")
    loss = float(OBSERVED_LOSS)
    points = pd.DataFrame({"bits_post": [None, 4.0], "loss": [loss, loss + 0.01]})
    asked = asked_about(fit, **MODEL, measured=points)
    assert asked.loss == loss
    assert after(answers_of(fit, asked)).option(4.0).source == "measured"


def test_without_the_loss_as_trained_it_says_what_is_missing(fit, tmp_path: Path):
    with pytest.raises(InputError, match="a measured point with an empty bits_post"):
        report(fit, tmp_path / "page", **MODEL, measured=MEASURED.iloc[1:])
    assert not (tmp_path / "page").exists()


def test_nothing_is_measured_for_nobody(tmp_path: Path):
    base = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
    with pytest.raises(InputError, match="of which chinchilla says nothing"):
        report(collapsed_fit("chinchilla", base), tmp_path / "page", **MODEL, measured=MEASURED)
    with pytest.raises(InputError, match="a run table was given"):
        report(tmp_path / "runs.csv", tmp_path / "page", measured=MEASURED)
    assert not (tmp_path / "page").exists()
