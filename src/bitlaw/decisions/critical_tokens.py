"""Tokens beyond which more pretraining hurts a model that is quantized afterwards (arXiv 2411.04330)."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from bitlaw.inference.columns import take
from bitlaw.inference.draws import law_parameters, point_columns
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation
from bitlaw.inference.parameters import at_index
from bitlaw.laws.bases import CHINCHILLA
from bitlaw.laws.evaluate import StructuralError, log_post_degradation, train
from bitlaw.laws.law import Law
from bitlaw.laws.post import EXPONENTIAL

_DECADE = math.log(10.0)
_REACH = 30
"""Decades searched on either side of the fitted runs."""
_TOLERANCE = 1e-4
_ROUNDING = 1e-10
"""Rise of the loss, as a share of it, that rounding can bring about."""
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)

Function = Callable[[np.ndarray], np.ndarray]


def no_critical_tokens(law: Law) -> str | None:
    """Why a law says nothing about critical tokens; None where it does.

    Examples
    --------
    >>> from bitlaw.laws.registry import load_law
    >>> no_critical_tokens(load_law("ptq-gap"))
    'law ptq-gap takes the loss as trained as data, so it does not say how that moves with tokens'
    """
    if law.base.is_observed:
        return (
            f"law {law.name} takes the loss as trained as data, so it does not say how that moves with tokens"
        )
    return None


def critical_tokens(fit: Fit, points: pd.DataFrame, prior: bool = False, drift: bool = True) -> np.ndarray:
    """D_crit of each point in each draw, shape (samples, points); inf where tokens never hurt.

    In closed form where the base is Chinchilla's and depends on tokens alone there, the degradation is
    exponential and the vocabulary unknown; otherwise the tokens at which the law's loss after
    quantization, with its bound, is lowest. Where a training penalty grows with tokens, it counts too.

    Drift shifts the logarithm of the degradation by its error at the D_crit of the law itself, so that the
    interval widens beyond the data. That is one step towards the D_crit that the error would have been
    taken at; the slope of drift along tokens is no part of it. Where tokens never hurt, they never do.

    Parameters
    ----------
    fit
        The fit; of a law that ``no_critical_tokens`` has nothing against.
    points
        One training run at several ``bits_post``; their tokens do not matter.
    prior
        Use draws of the prior in place of the posterior.
    drift
        Include the structural error of the degradation beyond the data.
    """
    constants = law_parameters(fit, points, prior)
    columns = point_columns(fit, points)
    solve = closed_form if _has_closed_form(fit.law, columns) else by_search
    tokens = solve(fit, constants, columns)
    if not drift:
        return tokens
    known = np.where(np.isfinite(tokens), tokens, np.nan)
    error = structural_error(fit, points, points["n_params"].to_numpy(np.float64), known)
    if error is None or not np.any(error.log_degradation):
        return tokens
    moved = np.flatnonzero(np.any(error.log_degradation, axis=0))
    shift = StructuralError(log_degradation=error.log_degradation[:, moved])
    shifted = tokens.copy()
    shifted[:, moved] = solve(fit, at_index(constants, moved), take(columns, moved), shift)
    return np.where(np.isfinite(tokens), shifted, tokens)


def _has_closed_form(law: Law, columns: Mapping[str, np.ndarray]) -> bool:
    moves_with_tokens = any(term.penalty or term.log_share_d for term in law.training)
    unbounded = bool(np.isinf(columns["ceiling"]).all())
    return law.base is CHINCHILLA and law.post is EXPONENTIAL and unbounded and not moves_with_tokens


def closed_form(
    fit: Fit,
    constants: Mapping[str, np.ndarray],
    columns: Mapping[str, np.ndarray],
    error: StructuralError | None = None,
) -> np.ndarray:
    """D_crit = D̄ (β b / (γD δ̄))^(1/(γD + β)), δ̄ the degradation at D̄ (arXiv 2411.04330, centred).

    Holds for the Chinchilla base, whose token term does not depend on N, without the bound; inf
    where γD <= 0.

    Parameters
    ----------
    fit
        The fit.
    constants
        The law's constants, shape (samples, 1) or (samples, points).
    columns
        Law columns, shape (points,).
    error
        What the degradation is off by, at every number of tokens alike.
    """
    centred = dict(columns) | {"tokens": np.float64(fit.reference.tokens)}
    run = train(fit.law, constants, centred, fit.reference, np)
    log_delta = log_post_degradation(fit.law, constants, centred, run.log_n, fit.reference, np, error)
    growth, beta = constants["gamma_D"], constants["beta"]
    grows = growth > 0
    positive = np.where(grows, growth, 1.0)
    log_ratio = np.log(beta * constants["b"] / positive) - log_delta
    with np.errstate(over="ignore"):
        tokens = fit.reference.tokens * np.exp(log_ratio / (positive + beta))
    return np.where(grows, tokens, np.inf)


def by_search(
    fit: Fit,
    constants: Mapping[str, np.ndarray],
    columns: Mapping[str, np.ndarray],
    error: StructuralError | None = None,
) -> np.ndarray:
    """D_crit as the tokens of the lowest loss, within 30 decades of the fitted runs.

    Parameters
    ----------
    fit
        The fit.
    constants
        The law's constants, shape (samples, 1) or (samples, points).
    columns
        Law columns, shape (points,).
    error
        As for ``closed_form``.

    Returns
    -------
    np.ndarray
        inf where the loss does not rise again within the range, or never falls.
    """
    trained = _as_trained(columns)

    def loss(log_tokens: np.ndarray) -> np.ndarray:
        tokens = {"tokens": np.exp(log_tokens)}
        moved = dict(columns) | tokens
        run = train(fit.law, constants, dict(trained) | tokens, fit.reference, np)
        log_delta = log_post_degradation(fit.law, constants, moved, run.log_n, fit.reference, np, error)
        return run.loss + degradation(log_delta, run.loss, moved["ceiling"], np)

    samples = np.broadcast_shapes(*(value.shape for value in constants.values()))[0]
    centre = np.full((samples, 1), math.log(fit.reference.tokens))
    with np.errstate(over="ignore", invalid="ignore"):
        lowest = lowest_between(loss, centre - _REACH * _DECADE, centre + _REACH * _DECADE)
    return np.exp(lowest)


def _as_trained(columns: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Columns of the run as trained: those of one point where all are one run, which then is evaluated once."""
    own = {name: value for name, value in columns.items() if name not in ("bits_post", "post_symmetric")}
    is_one_run = all((value == value[0]).all() for name, value in own.items() if name != "tokens")
    return take(columns, np.array([0])) if is_one_run else columns


def lowest_between(function: Function, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """Where functions are lowest that fall, then rise; for many at once.

    On a grid of decades first, since a bounded loss has plateaus without any slope, then by golden
    section between the neighbours of the lowest point.

    Parameters
    ----------
    function
        Takes an array of the shape of ``lo``, or one that this broadcasts to, and returns the latter.
    lo, hi
        Ends of the search, the same distance apart everywhere.

    Returns
    -------
    np.ndarray
        Within 1e-4; inf where a function never falls, or does not rise again.

    Examples
    --------
    >>> float(lowest_between(lambda x: (x - 3.0) ** 2, np.array(0.0), np.array(8.0)).round(3))
    3.0
    >>> float(lowest_between(lambda x: -x, np.array(0.0), np.array(8.0)))
    inf
    """
    steps = max(2, math.ceil(float(np.max(hi - lo)) / _DECADE))
    width = (hi - lo) / steps
    start = last = function(lo)
    best, index = np.full(start.shape, np.inf), np.zeros(start.shape)
    for step in range(steps + 1):
        last = function(lo + step * width)
        lower = last < best
        best, index = np.where(lower, last, best), np.where(lower, step, index)
    tiny = _ROUNDING * np.abs(best)
    found = (last - best > tiny) & (start - best > tiny)
    left, right = lo + np.maximum(index - 1, 0) * width, lo + np.minimum(index + 1, steps) * width
    return np.where(found, _golden_section(function, left, right), np.inf)


def _golden_section(function: Function, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    inner, outer = right - _GOLDEN * (right - left), left + _GOLDEN * (right - left)
    at_inner, at_outer = function(inner), function(outer)
    for _ in range(math.ceil(math.log(float(np.max(right - left)) / _TOLERANCE) / -math.log(_GOLDEN))):
        falls = at_inner > at_outer
        left, right = np.where(falls, inner, left), np.where(falls, right, outer)
        new = np.where(falls, left + _GOLDEN * (right - left), right - _GOLDEN * (right - left))
        at_new = function(new)
        inner, outer = np.where(falls, outer, new), np.where(falls, new, inner)
        at_inner, at_outer = np.where(falls, at_outer, at_new), np.where(falls, at_new, at_inner)
    return 0.5 * (left + right)
