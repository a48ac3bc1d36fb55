"""Which training precision: every draw's exact optimum over the bits on offer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bitlaw.decisions.caveats import caveats
from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.intervals import indistinguishable, interval_of, mean_of, monte_carlo_error
from bitlaw.decisions.law_draws import LawDraws, law_draws
from bitlaw.decisions.logged import LoggedRuns, logged_runs
from bitlaw.decisions.precision_decision import PrecisionDecision, PrecisionOption
from bitlaw.decisions.question import PrecisionQuestion, largest_first
from bitlaw.decisions.reoptimise import Allocation, reoptimise
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import LOSS_UNIT

REQUIRED_PROBABILITY = 0.9
"""Probability of being within tolerance that is asked where parameters and tokens are fixed."""

_NEAR_SHARE = 0.01
_NO_BETTER = 0.999
_STEP_IN_LOG_TOKENS = 1e-3


def optimum(
    fit: Fit,
    *,
    flops: float | None = None,
    n_params: float | None = None,
    tokens: float | None = None,
    bits: Sequence[float] = (16, 8, 6, 5, 4, 3),
    tensors: Sequence[str] = ("weights", "activations", "kv"),
    tolerance: float = 0.01,
    near: float | None = None,
    prob: float = 0.9,
    group: str | None = None,
    seed: int | None = None,
) -> PrecisionDecision:
    """Decide on a training precision.

    Three questions: ``flops`` alone (parameters, tokens and bits are free under the cost
    (6/16) N D P of arXiv 2411.04330); ``n_params`` and ``flops`` (each bit-width trains on the
    tokens the budget buys); ``n_params`` and ``tokens`` (more bits never lose, so the cheapest
    option within ``tolerance`` of 16 bits).

    Parameters
    ----------
    fit
        The fit.
    flops, n_params, tokens
        What is fixed: one of the three combinations above.
    bits
        Joint training bits on offer; fractions are allowed.
    tensors
        Tensor kinds trained at these bits, of ``weights``, ``activations`` and ``kv``; the others
        stay at 16. The cost is in proportion to the bits whichever they are.
    tolerance
        Acceptable loss above the 16-bit run where both sizes are fixed, nats/token.
    near
        Expected regret of a near-optimal option, nats/token; by default 1 % of the median
        reducible loss of the best option, or ``tolerance`` where both sizes are fixed.
    prob
        Probability inside every interval.
    group
        Group of a pooled fit.
    seed
        Recorded with the decision; nothing is drawn at random here. By default the fit's.

    Raises
    ------
    InputError
        For an invalid question, a law without a term for training precision, or a missing group.
    """
    question = PrecisionQuestion(
        flops=flops,
        n_params=n_params,
        tokens=tokens,
        bits=largest_first(bits),
        tensors=tuple(tensors),
        tolerance=tolerance,
        near=near,
        prob=prob,
        group=group,
    )
    seed = fit.provenance.seed if seed is None else seed
    decision = _decide(fit, question, seed, prior=False)
    return replace(
        decision,
        findings=caveats(fit, _answer_points(fit, decision)) + _guessing(fit, decision),
        under_prior=_decide(fit, question, seed, prior=True),
    )


def _decide(fit: Fit, question: PrecisionQuestion, seed: int, prior: bool) -> PrecisionDecision:
    """The decision without findings, from the posterior or from the prior."""
    law = law_draws(fit, question.tensors, question.group, prior)
    spent = _allocate(law, question)
    regret = _above(spent.loss, spent.loss.min(axis=1, keepdims=True))
    within = _within_tolerance(law, question, spent) if question.sizes_fixed else None
    wins = _wins(spent.loss, within)
    logged = logged_runs(fit)
    options = tuple(
        _option(logged, law, question, spent, regret, wins, within, index)
        for index in range(len(question.bits))
    )
    best = _best(options)
    lowest = int(np.argmin([option.expected_regret for option in options]))
    near = _near(law, question, spent.loss[:, lowest])
    return PrecisionDecision(
        law=fit.law.name,
        question=question,
        options=options,
        best=best,
        near=near,
        near_compute=_compute_worth(law, spent, lowest, question.bits[lowest], near),
        near_optimal=tuple(option.bits for option in options if option.expected_regret <= near),
        ties=_ties(options, best, law.samples),
        at_edge=_at_edge(question, best),
        confidence=REQUIRED_PROBABILITY,
        draws=law.samples,
        seed=seed,
        findings=(),
    )


def _allocate(law: LawDraws, question: PrecisionQuestion) -> Allocation:
    """Parameters, tokens and loss of every option in every draw."""
    flops, fixed = question.flops, question.n_params
    if flops is not None and fixed is None:
        return reoptimise(law, flops, question.bits)
    bits = np.asarray(question.bits)
    n_params = np.full((law.samples, len(bits)), fixed, dtype=np.float64)
    tokens = np.full(len(bits), question.tokens) if flops is None else tokens_bought(flops, n_params, bits)
    tokens = np.broadcast_to(tokens, n_params.shape)
    return Allocation(n_params, tokens, law.loss(n_params, tokens, bits))


def _within_tolerance(law: LawDraws, question: PrecisionQuestion, spent: Allocation) -> np.ndarray:
    unquantized = law.loss(spent.n_params[:, :1], spent.tokens[:, :1], UNQUANTIZED_BITS)
    return _above(spent.loss, unquantized) <= question.tolerance


def _wins(loss: np.ndarray, within: np.ndarray | None) -> np.ndarray:
    """Which option wins each draw, shape (samples, options); none where none is within tolerance."""
    options = np.arange(loss.shape[1])
    if within is None:
        return loss.argmin(axis=1)[:, None] == options
    cheapest = loss.shape[1] - 1 - within[:, ::-1].argmax(axis=1)
    return (cheapest[:, None] == options) & within


def _option(
    logged: LoggedRuns,
    law: LawDraws,
    question: PrecisionQuestion,
    spent: Allocation,
    regret: np.ndarray,
    wins: np.ndarray,
    within: np.ndarray | None,
    index: int,
) -> PrecisionOption:
    bits, prob = question.bits[index], question.prob
    log_share = law.log_share(bits)[:, 0]
    probability = float(wins[:, index].mean())
    return PrecisionOption(
        bits=bits,
        probability_best=probability,
        probability_error=monte_carlo_error(probability, law.samples),
        probability_within=None if within is None else float(within[:, index].mean()),
        expected_regret=mean_of(regret[:, index]),
        loss=interval_of(spent.loss[:, index], prob, LOSS_UNIT),
        n_params=interval_of(spent.n_params[:, index], prob, "parameters"),
        tokens=interval_of(spent.tokens[:, index], prob, "tokens"),
        break_even=interval_of(np.exp(law.log_share(UNQUANTIZED_BITS)[:, 0] - log_share), prob, "x"),
        probability_no_capacity=float(np.isinf(log_share).mean()),
        diverged=logged.diverged_at(question.training_bits(bits)),
        measured=logged.reach(bits, question.tensors),
    )


def _best(options: tuple[PrecisionOption, ...]) -> float | None:
    if options[0].probability_within is None:
        return min(options, key=lambda option: option.expected_regret).bits
    fit_for_use = [
        option.bits for option in options if (option.probability_within or 0.0) >= REQUIRED_PROBABILITY
    ]
    return min(fit_for_use, default=None)


def _near(law: LawDraws, question: PrecisionQuestion, loss: np.ndarray) -> float:
    if question.near is not None:
        return question.near
    if question.sizes_fixed:
        return question.tolerance
    return _NEAR_SHARE * float(np.median(loss - law.constants["E"][:, 0]))


def _compute_worth(law: LawDraws, spent: Allocation, index: int, bits: float, near: float) -> float:
    """Share by which compute must grow to lower the best option's loss by ``near``.

    At the optimum, and at fixed parameters, -dL/dlnC = -∂L/∂lnD (envelope theorem), here by finite
    differences of the law itself, median over draws.
    """
    n_params, tokens = spent.n_params[:, [index]], spent.tokens[:, [index]]
    fewer, more = (
        law.loss(n_params, tokens * np.exp(step), bits)
        for step in (-_STEP_IN_LOG_TOKENS, _STEP_IN_LOG_TOKENS)
    )
    slope = float(np.median(_above(fewer, more))) / (2.0 * _STEP_IN_LOG_TOKENS)
    with np.errstate(over="ignore"):
        return float(np.expm1(near / slope)) if slope > 0 else np.inf


def _ties(options: tuple[PrecisionOption, ...], best: float | None, samples: int) -> tuple[float, ...]:
    if best is None:
        return ()
    leader = next(option.probability_best for option in options if option.bits == best)
    return tuple(
        option.bits
        for option in options
        if option.bits != best and indistinguishable(leader, option.probability_best, samples)
    )


def _at_edge(question: PrecisionQuestion, best: float | None) -> bool:
    if question.sizes_fixed and best is not None and best >= UNQUANTIZED_BITS:
        return False
    return best in (None, min(question.bits), max(question.bits))


def _above(loss: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Difference of losses; 0 where both are infinite, beyond floating point."""
    return np.subtract(
        loss, reference, out=np.zeros_like(loss), where=np.isfinite(loss) | np.isfinite(reference)
    )


def _guessing(fit: Fit, decision: PrecisionDecision) -> tuple[Finding, ...]:
    """A warning where nothing on offer beats guessing, so that the bound makes every bit-width alike."""
    ceiling = law_draws(fit, decision.question.tensors, decision.question.group).ceiling
    loss = min(option.loss.median for option in decision.options)
    if loss < _NO_BETTER * ceiling:
        return ()
    message = (
        f"The lowest loss on offer, {loss:.4g} nats/token, is no better than guessing, {ceiling:.4g}: "
        "there the law does not tell bit-widths apart."
    )
    advice = "Ask about more parameters and tokens, or more bits."
    return (Finding("optimum.guessing", Status.WARN, loss, ceiling, message, advice),)


def _answer_points(fit: Fit, decision: PrecisionDecision) -> pd.DataFrame:
    """The near-optimal options and the best one, as points at their median sizes."""
    question = decision.question
    bits = [option for option in decision.options if option.bits in {*decision.near_optimal, decision.best}]
    known = [option for option in bits if np.isfinite([option.n_params.median, option.tokens.median]).all()]
    training_bits = pd.DataFrame([question.training_bits(option.bits) for option in known])
    return points_frame(
        n_params=[option.n_params.median for option in known],
        tokens=[option.tokens.median for option in known],
        **{str(name): column.tolist() for name, column in training_bits.items()},
        **group_columns(fit, question.group),
    )
