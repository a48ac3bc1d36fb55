"""Verdicts by stated rules: of a claim under one law, and over all laws."""

from collections.abc import Sequence
from typing import Any

HOLDS, NOT, OPEN, SILENT = "holds", "does not hold", "undecided", "says nothing"
SURE = 0.9
EVERYWHERE = "holds"
ONLY = "holds only under this law or cost"
UNSUPPORTED = "not supported by these data"


def verdict_of(probability: float | None) -> str:
    """Of one law: P at least .9 holds, at most .1 does not, in between undecided.

    Examples
    --------
    >>> [verdict_of(p) for p in (0.95, 0.5, 0.1, None)]
    ['holds', 'undecided', 'does not hold', 'says nothing']
    """
    if probability is None:
        return SILENT
    if probability >= SURE:
        return HOLDS
    return NOT if probability <= 1.0 - SURE + 1e-12 else OPEN


def overall(rows: Sequence[dict[str, Any]]) -> str:
    """Over all laws that speak: holds if under each; unsupported if under none fitted to runs; else only under some.

    Where no fitted law speaks, those at published constants decide.

    Examples
    --------
    >>> overall([{"verdict": "holds", "published": True}, {"verdict": "undecided", "published": False}])
    'not supported by these data'
    >>> overall([{"verdict": "holds", "published": False}, {"verdict": "does not hold", "published": True}])
    'holds only under this law or cost'
    """
    spoken = [row for row in rows if row["verdict"] != SILENT]
    decisive = [row for row in spoken if not row["published"]] or spoken
    if spoken and all(row["verdict"] == HOLDS for row in spoken):
        return EVERYWHERE
    return ONLY if any(row["verdict"] == HOLDS for row in decisive) else UNSUPPORTED


def under(rows: Sequence[dict[str, Any]], verdict: str) -> list[str]:
    """Laws with a verdict, each with its sources."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["verdict"] == verdict:
            found.setdefault(row["law"], []).append(row["source"])
    return [f"{law} ({'; '.join(sources)})" for law, sources in found.items()]
