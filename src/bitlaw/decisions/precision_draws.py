"""What a precision decision is made of: arrays over draws and options, before they are summarised."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.bit_limit import bit_limit
from bitlaw.decisions.break_even import break_even
from bitlaw.decisions.cost_models import other_costs, spent_under
from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.law_draws import LawDraws, law_draws, points_of
from bitlaw.decisions.on_offer import UNQUANTIZED, OnOffer
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.decisions.reoptimise import Allocation, reoptimise
from bitlaw.errors import InputError
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit

_STEP_IN_LOG_TOKENS = 1e-3
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PrecisionDraws:
    """Draws of everything a precision decision reports, shape (samples, options) unless said.

    Parameters
    ----------
    loss
        The law's mean loss, nats/token, with structural error where that is asked for.
    n_params, tokens
        Optimal, or fixed, parameters and tokens; NaN where a draw leaves no capacity.
    gain
        -dL/dlnC at these, nats/token per e-fold of compute.
    break_even
        Speed-up over 16 bits from which the option pays.
    no_capacity
        Whether the draw leaves the option no capacity at all.
    floor
        Irreducible loss, nats/token, shape (samples, 1).
    within
        Where parameters and tokens are fixed, whether the loss is within tolerance of that at 16 bits.
    drift
        What structural error adds to the logarithm of the loss; None where it is left out.
    loss_under
        The loss under other cost models (``other_costs``), shape (samples, options, models); None where
        parameters and tokens are fixed, so that it is the same, and of the prior.
    bit_limit
        The continuous bit-width with the lowest loss, shape (samples,); None where there is none, and of the
        prior.
    """

    loss: np.ndarray
    n_params: np.ndarray
    tokens: np.ndarray
    gain: np.ndarray
    break_even: np.ndarray
    no_capacity: np.ndarray
    floor: np.ndarray
    within: np.ndarray | None
    drift: np.ndarray | None
    loss_under: np.ndarray | None
    bit_limit: np.ndarray | None

    @property
    def samples(self) -> int:
        """Number of draws."""
        return len(self.loss)


def precision_draws(
    fit: Fit,
    question: PrecisionQuestion,
    offer: Sequence[OnOffer],
    prior: bool = False,
    drift: bool = True,
) -> PrecisionDraws:
    """Put a question to every draw of one fit.

    Parameters and tokens are chosen by the law itself: a draw does not know its own error in advance,
    and the search would take the kink of drift at the edge of the data for a reason to stay inside. The
    error at what was chosen then enters the loss of every option, and with it regret and the choice
    between options. Break-even speed-ups and what compute gains are the law's own.

    Parameters
    ----------
    fit
        The fit.
    question
        What is fixed.
    offer
        The options.
    prior
        Use draws of the prior in place of the posterior.
    drift
        Include the law's structural error beyond the data.

    Raises
    ------
    InputError
        As for ``law_draws``.
    """
    law = law_draws(fit, offer, question.group, prior)
    whole = law_draws(fit, (UNQUANTIZED,), question.group, prior)
    spent = _allocate(law, question)
    group, fixed = question.group, question.n_params is not None
    if not prior:
        require_trainable(question, spent)
    loss = with_error(fit, law, group, offer, spent, fixed) if drift else spent.loss
    within = None
    if question.sizes_fixed:
        sizes = spent.n_params[:, :1], spent.tokens[:, :1]
        at_16 = Allocation(*sizes, whole.loss(*sizes))
        target = with_error(fit, whole, group, (UNQUANTIZED,), at_16, fixed) if drift else at_16.loss
        within = above(loss, target) <= question.tolerance
    return PrecisionDraws(
        loss=loss,
        n_params=spent.n_params,
        tokens=spent.tokens,
        gain=_gain(law, spent),
        break_even=break_even(law, whole, question),
        no_capacity=law.no_capacity(),
        floor=whole.constants["E"],
        within=within,
        drift=log_ratio(loss, spent.loss) if drift else None,
        loss_under=None if prior else _loss_under(fit, law, question, offer, spent, drift),
        bit_limit=None if prior else bit_limit(law, question, offer, spent),
    )


def require_trainable(question: PrecisionQuestion, spent: Allocation) -> None:
    """Raise InputError where a budget trains no model on offer.

    Parameters
    ----------
    question
        What is fixed.
    spent
        How the budget is best spent at the options: less than one parameter, or one token, in the median
        draw at every option is no model.
    """
    if question.budget is None:
        return
    sizes = [np.nan_to_num(values, nan=0.0) for values in (spent.n_params, spent.tokens)]
    n_params, tokens = (np.median(values, axis=0) for values in sizes)
    if ((n_params >= 1.0) & (tokens >= 1.0)).any() or not np.isfinite(spent.n_params).any():
        return
    most = int(np.minimum(n_params, tokens).argmax())
    raise InputError(
        f"{question.budget.text(question.pricing)} cannot train the smallest model on offer: it comes to "
        f"{n_params[most]:.2g} parameters and {tokens[most]:.2g} tokens; valid: a budget for at least one of each"
    )


def _loss_under(
    fit: Fit,
    law: LawDraws,
    question: PrecisionQuestion,
    offer: Sequence[OnOffer],
    spent: Allocation,
    drift: bool,
) -> np.ndarray | None:
    """Losses under other cost models, shape (samples, options, models); None where there are none."""
    costs = other_costs(question, offer)
    under = zip(costs.values(), spent_under(law, question, spent, costs), strict=False)
    losses = [
        with_error(fit, law.with_cost(cost), question.group, offer, other, question.n_params is not None)
        if drift
        else other.loss
        for cost, other in under
    ]
    return np.stack(losses, axis=-1) if losses else None


def with_error(
    fit: Fit,
    law: LawDraws,
    group: str | None,
    offer: Sequence[OnOffer],
    spent: Allocation,
    fixed: bool = False,
) -> np.ndarray:
    """The loss of every option with the structural error there; as it was where there is no capacity.

    Parameters
    ----------
    fit, law
        The fit, and its law at the options.
    group
        Group of a pooled fit.
    offer, spent
        The options, with their sizes and losses in every draw.
    fixed
        Whether the sizes are the same in all draws.
    """
    ones = [1.0] * len(offer)
    points = points_of(offer, ones, ones, group_columns(fit, group))
    alike = slice(1) if fixed else slice(None)
    error = structural_error(fit, points, spent.n_params[alike], spent.tokens[alike])
    if error is None:
        return spent.loss
    nothing = np.isnan(spent.n_params)
    n_params, tokens = (np.where(nothing, 1.0, size) for size in (spent.n_params, spent.tokens))
    return np.where(nothing, spent.loss, law.loss(n_params, tokens, error))


def log_ratio(loss: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Ln of a ratio of losses; 0 where both are infinite, and where they differ by rounding alone."""
    same = loss == reference
    ratio = np.log(np.where(same, 1.0, loss) / np.where(same, 1.0, reference))
    return np.where(np.abs(ratio) < _ROUNDING, 0.0, ratio)


def above(loss: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Difference of losses; 0 where both are infinite, beyond floating point."""
    reference = np.broadcast_to(reference, loss.shape)
    return np.subtract(
        loss, reference, out=np.zeros_like(loss), where=np.isfinite(loss) | np.isfinite(reference)
    )


def _allocate(law: LawDraws, question: PrecisionQuestion) -> Allocation:
    """Parameters, tokens and loss of every option in every draw."""
    flops, fixed = question.flops, question.n_params
    if flops is not None and fixed is None:
        return reoptimise(law, flops)
    n_params = np.full((law.samples, len(law.cost)), fixed, dtype=np.float64)
    tokens = question.tokens if flops is None else tokens_bought(flops, n_params, law.cost)
    tokens = np.broadcast_to(np.asarray(tokens, dtype=np.float64), n_params.shape)
    return Allocation(n_params, tokens, law.loss(n_params, tokens))


def _gain(law: LawDraws, spent: Allocation) -> np.ndarray:
    """-dL/dlnC = -∂L/∂lnD, at the optimum (envelope theorem) as at fixed parameters."""
    nothing = np.isnan(spent.n_params)
    n_params, tokens = (np.where(nothing, 1.0, size) for size in (spent.n_params, spent.tokens))
    fewer, more = (
        law.loss(n_params, tokens * np.exp(step)) for step in (-_STEP_IN_LOG_TOKENS, _STEP_IN_LOG_TOKENS)
    )
    return np.where(nothing, 0.0, above(fewer, more) / (2.0 * _STEP_IN_LOG_TOKENS))
