"""How a training budget is best spent: parameters, tokens and precision, and what that buys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.beyond import distances
from bitlaw.decisions.budget_decision import BudgetDecision, MoreBudget
from bitlaw.decisions.budget_draws import Beliefs, BudgetDraws, budget_draws, plan_sizes
from bitlaw.decisions.budget_question import BudgetQuestion, target_of
from bitlaw.decisions.budget_summary import summarise
from bitlaw.decisions.caveats import caveats, guessing, one_law_finding
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.hardware_findings import hardware_findings
from bitlaw.decisions.intervals import interval_of
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import OnOffer, on_offer
from bitlaw.decisions.optimum import precision_question
from bitlaw.decisions.pooling import pooled
from bitlaw.decisions.precision_draws import above
from bitlaw.decisions.preference import Preference, best_of, read_preference
from bitlaw.decisions.risk import refusal
from bitlaw.decisions.spending import Price
from bitlaw.decisions.spending_plan_draws import plan_draws, plan_risks, pooled_plans
from bitlaw.decisions.spending_plans import Candidates, assess_plans, read_candidates
from bitlaw.decisions.stacked import weights_apart
from bitlaw.decisions.support import supported_at
from bitlaw.errors import InputError
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.units import LOSS_UNIT

MORE = 2.0
"""How many times the budget it is also said what that would buy."""


@dataclass(frozen=True)
class Case:
    """A budget question with everything it is about.

    Parameters
    ----------
    question, offer
        What is asked, and the options.
    candidates
        The user's plans; None without any.
    seed
        Seed of effects and noise.
    drift
        Include the law's structural error beyond the data.
    """

    question: BudgetQuestion
    offer: tuple[OnOffer, ...]
    candidates: Candidates | None
    seed: int
    drift: bool


def budget(
    fit: Fit,
    *,
    flops: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
    plans: pd.DataFrame | None = None,
    lifetime_tokens: float = 0.0,
    serving_bits: float | None = None,
    prefer: str | Preference = "mean",
    bits: Sequence[float] | None = None,
    formats: Sequence[str] | None = None,
    group_size: float | None = None,
    tensors: Sequence[str] | None = None,
    prob: float = 0.9,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> BudgetDecision:
    """Decide how to spend a budget: one plan of parameters, tokens and precision, with what it buys.

    Every draw has its own optimum; the plan is one for all of them, the one the preference likes best, and
    is judged at its fixed sizes over all draws. The user's plans are judged the same way.

    Parameters
    ----------
    fit
        The fit; of a law without a term for training precision, parameters and tokens at 16 bits are
        decided.
    flops, gpu_hours, money
        The budget, in one of them: FLOP at 16 bits, hours of one chip, money for such hours.
    hardware, speeds, price, gpus
        As for ``optimum``: a FLOP costs in proportion to its bits (arXiv 2411.04330), or what a chip takes.
    plans
        Plans to compare, one row each, canonical run-table columns as from ``points_frame``; a column
        ``name``, or ``run_id``, says what they are called.
    lifetime_tokens
        Tokens served over the model's lifetime, at 2 N FLOP each, out of the same budget (arXiv 2401.00448).
    serving_bits
        Bits that serving is priced at; by default serving costs what training does in the same precision. The
        loss is that of the model as trained: what quantizing it for serving costs, ``ptq`` says.
    prefer
        ``mean``, the lowest expected loss of the law's mean; ``quantile:0.9``, the lowest quantile of a new
        run's loss; ``target:2.5``, the highest probability that a new run's loss is at most that. It decides
        between sizes, options and plans. Sizes are chosen by the law's mean without structural error.
    bits, formats, group_size, tensors, prob, group
        As for ``optimum``.
    seed
        Seed of effects and noise of new runs; by default the fit's. All plans share them.
    drift
        Include the law's structural error beyond the data in losses, regret and probabilities.

    Raises
    ------
    InputError
        For a budget in none or several units, or that does not train one parameter on one token; an unknown
        preference; plans or options that the law has no term for; a law of degradations alone; and as for
        ``optimum``.
    """
    case = budget_case(
        (fit,),
        flops=flops,
        gpu_hours=gpu_hours,
        money=money,
        hardware=hardware,
        speeds=speeds,
        price=price,
        gpus=gpus,
        plans=plans,
        lifetime_tokens=lifetime_tokens,
        serving_bits=serving_bits,
        prefer=prefer,
        bits=bits,
        formats=formats,
        group_size=group_size,
        tensors=tensors,
        prob=prob,
        group=group,
        seed=seed,
        drift=drift,
    )
    posterior, prior = (budget_draws(fit, case.question, case.offer, under, drift) for under in (False, True))
    decision = decide_alone(fit, case, posterior, prior)
    return replace(decision, findings=(*decision.findings, one_law_finding()))


def budget_case(
    fits: Sequence[Fit],
    *,
    plans: pd.DataFrame | None = None,
    lifetime_tokens: float = 0.0,
    serving_bits: float | None = None,
    prefer: str | Preference = "mean",
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
    **options: Any,
) -> Case:
    """The question to put to fits of the same rows, with what is on offer; arguments as for ``budget``."""
    if all(options.get(name) is None for name in ("flops", "gpu_hours", "money")):
        raise InputError("no budget is given; valid: one of flops, gpu_hours and money")
    preference = read_preference(prefer)
    precision = precision_question(fits, group=group, needs_term=False, **options)
    group_columns(fits[0], group)
    question = BudgetQuestion(
        precision, preference, target_of(fits, preference, group), lifetime_tokens, serving_bits
    )
    offer = on_offer(precision, fits)
    return Case(
        question,
        offer,
        None if plans is None else read_candidates(fits, plans, question, offer),
        fits[0].provenance.seed if seed is None else seed,
        drift,
    )


def decide_alone(fit: Fit, case: Case, posterior: BudgetDraws, prior: BudgetDraws) -> BudgetDecision:
    """The decision under one law, with its risk, what criticism found, and under its prior."""
    weights = np.ones(1)
    decision = decide(
        fit.law.name, (fit,), weights, case, Beliefs((posterior,), weights), Beliefs((prior,), weights)
    )
    shown = _leader(decision)
    option = decision.options[shown]
    point = points_of(
        [case.offer[shown]], [option.n_params], [option.tokens], group_columns(fit, case.question.group)
    )
    lowest = min(option.loss.median for option in decision.options)
    found = caveats(fit, point) + guessing(fit, case.question.group, lowest, "budget")
    found += hardware_findings(case.question.precision, case.offer)
    return replace(decision, findings=(*found, *decision.findings))


def decide(
    law: str,
    fits: Sequence[Fit],
    weights: np.ndarray,
    case: Case,
    posterior: Beliefs,
    prior: Beliefs,
    otherwise: float | None = None,
) -> BudgetDecision:
    """The decision of one law, or of the stack of several, with its risk; of findings only a refusal.

    Parameters
    ----------
    law
        What the draws go by.
    fits, weights
        One fit per law, and the laws' weights.
    case
        The question.
    posterior, prior
        Draws of each law's optimum.
    otherwise
        Weight of the laws that recommend another precision than the one with the most; None of one law.
    """
    question, offer, preference = case.question, case.offer, case.question.preference
    columns, count = group_columns(fits[0], question.group), len(offer)
    sizes = plan_sizes(posterior, question.flops, preference)
    points = options = points_of(offer, sizes[0].tolist(), sizes[1].tolist(), columns)
    if case.candidates is not None:
        points = pd.concat([options, case.candidates.points], ignore_index=True)
    by_law = [plan_draws(fit, points, case.seed, case.drift) for fit in fits]
    drawn = pooled_plans(by_law, weights)
    supported = supported_at(fits, offer, options)
    own = drawn.only(slice(count))
    decision = summarise(
        law, question, offer, posterior, sizes, own, supported, fits[0], case.seed, case.drift
    )
    leader = _leader(decision, [distance.is_beyond_support for distance in distances(fits, options)])
    apart = np.zeros(len(points))
    if otherwise is not None:
        new_runs = [draws.new_run for draws in by_law]
        apart = np.array(weights_apart(new_runs, weights, drawn.new_run, question.prob))
        apart[leader] = max(apart[leader], otherwise)
    rows = [leader, *range(count, len(points))]
    risk, *risks = plan_risks(
        fits,
        weights,
        points.iloc[rows],
        drawn.only(rows),
        None if otherwise is None else apart[rows],
        case.seed,
    )
    best = None if decision.best is None else leader
    decision = replace(
        decision,
        risk=risk,
        findings=refusal(risk),
        more=None if best is None else _more(fits, weights, case, posterior, best, drawn.law_mean[:, best]),
        under_prior=_under_prior(law, fits, weights, case, prior, supported),
    )
    if case.candidates is None:
        return decision
    recommended = None if best is None else drawn.law_mean[:, best]
    others = drawn.only(slice(count, None))
    plans = assess_plans(case.candidates, question, others, recommended, risks, case.drift)
    allowed = [not (plan.over_budget or plan.refused) for plan in plans]
    preferred = best_of(preference, [plan.scores for plan in plans], allowed)
    return replace(decision, plans=plans, best_plan=None if preferred is None else plans[preferred].name)


def _leader(decision: BudgetDecision, beyond: Sequence[bool] | None = None) -> int:
    """The recommended option; of a refused answer the preferred one among those too far themselves, if any."""
    keys = [option.key for option in decision.options]
    if decision.best is not None:
        return keys.index(decision.best)
    scores, preference = [option.scores for option in decision.options], decision.question.preference
    far = best_of(preference, scores, beyond or [False] * len(keys))
    return (best_of(preference, scores, [True] * len(keys)) or 0) if far is None else far


def _under_prior(
    law: str, fits: Sequence[Fit], weights: np.ndarray, case: Case, prior: Beliefs, supported: np.ndarray
) -> BudgetDecision:
    """The same decision without any data, its plans made and judged by the prior."""
    question, offer = case.question, case.offer
    sizes = plan_sizes(prior, question.flops, question.preference)
    points = points_of(offer, sizes[0].tolist(), sizes[1].tolist(), group_columns(fits[0], question.group))
    drawn = pooled_plans(
        [plan_draws(fit, points, case.seed, case.drift, prior=True) for fit in fits], weights
    )
    return summarise(law, question, offer, prior, sizes, drawn, supported, fits[0], case.seed, case.drift)


def _more(
    fits: Sequence[Fit],
    weights: np.ndarray,
    case: Case,
    posterior: Beliefs,
    best: int,
    recommended: np.ndarray,
) -> MoreBudget:
    """What a larger budget buys in the recommended precision, structural error shared with its plan."""
    question = case.question
    sizes = plan_sizes(posterior.only(best), MORE * question.flops, question.preference)
    n_params, tokens = (float(size[0]) for size in sizes)
    point = points_of([case.offer[best]], [n_params], [tokens], group_columns(fits[0], question.group))
    drawn = [loss_draws(fit, point, False, case.seed, None, case.drift).mean for fit in fits]
    loss = pooled(drawn, weights)[:, 0]
    return MoreBudget(
        factor=MORE,
        n_params=n_params,
        tokens=tokens,
        loss=interval_of(loss, question.prob, LOSS_UNIT),
        gain=interval_of(above(recommended, loss), question.prob, LOSS_UNIT),
        refused=distances(fits, point)[0].is_beyond_support,
    )
