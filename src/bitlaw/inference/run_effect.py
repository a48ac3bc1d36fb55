"""One run's own effect on its degradation, learned from degradations that were measured on it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from bitlaw.inference.draws import KnownRun, law_parameters, point_columns
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation, gap_scale
from bitlaw.inference.parameters import at_index
from bitlaw.laws.evaluate import log_post_degradation, train

_REACH = 8.0
"""Scales of the effect's prior searched on either side; a thousandth of a millionth lies beyond 6."""

_NODES = np.linspace(0.0, 1.0, 97)
_STAGES = 3
"""Times the nodes are put where the mass is, so that a peak of a ten-thousandth of τ is resolved."""

_NEGLIGIBLE = 14.0
"""In log density below the highest: a millionth."""

_SMALLEST = 1e-9


@dataclass(frozen=True)
class Measured:
    """Degradations measured on one run, those the fit has seen first.

    Parameters
    ----------
    points
        The run at the bits and methods they were measured at, canonical columns.
    gap
        Loss after quantization less the run's own as trained, nats/token, shape (points,).
    error
        Standard error of each gap, nats/token; 0 where unknown.
    fitted
        Whether each is among the rows that were fitted.
    loss
        The run's own loss as trained, nats/token.
    """

    points: pd.DataFrame
    gap: np.ndarray
    error: np.ndarray
    fitted: np.ndarray
    loss: float


def known_run(fit: Fit, measured: Measured, seed: int, drift: bool = True) -> KnownRun:
    """Draws of the constants, the drift and the run's effect given the degradations measured on it.

    With δ_j(u) the bounded degradation whose logarithm is that of the law plus drift plus u, a gap is
    Student-t around δ_j(u) with scale √(s² + (κ δ_j)² + e_j²), and u is N(0, τ²), as in the fit. Of every
    draw of the fit, p(u | gaps) and its integral are computed on nodes along u. The integral weighs the
    draw, and u is drawn from the former. Rows of the fit have weighed its draws already, so of them
    p(u | gaps) alone is used. Exact but for the nodes and for the finite number of draws, of which ``effective``
    says how many are left: few where the run is unlike all that was fitted.

    Parameters
    ----------
    fit
        The fit; its law has a post-training term.
    measured
        What was measured, one point at least.
    seed
        Seed of the draws.
    drift
        Whether the law may be off beyond the data there (see ``structural_error``).

    Raises
    ------
    InputError
        For a method or group that the fit has not seen.
    """
    terms = _Terms.of(fit, measured, drift)
    nodes, density = _on_nodes(terms, np.ones(len(measured.gap), bool))
    log_weight = _log_integral(nodes, density)
    if measured.fitted.all():
        log_weight = np.zeros_like(log_weight)
    elif measured.fitted.any():
        log_weight -= _log_integral(*_on_nodes(terms, measured.fitted))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    rng = np.random.default_rng([seed, len(measured.gap)])
    rows = _systematic(weight, rng)
    return KnownRun(rows, _drawn(nodes[rows], density[rows], rng), float(1.0 / (weight**2).sum()))


@dataclass(frozen=True)
class _Terms:
    """What the density along u is made of, shape (samples, points) or (samples, 1)."""

    measured: Measured
    log_delta: np.ndarray
    ceiling: np.ndarray
    constants: dict[str, np.ndarray]
    tau: np.ndarray

    @classmethod
    def of(cls, fit: Fit, measured: Measured, drift: bool) -> "_Terms":
        constants = law_parameters(fit, measured.points)
        columns = point_columns(fit, measured.points, measured.loss)
        error = structural_error(fit, measured.points) if drift else None
        run = train(fit.law, constants, columns, fit.reference, np)
        log_delta = log_post_degradation(fit.law, constants, columns, run.log_n, fit.reference, np, error)
        shape = (fit.samples(), len(measured.gap))
        tau = np.maximum(constants["tau"][:, :1], _SMALLEST)
        return cls(measured, np.broadcast_to(log_delta, shape), columns["ceiling"], constants, tau)

    def log_density(self, effect: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Ln p(u) + Σ ln p(gap | u) of the chosen points but for a constant, at nodes of shape (samples, nodes)."""
        total = -0.5 * (effect / self.tau) ** 2 - np.log(self.tau)
        for point in np.flatnonzero(which):
            p = at_index(self.constants, np.array([point]))
            log_delta = self.log_delta[:, [point]] + effect
            gap = degradation(log_delta, self.measured.loss, self.ceiling[point], np)
            scale = np.hypot(gap_scale(p, gap, np), self.measured.error[point])
            total = total + _log_student_t(self.measured.gap[point], p["nu_gap"], gap, scale)
        return total


def _log_student_t(value: float, freedom: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    half = 0.5 * (freedom + 1.0)
    constant = special.gammaln(half) - special.gammaln(0.5 * freedom) - 0.5 * np.log(np.pi * freedom)
    return np.asarray(constant - np.log(scale) - half * np.log1p(((value - centre) / scale) ** 2 / freedom))


def _on_nodes(terms: _Terms, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes along u where the mass is, and the log density there, shape (samples, nodes)."""
    lo, hi = -_REACH * terms.tau, _REACH * terms.tau
    for _ in range(_STAGES):
        nodes = lo + (hi - lo) * _NODES
        density = terms.log_density(nodes, which)
        seen = density > density.max(axis=1, keepdims=True) - _NEGLIGIBLE
        first = np.maximum(seen.argmax(axis=1) - 1, 0)
        last = np.minimum(len(_NODES) - seen[:, ::-1].argmax(axis=1), len(_NODES) - 1)
        each = np.arange(len(nodes))
        lo, hi = nodes[each, first][:, None], nodes[each, last][:, None]
    return nodes, density


def _log_integral(nodes: np.ndarray, density: np.ndarray) -> np.ndarray:
    top = density.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.trapezoid(np.exp(density - top), nodes, axis=1)) + top[:, 0])


def _drawn(nodes: np.ndarray, density: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One draw along the nodes of each row, its density taken as linear between them."""
    height = np.exp(density - density.max(axis=1, keepdims=True))
    mass = np.cumsum(0.5 * (height[:, 1:] + height[:, :-1]) * np.diff(nodes, axis=1), axis=1)
    at = rng.uniform(size=(len(nodes), 1)) * mass[:, -1:]
    cell, each = np.minimum((mass < at).sum(axis=1), mass.shape[1] - 1), np.arange(len(nodes))
    left, right = nodes[each, cell], nodes[each, cell + 1]
    low, high = height[each, cell], height[each, cell + 1]
    inside = (at[:, 0] - np.where(cell > 0, mass[each, cell - 1], 0.0)) / (right - left)
    root = low + np.sqrt(np.maximum(low**2 + 2.0 * (high - low) * inside, 0.0))
    share = np.divide(2.0 * inside, root, out=np.zeros(len(nodes)), where=root > 0)
    return np.asarray(left + np.minimum(share, 1.0) * (right - left))


def _systematic(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many rows as there are, each as often as its weight says, to within one; in their order."""
    samples = len(weight)
    at = (np.arange(samples) + rng.uniform()) / samples
    return np.minimum(np.searchsorted(np.cumsum(weight), at), samples - 1)
