"""A law with draws of its constants, at the training precisions on offer: its mean loss at any N and D."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.errors import InputError
from bitlaw.inference.draws import law_parameters, point_columns, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.inference.usable import training_without_term
from bitlaw.laws.capacity import SMALLEST_SHARE
from bitlaw.laws.evaluate import StructuralError, train
from bitlaw.laws.law import Law, Reference, Values
from bitlaw.laws.registry import law_names, load_law
from bitlaw.runs.columns import COLUMNS

NO_CAPACITY = float(np.log(SMALLEST_SHARE)) / 2
"""ln of the share of parameters or tokens below which nothing stays effective."""


@dataclass(frozen=True)
class LawDraws:
    """A law at draws of its constants and at training precisions.

    Parameters
    ----------
    law, reference
        The law, and the scales of the fit.
    constants
        The law's constants by name, shape (samples, 1), or (samples, options) where they differ.
    columns
        What the law reads besides parameters and tokens, shape (options,).
    cost
        Cost of a FLOP in each option relative to one at 16 bits, shape (options,).
    """

    law: Law
    reference: Reference
    constants: Mapping[str, np.ndarray]
    columns: Mapping[str, np.ndarray]
    cost: np.ndarray

    @property
    def samples(self) -> int:
        """Number of draws."""
        return len(self.constants["E"])

    @property
    def ceiling(self) -> float:
        """H = ln of the vocabulary, nats/token; inf where unknown."""
        return float(self.columns["ceiling"].min())

    @property
    def only_shares(self) -> bool:
        """Whether precision acts as a share of parameters and tokens alone, without a penalty."""
        return all(term.penalty is None for term in self.law.training)

    def pairs(self, samples: np.ndarray, options: np.ndarray) -> "LawDraws":
        """Pairs of a draw and an option, as rows: constants, columns and costs of shape (rows, 1)."""
        constants = {
            name: value[samples, options if value.shape[1] > 1 else 0][:, None]
            for name, value in self.constants.items()
        }
        columns = {name: value[options][:, None] for name, value in self.columns.items()}
        return replace(self, constants=constants, columns=columns, cost=self.cost[options][:, None])

    def at(self, rows: np.ndarray) -> "LawDraws":
        """Some of the rows that ``pairs`` made."""
        constants = {name: value[rows] for name, value in self.constants.items()}
        columns = {name: value[rows] for name, value in self.columns.items()}
        return replace(self, constants=constants, columns=columns, cost=self.cost[rows])

    def only(self, option: int) -> "LawDraws":
        """The same at one of the options."""
        one = slice(option, option + 1)
        constants = {
            name: value[:, one] if value.shape[1] > 1 else value for name, value in self.constants.items()
        }
        columns = {name: value[one] for name, value in self.columns.items()}
        return replace(self, constants=constants, columns=columns, cost=self.cost[one])

    def with_cost(self, cost: np.ndarray) -> "LawDraws":
        """The same law at the same options, which cost something else, shape (options,)."""
        return replace(self, cost=cost)

    def loss(
        self, n_params: np.ndarray, tokens: np.ndarray, error: StructuralError | None = None
    ) -> np.ndarray:
        """The law's mean loss, nats/token, shape (samples, options), or (rows, points) of pairs.

        Parameters
        ----------
        n_params, tokens
            Parameters and tokens; arrays that broadcast to that shape.
        error
            What the law is off by there.
        """
        columns = {**self.columns, "n_params": n_params, "tokens": tokens}
        return np.asarray(train(self.law, self.constants, columns, self.reference, np, error).loss)

    def log_shares(self) -> tuple[np.ndarray, np.ndarray]:
        """ln(N_eff/N) and ln(D_eff/D), shape (samples, options); -inf without any capacity."""
        of_n, of_d = log_shares(self.law, self.constants, self.columns, np)
        shape = np.broadcast_shapes((self.samples, 1), self.cost.shape)
        return (
            np.broadcast_to(np.where(of_n < NO_CAPACITY, -np.inf, of_n), shape),
            np.broadcast_to(np.where(of_d < NO_CAPACITY, -np.inf, of_d), shape),
        )

    def no_capacity(self) -> np.ndarray:
        """Whether a draw leaves no capacity at all at an option, shape (samples, options)."""
        of_n, of_d = self.log_shares()
        return np.isinf(of_n) | np.isinf(of_d)


def log_shares(law: Law, p: Values, columns: Values, xp: Any) -> tuple[Any, Any]:
    """ln(N_eff/N) and ln(D_eff/D); below ``NO_CAPACITY`` where nothing stays effective.

    Parameters
    ----------
    law, p, columns, xp
        As for ``train``.
    """
    of_n = (term.log_share_n for term in law.training)
    of_d = (term.log_share_d for term in law.training)
    log_n, log_d = (sum(share(p, columns, xp) for share in shares if share) for shares in (of_n, of_d))
    return log_n, log_d


def law_draws(fit: Fit, offer: Sequence[OnOffer], group: str | None, prior: bool = False) -> LawDraws:
    """A fit's law at the draws of its posterior or prior.

    Parameters
    ----------
    fit
        The fit.
    offer
        Training precisions.
    group
        Group of a pooled fit.
    prior
        Use draws of the prior in place of the posterior.

    Raises
    ------
    InputError
        If the law takes losses as trained as data, or has no term for a precision on offer, or was not
        fitted to a format, or the group does not fit the fit.
    """
    require_own_loss(fit.law)
    points = points_of(offer, [1.0] * len(offer), [1.0] * len(offer), group_columns(fit, group))
    problems = list(dict.fromkeys(reason for _, reason in training_without_term(fit.law, points)))
    if problems:
        raise InputError(problems)
    own = (fit.law.base.parameters, *(term.parameters for term in fit.law.training))
    used = {parameter.name for parameters in own for parameter in parameters}
    constants = law_parameters(fit, points, prior)
    return LawDraws(
        law=fit.law,
        reference=fit.reference,
        constants={name: value for name, value in constants.items() if name in used},
        columns=point_columns(fit, points),
        cost=np.array([option.cost for option in offer]),
    )


def points_of(
    offer: Sequence[OnOffer], n_params: list[float], tokens: list[float], group: Mapping[str, Any]
) -> pd.DataFrame:
    """Options as points, one row each, canonical columns.

    Parameters
    ----------
    offer
        The options.
    n_params, tokens
        Parameters and tokens of each.
    group
        Run-table columns of their group.
    """
    names = dict.fromkeys(name for option in offer for name in option.columns)
    blank = {column.name: np.nan if column.default is None else column.default for column in COLUMNS}
    stated = {name: [option.columns.get(name, blank[name]) for option in offer] for name in names}
    return points_frame(n_params=n_params, tokens=tokens, **stated, **group)


def require_training_term(law: Law) -> None:
    """Raise InputError unless the law says what training precision does to a loss."""
    if law.training:
        return
    require_own_loss(law)
    raise InputError(f"law {law.name} has no term for training precision; laws with one: {_with_term()}")


def require_own_loss(law: Law) -> None:
    """Raise InputError where a law takes the loss as trained as data, and so predicts none."""
    if law.base.is_observed:
        raise InputError(
            f"law {law.name} takes the loss as trained as data, so it cannot say which precision to train "
            f"in; ask it about quantization after training (bitlaw ptq), or use one of {_with_term()}"
        )


def _with_term() -> str:
    return ", ".join(name for name in law_names() if load_law(name).training)
