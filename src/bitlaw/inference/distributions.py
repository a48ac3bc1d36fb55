"""Priors as PyMC distributions."""

from typing import Any

import numpy as np
import pymc as pm

from bitlaw.laws.law import Prior


def sample_prior(prior: Prior, name: str, dims: str | None = None) -> Any:
    """A random variable with the prior of a quantity, floors as a share of the smallest bits.

    Parameters
    ----------
    prior
        The prior.
    name
        Name of the variable.
    dims
        Dimension along which there is one independent draw per level.
    """
    first, second = arguments(prior)
    if prior.distribution == "LogNormal":
        return pm.LogNormal(name, mu=np.log(first), sigma=second, dims=dims)
    if prior.distribution == "Normal":
        return pm.Normal(name, mu=first, sigma=second, dims=dims)
    return pm.Beta(name, alpha=first, beta=second, dims=dims)


def arguments(prior: Prior) -> tuple[np.float64, np.float64]:
    """The prior's two numbers in double precision: PyTensor reads a plain .5 as float32."""
    return np.float64(prior.arguments[0]), np.float64(prior.arguments[1])
