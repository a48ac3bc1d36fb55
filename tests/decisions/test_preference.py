"""Risk preferences: what they read, what they prefer."""

import numpy as np
import pytest

from bitlaw.decisions.preference import Preference, Scores, best_of, read_preference
from bitlaw.errors import InputError

SAFE, BOLD = Scores(mean=2.6, quantile=2.65, reach=0.02), Scores(mean=2.5, quantile=2.9, reach=0.6)


@pytest.mark.parametrize(
    ("text", "chosen"), [("mean", 1), ("quantile:0.9", 0), ("target:2.5", 1), (" quantile : 0.9 ", 0)]
)
def test_a_preference_decides(text, chosen):
    assert best_of(read_preference(text), [SAFE, BOLD], [True, True]) == chosen


def test_only_what_is_allowed_is_chosen():
    assert best_of(Preference(), [SAFE, BOLD], [True, False]) == 0
    assert best_of(Preference(), [SAFE, BOLD], [False, False]) is None


def test_where_a_target_tells_nothing_apart_the_expected_loss_does():
    never = [Scores(3.0, 3.1, 0.0), Scores(2.9, 3.2, 0.0)]
    assert best_of(Preference("target", 1.0), never, [True, True]) == 1


def test_scores_are_of_the_mean_for_the_mean_and_of_a_new_run_else():
    law_mean, new_run = np.array([2.0, 2.2]), np.array([1.0, 3.0])
    scores = Preference("quantile", 0.5).scores(law_mean, new_run, target=2.0)
    assert scores == Scores(pytest.approx(2.1), 2.0, 0.5)
    assert Preference().scores(law_mean, new_run, 2.0).quantile == pytest.approx(2.8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("quantil:0.9", 'did you mean "quantile"'),
        ("luck", "valid: mean, quantile:0.9"),
        ("", "valid: mean, quantile:0.9"),
        ("quantile", "needs a value"),
        ("quantile:90", "between 0 and 1"),
        ("quantile:nan", "between 0 and 1"),
        ("mean:2", "takes no value"),
        ("target:low", '"low" is no number'),
        ("target:-1", "positive"),
        ("target:inf", "positive"),
    ],
)
def test_misspelt_preferences(text, message):
    with pytest.raises(InputError, match=message):
        read_preference(text)
