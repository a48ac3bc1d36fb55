"""Replay of a run table: start with a quarter of the runs, buy more by a rule, refit, look at the largest runs.

Nothing of the held-out runs is seen before the end but their sizes and precisions, which are the question.
"""

import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from held_out import Table

from bitlaw.decisions.candidates import Candidates
from bitlaw.decisions.conditioning import Measurements, best_plan, covariance_of, observe, without_outliers
from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.outcome_draws import outcome_draws
from bitlaw.decisions.plan_outcomes import measurements
from bitlaw.inference.compiled import CompiledLaw, compile_law, learn_coordinates, settings_for
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.fold_fit import fit_fold
from bitlaw.inference.folds import Fold, felt_constants
from bitlaw.inference.largest_runs import largest_runs
from bitlaw.inference.prior import natural

START = 0.25
"""Share of the runs, without the held-out ones, that every replay starts with."""
BUDGETS = (0.05, 0.1, 0.25)
"""Shares of what the remaining runs cost together; the rules plan anew at each, from what was then logged."""
STARTS = 20
PROB = 0.9
_DRAWS, _CHAINS = 500, 2

PLAN, RANDOM, CHEAPEST, D_OPTIMAL = "plan", "random", "cheapest first", "D-optimal"
RULES = (PLAN, RANDOM, CHEAPEST, D_OPTIMAL)


@dataclass(frozen=True, eq=False)
class Replayed:
    """A table ready to be replayed.

    Parameters
    ----------
    name
        What it is called.
    compiled
        The law compiled for all of its runs.
    held_out, cost
        Whether each run is held out, and what each costs, FLOP.
    """

    name: str
    compiled: CompiledLaw
    held_out: np.ndarray
    cost: np.ndarray

    @property
    def frame(self) -> pd.DataFrame:
        """All runs."""
        return self.compiled.rows.frame


def ready(table: Table) -> Replayed:
    """Compile the law of a table, and hold out the largest fifth of its runs, whole cells together."""
    compiled = compile_law(table.coupled, table.runs.frame)
    compiled = learn_coordinates(compiled, settings_for(compiled, 0))
    frame = compiled.rows.frame
    held_out = np.zeros(len(frame), bool)
    held_out[largest_runs(frame)] = True
    cost = np.asarray(training_flop(frame["n_params"].to_numpy(), frame["tokens"].to_numpy()), np.float64)
    return Replayed(table.name, compiled, held_out, cost)


def replay(table: Replayed, start: int, rule: str) -> list[dict[str, Any]]:
    """One start and one rule: what is known of the held-out runs at every budget.

    Parameters
    ----------
    table
        The table.
    start
        Seed of the runs it starts with, the same for all rules.
    rule
        One of ``RULES``.
    """
    whole = float(table.cost[~table.held_out & ~start_of(table, start)].sum())
    return [
        _judged(table, step.fit, start)
        | {"budget": step.share, "spent": step.spent / whole, "bought": len(step.bought), "rhat": step.rhat}
        for step in steps(table, start, rule)
    ]


@dataclass(frozen=True, eq=False)
class Step:
    """What a rule bought up to one budget, and the law fitted then.

    Parameters
    ----------
    share
        The budget, as a share of what all runs for sale cost.
    bought
        Runs bought since the budget before.
    spent
        FLOP, with the budgets before.
    fit, rhat
        The fit to all logged runs, and its largest R-hat.
    """

    share: float
    bought: np.ndarray
    spent: float
    fit: Fit
    rhat: float


def steps(table: Replayed, start: int, rule: str) -> Iterator[Step]:
    """What a rule buys at every budget, planning anew from the fit to what was then logged."""
    logged = start_of(table, start)
    left = ~table.held_out & ~logged
    whole = float(table.cost[left].sum())
    rng = np.random.default_rng([start, 1])
    spent = 0.0
    fit, rhat = fit_to(table, logged, start)
    for share in BUDGETS:
        bought = RULE[rule](table, fit, np.flatnonzero(left), share * whole - spent, rng)
        logged[bought], left[bought] = True, False
        spent += float(table.cost[bought].sum())
        if len(bought):
            fit, rhat = fit_to(table, logged, start)
        yield Step(share, np.asarray(bought, int), spent, fit, rhat)


def ends(table: Replayed, start: int | None) -> dict[str, Any]:
    """What is known with the runs of a start alone; with all runs that can be bought where it is None."""
    logged = ~table.held_out if start is None else start_of(table, start)
    fit, rhat = fit_to(table, logged, start or 0)
    return _judged(table, fit, start or 0) | {"rhat": rhat}


def ends_fit(table: Replayed) -> Fit:
    """The law fitted to all runs that can be bought."""
    return fit_to(table, ~table.held_out, 0)[0]


def start_of(table: Replayed, start: int) -> np.ndarray:
    """Which runs are logged at a start, shape (runs,)."""
    available = np.flatnonzero(~table.held_out)
    chosen = np.random.default_rng([start, 0]).choice(available, round(START * len(available)), replace=False)
    logged = np.zeros(len(table.held_out), bool)
    logged[chosen] = True
    return logged


def fit_to(table: Replayed, logged: np.ndarray, seed: int) -> tuple[Fit, float]:
    """The law fitted to the logged runs, and its largest R-hat; rules that bought the same share one fit."""
    return _fit_once(table, logged.tobytes(), seed)


@lru_cache(maxsize=16)
def _fit_once(table: Replayed, logged: bytes, seed: int) -> tuple[Fit, float]:
    train = np.frombuffer(logged, bool)
    fold = Fold("compute", "the largest runs", None, train, table.held_out)
    settings = replace(settings_for(table.compiled, seed), draws=_DRAWS, tune=_DRAWS, chains=_CHAINS, cores=1)
    found = fit_fold(table.compiled, fold, seed, short=settings)
    return found.fit, found.rhat


def _judged(table: Replayed, fit: Fit, seed: int) -> dict[str, Any]:
    """Mean absolute error of the law's median log loss at the held-out runs; width and coverage of a new run's."""
    points = table.frame[table.held_out]
    draws = loss_draws(fit, points.assign(run_id=[f"{number}" for number in range(len(points))]), seed=seed)
    measured = np.log(points["loss"].to_numpy(np.float64))
    lo, hi = np.quantile(np.log(draws.new_run), (0.5 - PROB / 2, 0.5 + PROB / 2), axis=0)
    error = np.abs(np.median(np.log(draws.mean), axis=0) - measured)
    return {
        "error": float(error.mean()),
        "width": float((hi - lo).mean()),
        "coverage": float(((lo <= measured) & (measured <= hi)).mean()),
        "runs": len(fit.rows),
    }


def _by_plan(
    table: Replayed, fit: Fit, left: np.ndarray, budget: float, rng: np.random.Generator
) -> np.ndarray:
    """The rule of the package: the variance of the log losses of all held-out runs, summed, per cost."""
    value, candidates = _joint(table, fit, left, drift=True)
    targets = np.arange(len(left), value.shape[1])
    return left[[step.candidate for step in best_plan(covariance_of(value), targets, candidates, budget)]]


def _d_optimal(
    table: Replayed, fit: Fit, left: np.ndarray, budget: float, rng: np.random.Generator
) -> np.ndarray:
    """The log determinant of the information of the law's constants, per cost."""
    value, candidates = _joint(table, fit, left, drift=False)
    names = felt_constants(fit.law, fit.rows)
    constants = np.column_stack([natural(fit.law.prior(name), fit.draws(name), np) for name in names])
    scaled = (constants - constants.mean(axis=0)) / constants.std(axis=0)
    covariance = covariance_of(np.column_stack([value[:, : len(left)], scaled]))
    last = np.arange(len(left), len(covariance))
    available, bought, spent = np.ones(len(left), bool), [], 0.0
    noise = np.array([float(block[0, 0]) for block in candidates.noise])
    while True:
        fits = available & (candidates.cost <= budget - spent)
        if not fits.any():
            return left[bought]
        diagonal = np.diag(covariance)[: len(left)]
        with_constants = covariance[: len(left), last]
        inverse = np.linalg.pinv(covariance[np.ix_(last, last)])
        explained = np.einsum("ij,jk,ik->i", with_constants, inverse, with_constants)
        gain = np.log((diagonal + noise) / (np.maximum(diagonal - explained, 0.0) + noise))
        chosen = int(np.where(fits, gain / candidates.cost, -np.inf).argmax())
        covariance = observe(covariance, candidates.rows[chosen], candidates.noise[chosen])
        available[chosen] = False
        spent += float(candidates.cost[chosen])
        bought.append(chosen)


def _joint(table: Replayed, fit: Fit, left: np.ndarray, drift: bool) -> tuple[np.ndarray, Measurements]:
    points = pd.concat([table.frame.iloc[left], table.frame[table.held_out]], ignore_index=True)
    drawn = outcome_draws(fit, points, drift=drift)
    offered = Candidates(
        points.iloc[: len(left)], np.arange(len(left)), table.cost[left], np.ones(len(left), bool)
    )
    return without_outliers(drawn.value), measurements(drawn, offered)


def _at_random(
    table: Replayed, fit: Fit, left: np.ndarray, budget: float, rng: np.random.Generator
) -> np.ndarray:
    return _in_order(table, rng.permutation(left), budget)


def _cheapest(
    table: Replayed, fit: Fit, left: np.ndarray, budget: float, rng: np.random.Generator
) -> np.ndarray:
    return _in_order(table, left[np.argsort(table.cost[left], kind="stable")], budget)


def _in_order(table: Replayed, order: np.ndarray, budget: float) -> np.ndarray:
    """Runs in an order, those that no longer fit passed over."""
    bought: list[int] = []
    for run in order:
        if table.cost[run] <= budget:
            bought.append(int(run))
            budget -= float(table.cost[run])
    return np.array(bought, int)


Rule = Callable[[Replayed, Fit, np.ndarray, float, np.random.Generator], np.ndarray]
RULE: dict[str, Rule] = {PLAN: _by_plan, RANDOM: _at_random, CHEAPEST: _cheapest, D_OPTIMAL: _d_optimal}


def replays(
    table: Table,
    folder: Path,
    rules: Sequence[str] = RULES,
    starts: int = STARTS,
    kept_only: bool = False,
) -> pd.DataFrame:
    """Every start and rule of a table, one row per budget; what was replayed before is taken from the folder.

    Parameters
    ----------
    table
        The table.
    folder
        Where results are kept, one file per table.
    rules, starts
        Which rules, and how many starts.
    kept_only
        Replay nothing; what was replayed before.
    """
    prepared = functools.cache(lambda: ready(table))

    def made(start: int | None, rule: str) -> list[dict[str, Any]]:
        return [ends(prepared(), start)] if rule == "ends" else replay(prepared(), start or 0, rule)

    found = resumed(
        folder / f"replay_{table.name}.json",
        starts,
        lambda start: ("ends", *(rules if start is not None else ())),
        made,
        table.name,
        kept_only,
    )
    return pd.DataFrame(
        {"table": table.name, "start": start, "rule": rule} | one
        for start, rule, every in found
        if start == "None" or rule in ("ends", *rules)
        for one in every
    )


def resumed(
    path: Path,
    starts: int,
    rules: Callable[[int | None], Sequence[str]],
    made: Callable[[int | None, str], Any],
    said: str,
    kept_only: bool,
) -> Iterator[tuple[str, str, Any]]:
    """Results by start, the whole table's (None) first, and rule: those of the file, and the rest made and kept.

    Parameters
    ----------
    path
        Where results are kept.
    starts
        How many starts.
    rules
        Which rules there are for a start.
    made
        Makes a result.
    said
        What each start is reported as done with.
    kept_only
        Make nothing.
    """
    kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    if not kept_only:
        for start in (None, *range(starts)):
            for rule in rules(start):
                key = f"{start} {rule}"
                if key not in kept:
                    kept[key] = made(start, rule)
                    keep(path, kept)
            print(f"{said}: start {start} done", flush=True)
    for key, found in kept.items():
        at, _, rule = key.partition(" ")
        if at == "None" or int(at) < starts:
            yield at, rule, found


def keep(path: Path, content: dict[str, Any]) -> None:
    """Write JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(content))
    part.replace(path)
