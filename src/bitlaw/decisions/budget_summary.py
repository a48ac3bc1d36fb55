"""A budget decision from its draws: probabilities, plans, regret, the near-optimal set, ties and edges."""

from collections.abc import Sequence

import numpy as np

from bitlaw.decisions.assumed_speed import assumed_speed
from bitlaw.decisions.budget_decision import BudgetDecision, BudgetOption
from bitlaw.decisions.budget_draws import Beliefs
from bitlaw.decisions.budget_question import BudgetQuestion
from bitlaw.decisions.intervals import indistinguishable, interval_of, mean_of, monte_carlo_error
from bitlaw.decisions.logged import Diverged, logged_runs
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.precision_draws import above
from bitlaw.decisions.preference import best_of
from bitlaw.decisions.spending_plan_draws import PlanDraws
from bitlaw.decisions.winners import lowest_wins
from bitlaw.inference.fit import Fit
from bitlaw.units import LOSS_UNIT

_NEAR_SHARE = 0.01


def summarise(
    law: str,
    question: BudgetQuestion,
    offer: Sequence[OnOffer],
    beliefs: Beliefs,
    sizes: tuple[np.ndarray, np.ndarray],
    plans: PlanDraws,
    supported: np.ndarray,
    fit: Fit,
    seed: int,
    drift: bool,
) -> BudgetDecision:
    """The decision that draws of one law or several amount to, without findings, risk and the user's plans.

    Parameters
    ----------
    law
        What the draws go by.
    question, offer
        What was asked, and the options.
    beliefs
        Every draw's optimum.
    sizes, plans
        Parameters and tokens of one plan per option for all draws, and draws of its loss.
    supported
        Whether each option may be recommended, shape (options,).
    fit
        A fit to the runs that were logged.
    seed, drift
        Recorded.
    """
    competing = supported if supported.any() else np.ones(len(offer), dtype=bool)
    loss = beliefs.pool(lambda part: part.loss)
    n_params = beliefs.pool(lambda part: part.spent.n_params)
    tokens = beliefs.pool(lambda part: part.spent.tokens)
    wins = lowest_wins(loss, competing)
    best_loss = np.where(competing, loss, np.inf).min(axis=1, keepdims=True)
    regret = above(plans.law_mean, best_loss)
    chosen = np.where(competing, loss, np.inf).argmin(axis=1)[:, None]
    overall = [np.take_along_axis(sizes, chosen, axis=1)[:, 0] for sizes in (n_params, tokens)]
    logged = logged_runs(fit)
    options = tuple(
        _option(
            logged.diverged_at(item),
            logged.reach(item),
            item,
            question,
            (float(sizes[0][index]), float(sizes[1][index])),
            (n_params[:, index], tokens[:, index]),
            plans.only(slice(index, index + 1)),
            float(wins[:, index].mean()),
            regret[:, index],
            refused=not supported[index],
            drift=drift,
        )
        for index, item in enumerate(offer)
    )
    scores = [option.scores for option in options]
    best = best_of(question.preference, scores, supported)
    nearest = best_of(question.preference, scores, competing) if best is None else best
    floor = beliefs.pool(lambda part: part.law.constants["E"])[:, 0]
    near = _NEAR_SHARE * float(np.median(plans.law_mean[:, nearest or 0] - floor))
    allowed = tuple(option for option in options if not option.refused)
    return BudgetDecision(
        law=law,
        question=question,
        prob=question.prob,
        options=options,
        best=None if best is None else options[best].key,
        n_params=interval_of(overall[0], question.prob, "parameters"),
        tokens=interval_of(overall[1], question.prob, "tokens"),
        near=near,
        near_optimal=tuple(option.key for option in allowed if option.expected_regret <= near),
        ties=() if best is None else _ties(allowed, options[best], len(loss)),
        at_edge=best is None or options[best].bits in (allowed[0].bits, allowed[-1].bits),
        draws=len(loss),
        seed=seed,
        drift=drift,
    )


def _option(
    diverged: Diverged,
    measured: bool,
    item: OnOffer,
    question: BudgetQuestion,
    sizes: tuple[float, float],
    best_sizes: tuple[np.ndarray, np.ndarray],
    plan: PlanDraws,
    probability: float,
    regret: np.ndarray,
    *,
    refused: bool,
    drift: bool,
) -> BudgetOption:
    law_mean, new_run, prob = plan.law_mean[:, 0], plan.new_run[:, 0], question.prob
    return BudgetOption(
        bits=item.bits,
        format=item.format,
        cost=item.cost,
        assumed=assumed_speed(item),
        probability_best=probability,
        probability_error=monte_carlo_error(probability, len(law_mean)),
        best_n_params=interval_of(best_sizes[0], prob, "parameters"),
        best_tokens=interval_of(best_sizes[1], prob, "tokens"),
        n_params=sizes[0],
        tokens=sizes[1],
        loss=interval_of(law_mean, prob, LOSS_UNIT),
        new_run=interval_of(new_run, prob, LOSS_UNIT),
        scores=question.preference.scores(law_mean, new_run, question.target),
        expected_regret=mean_of(regret),
        regret=interval_of(regret, prob, LOSS_UNIT),
        drift=float(plan.drift.std()) if drift else None,
        diverged=diverged,
        measured=measured,
        refused=refused,
    )


def _ties(options: Sequence[BudgetOption], best: BudgetOption, samples: int) -> tuple[float | str, ...]:
    return tuple(
        option.key
        for option in options
        if option.key != best.key
        and indistinguishable(best.probability_best, option.probability_best, samples)
    )
