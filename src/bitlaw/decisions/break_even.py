"""The break-even speed-up: how much faster than 16 bits an option must train to lose nothing."""

import math

import numpy as np

from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.law_draws import LawDraws
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.decisions.reoptimise import loss_along, reoptimise, resplit

_LARGEST = math.log(1e6)
"""Log of the speed-up from which none is taken to be enough."""

_TOLERANCE = 1e-4
_STEP = 1e-3
_SMALLEST, _HUGE = 1e-300, 1e300
_MOST_STEPS = 40


def break_even(law: LawDraws, whole: LawDraws, question: PrecisionQuestion) -> np.ndarray:
    """Speed-up over 16 bits from which each option pays, in each draw; shape (samples, options).

    The factor by which compute in the option must grow until it reaches the loss of 16 bits at the
    compute of the question: parameters and tokens re-optimised where both are free, else at fixed
    parameters, for more tokens. inf where a million times the compute would not do.

    Parameters
    ----------
    law
        The law at the options.
    whole
        The same draws at 16 bits alone.
    question
        What is fixed.
    """
    if question.n_params is None and law.only_shares:
        return from_shares(law, whole)
    return by_search(law, whole, question)


def from_shares(law: LawDraws, whole: LawDraws) -> np.ndarray:
    """f(16)/f(P) with f the effective share of N times that of D: what N D must grow by (arXiv 2411.04330).

    Parameters
    ----------
    law, whole
        As for ``break_even``.
    """
    of_n, of_d = law.log_shares()
    whole_n, whole_d = whole.log_shares()
    return np.exp(whole_n + whole_d - of_n - of_d)


def by_search(law: LawDraws, whole: LawDraws, question: PrecisionQuestion) -> np.ndarray:
    """The same by Newton's method on ln((L - E)/(L16 - E)) as a function of the log of the speed-up s.

    Along ln s that is convex, as it is along ln N, and at s = 1 it is not negative, so that the steps
    approach the root from the left without passing it.

    Parameters
    ----------
    law, whole, question
        As for ``break_even``.
    """
    shape = (law.samples, len(law.cost))
    if question.n_params is None:
        product = tokens_bought(question.flops or math.nan, 1.0, 1.0)
        start = reoptimise(whole, question.flops or math.nan)
        log_n, target = np.log(start.n_params), start.loss
    else:
        tokens = question.tokens or tokens_bought(question.flops or math.nan, question.n_params, 1.0)
        product = question.n_params * float(tokens)
        log_n = np.full((law.samples, 1), math.log(question.n_params))
        target = whole.loss(np.exp(log_n), np.full((law.samples, 1), float(tokens)))
    samples, options = np.indices(shape).reshape(2, -1)
    rows = law.pairs(samples, options)
    log_n, target = np.repeat(log_n, shape[1]), np.repeat(target, shape[1])
    log_s = _newton(rows, float(product), log_n, target, question.n_params is None)
    return np.where(law.no_capacity(), np.inf, np.exp(log_s).reshape(shape))


def _newton(law: LawDraws, product: float, log_n: np.ndarray, target: np.ndarray, free: bool) -> np.ndarray:
    """Log of the speed-up at which each row's loss is its target; inf where it is beyond the largest."""
    floor = law.constants["E"][:, 0]
    log_s, lo, hi = np.zeros(len(target)), np.full(len(target), -_LARGEST), np.full(len(target), np.inf)
    left = np.arange(len(target))
    for _ in range(_MOST_STEPS):
        rows, compute = law.at(left), product * np.exp(log_s[left])
        if free:
            log_n[left] = resplit(rows, compute, log_n[left])
        fewer, here, more = (
            _log_above(loss_along(rows, compute * math.exp(step))(log_n[left]), floor[left])
            for step in (-_STEP, 0.0, _STEP)
        )
        gap, slope = here - _log_above(target[left], floor[left]), (more - fewer) / (2.0 * _STEP)
        move = np.divide(-gap, slope, out=np.copysign(np.inf, gap), where=slope < 0)
        short = gap > 0
        lo[left], hi[left] = np.where(short, log_s[left], lo[left]), np.where(short, hi[left], log_s[left])
        never = short & (log_s[left] >= _LARGEST)
        log_s[left[never]] = np.inf
        going = ~never & (np.abs(move) > _TOLERANCE) & (hi[left] - lo[left] > _TOLERANCE)
        left, move = left[going], move[going]
        if not len(left):
            break
        step_to = np.minimum(log_s[left] + move, _LARGEST)
        outside = (step_to <= lo[left]) | (step_to >= hi[left])
        step_to[outside] = 0.5 * (lo[left] + hi[left])[outside]
        if free:
            log_n[left] += 0.5 * (step_to - log_s[left])
        log_s[left] = step_to
    return log_s


def _log_above(loss: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """ln(L - E), finite."""
    return np.asarray(np.log(np.clip(loss - floor, _SMALLEST, _HUGE)))
