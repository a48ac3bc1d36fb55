"""The backtest as a result: what is averaged, what is said, what survives a file."""

import json
import math
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bitlaw.criticism.backtest import Backtest, from_dict, run_backtest
from bitlaw.criticism.fold_scores import predicted_rows, scores_of_draws
from bitlaw.criticism.fold_task import FoldRecord, FoldTask
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.executors import DaskCluster, LocalProcesses, Serial
from bitlaw.inference.folds import Fold
from bitlaw.inference.hull import convex_hull
from bitlaw.inference.recipe import Recipe, recipe_of
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from designs import base_design

SIGMA = 0.01
CONSTANTS = {"E": 1.8, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37, "sigma": 0.003, "nu": 8.0}


def table(sizes: int = 6, tokens: int = 6) -> pd.DataFrame:
    design = base_design(tuple(np.geomspace(1e7, 1.1e9, sizes)), tuple(np.geomspace(4e8, 4e10, tokens)))
    return simulate_losses(load_law("chinchilla"), CONSTANTS, design, seed=3)


def recipe(frame: pd.DataFrame, seed: int = 0) -> Recipe:
    return recipe_of(load_law("chinchilla"), frame, (), seed)


def record(fold: Fold, frame: pd.DataFrame, rhat: float = 1.001, bias: float = 0.0) -> FoldRecord:
    """What a fold would say whose predictions are the measured losses, with normal noise and a bias."""
    rows, fitted = frame[fold.test], frame[fold.train]
    noise = np.random.default_rng(0).normal(0.0, SIGMA, (4000, len(rows)))
    new_run = rows["loss"].to_numpy() * np.exp(noise + bias)
    hull = convex_hull(np.log10(fitted[["n_params", "tokens"]].to_numpy()))
    predicted = predicted_rows(rows, new_run, np.full(len(rows), 3.0), fitted, hull)
    higher = new_run * np.exp(2.0 * SIGMA)
    plain = predicted_rows(rows, higher, np.full(len(rows), 3.0), fitted, hull)
    return FoldRecord(
        kind=fold.kind,
        name=fold.name,
        cut=fold.cut,
        n_train=len(fitted),
        n_test=len(rows),
        unpredicted=fold.unpredicted,
        max_ratio=10 ** max(row.log10_ratio for row in predicted),
        scores=scores_of_draws(predicted, new_run),
        without_drift=scores_of_draws(plain, higher),
        rhat=rhat,
        divergences=0.0,
        attempts=1,
        converged=rhat <= 1.05,
        rows=predicted,
    )


class Told:
    """An executor that hands out records made by a function of the task's number, last task first."""

    is_local = True

    def __init__(self, make: Callable[[int, FoldTask], FoldRecord]) -> None:
        self.make = make
        self.tasks: list[FoldTask] = []

    def run(self, function: Any, tasks: Sequence[Any], progress: Any = None) -> Iterator[tuple[int, Any]]:
        self.tasks = list(tasks)
        for index in reversed(range(len(tasks))):
            yield index, self.make(index, tasks[index])


def backtest(make: Callable[[int, FoldTask], FoldRecord], frame: pd.DataFrame, **options: Any) -> Backtest:
    return run_backtest(recipe(frame), "runs.csv", Told(make), **options)


def perfect(_: int, task: FoldTask) -> FoldRecord:
    return record(task.fold, task.recipe.frame)


def test_scores_of_known_predictions() -> None:
    found = backtest(perfect, table())
    assert [fold.cut for fold in found.folds] == [0.4, 0.55, 0.7, 0.85]
    assert found.coverage == {0.5: 1.0, 0.8: 1.0, 0.9: 1.0, 0.95: 1.0}
    scores = found.scores
    assert scores.mae_log == pytest.approx(0.0, abs=1e-3)
    assert scores.width == pytest.approx(2 * 1.645 * SIGMA, rel=0.03)
    assert scores.interval_score == pytest.approx(scores.width)
    assert scores.crps == pytest.approx(
        SIGMA * (2 / math.sqrt(2 * math.pi) - 1 / math.sqrt(math.pi)), rel=0.05
    )
    assert scores.log_score == 3.0
    assert found.status is Status.PASS
    assert found.without_drift.signed_error == pytest.approx(-2 * SIGMA, abs=1e-3)
    assert found.without_drift.coverage[0.5] == 0.0
    assert "Without drift the 90 % intervals hold 0 %." in found.sentence()
    row = found.folds[0].rows[0]
    assert row.pit == pytest.approx(0.5, abs=0.05)
    assert row.decades > 0
    assert row.log10_ratio > 0
    assert found.folds[0].max_ratio == pytest.approx(max(10**row.log10_ratio for row in found.folds[0].rows))


def test_predictions_that_are_too_high_have_a_negative_signed_error() -> None:
    found = backtest(lambda _, task: record(task.fold, task.recipe.frame, bias=0.1), table())
    assert found.scores.signed_error == pytest.approx(-0.1, abs=1e-3)
    assert found.scores.mae_log == pytest.approx(0.1, abs=1e-3)
    assert found.coverage[0.95] == 0.0
    assert "too high on average" in found.sentence()
    warned = {item.code: item for item in found.findings}["backtest.coverage"]
    assert warned.status is Status.WARN
    assert warned.value == 0.0


def test_a_fold_that_does_not_converge_is_reported_and_in_no_average() -> None:
    def third_fails(index: int, task: FoldTask) -> FoldRecord:
        bad = index == 2
        return record(task.fold, task.recipe.frame, rhat=1.2 if bad else 1.001, bias=0.5 * bad)

    found = backtest(third_fails, table())
    assert len(found.folds) == 4
    assert len(found.converged) == 3
    assert found.scores.mae_log == pytest.approx(0.0, abs=1e-3)
    assert found.coverage[0.9] == 1.0
    failed = {item.code: item for item in found.findings}["backtest.convergence"]
    assert (failed.status, failed.value) == (Status.WARN, 1.2)
    assert failed.message.startswith("1 of 4 folds did not converge (R-hat up to 1.20) and are in no average")
    assert "did not converge (R-hat 1.20), left out" in found.table()["note"].tolist()
    assert [fold["converged"] for fold in found.to_dict()["folds"]] == [True, True, False, True]


def test_no_fold_that_converges_is_not_run_and_not_a_pass() -> None:
    found = backtest(lambda _, task: record(task.fold, task.recipe.frame, rhat=float("nan")), table())
    assert found.status is Status.NOT_RUN
    assert found.scores is None
    assert found.to_dict()["coverage"] is None
    assert "none of 4 folds converged" in found.sentence()
    assert {item.code: item.status for item in found.findings}["backtest.coverage"] is Status.NOT_RUN


def test_every_row_weighs_the_same() -> None:
    def last_is_off(index: int, task: FoldTask) -> FoldRecord:
        return record(task.fold, task.recipe.frame, bias=0.5 * (index == 3))

    found = backtest(last_is_off, table())
    rows = [fold.n_test for fold in found.folds]
    assert found.coverage[0.9] == pytest.approx(sum(rows[:3]) / sum(rows))


def test_dropped_folds_are_named() -> None:
    found = backtest(perfect, table(4, 4))
    assert len(found.folds) == 2
    assert len(found.dropped) == 2
    warned = {item.code: item for item in found.findings}["backtest.dropped"]
    assert "6 rows to fit, and 10 are needed" in warned.message
    assert found.table()["note"].tolist()[-1] == "dropped: 9 rows to fit, and 10 are needed"


def test_fewer_than_twelve_runs_are_not_run() -> None:
    told = Told(perfect)
    found = run_backtest(recipe(table().iloc[:11]), "runs.csv", told)
    assert found.status is Status.NOT_RUN
    assert told.tasks == []
    assert found.sentence() == ("No backtest of chinchilla on runs.csv: 11 usable runs, and 12 are needed.")
    assert [(item.code, item.status) for item in found.findings] == [("backtest.runs", Status.NOT_RUN)]
    assert from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.table().empty


def test_it_survives_json() -> None:
    found = backtest(perfect, table(5, 4))
    record = json.loads(json.dumps(found.to_dict()))
    assert from_dict(record) == found
    assert set(record["folds"][0]) >= {
        "cut", "n_train", "n_test", "max_ratio", "coverage", "mae_log", "width", "crps", "interval_score",
    }  # fmt: skip
    assert list(record["coverage"]) == ["0.5", "0.8", "0.9", "0.95"]


def test_tasks_have_seeds_of_their_own_and_one_core_where_workers_share_the_machine() -> None:
    told = Told(perfect)
    run_backtest(recipe(table(), seed=5), "runs.csv", told)
    assert [task.seed for task in told.tasks] == [6, 7, 8, 9]
    assert {task.cores for task in told.tasks} == {None}
    told.is_local = False
    run_backtest(recipe(table()), "runs.csv", told)
    assert {task.cores for task in told.tasks} == {1}


def test_what_cannot_be_is_said_before_anything_runs() -> None:
    told = Told(perfect)
    with pytest.raises(InputError, match="unknown kind of fold"):
        run_backtest(recipe(table()), "runs.csv", told, kinds=("size",))
    assert told.tasks == []


@pytest.mark.slow
def test_processes_give_the_same_backtest_as_one_process() -> None:
    made = recipe(table(5, 5), seed=2)
    told: list[tuple[int, int]] = []
    here = run_backtest(made, "runs.csv", Serial(), cuts=2, progress=lambda *done: told.append(done))
    assert told == [(0, 2), (1, 2), (2, 2)]
    there = run_backtest(made, "runs.csv", LocalProcesses(2), cuts=2)
    assert there == here
    assert here.coverage[0.95] > 0.7
    assert replace(here, findings=()).status is Status.PASS


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_backtest() -> None:
    distributed = pytest.importorskip("distributed")
    made = recipe(table(5, 5), seed=2)
    here = run_backtest(made, "runs.csv", Serial(), cuts=3)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        victim = cluster.workers[0].pid

        def kill_after_the_first(done: int, _: int) -> None:
            if done == 1:
                os.kill(victim, signal.SIGKILL)

        executor = DaskCluster(cluster.scheduler_address)
        there = run_backtest(made, "runs.csv", executor, cuts=3, progress=kill_after_the_first)
    assert there == here
