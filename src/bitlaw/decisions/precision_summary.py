"""A precision decision from its draws: probabilities, regret, the near-optimal set, ties and edges."""

import math
from dataclasses import replace

import numpy as np

from bitlaw.decisions.assumed_speed import assumed_speed
from bitlaw.decisions.cost_models import other_costs
from bitlaw.decisions.costs import money, training_flop
from bitlaw.decisions.intervals import indistinguishable, interval_of, mean_of, monte_carlo_error
from bitlaw.decisions.logged import LoggedRuns, logged_runs
from bitlaw.decisions.on_offer import Key, OnOffer, key_text
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_draws import PrecisionDraws, above
from bitlaw.decisions.precision_option import PrecisionOption
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT

REQUIRED_PROBABILITY = 0.9
"""Probability of being within tolerance that is asked where parameters and tokens are fixed."""

_NEAR_SHARE = 0.01


def summarise(
    law: str,
    question: PrecisionQuestion,
    offer: tuple[OnOffer, ...],
    draws: PrecisionDraws,
    supported: np.ndarray,
    fit: Fit,
    seed: int,
) -> PrecisionDecision:
    """The decision that draws of one law or several amount to, without findings.

    Parameters
    ----------
    law
        What the draws go by.
    question, offer
        What was asked, and the options.
    draws
        The draws.
    supported
        Whether each option may be recommended, shape (options,). Only these compete; an option that may
        not is told by how it would do against them.
    fit
        A fit to the runs that were logged.
    seed
        Recorded.
    """
    competing = supported if supported.any() else np.ones(len(offer), dtype=bool)
    regret = above(draws.loss, draws.loss[:, competing].min(axis=1, keepdims=True))
    wins = _wins(draws, np.array([option.cost for option in offer]), competing)
    logged = logged_runs(fit)
    options = tuple(
        _option(logged, item, question, draws, regret, wins, index, bool(supported[index]))
        for index, item in enumerate(offer)
    )
    allowed = tuple(option for option in options if not option.refused)
    best = _best(allowed)
    lowest = int(np.argmin(np.where(competing, [option.expected_regret for option in options], np.inf)))
    near = _near(draws, question, lowest)
    return PrecisionDecision(
        law=law,
        question=question,
        prob=question.prob,
        options=options,
        best=best,
        near=near,
        near_compute=_compute_worth(draws.gain[:, lowest], near),
        near_optimal=tuple(option.key for option in allowed if option.expected_regret <= near),
        ties=_ties(allowed, best, draws.samples),
        at_edge=_at_edge(question, allowed, best),
        confidence=REQUIRED_PROBABILITY,
        draws=draws.samples,
        seed=seed,
        drift=draws.drift is not None,
        under_costs=_under_costs(question, offer, draws, options),
        limit=None if draws.bit_limit is None else interval_of(draws.bit_limit, question.prob, "bits"),
    )


def _under_costs(
    question: PrecisionQuestion,
    offer: tuple[OnOffer, ...],
    draws: PrecisionDraws,
    options: tuple[PrecisionOption, ...],
) -> dict[str, str]:
    """The answer under other cost models, by the model."""
    allowed = np.array([not option.refused for option in options])
    if not allowed.any() or (draws.loss_under is None and not question.sizes_fixed):
        return {}
    answers = {}
    for index, (model, cost) in enumerate(other_costs(question, offer).items()):
        loss = draws.loss if draws.loss_under is None else draws.loss_under[..., index]
        regret = above(loss, loss[:, allowed].min(axis=1, keepdims=True))
        again = tuple(
            replace(option, cost=float(cost[place]), expected_regret=mean_of(regret[:, place]))
            for place, option in enumerate(options)
            if allowed[place]
        )
        best = _best(again)
        answers[model] = "none on offer" if best is None else key_text(best)
    return answers


def _wins(draws: PrecisionDraws, cost: np.ndarray, competing: np.ndarray) -> np.ndarray:
    """Which option wins each draw, shape (samples, options); none where none is within tolerance.

    An option that does not compete wins where it would beat all those that do.
    """
    wins = _winners(draws, cost, competing)
    for index in np.flatnonzero(~competing):
        with_it = competing | (np.arange(len(cost)) == index)
        wins[:, index] = _winners(draws, cost, with_it)[:, index]
    return wins


def _winners(draws: PrecisionDraws, cost: np.ndarray, competing: np.ndarray) -> np.ndarray:
    loss, options = np.where(competing, draws.loss, np.inf), np.arange(len(cost))
    if draws.within is None:
        return (loss.argmin(axis=1)[:, None] == options) & competing
    within = draws.within & competing
    paid = np.where(within, cost, np.inf)
    cheapest = within & (paid == paid.min(axis=1, keepdims=True))
    best = np.where(cheapest, loss, np.inf).argmin(axis=1)
    return (best[:, None] == options) & cheapest


def _option(
    logged: LoggedRuns,
    item: OnOffer,
    question: PrecisionQuestion,
    draws: PrecisionDraws,
    regret: np.ndarray,
    wins: np.ndarray,
    index: int,
    supported: bool,
) -> PrecisionOption:
    prob, within = question.prob, draws.within
    probability = float(wins[:, index].mean())
    hours, price = _hours(question, item), question.pricing.price
    pays = (
        None if item.bits >= UNQUANTIZED_BITS else float((draws.break_even[:, index] < 1 / item.cost).mean())
    )
    return PrecisionOption(
        bits=item.bits,
        format=item.format,
        cost=item.cost,
        runs_in=item.runs_in,
        speed_measured=item.speed_measured,
        assumed=assumed_speed(item),
        probability_best=probability,
        probability_error=monte_carlo_error(probability, draws.samples),
        probability_within=None if within is None else float(within[:, index].mean()),
        expected_regret=mean_of(regret[:, index]),
        loss=interval_of(draws.loss[:, index], prob, LOSS_UNIT),
        n_params=interval_of(draws.n_params[:, index], prob, "parameters"),
        tokens=interval_of(draws.tokens[:, index], prob, "tokens"),
        break_even=interval_of(draws.break_even[:, index], prob, "x"),
        probability_pays=pays,
        gpu_hours=hours,
        money=None if hours is None or price is None else float(money(hours, price)),
        wall_clock=question.pricing.wall_clock(hours),
        saved=1.0 - item.cost if question.sizes_fixed else None,
        probability_no_capacity=float(draws.no_capacity[:, index].mean()),
        diverged=logged.diverged_at(item),
        measured=logged.reach(item),
        drift=None if draws.drift is None else float(draws.drift[:, index].std()),
        refused=not supported,
    )


def _hours(question: PrecisionQuestion, item: OnOffer) -> float | None:
    """GPU-hours that training takes: those of the budget, or of parameters and tokens in this precision."""
    if question.flops is not None:
        return question.pricing.gpu_hours(question.flops)
    flop = float(training_flop(question.n_params or math.nan, question.tokens or math.nan))
    return question.pricing.gpu_hours(flop * item.cost)


def _best(options: tuple[PrecisionOption, ...]) -> Key | None:
    if not options:
        return None
    if options[0].probability_within is None:
        return min(options, key=lambda option: option.expected_regret).key
    fit_for_use = [option for option in options if (option.probability_within or 0.0) >= REQUIRED_PROBABILITY]
    cheapest = min(fit_for_use, key=lambda option: (option.cost, option.expected_regret), default=None)
    return None if cheapest is None else cheapest.key


def _near(draws: PrecisionDraws, question: PrecisionQuestion, lowest: int) -> float:
    if question.near is not None:
        return question.near
    if question.sizes_fixed:
        return question.tolerance
    return _NEAR_SHARE * float(np.median(draws.loss[:, lowest] - draws.floor[:, 0]))


def _compute_worth(gain: np.ndarray, near: float) -> float:
    """Share by which compute must grow to lower the best option's loss by ``near``, at the median draw."""
    slope = float(np.median(gain))
    with np.errstate(over="ignore"):
        return float(np.expm1(near / slope)) if slope > 0 else np.inf


def _ties(options: tuple[PrecisionOption, ...], best: Key | None, samples: int) -> tuple[Key, ...]:
    if best is None:
        return ()
    leader = next(option.probability_best for option in options if option.key == best)
    return tuple(
        option.key
        for option in options
        if option.key != best and indistinguishable(leader, option.probability_best, samples)
    )


def _at_edge(question: PrecisionQuestion, options: tuple[PrecisionOption, ...], best: Key | None) -> bool:
    if best is None:
        return True
    bits = next(option.bits for option in options if option.key == best)
    if question.sizes_fixed and bits >= UNQUANTIZED_BITS:
        return False
    return bits in (options[0].bits, options[-1].bits)
