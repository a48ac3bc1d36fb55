"""Scores of every competitor and of every drift tried, by split, by table and over tables."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from drifts import ALTERNATIVES, SEED, STATED, Drift, ResidualWalk
from forecast_scores import COVERED, scores
from forecasts import CHINCHILLA, COUPLED, HeldOut

from bitlaw.criticism.stacking import stacking_weights

COMMON = "common practice"
NO_DRIFT = "coupled"
DRIFT = "coupled + drift"
FACTORS = tuple(2 ** (step / 2) for step in range(-5, 6))
"""Multiples of a drift's scale among which one is chosen, leaving the runs that are judged out."""

RESAMPLED = 10_000
_TAILS = (0.05, 0.95)
_SCORES = ("crps", "interval_score", "width")
LARGEST_LOSS = 1.10
WIDEST = 1.5

Draws = Callable[[HeldOut], np.ndarray | None]

COMPETITORS: dict[str, Draws] = {
    COMMON: lambda held_out: held_out.common,
    "chinchilla": lambda held_out: _without(held_out, CHINCHILLA),
    NO_DRIFT: lambda held_out: _without(held_out, COUPLED),
    DRIFT: lambda held_out: STATED.draws(held_out, held_out.laws[COUPLED]),
}
"""Draws of log loss of new runs; None where a competitor has nothing to say of a table."""

OTHER_LAWS: dict[str, Draws] = {
    "chinchilla + drift": lambda held_out: STATED.draws(held_out, held_out.laws[CHINCHILLA]),
    "stack of both": lambda held_out: stacked(held_out, drift=False),
    "stack of both + drift": lambda held_out: stacked(held_out, drift=True),
}


def split_scores(held_out: tuple[HeldOut, ...], competitors: Mapping[str, Draws]) -> pd.DataFrame:
    """One row per split and competitor: ``split``, ``table``, ``source``, ``competitor`` and its scores."""
    rows = []
    for one in held_out:
        for name, draw in competitors.items():
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
    for prob in COVERED:
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


def targets(tables: pd.DataFrame, name: str = DRIFT) -> list[dict[str, Any]]:
    """What was promised of the drift, and whether it holds."""
    own = over_tables(tables, name)
    rows = []
    for prob in (0.9, 0.5):
        found = own[f"coverage_{100 * prob:.0f}"]
        rows.append({"target": f"coverage of {100 * prob:.0f} % intervals", "limit": prob, "value": found})
        rows[-1]["met"] = found["lo"] <= prob <= found["hi"]
    for other in (NO_DRIFT, COMMON):
        ratio = ratios(tables, name, other)
        for score in ("crps", "interval_score"):
            found = ratio[score]
            rows.append({"target": f"{score} over that of {other}", "limit": 1.0, "value": found})
            rows[-1]["met"] = found["mean"] < 1.0
            rows.append({"target": f"{score} over that of {other}, worst table", "limit": LARGEST_LOSS})
            rows[-1] |= {"value": {"mean": found["worst"]}, "table": found["worst_table"]}
            rows[-1]["met"] = found["worst"] <= LARGEST_LOSS
    wider = own["width"] / over_tables(tables, NO_DRIFT)["width"]
    rows.append({"target": f"mean width over that of {NO_DRIFT}", "limit": WIDEST, "value": {"mean": wider}})
    rows[-1]["met"] = wider <= WIDEST
    return rows


def tried(held_out: tuple[HeldOut, ...]) -> list[dict[str, Any]]:
    """Every alternative to the stated drift, each with its scale chosen leaving the judged runs out."""
    stated = by_table(split_scores(held_out, {DRIFT: COMPETITORS[DRIFT]}))
    rows = [_row(stated, DRIFT, stated) | {"scales": {}}]
    for drift in (STATED, *ALTERNATIVES, ResidualWalk()):
        label = f"{drift.name}, scale left out" if drift is STATED else drift.name
        chosen, table = _left_out(held_out, drift, label)
        rows.append(_row(pd.concat([stated, table]), label, stated) | {"scales": chosen})
    for name, draw in OTHER_LAWS.items():
        table = by_table(split_scores(held_out, {name: draw}))
        rows.append(_row(pd.concat([stated, table]), name, stated) | {"scales": {}})
    return rows


def by_scale(held_out: tuple[HeldOut, ...], drift: Drift = STATED) -> list[dict[str, Any]]:
    """How coverage and scores move with the scale of the drift, over all tables; nothing is chosen by it."""
    rows = []
    for factor in FACTORS:
        table = by_table(split_scores(held_out, {DRIFT: _at(drift, factor)}))
        rows.append({"scale": drift.scale * factor} | over_tables(table, DRIFT))
    return rows


def stacked(held_out: HeldOut, drift: bool) -> np.ndarray:
    """Draws of the mixture of both laws that predicts left-out fitted runs best."""
    laws = held_out.laws
    elpd = np.column_stack(
        [laws[base].log_score.loc[laws[COUPLED].log_score.index] for base in (COUPLED, CHINCHILLA)]
    )
    weight = stacking_weights(elpd)[0]
    draws = {
        base: STATED.draws(held_out, laws[base]) if drift else _without(held_out, base)
        for base in (COUPLED, CHINCHILLA)
    }
    count = min(len(one) for one in draws.values())
    rng = np.random.default_rng(SEED)
    first, second = (rng.choice(draws[base], count, axis=0) for base in (COUPLED, CHINCHILLA))
    return np.where(rng.random((count, 1)) < weight, first, second)


def _without(held_out: HeldOut, base: str) -> np.ndarray:
    return held_out.laws[base].location + held_out.laws[base].noise


def _at(drift: Drift | ResidualWalk, factor: float) -> Draws:
    return lambda held_out: drift.draws(held_out, held_out.laws[COUPLED], drift.scale * factor)


def _left_out(
    held_out: tuple[HeldOut, ...], drift: Drift | ResidualWalk, label: str
) -> tuple[dict[str, float], pd.DataFrame]:
    """Scores by table, each source of runs at the scale that is best on the other sources' tables."""
    factors = dict(zip(map(str, FACTORS), FACTORS, strict=True))
    every = split_scores(held_out, {name: _at(drift, factor) for name, factor in factors.items()})
    chosen, kept = {}, []
    for source, own in every.groupby("source", sort=False):
        others = np.log(by_table(every[every["source"] != source])[["crps", "interval_score"]])
        best = others.mean(axis=1).groupby("competitor").mean().idxmin()
        chosen[str(source)] = drift.scale * factors[str(best)]
        kept.append(own[own["competitor"] == best])
    return chosen, by_table(pd.concat(kept).assign(competitor=label))


def _row(tables: pd.DataFrame, name: str, stated: pd.DataFrame) -> dict[str, Any]:
    both = tables if name == DRIFT else pd.concat([stated, tables.loc[[name]]])
    return over_tables(both, name) | {"over_stated": ratios(both, name, DRIFT)}


def _resampled_mean(values: np.ndarray) -> dict[str, float]:
    """Mean with its 90 % interval by bootstrap over tables."""
    rng = np.random.default_rng(SEED)
    means = rng.choice(values, (RESAMPLED, len(values))).mean(axis=1)
    lo, hi = np.quantile(means, _TAILS)
    return {"mean": float(values.mean()), "lo": float(lo), "hi": float(hi)}
