"""A plan from draws of what candidates would show: picks in order, and what each leaves unknown."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bitlaw.criticism.risk import REFUSED
from bitlaw.decisions.across_laws import DISAGREEMENT, STACK, disagreement_finding
from bitlaw.decisions.candidates import Candidates
from bitlaw.decisions.conditioning import best_plan, left_after_all, reductions
from bitlaw.decisions.outcome_draws import Outcomes
from bitlaw.decisions.plan_decision import Offered, Pick, PlanDecision
from bitlaw.decisions.plan_outcomes import covariance_now, measurements
from bitlaw.decisions.plan_quantity import Quantity
from bitlaw.decisions.plan_question import Answered
from bitlaw.decisions.spending import Budget
from bitlaw.finding import Finding, Status

_LEAST_SHARE = 0.02
"""Share of the variance that is left which a run must remove to be worth the work of logging it."""


def decide(
    law: str,
    asked: Answered,
    offered: Candidates,
    joint: Outcomes,
    priced: tuple[Finding, ...],
    record: dict[str, Any],
) -> PlanDecision:
    """The plan under one law or the stack.

    Parameters
    ----------
    law
        Name of the law; ``STACK`` for all together.
    asked
        The question, with its answer as it stands.
    offered
        The candidates within the budget.
    joint
        From ``joint_outcomes``.
    priced
        Findings on what the candidates cost.
    record
        Fields of the decision that the question gives.
    """
    samples, covariance = len(joint.value), covariance_now(joint, len(offered.points))
    target = np.array([len(covariance) - 1])
    candidates = measurements(joint, offered)
    variance = float(covariance[target[0], target[0]])
    # Of so many candidates, the most that one correlates with the quantity by chance alone.
    by_chance = 2.0 * math.log(len(candidates) + 1.0) / samples
    least, budget = max(by_chance, _LEAST_SHARE), record["budget"]
    is_measured = asked.quantity.is_measured
    steps = () if is_measured else best_plan(covariance, target, candidates, budget.flops, least)
    alone = reductions(covariance, target, candidates)
    texts, inputs = offered.texts(), offered.inputs()
    picks, seen, spent = [], set(), 0.0
    for step in steps:
        picks.append(
            Pick(
                candidate=step.candidate,
                text=texts[step.candidate],
                inputs=inputs[step.candidate],
                is_repeat=step.candidate in seen,
                cost=step.spent - spent,
                amount=budget.amount(step.spent - spent),
                spent=step.spent,
                sd_after=math.sqrt(step.variance),
                removed=1.0 - step.variance / variance,
            )
        )
        seen.add(step.candidate)
        spent = step.spent
    answer = asked.across.stack if law == STACK else asked.across.by_law[law]
    risk = asked.risk(None if law == STACK else law)
    findings = tuple(_softened(finding) for finding in answer.findings if finding.code != DISAGREEMENT)
    return PlanDecision(
        law=law,
        draws=samples,
        risk=risk,
        findings=(*findings, *priced, *_nothing(picks, asked.quantity, offered, budget)),
        decision=asked.quantity.decision,
        question=asked.quantity.question,
        quantity=asked.quantity.text,
        asked=tuple(
            (float(n_params), float(tokens))
            for n_params, tokens in asked.quantity.points[["n_params", "tokens"]].to_numpy(np.float64)
        ),
        sd=math.sqrt(variance),
        picks=tuple(picks),
        sd_all=math.sqrt(left_after_all(covariance, target, candidates)),
        offered=tuple(
            Offered(
                texts[number],
                inputs[number],
                float(offered.cost[number]),
                budget.amount(float(offered.cost[number])),
                float(alone[number]) / variance if variance > 0 else 0.0,
                bool(offered.is_logged[number]),
            )
            for number in range(len(offered))
        ),
        is_refused=risk is not None and risk.refused,
        measured=asked.quantity.checkpoint.answer if asked.quantity.checkpoint is not None else "",
        **record,
    )


def _softened(finding: Finding) -> Finding:
    """That an answer is refused is what the plan is for; the plan itself stands."""
    if finding.code != REFUSED:
        return finding
    message = f"The question itself is REFUSED until more is logged. {finding.message}"
    return replace(finding, code="plan.refused", status=Status.WARN, message=message)


def _nothing(
    picks: Sequence[Pick], quantity: Quantity, offered: Candidates, budget: Budget
) -> tuple[Finding, ...]:
    """Why there is no run to log."""
    if picks:
        return ()
    if quantity.checkpoint is not None and quantity.is_measured:
        message = (
            f"What the answer turns on was measured on this very checkpoint ({quantity.checkpoint.answer}), so no run "
            "is needed to know it."
        )
        return (Finding("plan.measured", Status.PASS, None, None, message),)
    message = (
        f"None of {len(offered)} candidates within {budget.amount_text(budget.flops)} is expected to narrow the "
        "quantity."
    )
    advice = "Ask with a larger budget, or with candidates nearer to the question."
    if quantity.decision == "ptq" and offered.points["bits_post"].isna().all():
        advice = "No candidate is quantized after training: give them bits_post."
    return (Finding("plan.nothing", Status.WARN, 0.0, None, message, advice),)


def disagreement(by_law: dict[str, PlanDecision], weights: np.ndarray) -> Finding:
    """Whether the laws would log the same run first."""
    answers = {name: f"would log first {answer.answer}" for name, answer in by_law.items()}
    same = len(set(answers.values())) == 1
    consequence = "The stack counts what they disagree on as variance, and plans for it."
    return disagreement_finding(answers, weights, same, consequence)
