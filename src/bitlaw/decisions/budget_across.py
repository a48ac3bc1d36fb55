"""One budget under several laws fitted to the same rows: each law's plan, and the stack's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bitlaw.criticism.stacking import law_weights
from bitlaw.decisions.across_laws import STACK, AcrossLaws, disagreement_finding, shared_findings
from bitlaw.decisions.budget import budget_case, decide, decide_alone
from bitlaw.decisions.budget_decision import BudgetDecision
from bitlaw.decisions.budget_draws import Beliefs, budget_draws
from bitlaw.decisions.caveats import one_law_finding
from bitlaw.decisions.on_offer import key_text
from bitlaw.decisions.risk import weight_apart
from bitlaw.finding import Finding
from bitlaw.inference.fit import Fit

_SAME_SIZE = 1.5
"""Factor of parameters between laws up to which they count as agreed on the size."""


def budget_across(
    fits: Sequence[Fit],
    *,
    drift: bool = True,
    **question: Any,
) -> AcrossLaws[BudgetDecision]:
    """Decide how to spend a budget under several laws, and under their stack.

    Every draw's optimum is inside its own law; the stack's plan is the one the preference likes best over
    the draws of all laws.

    Parameters
    ----------
    fits
        One fit per law, to the same rows.
    drift, **question
        As for ``budget``; the seed is by default that of the first fit, and every law has drift of its own.

    Raises
    ------
    InputError
        As for ``budget``, and for fits that cannot be stacked.
    """
    weights = law_weights(fits)
    case = budget_case(fits, drift=drift, **question)
    names = [fit.law.name for fit in fits]
    draws = [
        [budget_draws(fit, case.question, case.offer, prior, drift) for prior in (False, True)]
        for fit in fits
    ]
    by_law = {name: decide_alone(fit, case, *own) for name, fit, own in zip(names, fits, draws, strict=True)}
    if len(fits) == 1:
        alone = by_law[names[0]]
        stack = replace(alone, findings=(*alone.findings, one_law_finding()))
    else:
        posterior, prior = (Beliefs(tuple(own[which] for own in draws), weights) for which in (0, 1))
        otherwise = weight_apart([decision.best for decision in by_law.values()], weights)
        stack = decide(STACK, fits, weights, case, posterior, prior, otherwise)
        findings = (*shared_findings(by_law), *stack.findings, _disagreement(by_law, weights))
        stack = replace(stack, findings=findings)
    return AcrossLaws(dict(zip(names, map(float, weights), strict=True)), by_law, stack)


def _disagreement(by_law: Mapping[str, BudgetDecision], weights: np.ndarray) -> Finding:
    """Whether the laws recommend the same precision, and parameters within a factor of each other."""
    plans = [None if answer.best is None else answer.option(answer.best) for answer in by_law.values()]
    known = [plan for plan in plans if plan is not None]
    sizes = [plan.n_params for plan in known]
    same = len(known) == len(plans) and len({plan.key for plan in known}) == 1
    agree = same and max(sizes) <= _SAME_SIZE * min(sizes)
    near = [answer.near_optimal for answer in by_law.values()]
    common = [key_text(key) for key in near[0] if all(key in other for other in near)]
    consequence = f"Near-optimal under every law: {', '.join(common)}." if common else ""
    return disagreement_finding(
        {name: answer.answer for name, answer in by_law.items()}, weights, agree, consequence
    )
