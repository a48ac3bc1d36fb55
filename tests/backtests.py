"""Backtest records made by hand, as a Fit file keeps them."""

from typing import Any

FARTHEST = 1.6


def kept_backtest(
    inside: float = 1.0, farthest: float = FARTHEST, rows: int = 80, runs: int = 36, converged: bool = True
) -> dict[str, Any]:
    """A record of one fold whose rows lie evenly up to a distance.

    Parameters
    ----------
    inside
        Share of the measurements inside their 90 % intervals, evenly over distances.
    farthest
        Distance of the farthest, decades.
    rows, runs
        Rows predicted, and usable runs.
    converged
        Whether the fold counts.
    """
    outside = max(1, round(1.0 / (1.0 - inside))) if inside < 1.0 else rows + 1
    predicted = [
        {
            "decades": farthest * row / max(rows - 1, 1),
            "log_loss": 1.0 if (row + 1) % outside else 2.0,
            "median": 1.01,
            "lo": 0.9,
            "hi": 1.1,
        }
        for row in range(rows)
    ]
    folds = [{"converged": converged, "rows": predicted}] if rows else []
    return {"runs": runs, "folds": folds, "dropped": []}
