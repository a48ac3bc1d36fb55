"""A discrepancy sampled together with the law: log loss is the law's plus a random walk in size plus noise.

After Kennedy and Hagan (doi 10.1111/1467-9868.00294). The walk is a two-sided Brownian motion from the
centre of the fitted sizes along each axis, ω² a decade, ω with the prior of the stated drift; noise is
normal. The walk is integrated out, so that only the law's constants, σ and ω are sampled, by the
affine-invariant ensemble sampler of Goodman and Weare (doi 10.2140/camcos.2010.5.65).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from random_walk import OMEGA, SPREAD, walk
from scipy import stats

from bitlaw import Fit
from bitlaw.inference.columns import law_columns
from bitlaw.inference.prior import log_prior, natural
from bitlaw.laws.evaluate import train
from bitlaw.laws.law import Law
from bitlaw.laws.noise import ALL_NOISE

WALKERS, STEPS, KEPT = 80, 2000, 50
"""Walkers, steps of each, and how many states of all walkers are kept, evenly from the second half."""

_STRETCH = 2.0


@dataclass(frozen=True)
class _Target:
    """The law and the fitted runs, with the walk's covariance in its eigenvectors."""

    fit: Fit
    names: tuple[str, ...]
    values: np.ndarray
    axes: np.ndarray
    log_loss: np.ndarray
    columns: dict[str, np.ndarray]

    def mean(self, state: np.ndarray, columns: dict[str, np.ndarray]) -> np.ndarray:
        """The law's log loss at runs, shape (walkers, runs)."""
        law = self.fit.law
        own = {name: value[:, None] for name, value in _values(law, self.names, state).items()}
        return np.log(train(law, law.complete(own, np), columns, self.fit.reference, np).loss)

    def log_density(self, state: np.ndarray) -> np.ndarray:
        """Of states of walkers, on the scales they are sampled on."""
        law, values = self.fit.law, _values(self.fit.law, self.names, state)
        with np.errstate(all="ignore"):
            prior = log_prior(law, self.fit.reference, values)
            prior = prior + sum(_log_jacobian(law, name, values[name]) for name in self.names)
            omega = np.exp(state[:, -1])
            prior = prior + stats.norm.logpdf(state[:, -1], np.log(OMEGA), SPREAD)
            error = (self.log_loss - self.mean(state, self.columns)) @ self.axes
            variance = omega[:, None] ** 2 * self.values + values["sigma"][:, None] ** 2
            fit = -0.5 * (error**2 / variance + np.log(variance)).sum(axis=1)
        total = prior + fit
        return np.where(np.isfinite(total), total, -np.inf)


def predictive_draws(
    fit: Fit, fitted_sizes: np.ndarray, sizes: np.ndarray, columns: dict[str, np.ndarray]
) -> np.ndarray:
    """Draws of the log loss of new runs, shape (draws, points).

    Parameters
    ----------
    fit
        Of the law alone to the same rows; walkers start in its posterior.
    fitted_sizes, sizes
        (log10 N, log10 D) of fitted runs and of points.
    columns
        Law columns of the points.
    """
    rng = np.random.default_rng(0)
    centre = fitted_sizes.mean(axis=0)
    near, far = fitted_sizes - centre, sizes - centre
    values, axes = np.linalg.eigh(walk(near, near))
    noise = {parameter.name for parameter in ALL_NOISE} - {"sigma"}
    names = tuple(prior.name for prior in fit.law.priors if prior.name not in noise)
    target = _Target(
        fit=fit,
        names=names,
        values=np.maximum(values, 0.0),
        axes=axes,
        log_loss=np.log(fit.rows["loss"].to_numpy(np.float64)),
        columns=law_columns(fit.rows),
    )
    state = _sampled(target.log_density, _start(fit, names, rng), rng)
    sigma, omega = _values(fit.law, names, state)["sigma"], np.exp(state[:, -1])
    variance = omega[:, None] ** 2 * target.values + sigma[:, None] ** 2
    across = walk(far, near) @ axes
    error = (target.log_loss - target.mean(state, target.columns)) @ axes
    expected = omega[:, None] ** 2 * (error / variance) @ across.T
    left = np.diag(walk(far, far)) - omega[:, None] ** 2 * (1.0 / variance) @ (across**2).T
    sd = np.sqrt(omega[:, None] ** 2 * np.maximum(left, 0.0) + sigma[:, None] ** 2)
    return target.mean(state, columns) + expected + sd * rng.standard_normal(sd.shape)


def _sampled(
    log_density: Callable[[np.ndarray], np.ndarray], state: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """States kept of the ensemble, one below the other; half of the walkers move at a time."""
    density, dimensions = log_density(state), state.shape[1]
    half, kept = len(state) // 2, []
    keep = set(np.linspace(STEPS // 2, STEPS - 1, KEPT).astype(int).tolist())
    for step in range(STEPS):
        for own, other in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
            moving, still = state[own], state[other]
            stretch = (1 + (_STRETCH - 1) * rng.random(len(moving))) ** 2 / _STRETCH
            partner = still[rng.integers(len(still), size=len(moving))]
            proposed = partner + stretch[:, None] * (moving - partner)
            found = log_density(proposed)
            accept = (
                np.log(rng.random(len(moving))) < (dimensions - 1) * np.log(stretch) + found - density[own]
            )
            state[own] = np.where(accept[:, None], proposed, moving)
            density[own] = np.where(accept, found, density[own])
        if step in keep:
            kept.append(state.copy())
    return np.concatenate(kept)


def _start(fit: Fit, names: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    chosen = rng.choice(fit.samples(), WALKERS, replace=False)
    own = [natural(fit.law.prior(name), fit.draws(name)[chosen], np) for name in names]
    return np.column_stack([*own, np.log(OMEGA) + SPREAD * rng.standard_normal(WALKERS)])


def _values(law: Law, names: tuple[str, ...], state: np.ndarray) -> dict[str, np.ndarray]:
    found = {}
    for name, column in zip(names, state.T, strict=False):
        distribution = law.prior(name).distribution
        if distribution == "LogNormal":
            column = np.exp(column)
        elif distribution == "Beta":
            column = 1.0 / (1.0 + np.exp(-column))
        found[name] = column
    return found


def _log_jacobian(law: Law, name: str, value: np.ndarray) -> np.ndarray:
    distribution = law.prior(name).distribution
    if distribution == "LogNormal":
        return np.log(value)
    return np.log(value * (1.0 - value)) if distribution == "Beta" else np.zeros_like(value)
