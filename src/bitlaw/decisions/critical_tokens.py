"""Tokens beyond which more pretraining hurts a model that is quantized afterwards (arXiv 2411.04330)."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from bitlaw.inference.draws import law_parameters, point_columns
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation
from bitlaw.laws.bases import CHINCHILLA
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation, trained_loss
from bitlaw.laws.post import EXPONENTIAL

_HALF_WIDTH = 30 * math.log(10.0)
_TOLERANCE = 1e-4
_STEP = 0.02
_FLAT = 1e-12
"""Slopes this close to zero, nats per e-fold of tokens, are rounding of the difference quotient."""

Slope = Callable[[np.ndarray], np.ndarray]


def critical_tokens(fit: Fit, points: pd.DataFrame, prior: bool = False) -> np.ndarray:
    """D_crit of each point in each draw, shape (samples, points); inf where tokens never hurt.

    In closed form where the base is Chinchilla's, the degradation exponential and the vocabulary
    unknown; otherwise the root of dL/dlnD, L the loss after quantization with its bound.

    Parameters
    ----------
    fit
        The fit.
    points
        One training run at several ``bits_post``; their tokens do not matter.
    prior
        Use draws of the prior in place of the posterior.
    """
    constants = law_parameters(fit, points, prior)
    columns = point_columns(fit, points)
    unbounded = bool(np.isinf(columns["ceiling"]).all())
    if fit.law.base is CHINCHILLA and fit.law.post is EXPONENTIAL and unbounded:
        return closed_form(fit, constants, columns)
    return by_root(fit, constants, columns)


def closed_form(
    fit: Fit, constants: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray]
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
    """
    centred = dict(columns) | {"tokens": np.float64(fit.reference.tokens)}
    log_n = log_effective_params(fit.law, constants, centred, fit.reference, np)
    log_delta = log_post_degradation(fit.law, constants, centred, log_n, fit.reference, np)
    growth, beta = constants["gamma_D"], constants["beta"]
    grows = growth > 0
    positive = np.where(grows, growth, 1.0)
    log_ratio = np.log(beta * constants["b"] / positive) - log_delta
    with np.errstate(over="ignore"):
        tokens = fit.reference.tokens * np.exp(log_ratio / (positive + beta))
    return np.where(grows, tokens, np.inf)


def by_root(fit: Fit, constants: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """D_crit as the root of dL/dlnD, by bisection on ln D within 30 decades of the fitted runs.

    Parameters
    ----------
    fit
        The fit.
    constants
        The law's constants, shape (samples, 1) or (samples, points).
    columns
        Law columns, shape (points,).

    Returns
    -------
    np.ndarray
        inf where the degradation does not grow with tokens, or the loss falls over the whole range.
    """

    def loss(log_tokens: np.ndarray) -> np.ndarray:
        moved = dict(columns) | {"tokens": np.exp(log_tokens)}
        log_n = log_effective_params(fit.law, constants, moved, fit.reference, np)
        trained = trained_loss(fit.law, constants, moved, log_n, fit.reference, np)
        log_delta = log_post_degradation(fit.law, constants, moved, log_n, fit.reference, np)
        return trained + degradation(log_delta, trained, moved["ceiling"], np)

    def slope(log_tokens: np.ndarray) -> np.ndarray:
        return (loss(log_tokens + _STEP) - loss(log_tokens - _STEP)) / (2.0 * _STEP)

    shape = np.broadcast_shapes(constants["E"].shape, columns["bits_post"].shape)
    centre = np.full(shape, math.log(fit.reference.tokens))
    with np.errstate(over="ignore", invalid="ignore"):
        root = last_decline(slope, centre - _HALF_WIDTH, centre + _HALF_WIDTH)
    return np.where(constants["gamma_D"] > 0, np.exp(root), np.inf)


def last_decline(slope: Slope, lo: np.ndarray, hi: np.ndarray, tolerance: float = _TOLERANCE) -> np.ndarray:
    """Where a function that falls at first stops falling, by bisection, for many functions at once.

    Parameters
    ----------
    slope
        Derivative; takes and returns an array of the shape of ``lo``. NaN, beyond floating point,
        counts as falling.
    lo, hi
        Ends of the search.
    tolerance
        Largest error of the result.

    Returns
    -------
    np.ndarray
        inf where it never falls, or falls up to ``hi``.

    Examples
    --------
    >>> float(last_decline(lambda x: x - 3.0, np.array(0.0), np.array(8.0)).round(3))
    3.0
    """

    def falls(x: np.ndarray) -> np.ndarray:
        return ~(slope(x) >= -_FLAT)

    found = falls(lo) & ~falls(hi)
    for _ in range(math.ceil(math.log2(np.max(hi - lo) / tolerance))):
        middle = 0.5 * (lo + hi)
        falling = falls(middle)
        lo, hi = np.where(falling, middle, lo), np.where(falling, hi, middle)
    return np.where(found, 0.5 * (lo + hi), np.inf)
