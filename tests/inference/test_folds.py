"""Folds: who is fitted, who is predicted, and which folds are not worth fitting."""

import numpy as np
import pandas as pd
import pytest

from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from bitlaw.inference.folds import compute_flop, felt_constants, plan_folds, rows_to_predict
from bitlaw.laws.registry import load_law
from designs import base_design, law_design, precision_design, simulated

CHINCHILLA = load_law("chinchilla")


def grid(sizes: int = 6, tokens: int = 6, copies: int = 1) -> pd.DataFrame:
    frame = base_design(tuple(np.geomspace(1e7, 1.1e9, sizes)), tuple(np.geomspace(4e8, 4e10, tokens)))
    copied = [frame.assign(run_id=frame["run_id"] + f"_{copy}", seed=float(copy)) for copy in range(copies)]
    frame = pd.concat(copied, ignore_index=True).sample(frac=1.0, random_state=0)
    return frame.assign(loss=3.0, corpus="c4")


def test_the_smaller_runs_by_compute_predict_all_larger_ones() -> None:
    frame = grid(copies=2)
    folds, dropped = plan_folds(CHINCHILLA, frame)
    assert dropped == ()
    assert [fold.cut for fold in folds] == [0.4, 0.55, 0.7, 0.85]
    compute = compute_flop(frame)
    for fold in folds:
        assert compute[fold.train].max() < compute[fold.test].min()
        assert (fold.train ^ fold.test).all()
        assert fold.train.mean() == pytest.approx(fold.cut, abs=0.05)
        cell = frame.groupby(["n_params", "tokens"]).ngroup().to_numpy()
        assert not set(cell[fold.train]) & set(cell[fold.test])


def test_the_number_of_cuts_is_an_argument() -> None:
    folds, _ = plan_folds(CHINCHILLA, grid(8, 8), cuts=8)
    assert len(folds) == 8
    (middle,), _ = plan_folds(CHINCHILLA, grid(), cuts=1)
    assert middle.cut == pytest.approx(0.625)


def test_runs_of_equal_compute_stay_together_and_twins_are_dropped() -> None:
    frame = pd.concat(
        [
            points_frame(
                run_id=[f"{budget}_{n}" for n in range(10)],
                n_params=np.geomspace(1e7, 1e8, 10),
                tokens=budget / np.geomspace(1e7, 1e8, 10),
            )
            for budget in (1e17, 1e18, 1e19)
        ],
        ignore_index=True,
    ).assign(loss=3.0)
    folds, dropped = plan_folds(CHINCHILLA, frame)
    assert [int(fold.train.sum()) for fold in folds] == [10, 20]
    assert len(dropped) == 2
    assert all("fitted to the same rows as the fold that predicts" in fold.reason for fold in dropped)


def test_all_runs_of_one_compute_leave_nothing_to_predict() -> None:
    frame = base_design((1e8,), (1e10,)).iloc[[0] * 20].assign(run_id=[f"r{i}" for i in range(20)], loss=3.0)
    folds, dropped = plan_folds(CHINCHILLA, frame.reset_index(drop=True))
    assert folds == ()
    assert {fold.reason for fold in dropped} == {"no row is left to predict"}


def test_folds_with_too_few_rows_are_dropped_with_the_reason() -> None:
    folds, dropped = plan_folds(CHINCHILLA, grid(4, 4))
    assert [int(fold.train.sum()) for fold in folds] == [11, 14]
    assert [fold.reason for fold in dropped] == [
        "6 rows to fit, and 10 are needed",
        "9 rows to fit, and 10 are needed",
    ]


def test_constants_that_the_rows_cannot_inform_are_not_counted() -> None:
    assert felt_constants(CHINCHILLA, grid()) == ("E", "a", "b", "alpha", "beta")
    default = load_law("bitlaw-default")
    base = felt_constants(default, grid())
    assert len(base) == 6
    quantized = felt_constants(default, precision_design().assign(loss=3.0))
    assert {"k_w", "c_w", "C", "gamma_post"} <= set(quantized) - set(base)
    assert "sigma" not in quantized


def test_rows_after_training_go_with_their_run_and_diverged_ones_are_not_predicted() -> None:
    law = load_law("kumar2024-coupled")
    frame = precision_design().assign(loss=3.0)
    frame.loc[frame["n_params"] == 1.6e8, "status"] = "diverged"
    fold = plan_folds(law, frame)[0][0]
    in_train = frame["run_id"].isin(frame.loc[fold.train, "run_id"])
    np.testing.assert_array_equal(in_train, fold.train)
    assert not (frame.loc[fold.test, "status"] == "diverged").any()


def test_the_lowest_bits_are_predicted_from_the_others() -> None:
    law = load_law("kumar2024-coupled")
    frame = precision_design().assign(loss=3.0)
    folds, dropped = plan_folds(law, frame, kinds=("bits",))
    assert {fold.name: fold.cut for fold in folds} == {
        "runs with bits_weights 3": 3.0,
        "runs with bits_kv 3": 3.0,
        "rows with bits_post 2": 2.0,
    }
    assert [(fold.name, fold.reason) for fold in dropped] == [
        ("runs with bits_activations 4", "no other bit-width is left to learn from")
    ]
    weights, *_, post = folds
    assert (frame.loc[weights.test, "bits_weights"] == 3).all()
    assert frame.loc[weights.test, "bits_post"].isna().all()
    assert (frame.loc[weights.train, "bits_weights"] > 3).all()
    assert frame.loc[post.train, "bits_post"].min() == 3.0
    assert frame.loc[post.train, "bits_post"].isna().sum() == frame["bits_post"].isna().sum()


def test_a_single_bit_width_below_16_has_nothing_to_be_predicted_from() -> None:
    law = load_law("kumar2024-coupled")
    frame = precision_design().assign(loss=3.0)
    frame = frame[frame["bits_post"].isna() & frame["bits_weights"].isin([16, 3])]
    frame = frame.assign(bits_activations=16.0, bits_kv=16.0)
    assert [fold.reason for fold in plan_folds(law, frame, kinds=("bits",))[1]] == [
        "no other bit-width is left to learn from"
    ]


def test_each_group_is_predicted_from_the_others_as_a_new_one() -> None:
    frame = grid().assign(corpus=["web", "code", "books"] * 12)
    folds, _ = plan_folds(CHINCHILLA, frame, ("corpus",), ("groups",))
    assert [fold.name for fold in folds] == ["corpus books", "corpus code", "corpus web"]
    for fold in folds:
        assert set(rows_to_predict(CHINCHILLA, frame, ("corpus",), fold)["corpus"]) == {"new"}
        assert frame.loc[fold.test, "corpus"].nunique() == 1
    over_compute = plan_folds(CHINCHILLA, frame, ("corpus",))[0][0]
    assert "new" not in set(rows_to_predict(CHINCHILLA, frame, ("corpus",), over_compute)["corpus"])
    alone, dropped = plan_folds(CHINCHILLA, grid(), ("corpus",), ("groups",))
    assert alone == ()
    assert dropped[0].reason == "no row is left to fit"


def test_a_format_that_no_fitted_row_has_is_not_predicted() -> None:
    law = load_law("quartet2025")
    frame = simulated(law, law_design(law, sizes=(1e7, 2e7, 4e7, 1.6e8)))
    large = (frame["n_params"] == 1.6e8) & (frame["tokens"] == 1e10)
    frame.loc[large & (frame["format"] == "mxfp4"), "format"] = "nvfp6"
    fold = plan_folds(law, frame)[0][-1]
    assert fold.unpredicted == int((fold.test ^ ~fold.train).sum()) > 0
    assert "nvfp6" not in set(frame.loc[fold.test, "format"])


def test_what_cannot_be() -> None:
    with pytest.raises(InputError, match=r'unknown kind of fold "comput" \(did you mean "compute"\?\)'):
        plan_folds(CHINCHILLA, grid(), kinds=("comput",))
    with pytest.raises(InputError, match="0 folds: valid: a whole number from 1"):
        plan_folds(CHINCHILLA, grid(), cuts=0)
    with pytest.raises(InputError, match="need a column to pool over"):
        plan_folds(CHINCHILLA, grid(), kinds=("groups",))
