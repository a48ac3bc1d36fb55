"""Beyond the data: what the backtest shows, and what it means for the model asked about, in sentences."""

from collections.abc import Mapping

import numpy as np

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.fold_scores import PROB
from bitlaw.decisions.intervals import interval_text
from bitlaw.inference.distance import beyond_sizes
from bitlaw.inference.fit import Fit
from bitlaw.reporting.backtested import coverage_table, error_table, nearer_and_farther, rows_predicted
from bitlaw.reporting.curves import Band
from bitlaw.reporting.fan import Fan
from bitlaw.reporting.figures.risk_breakdown import SOURCES
from bitlaw.reporting.words import joined
from bitlaw.units import LOSS_UNIT, Interval, format_count

_ROUNDED = 0.002
"""Decades from the fitted sizes below which a model counts as inside."""


def fan_chart(shown: Fan) -> str:
    """The law's mean far out, with and without drift, and how many of the runs held out it had foreseen."""
    at = int(np.flatnonzero(shown.law.x == shown.asked)[0]) if shown.asked_beyond else -1
    where = "the model asked about" if shown.asked_beyond else "the right end"
    size = f"{format_count(shown.n_params[at])} parameters, {format_count(shown.tokens[at])} tokens"
    narrow, wide = _interval(shown.law, at), shown.law_with_drift
    said = (
        f"{interval_text(narrow)}; structural error beyond the data is left out"
        if wide is None
        else f"{interval_text(_interval(wide, at))} with drift and {interval_text(narrow)} without"
    )
    held = shown.held_out
    if held.empty:
        return f"At {where} ({size}) the law's mean loss is {said}."
    inside = int(held["loss"].between(held["lo"], held["hi"]).sum())
    return (
        f"At {where} ({size}) the law's mean loss is {said}. Of {len(held)} runs held out, {inside} lie in the "
        "90 % intervals that smaller runs predicted for them."
    )


def fan_reading(shown: Fan) -> str:
    """How to read the fan chart."""
    first, last = (
        f"{format_count(shown.n_params[place])} parameters and {format_count(shown.tokens[place])} tokens"
        for place in (0, -1)
    )
    fold = ""
    if shown.fold is not None:
        fold = (
            f" Squares: predicted by the fold of the backtest that was fitted to most, {shown.fold.n_train} "
            "rows, each at its own size, with drift in its interval."
        )
    edge = " Right of the edge nothing was fitted." if shown.edge is not None else ""
    drift = (
        " What the light band adds to the dark one is drift, a stated prior."
        if shown.law_with_drift is not None
        else ""
    )
    return (
        f"In {shown.precision.label}, along a straight line in the logarithms of parameters and tokens through the "
        f"centre of the data, from {first} to {last}. Filled points lie within a factor of 1.4 of that line; "
        f"hollow ones have other sizes, and need not lie on the curve.{fold}{edge}{drift}"
    )


def coverage(backtest: Backtest, drift: bool = True) -> str:
    """How many of the losses held out lie in their intervals, with drift and without."""
    table = coverage_table(backtest).set_index("prob")
    chosen, other = ("with_drift", "without_drift") if drift else ("without_drift", "with_drift")
    held, not_held = (
        [f"{100 * share:.0f} %" for share in table[column].loc[[PROB, 0.5]]] for column in (chosen, other)
    )
    words = ("", " without drift") if drift else (" without drift", " with it")
    return (
        f"90 % intervals{words[0]} held {held[0]} of {rows_predicted(backtest)} held-out losses, "
        f"{not_held[0]}{words[1]}; 50 % intervals held {held[1]}, {not_held[1]}{words[1]}."
    )


def extrapolation_error(backtest: Backtest) -> str:
    """How errors and widths grow with the distance in compute."""
    halves = nearer_and_farther(error_table(backtest))
    near, far = (
        f"{100 * half['error'].median():.2g} % of the loss (median), with 90 % intervals of "
        f"±{100 * half['half_width'].median():.2g} %"
        for half in halves
    )
    split, most = halves[0]["ratio"].max(), halves[1]["ratio"].max()
    return (
        f"Predictions of runs up to {split:.3g}x the compute fitted were off by {near}; of the farther half, up "
        f"to {most:.3g}x, by {far}."
    )


def risk_breakdown(shares: Mapping[str, Mapping[str, float]]) -> str:
    """The largest source of each answer's uncertainty."""
    largest = {label: max(own, key=lambda source: own[source]) for label, own in shares.items()}
    parts = [
        f"{SOURCES[source]} for {label} ({100 * shares[label][source]:.0f} %)"
        for label, source in largest.items()
    ]
    return f"The largest share of the variance comes from {joined(parts)}."


def verdict(backtest: Backtest, drift: bool = True) -> str:
    """Whether intervals held what they promise, as far as that many rows can tell."""
    table = coverage_table(backtest)
    share = table["with_drift" if drift else "without_drift"]
    which = f"intervals {'with' if drift else 'without'} drift, as in the answers, hold"
    parts = [
        f"{compared} at {joined(f'{100 * prob:g}' for prob in table['prob'][apart])} % ({meaning})"
        for apart, compared, meaning in (
            (share < table["lo"], "fewer losses than they promise", "too narrow"),
            (share > table["hi"], "more than they promise", "wider than they need be"),
        )
        if apart.any()
    ]
    if not parts:
        return f"As far as so many rows can tell, {which} what they promise."
    return f"Beyond what chance allows independent rows, {which} {joined(parts)}."


def reach(fit: Fit, backtest: Backtest, asked: tuple[float, float], drift: bool = True) -> str:
    """Whether the model asked about is within the distances that the backtest has tested.

    Parameters
    ----------
    fit, backtest
        The fit, and its backtest.
    asked
        Parameters and tokens.
    drift
        Whether its answers include structural error beyond the data.
    """
    beyond = float(np.hypot(*beyond_sizes(fit.hull, *(np.array([size]) for size in asked)))[0])
    tested = max(row.decades for fold in backtest.converged for row in fold.rows)
    if beyond <= _ROUNDED:
        return (
            "The model asked about is within the fitted sizes, so that its loss is no extrapolation in "
            "parameters or tokens."
        )
    where = f"The model asked about is {_decades(beyond)} beyond the fitted sizes"
    if beyond <= tested:
        return f"{where}; the folds predicted runs up to {_decades(tested)} beyond theirs, so that far it was tested."
    rests = "and the stated prior of drift" if drift else "alone"
    return (
        f"{where}, and no fold predicted a run farther than {_decades(tested)} beyond its own: at that distance "
        f"nothing was tested, and the width of the interval rests on the law's form {rests}."
    )


def _interval(band: Band, at: int) -> Interval:
    return Interval(float(band.median[at]), float(band.lo[at]), float(band.hi[at]), PROB, unit=LOSS_UNIT)


def _decades(value: float) -> str:
    return f"{value:.2g} decades"
