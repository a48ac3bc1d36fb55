"""Which run to log next: what each candidate is expected to tell about the quantity a decision rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.stacking import law_weights
from bitlaw.decisions.across_laws import STACK, AcrossLaws, shared_findings
from bitlaw.decisions.candidate_costs import cost_findings
from bitlaw.decisions.candidate_grid import default_candidates
from bitlaw.decisions.candidates import Candidates, candidates_of, nothing_offered, require_positive
from bitlaw.decisions.caveats import one_law_finding
from bitlaw.decisions.groups import fitted_method, place_in_group
from bitlaw.decisions.hardware_findings import SPEEDS
from bitlaw.decisions.outcome_draws import Outcomes
from bitlaw.decisions.plan_decision import PlanDecision
from bitlaw.decisions.plan_outcomes import joint_outcomes
from bitlaw.decisions.plan_quantity import Quantity
from bitlaw.decisions.plan_question import answered
from bitlaw.decisions.plan_summary import decide, disagreement
from bitlaw.decisions.pooling import pooled
from bitlaw.decisions.pricing import Pricing
from bitlaw.decisions.spending import Budget, budget_of, pricing_of
from bitlaw.errors import InputError
from bitlaw.finding import Finding
from bitlaw.inference.fit import Fit


def plan(
    fit: Fit,
    decision: str = "loss",
    *,
    budget: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: float | None = None,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    candidates: pd.DataFrame | None = None,
    bits: Sequence[float] | None = None,
    formats: Sequence[str] | None = None,
    group_size: float | None = None,
    tensors: Sequence[str] | None = None,
    tolerance: float = 0.01,
    run_id: str | None = None,
    loss: float | None = None,
    measured: pd.DataFrame | None = None,
    method_post: str | None = None,
    bits_weights: float | None = None,
    bits_activations: float | None = None,
    bits_kv: float | None = None,
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
        for, of those that were not measured.
    budget, gpu_hours, money
        What may be spent, one of them: FLOP at 16 bits, hours on ``hardware``, or money at ``price``.
    hardware, speeds, price
        The chip runs are trained on, as for ``optimum``: they cost the time they take there, in 16 bits where it
        does not multiply in their precision. For ``optimum`` it is the chip of the question, too. None: every run
        costs 6 N D.
    n_params, tokens, flops
        The question: for ``loss`` and ``ptq`` a run, by its parameters and its tokens or FLOP; for ``optimum``
        as there.
    candidates
        Runs that could be logged, canonical columns (see ``candidates_of``), with their ``cost`` in the unit of
        the budget where it is not what they would be priced at; by default a grid around the fitted runs within
        the budget, and for ``ptq`` trained models at bits they were not quantized to: logged runs, and the
        checkpoint asked about.
    bits, tolerance
        As for ``optimum`` and ``ptq``.
    formats, group_size, tensors
        As for ``optimum``.
    run_id, loss, measured, method_post
        As for ``ptq``: a checkpoint that is trained already, in place of a run that is planned. The quantity then
        is its own degradation, given what was measured on it.
    bits_weights, bits_activations, bits_kv
        Training precision of the run asked about, 16 by default; for ``loss`` and ``ptq``.
    prob, group, seed, drift
        As for ``predict``.

    Returns
    -------
    PlanDecision
        A refused question is planned for all the same, and marked.

    Raises
    ------
    InputError
        For an invalid question, as for the decision itself, and a part of it that another decision has; no budget,
        several, or one that buys no candidate; an unknown chip; candidates with missing columns or sizes that are
        not positive, logged already, or that the law has no term for.
    """
    question: dict[str, Any] = {
        "n_params": n_params,
        "tokens": tokens,
        "flops": flops,
        "bits": bits,
        "formats": formats,
        "group_size": group_size,
        "tensors": tensors,
        "tolerance": tolerance,
        "run_id": run_id,
        "loss": loss,
        "measured": measured,
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
        gpu_hours=gpu_hours,
        money=money,
        hardware=hardware,
        speeds=speeds,
        price=price,
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
    budget: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: float | None = None,
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
    decision, budget, gpu_hours, money, hardware, speeds, price, candidates, group, seed, drift, **question
        As for ``plan``; the seed is by default that of the first fit.

    Raises
    ------
    InputError
        As for ``plan``, and for fits that cannot be stacked.
    """
    weights = law_weights(fits)
    seed = fits[0].provenance.seed if seed is None else seed
    pricing = pricing_of(hardware, speeds, price)
    spending = _spending(pricing, budget, gpu_hours, money)
    chip: dict[str, Any] = {"hardware": hardware, "speeds": speeds, "price": price}
    asked = answered(fits, decision, group=group, seed=seed, drift=drift, **chip, **question)
    offered = _offered(fits[0], asked.quantity, candidates, spending, pricing)
    joint = [joint_outcomes(fit, asked.quantity, offered, seed, drift) for fit in fits]
    record = {
        "budget": spending,
        "pricing": pricing,
        "prob": float(question.get("prob", 0.9)),
        "seed": seed,
        "drift": drift,
    }
    priced = _priced_by(decision, offered, pricing)
    by_law = {
        fit.law.name: decide(fit.law.name, asked, offered, own, priced, record)
        for fit, own in zip(fits, joint, strict=True)
    }
    stack = by_law[fits[0].law.name]
    if len(fits) == 1:
        stack = replace(stack, findings=(*stack.findings, one_law_finding()))
    else:
        together = Outcomes(
            pooled([own.value for own in joint], weights),
            *(np.average([getattr(own, part) for own in joint], axis=0, weights=weights)
              for part in ("error", "effect", "again")),
        )  # fmt: skip
        stack = decide(STACK, asked, offered, together, (), record)
        own = tuple(finding for finding in stack.findings if finding.code.startswith("plan."))
        stack = replace(stack, findings=(*shared_findings(by_law), *own, disagreement(by_law, weights)))
    return AcrossLaws(dict(zip(by_law, map(float, weights), strict=True)), by_law, stack)


def _spending(pricing: Pricing, budget: float | None, gpu_hours: float | None, money: float | None) -> Budget:
    """What may be spent on runs."""
    given = {"budget": budget, "gpu_hours": gpu_hours, "money": money}
    named = [name for name, value in given.items() if value is not None]
    found = budget_of(pricing, budget, gpu_hours, money) if len(named) == 1 else None
    if found is None:
        said = f"{' and '.join(named)} are budgets both" if named else "nothing to spend on runs"
        raise InputError(f"{said}; valid: one of budget (FLOP), gpu_hours and money")
    require_positive(found)
    return found


def _offered(
    fit: Fit, quantity: Quantity, candidates: pd.DataFrame | None, budget: Budget, pricing: Pricing
) -> Candidates:
    """The candidates that the budget buys one of."""
    if candidates is None and quantity.is_measured:
        return nothing_offered(quantity.points)
    if candidates is None:
        checkpoint = None if quantity.checkpoint is None else quantity.checkpoint.open_points
        of_question = quantity.points, quantity.precisions, quantity.post
        return default_candidates(fit, *of_question, budget, pricing, checkpoint).within(budget)
    frame = place_in_group(fit, candidates, quantity.group) if len(candidates) else candidates
    if "bits_post" in frame and fit.law.post is not None:
        unnamed = frame["bits_post"].notna() & (frame["method_post"] == "")
        if unnamed.any():
            named = quantity.post[0]["method_post"] if quantity.post else fitted_method(fit, None)
            frame = frame.assign(method_post=frame["method_post"].mask(unnamed, named))
    return candidates_of(fit, frame, pricing, budget).within(budget)


def _priced_by(decision: str, offered: Candidates, pricing: Pricing) -> tuple[Finding, ...]:
    """What runs were priced by; the answer for a training precision says its speeds itself."""
    found = cost_findings(offered.points, offered.is_logged[offered.candidate], pricing)
    return tuple(finding for finding in found if decision != "optimum" or finding.code != SPEEDS)
