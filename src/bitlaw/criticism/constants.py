"""The constants of a law, and what it is sampled in, as criticism goes through them."""

from dataclasses import dataclass

import numpy as np

from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law, Parameter
from bitlaw.laws.noise import noise_parameters

_SMALLEST = 1e-300
_MOST_ODDS = 1e15


@dataclass(frozen=True)
class Constant:
    """A quantity of a law and its kind.

    ``constant``; ``sampled``, what a base is sampled in where that is no constant; or ``noise``.
    """

    parameter: Parameter
    kind: str

    @property
    def name(self) -> str:
        """Name in the posterior."""
        return self.parameter.name


def fitted_constants(fit: Fit) -> tuple[Constant, ...]:
    """Quantities of the law that have draws both of the posterior and of the prior."""
    return tuple(
        item for item in law_constants(fit.law) if item.name in fit.posterior and item.name in fit.prior
    )


def law_constants(law: Law) -> tuple[Constant, ...]:
    """Constants of the law, term by term, then what else it is sampled in, then its noise scales."""
    terms = (law.base, law.capacity, law.post)
    constants = [Constant(item, "constant") for term in terms if term is not None for item in term.parameters]
    names = {item.name for item in constants}
    sampled = [Constant(item, "sampled") for item in law.base.sampled if item.name not in names]
    noise = [Constant(item, "noise") for item in noise_parameters(has_post=law.post is not None)]
    return (*constants, *sampled, *noise)


def on_natural_scale(fit: Fit, parameter: Parameter, draws: np.ndarray) -> np.ndarray:
    """Draws on the scale a spread is told on: log (positive), logit (unit, and floors) or as they are.

    A floor is a share of the smallest measured bits, so its logit is that of the share.
    """
    prior = next((prior for prior in fit.law.priors if prior.name == parameter.name), None)
    if prior is not None and prior.times is not None:
        return _logit(draws / fit.reference.smallest_bits[prior.times])
    if parameter.support == "unit":
        return _logit(draws)
    return np.log(np.maximum(draws, _SMALLEST)) if parameter.support == "positive" else draws


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(np.clip(share / np.maximum(1.0 - share, 1.0 / _MOST_ODDS), 1.0 / _MOST_ODDS, _MOST_ODDS))
