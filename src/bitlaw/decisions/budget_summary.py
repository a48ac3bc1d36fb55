"""A budget decision from its draws: probabilities, plans, regret, the near-optimal set, ties and edges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.budget_decision import BudgetDecision, BudgetOption
from bitlaw.decisions.budget_draws import Beliefs
from bitlaw.decisions.budget_question import BudgetQuestion
from bitlaw.decisions.intervals import indistinguishable, interval_of, mean_of, monte_carlo_error
from bitlaw.decisions.logged import LoggedRuns, logged_runs
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.precision_draws import above
from bitlaw.decisions.preference import best_of
from bitlaw.decisions.winners import lowest_wins
from bitlaw.inference.fit import Fit
from bitlaw.units import LOSS_UNIT

_NEAR_SHARE = 0.01


@dataclass(frozen=True)
class PlanDraws:
    """The plan made of every option, and draws of its loss.

    Parameters
    ----------
    n_params, tokens
        Its sizes, shape (options,).
    law_mean, new_run
        The law's mean loss, with structural error where that is asked for, and that of a new run, nats/token,
        shape (samples, options).
    drift
        What structural error adds to the log loss, the same shape; None where it is left out.
    """

    n_params: np.ndarray
    tokens: np.ndarray
    law_mean: np.ndarray
    new_run: np.ndarray
    drift: np.ndarray | None


def summarise(
    law: str,
    question: BudgetQuestion,
    offer: Sequence[OnOffer],
    beliefs: Beliefs,
    plans: PlanDraws,
    supported: np.ndarray,
    fit: Fit,
    seed: int,
) -> BudgetDecision:
    """The decision that draws of one law or several amount to, without findings, risk and the user's plans.

    Parameters
    ----------
    law
        What the draws go by.
    question, offer
        What was asked, and the options.
    beliefs, plans
        Every draw's optimum, and one plan per option for all draws.
    supported
        Whether each option may be recommended, shape (options,).
    fit
        A fit to the runs that were logged.
    seed
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
            logged, item, question, index, plans, (n_params, tokens), wins, regret, bool(supported[index])
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
        drift=plans.drift is not None,
    )


def _option(
    logged: LoggedRuns,
    item: OnOffer,
    question: BudgetQuestion,
    index: int,
    plans: PlanDraws,
    sizes: tuple[np.ndarray, np.ndarray],
    wins: np.ndarray,
    regret: np.ndarray,
    supported: bool,
) -> BudgetOption:
    prob, probability = question.prob, float(wins[:, index].mean())
    law_mean, new_run = plans.law_mean[:, index], plans.new_run[:, index]
    return BudgetOption(
        bits=item.bits,
        format=item.format,
        cost=item.cost,
        probability_best=probability,
        probability_error=monte_carlo_error(probability, len(law_mean)),
        best_n_params=interval_of(sizes[0][:, index], prob, "parameters"),
        best_tokens=interval_of(sizes[1][:, index], prob, "tokens"),
        n_params=float(plans.n_params[index]),
        tokens=float(plans.tokens[index]),
        loss=interval_of(law_mean, prob, LOSS_UNIT),
        new_run=interval_of(new_run, prob, LOSS_UNIT),
        scores=question.preference.scores(law_mean, new_run, question.target),
        expected_regret=mean_of(regret[:, index]),
        regret=interval_of(regret[:, index], prob, LOSS_UNIT),
        drift=None if plans.drift is None else float(plans.drift[:, index].std()),
        diverged=logged.diverged_at(item),
        measured=logged.reach(item),
        refused=not supported,
    )


def _ties(options: Sequence[BudgetOption], best: BudgetOption, samples: int) -> tuple[float | str, ...]:
    return tuple(
        option.key
        for option in options
        if option.key != best.key
        and indistinguishable(best.probability_best, option.probability_best, samples)
    )
