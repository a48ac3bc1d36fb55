"""Candidates: what is one run, what it costs, and what cannot be asked for."""

import numpy as np
import pandas as pd
import pytest

from bitlaw.decisions.candidate_grid import default_candidates
from bitlaw.decisions.candidates import candidates_of, logged_runs
from bitlaw.decisions.spending import Budget
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=8)


def points(**columns) -> pd.DataFrame:
    return points_frame(n_params=1e8, tokens=1e10, **columns)


def test_every_row_is_a_run_of_its_own_for_six_n_d(fit):
    found = candidates_of(fit, points(bits_weights=[16.0, 8.0]))
    assert len(found) == 2
    assert found.cost.tolist() == [6e18, 6e18]
    assert not found.is_logged.any()


def test_rows_of_one_new_run_are_paid_for_once_and_measured_as_trained(fit):
    found = candidates_of(
        fit, points(run_id="a", bits_post=[4.0, 6.0], method_post="gptq").assign(cost=[np.nan, 5.0])
    )
    assert len(found) == 1
    assert found.points["bits_post"].isna().tolist() == [True, False, False]
    after = min(0.01 * 6e18, 2 * 1e8 * 1e7)
    assert found.cost[0] == pytest.approx(6e18 + after + 5.0)
    assert found.inputs()[0]["bits_post"] == [6.0, 4.0]


def test_candidates_keep_the_order_of_their_rows(fit):
    rows = points_frame(
        n_params=[2e7, 1e7, 2e7, 3e7], tokens=1e9, run_id=["b", "a", "b", None],
        bits_post=[np.nan, 4.0, 5.0, np.nan], method_post=["", "gptq", "gptq", ""],
    )  # fmt: skip
    found = candidates_of(fit, rows)
    assert found.candidate.tolist() == [0, 0, 1, 1, 2]
    assert found.points["n_params"].tolist() == [2e7, 2e7, 1e7, 1e7, 3e7]
    assert found.points["bits_post"].isna().tolist() == [True, False, True, False, True]
    assert found.texts()[1] == "10M parameters on 1B tokens, 16 bits, quantized after training to 4 bits"


def test_quantizing_a_logged_run_costs_no_training(fit):
    run = logged_runs(fit).iloc[[0]]
    rows = pd.concat([run.assign(bits_post=bits, method_post="gptq") for bits in (2.0, 2.5)])
    found = candidates_of(fit, rows.drop(columns="loss"))
    assert found.is_logged.tolist() == [True, True]
    training = 6.0 * float(run["n_params"].iloc[0]) * float(run["tokens"].iloc[0])
    assert (found.cost <= 0.01 * training).all()
    assert found.inputs()[0]["run_id"] == run["run_id"].iloc[0]
    assert found.texts()[0].startswith(f"logged run {run['run_id'].iloc[0]} (")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits_post": np.nan}, "is logged already"),
        ({"bits_post": 4.0, "method_post": "gptq"}, "is logged already"),
        ({"bits_post": 2.0, "method_post": "gptq", "tokens": 3.0}, "is logged with"),
        ({"run_id": "new", "n_params": -1.0}, "row 1: n_params is -1; valid: a positive number"),
        ({"run_id": "new", "tokens": np.nan}, "row 1: tokens is nan"),
        ({"run_id": "new", "cost": 0.0}, "row 1: cost is 0"),
    ],
)
def test_what_cannot_be_logged(fit, change, message):
    run = logged_runs(fit).iloc[[0]].drop(columns="loss")
    with pytest.raises(InputError, match=message):
        candidates_of(fit, run.assign(**change))


def test_no_rows_and_missing_columns(fit):
    with pytest.raises(InputError, match="no candidates"):
        candidates_of(fit, points().iloc[:0])
    with pytest.raises(InputError, match='"tokens" is missing'):
        candidates_of(fit, points().drop(columns="tokens"))


def test_a_budget_keeps_what_it_buys(fit):
    found = candidates_of(fit, points_frame(n_params=[1e7, 1e8, 2e7], tokens=1e9)).within(Budget(2e17))
    assert found.points["n_params"].tolist() == [1e7, 2e7]
    assert found.candidate.tolist() == [0, 1]
    for budget in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="valid: a positive number"):
            found.within(Budget(budget))
    with pytest.raises(InputError, match="the cheapest candidate costs 6e\\+16"):
        found.within(Budget(1e16))


@pytest.mark.parametrize("budget", [4e17, 1e19, 1e21])
def test_the_grid_is_affordable_and_around_what_was_fitted(fit, budget):
    found = default_candidates(
        fit, points_frame(n_params=1e9, tokens=1e11), ({}, {"bits_weights": 4.0}), (), Budget(budget)
    )
    assert (found.cost <= budget * (1 + 1e-6)).all()
    assert len(found) >= 6
    rows = fit.rows
    assert found.points["n_params"].min() >= rows["n_params"].min() * 0.999
    assert found.points["n_params"].max() <= 1e9 * 10**0.25 * 1.001
    assert found.points["tokens"].min() >= rows["tokens"].min() / 10**0.25 * 0.999
    assert set(found.points["bits_weights"]) == {16.0, 4.0}


def test_the_grid_after_training_has_logged_runs_at_bits_they_lack(fit):
    post = [{"bits_post": bits, "method_post": "gptq"} for bits in (4.0, 2.0)]
    target = points_frame(n_params=1e8, tokens=1e10, bits_post=2.0, method_post="gptq")
    found = default_candidates(fit, target, ({},), post, Budget(1e18))
    logged = found.points[found.is_logged[found.candidate]]
    assert set(logged["bits_post"]) == {2.0}  # 4 bits were measured of every run above 4 bits
    assert (logged["bits_post"] < logged["bits_weights"]).all()
    new = found.points[~found.is_logged[found.candidate]]
    assert new.groupby("run_id").size().eq(3).all()


def test_a_budget_below_the_smallest_run(fit):
    with pytest.raises(InputError, match="the cheapest candidate costs"):
        default_candidates(fit, points_frame(n_params=1e8, tokens=1e10), ({},), (), Budget(1e10))
