"""The limit of finer and finer bit-widths: the continuous optimum P*, draw by draw, no option anyone runs."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bitlaw.decisions.costs import cost_in_bits, tokens_bought
from bitlaw.decisions.law_draws import LawDraws
from bitlaw.decisions.on_offer import OnOffer, knows_formats_only
from bitlaw.decisions.question import TENSORS, PrecisionQuestion
from bitlaw.decisions.reoptimise import Allocation, Function, golden_section, resplit
from bitlaw.runs.columns import UNQUANTIZED_BITS

_STEP = 0.25
_TOLERANCE = 0.002
_ROUNDS = 3


def bit_limit(
    law: LawDraws, question: PrecisionQuestion, offer: Sequence[OnOffer], spent: Allocation
) -> np.ndarray | None:
    """The continuous bit-width with the lowest loss under a cost in proportion to bits, shape (samples,).

    Between the fewest bits on offer and 16. Where precision acts by shares alone and parameters and tokens
    are free it is argmax f(P)/P (arXiv 2411.04330); else parameters and bits are searched in turn, along
    N ∝ 1/√P, from the best option on offer. None on a chip, with both sizes fixed, and where the law does
    not read bits.

    Parameters
    ----------
    law
        The law at the options, and their draws.
    question, offer
        What was asked, and the options.
    spent
        How the budget is best spent at the options.
    """
    columns = [TENSORS[name] for name in question.tensors if TENSORS[name] in law.law.training_columns]
    joint = [index for index, option in enumerate(offer) if option.format is None]
    lowest = min((offer[index].bits for index in joint), default=UNQUANTIZED_BITS)
    if (
        question.flops is None
        or question.pricing.chip is not None
        or not columns
        or lowest >= UNQUANTIZED_BITS
        or knows_formats_only(law.law)
    ):
        return None
    least = next(index for index in joint if offer[index].bits == lowest)
    draws = np.arange(law.samples)
    rows = law.pairs(draws, np.full(law.samples, least))
    if law.only_shares and question.n_params is None:
        return _by_shares(rows, columns, lowest)
    nearest = np.array(joint)[np.nan_to_num(spent.loss[:, joint], nan=np.inf).argmin(axis=1)]
    start = np.log(spent.n_params[draws, nearest]), np.array([offer[index].bits for index in nearest])
    known = np.flatnonzero(np.isfinite(start[0]))
    found = np.full(law.samples, math.nan)
    found[known] = _by_search(rows.at(known), columns, question, start[0][known], start[1][known], lowest)
    return found


def _at_bits(rows: LawDraws, columns: Sequence[str], bits: np.ndarray) -> LawDraws:
    """The rows at other bits, shape (rows, points)."""
    return replace(
        rows, columns={**rows.columns, **dict.fromkeys(columns, bits)}, cost=np.asarray(cost_in_bits(bits))
    )


def _grid(lowest: float) -> np.ndarray:
    return np.linspace(lowest, UNQUANTIZED_BITS, 1 + math.ceil((UNQUANTIZED_BITS - lowest) / _STEP))


def _by_shares(rows: LawDraws, columns: Sequence[str], lowest: float) -> np.ndarray:
    def dear(bits: np.ndarray) -> np.ndarray:
        points = bits if bits.ndim == 2 else bits[:, None]
        of_n, of_d = _at_bits(rows, columns, points).log_shares()
        return (np.log(points) - of_n - of_d).reshape(bits.shape)

    grid = _grid(lowest)
    around = grid[dear(np.tile(grid, (rows.samples, 1))).argmin(axis=1)]
    return _refined(dear, around, lowest)


def _by_search(
    rows: LawDraws,
    columns: Sequence[str],
    question: PrecisionQuestion,
    log_n: np.ndarray,
    bits: np.ndarray,
    lowest: float,
) -> np.ndarray:
    flops, free = question.flops or math.nan, question.n_params is None
    product = float(tokens_bought(flops, 1.0, 1.0))

    def loss(values: np.ndarray) -> np.ndarray:
        points = values if values.ndim == 2 else values[:, None]
        own = log_n[:, None] + (0.5 * np.log(bits[:, None] / points) if free else 0.0)
        n_params = np.exp(own)
        tokens = product / (n_params * np.asarray(cost_in_bits(points)))
        return _at_bits(rows, columns, points).loss(n_params, tokens).reshape(values.shape)

    grid = _grid(lowest)
    found = grid[loss(np.tile(grid, (rows.samples, 1))).argmin(axis=1)]
    for _ in range(_ROUNDS):
        found = _refined(loss, found, lowest)
        if not free:
            break
        log_n, bits = log_n + 0.5 * np.log(bits / found), found
        there = _at_bits(rows, columns, found[:, None])
        log_n = resplit(there, product / np.asarray(cost_in_bits(found)), log_n)
    return found


def _refined(function: Function, around: np.ndarray, lowest: float) -> np.ndarray:
    lo = np.maximum(around - _STEP, lowest)
    hi = np.minimum(around + _STEP, UNQUANTIZED_BITS)
    return golden_section(function, lo, hi, _TOLERANCE)[0]
