"""Priors in NumPy: draws, densities, and the scale on which groups deviate."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from bitlaw.laws.law import Law, Prior, Reference


def scale_of(prior: Prior, reference: Reference) -> float:
    """What a draw is multiplied with: the smallest measured bits for a floor, else 1."""
    return reference.smallest_bits[prior.times] if prior.times else 1.0


def frozen(prior: Prior, reference: Reference) -> "stats.rv_frozen":
    """The prior as a SciPy distribution, floors in bits."""
    first, second = prior.arguments
    if prior.distribution == "LogNormal":
        return stats.lognorm(s=second, scale=first)
    if prior.distribution == "Normal":
        return stats.norm(loc=first, scale=second)
    return stats.beta(first, second, scale=scale_of(prior, reference))


def prior_draws(law: Law, reference: Reference, n_draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draws from the prior of everything sampled and of the constants it implies.

    Parameters
    ----------
    law
        The law.
    reference
        Scales of the fit.
    n_draws
        Number of draws.
    seed
        Seed; the same seed gives the same draws.

    Returns
    -------
    dict
        One array of shape (n_draws,) per sampled quantity and per constant of the base law.
    """
    rng = np.random.default_rng(seed)
    sampled = {
        prior.name: frozen(prior, reference).rvs(size=n_draws, random_state=rng) for prior in law.priors
    }
    return law.complete(sampled, np)


def log_prior(law: Law, reference: Reference, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log density of the priors of the law at posterior draws; the spreads of groups are left out.

    Parameters
    ----------
    law, reference
        Law and scales of the fit.
    draws
        Sampled quantities; those that are absent (a noise scale nothing informs) are skipped.
    """
    densities = [
        frozen(prior, reference).logpdf(draws[prior.name]) for prior in law.priors if prior.name in draws
    ]
    return np.sum(densities, axis=0)


def natural(prior: Prior, value: Any, xp: Any) -> Any:
    """A value on the scale groups deviate on: log (positive), logit (unit) or as it is (real)."""
    if prior.distribution == "LogNormal":
        return xp.log(value)
    if prior.distribution == "Beta":
        return xp.log(value) - xp.log1p(-value)
    return value


def deviate(prior: Prior, value: Any, shift: Any, xp: Any) -> Any:
    """A group's value: shifted on the log, logit or plain scale, whichever its support asks for.

    Examples
    --------
    >>> from bitlaw.laws.registry import load_law
    >>> float(deviate(load_law("chinchilla").prior("alpha"), 0.35, 0.0, np))
    0.35
    """
    if prior.distribution == "LogNormal":
        return value * xp.exp(shift)
    if prior.distribution == "Beta":
        odds = value / (1.0 - value) * xp.exp(shift)
        return odds / (1.0 + odds)
    return value + shift
