"""Parameters and tokens chosen anew for each precision: the compute-optimal split, draw by draw."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.law_draws import LawDraws

_DECADE = math.log(10.0)
_HALF_WIDTH = 12 * _DECADE
_STEP = 2 * _DECADE
_CLOSE = 0.02
"""How close golden section comes to the minimum, in ln N, before a parabola takes over."""

_NEAR = 1.0
_NEAR_TOLERANCE = 0.01
"""In ln N; the loss is flat at its minimum, so that what depends on it moves by less than 1 in 10,000."""

_TOLERANCE = 1e-4
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_MOST_MOVES = 20
_LARGEST_BLOCK = 4096
"""Draws and options at a time: 13 points of each, in temporaries that stay in a processor's cache."""

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


def reoptimise(law: LawDraws, flops: float, served: np.ndarray | float = 0.0) -> Allocation:
    """The split of a budget into parameters and tokens with the lowest loss.

    The budget pays for training, 6 N D at the option's cost, and for serving where that is asked for
    (arXiv 2401.00448). Every draw and option is searched on its own, at fixed cost, along
    x = ln(C / (6 c D)): ln N where nothing is served. Points two decades apart over a window of 24 around
    the fitted runs' ratio of tokens to parameters, moved on where the lowest is an end of it; golden section
    until the minimum is known to 2 %; then the vertex of a parabola, which knows it to better than .1 %.
    There is one minimum: along x bases and penalties are exponentials, or powers of sums of these that fall
    with x, so that ln(L - E) is convex, and ln(H - L) concave where the vocabulary bounds a penalty. (With
    serving, a penalty that grows with parameters is no such power; the lowest point of the window leads.)

    Parameters
    ----------
    law
        The law, its draws and the options.
    flops
        Budget, FLOP at 16 bits.
    served
        What serving the model over its lifetime costs per parameter, FLOP at 16 bits, shape (options,) or
        one for all.
    """
    shape = (law.samples, len(law.cost))
    samples, options = np.indices(shape).reshape(2, -1)
    served = np.broadcast_to(np.asarray(served, dtype=np.float64), law.cost.shape)
    blocks = [
        _search(law.pairs(samples[rows], options[rows]), flops, served[options[rows]])
        for rows in (slice(start, start + _LARGEST_BLOCK) for start in range(0, len(samples), _LARGEST_BLOCK))
    ]
    at, loss = (np.concatenate(values).reshape(shape) for values in zip(*blocks, strict=True))
    n_params, tokens = sizes_at(np.where(law.no_capacity(), np.nan, at), *purse(law, flops, served))
    return Allocation(n_params, tokens, loss)


def purse(law: LawDraws, flops: float, served: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """What a budget buys in each option, as the product N (D + D_served) of ``sizes_at``, and D_served.

    Parameters
    ----------
    law, flops, served
        As for ``reoptimise``.
    """
    return np.asarray(tokens_bought(flops, 1.0, law.cost)), np.asarray(tokens_bought(served, 1.0, law.cost))


def sizes_at(
    at: np.ndarray, product: np.ndarray | float, served: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and tokens at x = ln(product/D) on the line of one cost, N (D + D_served) = product.

    Serving costs what training on D_served more tokens would. Along x both sizes are positive whatever is
    served, where along ln N tokens would run out.

    Parameters
    ----------
    at
        x.
    product, served
        N (D + D_served), and D_served; arrays that broadcast with ``at``.

    Examples
    --------
    >>> n_params, tokens = sizes_at(np.log(np.array([1e9])), 2e19, 2e10)
    >>> n_params.round().tolist(), tokens.round().tolist()
    ([500000000.0], [20000000000.0])
    """
    tokens = product * np.exp(-at)
    return product / (tokens + served), tokens


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


def _search(law: LawDraws, flops: float, served: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the optimum of each row, a draw at one option, is in the coordinate of ``sizes_at``; its loss."""
    reference = law.reference
    product, kept = purse(law, flops, served[:, None])
    product, kept = product[:, 0], kept[:, 0]
    middle = 0.5 * np.log(product * reference.n_params / reference.tokens)
    at = np.empty(law.samples)
    left = np.arange(law.samples)
    offsets = np.arange(-_HALF_WIDTH, _HALF_WIDTH + _STEP / 2, _STEP)
    for _ in range(_MOST_MOVES):
        loss = loss_along(law.at(left), product[left], kept[left])(middle[:, None] + offsets)
        lowest = loss.argmin(axis=1)
        at[left] = middle + offsets[lowest]
        at_end = (lowest == 0) | (lowest == len(offsets) - 1)
        left, middle = left[at_end], at[left[at_end]]
        if not len(left):
            break
    along = loss_along(law, product, kept)
    return _vertex(along, *golden_section(along, at - _STEP, at + _STEP, _CLOSE))


def _vertex(function: Function, at: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The minimum by the parabola through three points around one that is near it, and the value there."""
    before, after = function(at - _CLOSE), function(at + _CLOSE)
    slope, curvature = after - before, before - 2.0 * here + after
    bent = np.isfinite(slope) & np.isfinite(curvature) & (curvature > 0)
    step = np.divide(-0.5 * _CLOSE * slope, curvature, out=np.zeros_like(at), where=bent)
    moved = at + np.clip(step, -_CLOSE, _CLOSE)
    there = function(moved)
    return np.where(there <= here, moved, at), np.minimum(there, here)


def loss_along(law: LawDraws, product: np.ndarray, served: np.ndarray | float = 0.0) -> Function:
    """The loss of each row along the coordinate of ``sizes_at``; takes shape (rows,) or (rows, points).

    Parameters
    ----------
    law
        Rows that ``LawDraws.pairs`` made.
    product, served
        As for ``sizes_at``, shape (rows,).
    """
    columns = [np.broadcast_to(part, product.shape)[:, None] for part in (product, served)]

    def loss(at: np.ndarray) -> np.ndarray:
        return law.loss(*sizes_at(at if at.ndim == 2 else at[:, None], *columns)).reshape(at.shape)

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
