"""A law with draws of its constants: its mean loss at any parameters, tokens and training bits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.question import TENSORS
from bitlaw.errors import InputError
from bitlaw.inference.columns import law_columns
from bitlaw.inference.draws import law_parameters, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.laws.capacity import SMALLEST_SHARE
from bitlaw.laws.evaluate import log_effective_params, trained_loss
from bitlaw.laws.law import Capacity, Law, Reference
from bitlaw.laws.registry import law_names, load_law
from bitlaw.runs.columns import UNQUANTIZED_BITS


@dataclass(frozen=True)
class LawDraws:
    """A law at draws of its constants.

    Parameters
    ----------
    law, capacity, reference
        The law, its capacity term, and the scales of the fit.
    constants
        The law's constants by name, arrays of shape (samples, 1).
    ceiling
        H = ln of the vocabulary, nats/token; inf where unknown.
    tensors
        Tensor kinds trained at the bits in question; the others stay at 16.
    """

    law: Law
    capacity: Capacity
    reference: Reference
    constants: Mapping[str, np.ndarray]
    ceiling: float
    tensors: tuple[str, ...]

    @property
    def samples(self) -> int:
        """Number of draws."""
        return len(self.constants["E"])

    def at(self, samples: slice | np.ndarray) -> "LawDraws":
        """The same law at some of the draws."""
        return replace(self, constants={name: value[samples] for name, value in self.constants.items()})

    def loss(self, n_params: np.ndarray, tokens: np.ndarray, bits: np.ndarray | float) -> np.ndarray:
        """The law's mean loss, nats/token, shape (samples, points).

        Parameters
        ----------
        n_params, tokens, bits
            Parameters, tokens and joint training bits; arrays that broadcast to (samples, points).
        """
        columns = {"n_params": n_params, "tokens": tokens, "ceiling": self.ceiling} | self._bits(bits)
        log_n = log_effective_params(self.law, self.constants, columns, self.reference, np)
        return trained_loss(self.law, self.constants, columns, log_n, self.reference, np)

    def log_share(self, bits: np.ndarray | float) -> np.ndarray:
        """ln(N_eff/N) at joint training bits, shape (samples, points); -inf without any capacity."""
        share = self.capacity.log_share(self.constants, self._bits(bits), np)
        return np.where(share < np.log(SMALLEST_SHARE) / 2, -np.inf, share)

    def _bits(self, bits: np.ndarray | float) -> dict[str, np.ndarray | float]:
        return {
            column: bits if name in self.tensors else UNQUANTIZED_BITS for name, column in TENSORS.items()
        }


def law_draws(fit: Fit, tensors: tuple[str, ...], group: str | None, prior: bool = False) -> LawDraws:
    """A fit's law at the draws of its posterior or prior.

    Raises
    ------
    InputError
        If the law has no term for training precision, or none for one of the tensor kinds, or the
        group does not fit the fit.
    """
    capacity = fit.law.capacity
    if capacity is None:
        able = [name for name in law_names() if load_law(name).capacity is not None]
        raise InputError(
            f"law {fit.law.name} has no term for training precision; laws with one: {', '.join(able)}"
        )
    missing = [name for name in tensors if TENSORS[name] not in capacity.columns]
    if missing:
        raise InputError(f"law {fit.law.name} has no term for the bits of {', '.join(missing)}")
    point = points_frame(n_params=1.0, tokens=1.0, **group_columns(fit, group))
    stated = float(law_columns(point)["ceiling"][0])
    return LawDraws(
        law=fit.law,
        capacity=capacity,
        reference=fit.reference,
        constants=law_parameters(fit, point, prior),
        ceiling=stated if np.isfinite(stated) else fit.ceiling,
        tensors=tensors,
    )
