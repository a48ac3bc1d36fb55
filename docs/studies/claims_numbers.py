"""What each claim comes to under one law: an event, its probability over the draws, and the numbers behind it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from claims_known import Known, floating, in_bits

from bitlaw.decisions.break_even import break_even
from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.hardware import load_chip
from bitlaw.decisions.law_draws import LawDraws
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.pricing import Pricing
from bitlaw.decisions.question import TENSORS
from bitlaw.decisions.reoptimise import reoptimise
from bitlaw.errors import InputError

PROB = 0.9
TAILS = (0.5, 0.05, 0.95)
SEVEN_TO_EIGHT = (6.9, 8.5)
"""Effective bits that count as 7 to 8, scales of blocks included."""

NEAR = 0.01
WASTE = 0.1
BITS_SAVED = 4.0
LARGEST_FACTOR = 1e4
SPEED_UP = 1.19
"""MXFP8 end to end on a 70B model."""

PROPORTION, ALIKE, MEASURED = "in proportion to bits", "none faster", "8 bits 1.19x, measured"
_CHIPS = ("a100", "h100", "b200")


def interval(draws: np.ndarray) -> dict[str, float]:
    """Median and 90 % ETI; order statistics where some are infinite."""
    method = "linear" if np.isfinite(draws).all() else "nearest"
    return dict(
        zip(("median", "lo", "hi"), (float(x) for x in np.quantile(draws, TAILS, method=method)), strict=True)
    )


def row(known: Known, probability: float | None, says: Mapping[str, Any], silent: str = "") -> dict[str, Any]:
    """One row of a claim's table."""
    return {
        "law": known.law,
        "source": known.source,
        "published": known.published,
        "what": known.what,
        "probability": None if probability is None else float(probability),
        "draws": None if probability is None else int(says.get("draws", 1)),
        "silent": silent,
        "note": known.note,
        **says,
    }


def compute_optimal(known: Known) -> dict[str, Any]:
    """7 to 8 bits is compute-optimal: the best precision on offer, N and D re-optimised, is one of these."""
    if not known.bits and not any(_in_range(option.bits) for option in known.offer):
        return row(known, None, {}, "nothing of 7 or 8 bits is on offer")
    law = known.at(known.offer)
    loss = reoptimise(law, known.flops).loss
    bits = np.array([option.bits for option in known.offer])
    best = bits[loss.argmin(axis=1)]
    regret = loss - loss.min(axis=1, keepdims=True)
    reducible = np.median(loss.min(axis=1) - law.constants["E"][:, 0])
    near = bits[regret.mean(axis=0) <= NEAR * reducible]
    eight = bits == 8.0
    above = regret[:, eight][:, 0] / (loss.min(axis=1) - law.constants["E"][:, 0]) if eight.any() else None
    within = (best >= SEVEN_TO_EIGHT[0]) & (best <= SEVEN_TO_EIGHT[1])
    return row(
        known,
        within.mean(),
        {
            "draws": len(best),
            "best": interval(best),
            "near": [float(near.min()), float(near.max())] if near.size else [],
            "fewest": float(bits.min()),
            "at_edge": float((best == bits.min()).mean()),
            "below": float((best < SEVEN_TO_EIGHT[0]).mean()),
            "eight_above": None if above is None else interval(above),
        },
    )


def _in_range(bits: float) -> bool:
    return SEVEN_TO_EIGHT[0] <= bits <= SEVEN_TO_EIGHT[1]


def waste(known: Known) -> list[dict[str, Any]]:
    """16 bits wastes compute: a tenth of it or more, against the precision that reaches its loss most cheaply."""
    low = tuple(option for option in known.offer if option.bits < 16)
    question = SimpleNamespace(flops=known.flops, n_params=None, tokens=None)
    speed_up = break_even(known.at(low), known.at(known.offer[:1]), question)
    bits = np.array([option.bits for option in low])
    rows = [_wasted(known, PROPORTION, speed_up * np.array([option.cost for option in low]), bits)]
    eight = (bits >= 8.0) & (bits <= SEVEN_TO_EIGHT[1])
    if eight.any():
        rows.append(_wasted(known, MEASURED, speed_up[:, eight] / SPEED_UP, bits[eight]))
    return rows


def _wasted(known: Known, cost: str, needed: np.ndarray, bits: np.ndarray) -> dict[str, Any]:
    """From the compute that each precision needs for the loss of 16 bits, as a share of that of 16 bits."""
    saved = np.maximum(1.0 - needed.min(axis=1), 0.0)
    by = bits[needed.argmin(axis=1)]
    found = {"draws": len(saved), "cost": cost, "wasted": interval(saved), "by": interval(by)}
    return row(known, (saved >= WASTE).mean(), found)


def larger_models(known: Known) -> dict[str, Any]:
    """4 bits needs disproportionately larger models: more than four times as many parameters at the same tokens."""
    four = in_four_bits(known)
    if four is None:
        return row(known, None, {}, "nothing of 4 bits is on offer")
    at_16, at_4 = known.at(known.offer[:1]), known.at((four,))
    n_params, tokens = known.sizes
    factor = parameters_needed(at_4, at_16, n_params, tokens)
    label = four.format or "4 bits"
    own = at_4.constants.get("gamma_N_train")
    falls = {} if own is None else {"gamma_N_train": interval(own[:, 0])}
    return row(
        known,
        (factor > BITS_SAVED).mean(),
        {"draws": len(factor), "factor": interval(factor), "option": label, **falls},
    )


def in_four_bits(known: Known) -> OnOffer | None:
    """What is on offer at 4 bits."""
    return next((option for option in known.offer if 4.0 <= option.bits <= 4.5), None)


def parameters_needed(law: LawDraws, whole: LawDraws, n_params: float, tokens: float) -> np.ndarray:
    """Factor of parameters at which each draw reaches its 16-bit loss at the same tokens; inf beyond 10,000."""
    tokens_ = np.full((law.samples, 1), tokens)
    target = whole.loss(np.full((law.samples, 1), n_params), tokens_)[:, 0]

    def short(log_factor: np.ndarray) -> np.ndarray:
        return law.loss((n_params * np.exp(log_factor))[:, None], tokens_)[:, 0] > target

    lo, hi = np.zeros(law.samples), np.full(law.samples, math.log(LARGEST_FACTOR))
    never = short(hi)
    for _ in range(50):
        middle = 0.5 * (lo + hi)
        still = short(middle)
        lo, hi = np.where(still, middle, lo), np.where(still, hi, middle)
    return np.where(never, np.inf, np.exp(hi))


def fixed_size(known: Known) -> dict[str, Any]:
    """Fixed-size over-trained models want more bits: the best bits at many tokens per parameter are more."""
    if not known.bits:
        return row(known, None, {}, "only formats, no scale of bits")
    fewest = min(option.bits for option in known.offer)
    grid = tuple(at_bits(known, bits) for bits in np.arange(16.0, fewest - 0.1, -0.25))
    law = known.at(grid)
    bits = np.array([option.bits for option in grid])
    best = [bits[_at_fixed(law, known.small, ratio).argmin(axis=1)] for ratio in known.ratios]
    more = best[1] > best[0]
    return row(
        known,
        more.mean(),
        {
            "draws": len(more),
            "n_params": known.small,
            "ratios": list(known.ratios),
            "few": interval(best[0]),
            "many": interval(best[1]),
            "same": float((best[1] == best[0]).mean()),
        },
    )


def at_bits(known: Known, bits: float) -> OnOffer:
    """Any bit-width of a law that reads bits, in the tensors of what is on offer."""
    if known.law == "sun2025":
        return floating(bits)
    quantized = next(option for option in known.offer if option.bits < 16)
    columns = [name for name in TENSORS.values() if name in quantized.columns]
    return in_bits(bits, columns)


def _at_fixed(law: LawDraws, n_params: float, ratio: float) -> np.ndarray:
    """Loss of each option on the tokens that a budget buys, which buys ratio N of them at 16 bits."""
    flops = 6.0 * n_params * ratio * n_params
    sizes = np.full((law.samples, len(law.cost)), n_params)
    return law.loss(sizes, np.asarray(tokens_bought(flops, sizes, law.cost)))


def hardware(known: Known) -> dict[str, Any]:
    """Hardware turns the answer: below 16 bits is best at a cost in proportion to bits, and 16 where none is faster."""
    options = _by_hardware(known)
    if options is None:
        return row(known, None, {}, "nothing of 4 or 8 bits is on offer")
    law = known.at(tuple(options.values()))
    bits = np.array(list(options))
    best = {}
    for name, cost in cost_models(tuple(bits)).items():
        use = np.isfinite(cost)
        if use.sum() < 2:
            continue
        own = replace(law, columns={key: value[use] for key, value in law.columns.items()}, cost=cost[use])
        own = replace(
            own,
            constants={
                key: value[:, use] if value.shape[1] > 1 else value for key, value in law.constants.items()
            },
        )
        best[name] = bits[use][reoptimise(own, known.flops).loss.argmin(axis=1)]
    turned = (best[PROPORTION] < 16) & (best[ALIKE] == 16)
    table = {
        name: {"bits": _most_often(found), "share": float((found == _most_often(found)).mean())}
        for name, found in best.items()
    }
    pays = {"pays": _pays(known, options)} if 8.0 in options else {}
    return row(known, turned.mean(), {"draws": len(turned), "best": table, **pays})


def _by_hardware(known: Known) -> dict[float, OnOffer] | None:
    """16, 8, 6 and 4 bits where the law can be asked, else what is on offer at 16, 8 and 4."""
    fewest = min(option.bits for option in known.offer)
    if known.bits:
        return {bits: at_bits(known, bits) for bits in (16.0, 8.0, 6.0, 4.0) if bits >= fewest}
    found = {16.0: known.offer[0]}
    for bits in (8.0, 4.0):
        own = next((option for option in known.offer if bits <= option.bits < bits + 0.6), None)
        found |= {} if own is None else {bits: own}
    return found if len(found) > 1 else None


def _pays(known: Known, options: Mapping[float, OnOffer]) -> dict[str, Any]:
    """Break-even speed-up of 8 bits, and the probability that the measured one exceeds it."""
    question = SimpleNamespace(flops=known.flops, n_params=None, tokens=None)
    factor = break_even(known.at((options[8.0],)), known.at((options[16.0],)), question)[:, 0]
    return {"break_even": interval(factor), "at_measured": float((factor < SPEED_UP).mean())}


def _most_often(values: np.ndarray) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def cost_models(bits: Sequence[float]) -> dict[str, np.ndarray]:
    """Cost of each bit-width relative to 16, by model; inf where it is not on offer."""
    models = {
        PROPORTION: np.array(bits) / 16.0,
        ALIKE: np.ones(len(bits)),
        MEASURED: np.array([{16.0: 1.0, 8.0: 1.0 / SPEED_UP}.get(own, np.inf) for own in bits]),
    }
    return models | {name: np.array([_chip_cost(name, own) for own in bits]) for name in _CHIPS}


def _chip_cost(name: str, bits: float) -> float:
    try:
        return Pricing(load_chip(name)).cost(bits)
    except InputError:
        return math.inf
