"""Numbers of the study on which run to log next: errors, widths and money over starts, and paired differences."""

from typing import Any

import numpy as np
import pandas as pd
from replay import BUDGETS, PLAN, RANDOM, RULES

_RESAMPLES = 10_000
_PROB = 0.9
_AS_GOOD = 1.05
"""Error of a rule over that of all runs, up to which it counts as as good."""


def numbers(replayed: pd.DataFrame) -> dict[str, Any]:
    """Everything the page says, by table.

    Parameters
    ----------
    replayed
        As ``replays`` gives it, of all tables.
    """
    return {
        "tables": [_table(str(name), own) for name, own in replayed.groupby("table", sort=False)],
        "budgets": list(BUDGETS),
        "rules": list(RULES),
        "rhat": {
            "most": float(replayed["rhat"].max()),
            "above": int((replayed["rhat"] > 1.05).sum()),
            "fits": len(replayed),
        },
    }


def with_starts(replayed: pd.DataFrame) -> list[str]:
    """Tables of which at least one start was replayed by every rule."""
    return [str(name) for name, own in replayed.groupby("table", sort=False) if _complete(own)]


def _complete(own: pd.DataFrame) -> set[str]:
    """Starts of a table that were replayed by every rule."""
    count = own[own["rule"] != "ends"].groupby("start").size()
    return {str(start) for start in count.index[count == len(RULES) * len(BUDGETS)]}


def _table(name: str, own: pd.DataFrame) -> dict[str, Any]:
    whole = own[own["start"] == "None"].iloc[0]
    started = own[(own["rule"] == "ends") & (own["start"] != "None")]
    bought = own[own["rule"] != "ends"]
    complete = _complete(own)
    bought = bought[bought["start"].isin(complete)]
    started = started[started["start"].isin(complete)]
    rows = [
        {"rule": rule, "budget": budget}
        | {part: _over_starts(one[part]) for part in ("error", "width", "coverage", "spent", "bought")}
        for (rule, budget), one in bought.groupby(["rule", "budget"])
    ]
    return {
        "table": name,
        "starts": len(complete),
        "runs": int(whole["runs"]),
        "whole": {part: float(whole[part]) for part in ("error", "width", "coverage")},
        "start": {part: _over_starts(started[part]) for part in ("error", "width", "coverage", "runs")},
        "rows": rows,
        "paired": [_paired(bought, rule, budget) for rule in RULES if rule != RANDOM for budget in BUDGETS],
        "over_budgets": [_paired(bought, rule, None) for rule in RULES if rule != RANDOM],
        "as_good": {rule: _first_as_good(rows, rule, float(whole["error"])) for rule in RULES},
        "plan_over_whole": _ratio_to_whole(bought, float(whole["error"])),
    }


def _over_starts(values: pd.Series) -> dict[str, float]:
    drawn = _resampled(values.to_numpy(np.float64))
    return {"mean": float(values.mean())} | _ends(drawn)


def _paired(bought: pd.DataFrame, rule: str, budget: float | None) -> dict[str, Any]:
    """Mean over starts of a rule's error and width less those of random choice; over all budgets where None."""
    own = bought if budget is None else bought[bought["budget"] == budget]
    found: dict[str, Any] = {"rule": rule, "budget": budget}
    for part in ("error", "width"):
        by_start = own.pivot_table(index="start", columns="rule", values=part)
        difference = (by_start[rule] - by_start[RANDOM]).to_numpy(np.float64)
        found[part] = {"mean": float(difference.mean())} | _ends(_resampled(difference))
        found[part]["better"] = float((difference < 0).mean())
    return found


def _ratio_to_whole(bought: pd.DataFrame, whole: float) -> dict[str, float]:
    """Error of the plan at the largest budget over that of all runs."""
    own = bought[(bought["rule"] == PLAN) & (bought["budget"] == BUDGETS[-1])]["error"].to_numpy(np.float64)
    return {"mean": float(own.mean() / whole)} | _ends(_resampled(own) / whole)


def _first_as_good(rows: list[dict[str, Any]], rule: str, whole: float) -> float | None:
    """The smallest budget from which on the mean error is that of all runs, within 5 %; None where none is."""
    found = None
    for row in sorted((row for row in rows if row["rule"] == rule), key=lambda row: -row["budget"]):
        if row["error"]["mean"] > _AS_GOOD * whole:
            break
        found = row["budget"]
    return found


def _resampled(values: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    return values[rng.integers(0, len(values), (_RESAMPLES, len(values)))].mean(axis=1)


def _ends(drawn: np.ndarray) -> dict[str, float]:
    lo, hi = np.quantile(drawn, (0.5 - _PROB / 2, 0.5 + _PROB / 2))
    return {"lo": float(lo), "hi": float(hi)}
