"""Parameters and tokens chosen anew for each precision: the compute-optimal split, draw by draw."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.law_draws import LawDraws

_DECADE = math.log(10.0)
_HALF_WIDTH = 12 * _DECADE
_STEP = _DECADE
_NEAR = 1.0
_NEAR_TOLERANCE = 0.01
"""In ln N; the loss is flat at its minimum, so that what depends on it moves by less than 1 in 10,000."""

_TOLERANCE = 1e-4
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_MOST_MOVES = 20
_LARGEST_BLOCK = 4096
"""Draws and options at a time: 25 points of each, in temporaries that stay in a processor's cache."""

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Allocation:
    """How a budget is best spent, arrays of shape (samples, options).

    Parameters
    ----------
    n_params, tokens
        Optimal parameters and tokens; NaN where a draw leaves no capacity at these bits, so that
        no split is better than another.
    loss
        The law's mean loss there, nats/token.
    """

    n_params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray


def reoptimise(law: LawDraws, flops: float) -> Allocation:
    """The split of a budget 6 N D into parameters and tokens with the lowest loss.

    Every draw and option is searched on its own, along ln N at fixed cost: whole decades over a
    window of 24 around the fitted runs' ratio of tokens to parameters, moved on where the
    lowest point is an end of it, then golden section until the minimum is known to 0.01 %. There is
    one minimum: along ln N bases and penalties are exponentials, their sums and powers of these, so
    that ln(L - E) is convex, and ln(H - L) concave where the vocabulary bounds a penalty.

    Parameters
    ----------
    law
        The law, its draws and the options.
    flops
        Budget, FLOP at 16 bits.
    """
    shape = (law.samples, len(law.cost))
    samples, options = np.indices(shape).reshape(2, -1)
    blocks = [
        _search(law.pairs(samples[rows], options[rows]), flops)
        for rows in (slice(start, start + _LARGEST_BLOCK) for start in range(0, len(samples), _LARGEST_BLOCK))
    ]
    log_n, loss = (np.concatenate(values).reshape(shape) for values in zip(*blocks, strict=True))
    n_params = np.where(law.no_capacity(), np.nan, np.exp(log_n))
    return Allocation(n_params, np.asarray(tokens_bought(flops, n_params, law.cost)), loss)


def reallocate(law: LawDraws, flops: float, near: np.ndarray) -> Allocation:
    """The same split, searched from near it.

    Parameters
    ----------
    law
        The law, its draws and the options.
    flops
        Budget, FLOP at 16 bits.
    near
        Parameters to search from, shape (samples, options); NaN where there is no capacity.
    """
    n_params, loss = np.full(near.shape, np.nan), np.full(near.shape, np.inf)
    samples, options = np.nonzero(np.isfinite(near))
    for start in range(0, len(samples), _LARGEST_BLOCK):
        block = slice(start, start + _LARGEST_BLOCK)
        where = samples[block], options[block]
        rows = law.pairs(*where)
        product = np.asarray(tokens_bought(flops, 1.0, rows.cost[:, 0]))
        log_n = resplit(rows, product, np.log(near[where]))
        n_params[where], loss[where] = np.exp(log_n), loss_along(rows, product)(log_n)
    nothing = np.isnan(near)
    if nothing.any():  # no capacity: the loss is the same wherever the budget goes
        anywhere = law.reference.n_params
        tokens = np.asarray(tokens_bought(flops, anywhere, law.cost))
        loss = np.where(nothing, law.loss(np.full(near.shape, anywhere), tokens), loss)
    return Allocation(n_params, np.asarray(tokens_bought(flops, n_params, law.cost)), loss)


def resplit(law: LawDraws, product: np.ndarray, log_n: np.ndarray) -> np.ndarray:
    """Ln N of the lowest loss of each row at a product N D, searched from near it.

    Parameters
    ----------
    law
        Rows, as ``LawDraws.pairs`` makes them.
    product, log_n
        N D of each row, and ln N to start from, shape (rows,).
    """
    log_n, left = log_n.copy(), np.arange(len(log_n))
    for _ in range(_MOST_MOVES):
        guess = log_n[left]
        along = loss_along(law.at(left), product[left])
        log_n[left] = golden_section(along, guess - _NEAR, guess + _NEAR, _NEAR_TOLERANCE)[0]
        left = left[np.abs(log_n[left] - guess) > _NEAR - 2.0 * _NEAR_TOLERANCE]
        if not len(left):
            break
    return log_n


def _search(law: LawDraws, flops: float) -> tuple[np.ndarray, np.ndarray]:
    """Ln N and loss at the optimum of each row, a draw at one option."""
    reference = law.reference
    affordable = np.asarray(tokens_bought(flops, 1.0, law.cost[:, 0]))
    middle = 0.5 * np.log(affordable * reference.n_params / reference.tokens)
    log_n = np.empty(law.samples)
    left = np.arange(law.samples)
    offsets = np.arange(-_HALF_WIDTH, _HALF_WIDTH + _STEP / 2, _STEP)
    for _ in range(_MOST_MOVES):
        loss = loss_along(law.at(left), affordable[left])(middle[:, None] + offsets)
        lowest = loss.argmin(axis=1)
        log_n[left] = middle + offsets[lowest]
        at_end = (lowest == 0) | (lowest == len(offsets) - 1)
        left, middle = left[at_end], log_n[left[at_end]]
        if not len(left):
            break
    return golden_section(loss_along(law, affordable), log_n - _STEP, log_n + _STEP)


def loss_along(law: LawDraws, product: np.ndarray) -> Function:
    """The loss along ln N at a fixed product N D of each row; takes shape (rows,) or (rows, points)."""

    def loss(log_n: np.ndarray) -> np.ndarray:
        n_params = np.exp(log_n if log_n.ndim == 2 else log_n[:, None])
        return law.loss(n_params, product[:, None] / n_params).reshape(log_n.shape)

    return loss


def golden_section(
    function: Function, lo: np.ndarray, hi: np.ndarray, tolerance: float = _TOLERANCE
) -> tuple[np.ndarray, np.ndarray]:
    """Minimum of a unimodal function inside a bracket, for many brackets of one width at once.

    Parameters
    ----------
    function
        Takes and returns an array of the brackets' shape.
    lo, hi
        Ends of the brackets.
    tolerance
        Largest distance to the minimum.

    Returns
    -------
    tuple of np.ndarray
        Where the minimum is, and the function's value there.

    Examples
    --------
    >>> x, value = golden_section(lambda x: (x - 0.3) ** 2, np.array([-1.0]), np.array([1.0]))
    >>> bool(abs(x[0] - 0.3) < 1e-4)
    True
    """
    inner_lo, inner_hi = hi - _GOLDEN * (hi - lo), lo + _GOLDEN * (hi - lo)
    f_lo, f_hi = function(inner_lo), function(inner_hi)
    for _ in range(math.ceil(math.log(tolerance / np.max(hi - lo)) / math.log(_GOLDEN))):
        left = f_lo <= f_hi
        lo, hi = np.where(left, lo, inner_lo), np.where(left, inner_hi, hi)
        kept, f_kept = np.where(left, inner_lo, inner_hi), np.where(left, f_lo, f_hi)
        new = np.where(left, hi - _GOLDEN * (hi - lo), lo + _GOLDEN * (hi - lo))
        f_new = function(new)
        inner_lo, inner_hi = np.where(left, new, kept), np.where(left, kept, new)
        f_lo, f_hi = np.where(left, f_new, f_kept), np.where(left, f_kept, f_new)
    return np.where(f_lo <= f_hi, inner_lo, inner_hi), np.minimum(f_lo, f_hi)
