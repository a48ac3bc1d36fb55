"""Priors as PyMC distributions."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

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


def sample_normal(name: str, mu: Any, sigma: Any, dims: str) -> Any:
    """Variables with normal priors that depend on others.

    Their density is a potential. PyMC rewrites the densities of variables apart from its potentials, and a
    law that is in both is computed twice, with all its gradient.

    Parameters
    ----------
    name, dims
        Of the variables.
    mu, sigma
        Means and standard deviations.
    """
    values = pm.Flat(name, dims=dims)
    pm.Potential(f"{name}_prior", pm.logp(pm.Normal.dist(mu, sigma), values))
    return values


def sample_decay(prior: Prior) -> Any:
    """A number of bits c that shrinks a penalty by a factor e, sampled as the growth per bit, e^(1/c).

    Where two tensor kinds are known by their joint penalty alone, c of the one against c of the other is
    a sharp bend, and the growths lie on a line: v = 1 + softplus(y) is sampled, with the prior of the
    law for c through |d ln c / dy| = sigmoid(y) / (v ln v).

    Parameters
    ----------
    prior
        A LogNormal prior.
    """
    median, sigma = arguments(prior)
    y = pm.Flat(f"{prior.name}_growth")
    growth = 1.0 + pt.softplus(y)
    log_c = -pt.log(pt.log(growth))
    density = pm.logp(pm.Normal.dist(np.log(median), sigma), log_c)
    jacobian = pt.log(pt.sigmoid(y)) - pt.log(growth) - pt.log(pt.log(growth))
    pm.Potential(f"{prior.name}_prior", density + jacobian)
    return pm.Deterministic(prior.name, pt.exp(log_c))


def arguments(prior: Prior) -> tuple[np.float64, np.float64]:
    """The prior's two numbers in double precision: PyTensor reads a plain .5 as float32."""
    return np.float64(prior.arguments[0]), np.float64(prior.arguments[1])
