"""The page of the claims, from its numbers: verdicts and sentences follow from them."""

from collections.abc import Sequence
from typing import Any

import claims_words as words
from claims_verdict import overall, under, verdict_of
from page import render

_WHY = {
    "optimal": words.why_optimal,
    "waste": words.why_waste,
    "larger": words.why_larger,
    "suffer": words.why_suffer,
    "hurts": words.why_hurts,
    "fixed": words.why_fixed,
    "hardware": words.why_hardware,
}


def claims_page(numbers: dict[str, Any]) -> str:
    """The page in Markdown.

    Parameters
    ----------
    numbers
        What ``claims.json`` holds.
    """
    claims = {}
    for name, why in _WHY.items():
        rows = [row | {"verdict": verdict_of(row["probability"])} for row in numbers["claims"][name]]
        claims[name] = {"rows": rows, "verdict": overall(rows), "why": why(rows), "silent": _silent(rows)}
    helpers = {"p": words.probability_text, "words_to_act": words.to_act(claims)}
    return render("claims.md.j2", numbers | {"claims": claims} | helpers)


def _silent(rows: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """By reason, the laws that say nothing, with their sources."""
    reasons = dict.fromkeys(row["silent"] for row in rows if row["silent"])
    return {
        reason: under([row | {"verdict": reason} for row in rows if row["silent"] == reason], reason)
        for reason in reasons
    }
