"""Scores of every competitor and of every drift tried, by split, by table and over tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from drifts import (
    ALTERNATIVES,
    SEED,
    SPREADS,
    STATED,
    WITH_SPREAD,
    Drift,
    ResidualWalk,
    check_shipped,
)
from forecast_scores import scores
from forecasts import CHINCHILLA, COUPLED, HeldOut

from bitlaw.criticism.fold_scores import PROB, PROBS
from bitlaw.criticism.proper_scores import central_interval
from bitlaw.criticism.stacking import stacking_weights

COMMON = "common practice"
NO_DRIFT = "coupled"
DRIFT = "coupled + drift"
"""The drift that is judged: scale and spread chosen leaving out the source of the runs."""
FIRST = "coupled + drift as first stated"
IN_SAMPLE = "coupled + drift as shipped"
"""Its constants were chosen looking at these tables."""
JOINT = WITH_SPREAD[0].name
FACTORS = tuple(2 ** (step / 2) for step in range(-5, 6))
"""Multiples of a drift's scale among which one is chosen, leaving the runs that are judged out."""

RESAMPLED = 10_000
STUDIES = 1000
_TAILS = (0.05, 0.95)
BOTH = ("crps", "interval_score")
"""What constants are chosen by: the mean of their logarithms."""

_SCORES = ("crps", "interval_score", "width")
LARGEST_LOSS = 1.10
WIDEST = 1.5

Draws = Callable[[HeldOut], np.ndarray | None]

OTHER_LAWS: dict[str, Draws] = {
    "discrepancy sampled with the law": lambda held_out: held_out.inside,
    "chinchilla + drift": lambda held_out: STATED.draws(held_out, held_out.laws[CHINCHILLA]),
    "stack of both": lambda held_out: stacked(held_out, drift=False),
    "stack of both + drift": lambda held_out: stacked(held_out, drift=True),
}


def competitors(scored: Mapping[str, pd.DataFrame]) -> dict[str, Draws]:
    """Draws of log loss of new runs, by name; None where a competitor has nothing to say of a table.

    Parameters
    ----------
    scored
        Scores of every alternative (``grid_scores``): the drift that is judged has the constants that are
        best on the runs of other sources.
    """
    grid = grids()[JOINT]
    best = {source: grid[place] for source, place in _best(scored[JOINT], "source").items()}
    return {
        COMMON: lambda held_out: held_out.common,
        "chinchilla": lambda held_out: held_out.laws[CHINCHILLA].without_drift,
        NO_DRIFT: lambda held_out: held_out.laws[COUPLED].without_drift,
        FIRST: _draws(STATED),
        DRIFT: lambda held_out: _draws(best[held_out.source])(held_out),
        IN_SAMPLE: lambda held_out: held_out.laws[COUPLED].with_drift,
    }


def split_scores(held_out: tuple[HeldOut, ...], drawn: Mapping[str, Draws]) -> pd.DataFrame:
    """One row per split and competitor: ``split``, ``table``, ``source``, ``competitor`` and its scores."""
    rows = []
    for one in held_out:
        for name, draw in drawn.items():
            draws = draw(one)
            if draws is not None:
                labels = {"split": one.label, "table": one.table, "source": one.source, "competitor": name}
                rows.append(labels | scores(draws, one.measured))
    return pd.DataFrame(rows)


def by_table(by_split: pd.DataFrame) -> pd.DataFrame:
    """Means over the splits of each table; index ``competitor`` and ``table``."""
    return by_split.groupby(["competitor", "table"], sort=False).mean(numeric_only=True)


def over_tables(tables: pd.DataFrame, name: str) -> dict[str, Any]:
    """Means over tables of one competitor; coverage with its 90 % interval by bootstrap over tables."""
    own = tables.loc[name]
    found: dict[str, Any] = {"competitor": name, "tables": len(own)}
    for prob in PROBS:
        column = f"coverage_{100 * prob:.0f}"
        found[column] = _resampled_mean(own[column].to_numpy())
    for column in ("error", "signed_error", "width", "crps", "interval_score"):
        found[column] = float(own[column].mean())
    return found


def ratios(tables: pd.DataFrame, name: str, other: str) -> dict[str, Any]:
    """Scores of one competitor over those of another: geometric mean over tables, its interval, the worst."""
    shared = tables.loc[name].index.intersection(tables.loc[other].index)
    found: dict[str, Any] = {"competitor": name, "other": other, "tables": len(shared)}
    for column in _SCORES:
        logs = np.log(tables.loc[name].loc[shared, column] / tables.loc[other].loc[shared, column])
        mean = {end: float(np.exp(value)) for end, value in _resampled_mean(logs.to_numpy()).items()}
        worst = {"worst": float(np.exp(logs.max())), "worst_table": str(logs.idxmax())}
        by_name = {"by_table": {str(table): float(np.exp(value)) for table, value in logs.items()}}
        found[column] = mean | worst | by_name
    return found


def where_needed(tables: pd.DataFrame, name: str) -> dict[str, Any]:
    """What a drift does where 90 % intervals hold too rarely without it, and where they do not.

    Returns
    -------
    dict
        ``too_narrow`` and ``wide_enough``: the tables, their mean ``coverage_without`` and
        ``coverage_with``, and the geometric means of ``width`` and ``interval_score`` with drift over
        those without.
    """
    plain, own = tables.loc[NO_DRIFT], tables.loc[name]
    narrow = plain["coverage_90"] < PROB
    return {
        "too_narrow": _with_and_without(plain[narrow], own[narrow]),
        "wide_enough": _with_and_without(plain[~narrow], own[~narrow]),
    }


def _with_and_without(plain: pd.DataFrame, own: pd.DataFrame) -> dict[str, Any]:
    ratio = {
        score: float(np.exp(np.log(own[score] / plain[score]).mean()))
        for score in ("width", "interval_score")
    }
    coverage = {"without": plain["coverage_90"].mean(), "with": own["coverage_90"].mean()}
    covered = {f"coverage_{name}": float(value) for name, value in coverage.items()}
    return {"tables": [str(table) for table in own.index]} | covered | ratio


def targets(tables: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    """What was promised of the drift, and whether it holds."""
    own = over_tables(tables, name)
    rows = []
    for prob in (0.9, 0.5):
        found = own[f"coverage_{100 * prob:.0f}"]
        met = found["lo"] <= prob <= found["hi"]
        rows.append(_target(f"coverage of {100 * prob:.0f} % intervals", prob, found, met))
    for other in (NO_DRIFT, COMMON):
        for score, called in (("crps", "CRPS"), ("interval_score", "interval score")):
            found = ratios(tables, name, other)[score]
            worst = {"mean": found["worst"]}
            of = f"{called} over that of {other}"
            rows.append(_target(of, 1.0, found, found["mean"] < 1.0))
            met = found["worst"] <= LARGEST_LOSS
            rows.append(_target(f"{of}, worst table", LARGEST_LOSS, worst, met, found["worst_table"]))
    wider = own["width"] / over_tables(tables, NO_DRIFT)["width"]
    rows.append(_target(f"mean width over that of {NO_DRIFT}", WIDEST, {"mean": wider}, wider <= WIDEST))
    return rows


def _target(target: str, limit: float, value: dict[str, Any], met: bool, table: str = "") -> dict[str, Any]:
    kept = {end: value[end] for end in ("mean", "lo", "hi") if end in value}
    return {"target": target, "limit": limit, "value": kept, "met": bool(met), "table": table}


def grids() -> dict[str, list[Drift | ResidualWalk]]:
    """Every alternative to the stated drift with the constants among which one is chosen."""
    found = {drift.name: [replace(drift, scale=drift.scale * by) for by in FACTORS] for drift in ALTERNATIVES}
    for drift in WITH_SPREAD:
        found[drift.name] = [
            replace(drift, scale=drift.scale * by, spread=spread) for spread in SPREADS for by in FACTORS
        ]
    return found


def grid_scores(held_out: tuple[HeldOut, ...]) -> dict[str, pd.DataFrame]:
    """Scores of every alternative at all of its constants, by split; the competitor is a place in its grid."""
    for one in held_out:
        check_shipped(one)
    return {
        label: split_scores(held_out, {str(number): _draws(drift) for number, drift in enumerate(grid)})
        for label, grid in grids().items()
    }


def tried(
    held_out: tuple[HeldOut, ...], scored: Mapping[str, pd.DataFrame], known: pd.DataFrame
) -> list[dict[str, Any]]:
    """Every alternative to the stated drift, with its constants chosen leaving the judged runs out.

    Parameters
    ----------
    held_out
        The splits.
    scored
        Scores of every alternative.
    known
        Scores of the competitors by table.
    """
    rows = [_row(known, FIRST) | {"chosen": {}}]
    found = grids()
    for label, grid in found.items():
        chosen, table = _left_out(scored[label], grid, label, "source")
        rows.append(_row(pd.concat([known, table]), label) | {"chosen": chosen})
    for how, group, criteria in (
        ("leaving single tables out", "table", BOTH),
        ("by CRPS alone", "source", BOTH[:1]),
    ):
        label = f"{JOINT}, {how}"
        chosen, table = _left_out(scored[JOINT], found[JOINT], label, group, criteria)
        rows.append(_row(pd.concat([known, table]), label) | {"chosen": chosen})
    for name, draw in OTHER_LAWS.items():
        table = by_table(split_scores(held_out, {name: draw}))
        rows.append(_row(pd.concat([known, table]), name) | {"chosen": {}})
    return rows


def by_scale(scored: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """How coverage and scores move with the constants of the drift, over all tables; nothing is chosen by it."""
    tables = by_table(scored[JOINT])
    return [
        {"scale": drift.scale, "spread": getattr(drift, "spread", 0.0)}
        | over_tables(tables, str(number))
        | {"coverage_met": all(_contains(tables.loc[str(number)], prob) for prob in (0.5, 0.9))}
        for number, drift in enumerate(grids()[JOINT])
    ]


def were_it_right(held_out: tuple[HeldOut, ...], draw: Draws) -> dict[str, Any]:
    """What this study would find if the law with drift were exactly right: losses are draws of its own.

    All runs of a split share one draw of the constants and of the drift, so that their intervals hold
    or fail together: coverage varies far more between studies than the number of runs suggests.

    Parameters
    ----------
    held_out
        The splits.
    draw
        Draws of the law with drift.

    Returns
    -------
    dict
        By nominal coverage: the mean over tables with the 90 % interval of studies, and in which share
        of studies the bootstrap interval over tables contains the nominal coverage.
    """
    rng = np.random.default_rng(SEED)
    tables = list(dict.fromkeys(one.table for one in held_out))
    found = {}
    for prob in (0.5, 0.9):
        studies: dict[str, list[np.ndarray]] = {table: [] for table in tables}
        for one in held_out:
            draws = draw(one)
            if draws is None:
                continue
            lo, hi = central_interval(draws, prob)
            share = ((lo <= draws) & (draws <= hi)).mean(axis=1)
            studies[one.table].append(rng.choice(share, STUDIES))
        by_study = np.stack([np.mean(studies[table], axis=0) for table in tables], axis=1)
        intervals = [_resampled_mean(row, 1000) for row in by_study]
        lo, hi = np.quantile(by_study.mean(axis=1), _TAILS)
        found[f"{100 * prob:.0f}"] = {
            "mean": float(by_study.mean()),
            "lo": float(lo),
            "hi": float(hi),
            "contains": float(np.mean([one["lo"] <= prob <= one["hi"] for one in intervals])),
        }
    return found


def stacked(held_out: HeldOut, drift: bool) -> np.ndarray:
    """Draws of the mixture of both laws that predicts left-out fitted runs best."""
    laws = held_out.laws
    elpd = np.column_stack(
        [laws[base].log_score.loc[laws[COUPLED].log_score.index] for base in (COUPLED, CHINCHILLA)]
    )
    weight = stacking_weights(elpd)[0]
    draws = {
        base: STATED.draws(held_out, laws[base]) if drift else laws[base].without_drift
        for base in (COUPLED, CHINCHILLA)
    }
    count = min(len(one) for one in draws.values())
    rng = np.random.default_rng(SEED)
    first, second = (rng.choice(draws[base], count, axis=0) for base in (COUPLED, CHINCHILLA))
    return np.where(rng.random((count, 1)) < weight, first, second)


def _draws(drift: Drift | ResidualWalk) -> Draws:
    return lambda held_out: drift.draws(held_out, held_out.laws[COUPLED])


def _left_out(
    every: pd.DataFrame,
    grid: Sequence[Drift | ResidualWalk],
    label: str,
    group: str,
    criteria: Sequence[str] = BOTH,
) -> tuple[dict[str, dict[str, float]], pd.DataFrame]:
    """Scores by table, each source or table at the constants that are best on the others' tables."""
    best = _best(every, group, criteria)
    chosen = {
        left_out: {"scale": grid[place].scale, "spread": getattr(grid[place], "spread", 0.0)}
        for left_out, place in best.items()
    }
    kept = every[every["competitor"] == every[group].map(best).astype(str)]
    return chosen, by_table(kept.assign(competitor=label))


def _best(every: pd.DataFrame, group: str, criteria: Sequence[str] = BOTH) -> dict[str, int]:
    """By source or table, the place in the grid that is best on the tables of the others."""
    found = {}
    for left_out in every[group].unique():
        others = np.log(by_table(every[every[group] != left_out])[list(criteria)])
        found[str(left_out)] = int(others.mean(axis=1).groupby("competitor").mean().idxmin())
    return found


def _contains(own: pd.DataFrame, prob: float) -> bool:
    found = _resampled_mean(own[f"coverage_{100 * prob:.0f}"].to_numpy())
    return found["lo"] <= prob <= found["hi"]


def _row(tables: pd.DataFrame, name: str) -> dict[str, Any]:
    over = {"over_stated": ratios(tables, name, FIRST), "over_no_drift": ratios(tables, name, NO_DRIFT)}
    missed = [row["target"] for row in targets(tables, name) if not row["met"]]
    return over_tables(tables, name) | over | {"missed": missed}


def _resampled_mean(values: np.ndarray, resampled: int = RESAMPLED) -> dict[str, float]:
    """Mean with its 90 % interval by bootstrap over tables."""
    rng = np.random.default_rng(SEED)
    means = rng.choice(values, (resampled, len(values))).mean(axis=1)
    lo, hi = np.quantile(means, _TAILS)
    return {"mean": float(values.mean()), "lo": float(lo), "hi": float(hi)}
