"""Which run to log next: what each candidate is expected to tell about the quantity a decision rests on."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.risk import REFUSED
from bitlaw.criticism.stacking import law_weights
from bitlaw.decisions.across_laws import STACK, AcrossLaws, disagreement_finding, shared_findings
from bitlaw.decisions.candidate_grid import default_candidates
from bitlaw.decisions.candidates import Candidates, candidates_of, logged_runs
from bitlaw.decisions.caveats import one_law_finding
from bitlaw.decisions.conditioning import (
    Measurements,
    best_plan,
    covariance_of,
    left_after_all,
    reductions,
    without_outliers,
)
from bitlaw.decisions.groups import fitted_method, place_in_group
from bitlaw.decisions.outcome_draws import Outcomes, outcome_draws
from bitlaw.decisions.plan_decision import Offered, Pick, PlanDecision
from bitlaw.decisions.plan_question import Answered, Quantity, answered
from bitlaw.decisions.pooling import pooled
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit

_MOST_DRAWS = 4000
_LEAST_SHARE = 0.02
"""Share of the variance that is left which a run must remove to be worth the work of logging it."""
_DISAGREEMENT = "laws.disagreement"


def plan(
    fit: Fit,
    decision: str = "loss",
    *,
    budget: float,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    candidates: pd.DataFrame | None = None,
    bits: Sequence[float] | None = None,
    formats: Sequence[str] | None = None,
    tolerance: float = 0.01,
    loss: float | None = None,
    method_post: str | None = None,
    bits_weights: float = 16.0,
    bits_activations: float = 16.0,
    bits_kv: float = 16.0,
    prob: float = 0.9,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
) -> PlanDecision:
    """Choose the runs to log next for a decision: the most variance of the quantity it rests on per cost.

    A run is worth what it is expected to take away from that variance, by the joint covariance over draws of
    the run's outcome and the quantity: the law's constants, drift (a run near the question tells about the
    error there) and effects of logged runs in both, the noise of a measurement on the outcome. Runs are picked
    one after the other, each given those before it (linear-Gaussian conditioning).

    Parameters
    ----------
    fit
        The fit.
    decision
        What the runs are for. ``loss``: ln of the law's mean loss of the run asked about. ``optimum``: the
        difference in loss between the two options with the lowest expected regret, at their median sizes; where
        parameters and tokens are fixed, between the option nearest to the probability asked for and 16 bits.
        ``ptq``: ln of the degradation at the bits whose probability of being safe is nearest to the one asked
        for.
    budget
        What may be spent, FLOP at 16 bits.
    n_params, tokens, flops
        The question: for ``loss`` and ``ptq`` a run, by its parameters and its tokens or FLOP; for ``optimum``
        as there.
    candidates
        Runs that could be logged, canonical columns (see ``candidates_of``); by default a grid around the
        fitted runs within the budget, and for ``ptq`` logged runs at bits they were not quantized to.
    bits, formats, tolerance
        As for ``optimum`` and ``ptq``.
    loss, method_post
        As for ``ptq``.
    bits_weights, bits_activations, bits_kv
        Training precision of the run asked about; for ``loss`` and ``ptq``.
    prob, group, seed, drift
        As for ``predict``.

    Returns
    -------
    PlanDecision
        A refused question is planned for all the same, and marked.

    Raises
    ------
    InputError
        For an invalid question, as for the decision itself; a budget that buys no candidate; candidates with
        missing columns or sizes that are not positive, logged already, or that the law has no term for.
    """
    question: dict[str, Any] = {
        "n_params": n_params,
        "tokens": tokens,
        "flops": flops,
        "bits": bits,
        "formats": formats,
        "tolerance": tolerance,
        "loss": loss,
        "method_post": method_post,
        "bits_weights": bits_weights,
        "bits_activations": bits_activations,
        "bits_kv": bits_kv,
        "prob": prob,
    }
    return plan_across(
        (fit,),
        decision,
        budget=budget,
        candidates=candidates,
        group=group,
        seed=seed,
        drift=drift,
        **question,
    ).stack


def plan_across(
    fits: Sequence[Fit],
    decision: str = "loss",
    *,
    budget: float,
    candidates: pd.DataFrame | None = None,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
    **question: Any,
) -> AcrossLaws[PlanDecision]:
    """Choose the runs to log next under each law, and under the stack of them.

    The quantity is that of the stack's decision, for every law. In the stack, what the laws disagree on is
    variance too.

    Parameters
    ----------
    fits
        One fit per law, to the same rows.
    decision, budget, candidates, group, seed, drift, **question
        As for ``plan``; the seed is by default that of the first fit.

    Raises
    ------
    InputError
        As for ``plan``, and for fits that cannot be stacked.
    """
    weights = law_weights(fits)
    seed = fits[0].provenance.seed if seed is None else seed
    asked = answered(fits, decision, group=group, seed=seed, drift=drift, **question)
    offered = _offered(fits[0], asked.quantity, candidates, budget, group)
    joint = [_joint(fit, asked.quantity, offered, seed, drift) for fit in fits]
    record = {"budget": budget, "prob": float(question.get("prob", 0.9)), "seed": seed, "drift": drift}
    by_law = {
        fit.law.name: _decide(fit.law.name, asked, offered, own, record)
        for fit, own in zip(fits, joint, strict=True)
    }
    stack = by_law[fits[0].law.name]
    if len(fits) == 1:
        stack = replace(stack, findings=(*stack.findings, one_law_finding()))
    else:
        together = Outcomes(
            pooled([own.value for own in joint], weights),
            *(np.average([getattr(own, part) for own in joint], axis=0, weights=weights)
              for part in ("error", "effect")),
        )  # fmt: skip
        stack = _decide(STACK, asked, offered, together, record)
        own = tuple(finding for finding in stack.findings if finding.code.startswith("plan."))
        stack = replace(stack, findings=(*shared_findings(by_law), *own, _disagreement(by_law, weights)))
    return AcrossLaws(dict(zip(by_law, map(float, weights), strict=True)), by_law, stack)


def measurements(outcomes: Outcomes, candidates: Candidates) -> Measurements:
    """Candidates as rows of the covariance of their outcomes, with the noise of measuring each.

    Rows of a new run share its effect: its degradations that of the run. Each time anew, for another run of
    the kind is another seed.

    Parameters
    ----------
    outcomes
        At the candidates' points, which come first.
    candidates
        The candidates.
    """
    after = candidates.points["bits_post"].notna().to_numpy()
    rows = tuple(candidates.rows(number) for number in range(len(candidates)))
    return Measurements(
        rows,
        tuple(_noise(outcomes, after, own) for own in rows),
        candidates.cost,
        candidates.is_logged,
    )


def _noise(outcomes: Outcomes, after: np.ndarray, rows: np.ndarray) -> np.ndarray:
    kind, effect = after[rows], np.sqrt(outcomes.effect[rows])
    shared = np.where(kind[:, None] == kind[None, :], np.outer(effect, effect), 0.0)
    return np.asarray(shared + np.diag(outcomes.error[rows]))


def _offered(
    fit: Fit, quantity: Quantity, candidates: pd.DataFrame | None, budget: float, group: str | None
) -> Candidates:
    if candidates is None:
        if not (math.isfinite(budget) and budget > 0):
            return candidates_of(fit, quantity.points).within(budget)  # says what is wrong with the budget
        found = default_candidates(fit, quantity.points, quantity.precisions, quantity.post, budget)
        return found.within(budget)
    frame = place_in_group(fit, candidates, group) if len(candidates) else candidates
    if "bits_post" in frame and fit.law.post is not None:
        unnamed = frame["bits_post"].notna() & (frame["method_post"] == "")
        if unnamed.any():
            named = quantity.post[0]["method_post"] if quantity.post else fitted_method(fit, None)
            frame = frame.assign(method_post=frame["method_post"].mask(unnamed, named))
    return candidates_of(fit, frame).within(budget)


def _joint(fit: Fit, quantity: Quantity, offered: Candidates, seed: int, drift: bool) -> Outcomes:
    """Outcomes at the candidates' points, and in the last column of values the quantity."""
    points = pd.concat([offered.points, quantity.points.assign(run_id="")], ignore_index=True)
    drawn = outcome_draws(fit, points, seed, drift, _as_trained(fit, quantity, points))
    number = len(offered.points)
    kept = _thinned(len(drawn.value))
    value = np.column_stack([drawn.value[kept, :number], quantity.of(drawn.value[kept, number:])])
    return Outcomes(value, drawn.error[:number], drawn.effect[:number])


def _as_trained(fit: Fit, quantity: Quantity, points: pd.DataFrame) -> np.ndarray | None:
    """Losses as trained, for a law that takes them as data; NaN where there is none."""
    if not fit.law.base.is_observed:
        return None
    own = logged_runs(fit).set_index("run_id")["loss"]
    known = np.array(points["run_id"].map(own), np.float64)
    known[len(points) - len(quantity.points) :] = np.nan if quantity.measured is None else quantity.measured
    return known


def _thinned(samples: int) -> np.ndarray:
    kept = min(samples, _MOST_DRAWS)
    return ((np.arange(kept) + 0.5) * samples / kept).astype(int)


def _decide(
    law: str, asked: Answered, offered: Candidates, joint: Outcomes, record: dict[str, Any]
) -> PlanDecision:
    samples, target = len(joint.value), np.array([joint.value.shape[1] - 1])
    covariance = covariance_of(without_outliers(joint.value))
    candidates = measurements(joint, offered)
    variance = float(covariance[target[0], target[0]])
    # Of so many candidates, the most that one correlates with the quantity by chance alone.
    by_chance = 2.0 * math.log(len(candidates) + 1.0) / samples
    steps = best_plan(covariance, target, candidates, record["budget"], max(by_chance, _LEAST_SHARE))
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
                spent=step.spent,
                sd_after=math.sqrt(step.variance),
                removed=1.0 - step.variance / variance,
            )
        )
        seen.add(step.candidate)
        spent = step.spent
    answer = asked.across.stack if law == STACK else asked.across.by_law[law]
    risk = asked.risk(None if law == STACK else law)
    findings = tuple(_softened(finding) for finding in answer.findings if finding.code != _DISAGREEMENT)
    return PlanDecision(
        law=law,
        draws=samples,
        risk=risk,
        findings=(*findings, *_nothing(picks, len(offered), record["budget"])),
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
                float(alone[number]) / variance if variance > 0 else 0.0,
                bool(offered.is_logged[number]),
            )
            for number in range(len(offered))
        ),
        is_refused=risk is not None and risk.refused,
        **record,
    )


def _softened(finding: Finding) -> Finding:
    """That an answer is refused is what the plan is for; the plan itself stands."""
    if finding.code != REFUSED:
        return finding
    message = f"The question itself is REFUSED until more is logged. {finding.message}"
    return replace(finding, code="plan.refused", status=Status.WARN, message=message)


def _nothing(picks: Sequence[Pick], number: int, budget: float) -> tuple[Finding, ...]:
    if picks:
        return ()
    message = f"None of {number} candidates within {budget:.3g} FLOP is expected to narrow the quantity."
    advice = "Ask with a larger budget, or with candidates nearer to the question."
    return (Finding("plan.nothing", Status.WARN, 0.0, None, message, advice),)


def _disagreement(by_law: dict[str, PlanDecision], weights: np.ndarray) -> Finding:
    answers = {name: f"would log first {answer.answer}" for name, answer in by_law.items()}
    same = len(set(answers.values())) == 1
    consequence = "The stack counts what they disagree on as variance, and plans for it."
    return disagreement_finding(answers, weights, same, consequence)
