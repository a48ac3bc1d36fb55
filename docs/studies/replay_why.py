"""Why a plan does or does not help: the error made at the held-out runs beside the one that was reckoned with."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from held_out import Table
from replay import BUDGETS, PLAN, PROB, RANDOM, Replayed, ends_fit, fit_to, ready, resumed, start_of, steps

from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit

WHY_STARTS = 10
START_ALONE, WHOLE = "start", "all runs"
_PRECISION = ["bits_weights", "bits_activations", "bits_kv", "format"]
_PARTS = ("rms", "bias", "sd_bias", "sd_law", "sd_constants", "coverage", "chance", "cells", "precisions")
_SQUARED = ("rms", "sd_bias", "sd_law", "sd_constants")


def whys(table: Table, folder: Path, starts: int = WHY_STARTS, kept_only: bool = False) -> pd.DataFrame:
    """Errors and what was reckoned with, one row per start and rule, at the largest budget.

    Parameters
    ----------
    table
        The table.
    folder
        Where results are kept, one file per table.
    starts
        How many starts.
    kept_only
        Compute nothing; what was found before.
    """
    prepared = functools.cache(lambda: ready(table))
    found = resumed(
        folder / f"why_{table.name}.json",
        starts,
        lambda start: (WHOLE,) if start is None else (START_ALONE, PLAN, RANDOM),
        lambda start, rule: _why(prepared(), start, rule),
        f"{table.name}: why",
        kept_only,
    )
    return pd.DataFrame(
        {"table": table.name, "start": start, "rule": rule} | one for start, rule, one in found
    )


def why_numbers(found: pd.DataFrame) -> list[dict[str, Any]]:
    """What the page says, by table: root mean squares and means over starts by rule."""
    if found.empty:
        return []
    return [
        {
            "table": str(name),
            "starts": int(own.loc[own["rule"] == PLAN, "start"].nunique()),
            "rules": {
                str(rule): {part: _over_starts(rows[part], part) for part in _PARTS}
                for rule, rows in own.groupby("rule")
            },
        }
        for name, own in found.groupby("table", sort=False)
        if PLAN in set(own["rule"])
    ]


def _over_starts(values: pd.Series, part: str) -> float | None:
    known = values.dropna().to_numpy(np.float64)
    if not len(known):
        return None
    return float(np.sqrt((known**2).mean()) if part in _SQUARED else known.mean())


def _why(table: Replayed, start: int | None, rule: str) -> dict[str, Any]:
    if start is None:
        return _looked_at(table, ends_fit(table), 0)
    if rule == START_ALONE:
        return _looked_at(table, fit_to(table, start_of(table, start), start)[0], start)
    every = list(steps(table, start, rule))
    bought = table.frame.iloc[np.concatenate([step.bought for step in every])]
    return _looked_at(table, every[-1].fit, start) | {
        "budget": BUDGETS[-1],
        "cells": len(bought.drop_duplicates(["n_params", "tokens"])),
        "precisions": len(bought.drop_duplicates(_PRECISION)),
    }


def _looked_at(table: Replayed, fit: Fit, seed: int) -> dict[str, Any]:
    """Errors of the law's median log loss at the held-out runs, and their expected size.

    ``bias`` is the mean error, negative where the law is too low, and ``sd_bias`` what the fit's own draws give it as
    standard deviation; ``sd_law`` that of the law's mean, ``sd_constants`` that without drift, as root mean squares;
    ``chance`` the share of the fit's own draws of all held-out runs of which the intervals hold no more than of those
    that were measured: errors have much in common, so that coverage on one table varies.
    """
    points = table.frame[table.held_out]
    points = points.assign(run_id=[f"{number}" for number in range(len(points))])
    drawn, undrifted = (loss_draws(fit, points, seed=seed, drift=drift) for drift in (True, False))
    measured, law, new = (
        np.log(points["loss"].to_numpy(np.float64)),
        np.log(drawn.mean),
        np.log(drawn.new_run),
    )
    error = np.median(law, axis=0) - measured
    lo, hi = np.quantile(new, (0.5 - PROB / 2, 0.5 + PROB / 2), axis=0)
    held = float(((lo <= measured) & (measured <= hi)).mean())
    held_of_draws = ((lo <= new) & (new <= hi)).mean(axis=1)
    return {
        "rms": float(np.sqrt((error**2).mean())),
        "bias": float(error.mean()),
        "sd_bias": float(law.mean(axis=1).std()),
        "sd_law": float(np.sqrt(law.var(axis=0).mean())),
        "sd_constants": float(np.sqrt(np.log(undrifted.mean).var(axis=0).mean())),
        "coverage": held,
        "chance": float((held_of_draws <= held + 1e-9).mean()),
    }
