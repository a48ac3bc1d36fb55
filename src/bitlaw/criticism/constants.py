"""The constants of a law, and what it is sampled in, as criticism goes through them."""

from dataclasses import dataclass

import numpy as np

from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Law, Parameter

_SMALLEST = 1e-300
_MOST_ODDS = 1e15


@dataclass(frozen=True)
class Constant:
    """A quantity of a law and its kind.

    ``constant``; ``sampled``, what a base is sampled in where that is no constant; or ``noise``.
    ``also`` names the constants that are tied to it, so equal it.
    """

    parameter: Parameter
    kind: str
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name in the posterior."""
        return self.parameter.name

    @property
    def meaning(self) -> str:
        """One sentence, with what equals it."""
        return (
            f"{self.parameter.meaning}; equal to {', '.join(self.also)}"
            if self.also
            else self.parameter.meaning
        )


def fitted_constants(fit: Fit) -> tuple[Constant, ...]:
    """Quantities of the law that have draws of posterior and prior, and are not fixed in both.

    What differs between groups, formats or methods is there with its common value.
    """
    drawn = [item for item in law_constants(fit.law) if item.name in fit.posterior and item.name in fit.prior]
    return tuple(
        item for item in drawn if _varies(fit.draws(item.name)) or _varies(fit.draws(item.name, prior=True))
    )


def law_constants(law: Law) -> tuple[Constant, ...]:
    """Constants of the law, term by term, then what else it is sampled in, then its noise scales.

    A tied quantity is named by the one it is tied to.
    """
    names = {item.name for item in law.parameters}
    only_sampled = [item for item in law.base.sampled if item.name not in names]
    by_kind = (("constant", law.parameters), ("sampled", only_sampled), ("noise", law.noise))
    return tuple(
        Constant(item, kind, tuple(name for name, source in law.ties.items() if source == item.name))
        for kind, items in by_kind
        for item in items
        if item.name not in law.ties
    )


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


def _varies(draws: np.ndarray) -> bool:
    return bool((draws != draws[0]).any())


def _logit(share: np.ndarray) -> np.ndarray:
    return np.log(np.clip(share / np.maximum(1.0 - share, 1.0 / _MOST_ODDS), 1.0 / _MOST_ODDS, _MOST_ODDS))
