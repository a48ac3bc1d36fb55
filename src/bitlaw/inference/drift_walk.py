"""Drift as a random walk away from the data: what a run part of the way out says of the error further out."""

import numpy as np
import pandas as pd

from bitlaw.inference.distance import beyond_post, beyond_sizes, beyond_training, low_precision_rows
from bitlaw.inference.drift import clipped
from bitlaw.inference.fit import Fit
from bitlaw.inference.hull import convex_hull
from bitlaw.laws.evaluate import StructuralError


def drift_walk(fit: Fit, points: pd.DataFrame, seed: int = 0) -> StructuralError | None:
    """Draws of the law's error at many points, as spread at each as in ``structural_error``.

    There the points of a draw share one z per axis, so that a run just outside the data, on whichever side, would
    give away the error at any distance. A refit says otherwise: its drift starts anew from the hull that the
    run has widened, and leaves what lies beyond as unknown as before. So z is here a random walk along its axis,
    scaled to a standard deviation of 1: at distances x < y on one side its correlation is √(x/y), on
    opposite sides 0. Axes are decades of parameters, decades of tokens and, of penalties, bits.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns, shape (points,).
    seed
        Seed of the walks; their scales are the draws of the fit's drift.

    Returns
    -------
    StructuralError
        Arrays of shape (samples, points), or 0; None where no point is beyond the data.
    """
    sizes = tuple(points[name].to_numpy(np.float64) for name in ("n_params", "tokens"))
    rng = np.random.default_rng(list(f"{seed} walk {fit.law.name}".encode()))
    omega, omega_penalty = (fit.drift[name].to_numpy()[:, None] for name in ("omega", "omega_penalty"))
    inside = np.zeros(len(points))
    of_n, of_d = (inside, inside) if fit.law.base.is_observed else beyond_sizes(fit.hull, *sizes)
    error = StructuralError(
        log_loss=_walked(omega, of_n, of_d, inside, rng),
        log_penalty=_walked(
            omega_penalty, *_parts(low_precision_rows(fit), beyond_training(fit, points, *sizes), sizes), rng
        ),
        log_degradation=_walked(
            omega_penalty,
            *_parts(fit.rows[fit.rows["bits_post"].notna()], beyond_post(fit, points, *sizes), sizes),
            rng,
        ),
    )
    return error if any(np.any(part) for part in vars(error).values()) else None


def walk(distance: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """A random walk from 0 to both sides, scaled to a standard deviation of 1 everywhere but at 0.

    Parameters
    ----------
    distance
        Where, signed, shape (points,).
    samples
        Number of walks.
    rng
        Random numbers.

    Returns
    -------
    numpy.ndarray
        Shape (samples, points).
    """
    walked = np.zeros((samples, len(distance)))
    for side in (-1.0, 1.0):
        there = side * distance > 0
        distinct, which = np.unique(np.abs(distance[there]), return_inverse=True)
        steps = np.sqrt(np.diff(distinct, prepend=0.0))
        path = np.cumsum(steps * rng.standard_normal((samples, len(steps))), axis=1) / np.sqrt(distinct)
        walked[:, there] = path[:, which]
    return walked


def _parts(
    rows: pd.DataFrame, distance: np.ndarray, sizes: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distance of a penalty from the rows that show one: decades of N and of D, and bits."""
    if not distance.any():
        return distance, distance, distance
    hull = convex_hull(np.log10(rows[["n_params", "tokens"]].to_numpy(np.float64)))
    of_n, of_d = (np.where(distance > 0, part, 0.0) for part in beyond_sizes(hull, *sizes))
    return of_n, of_d, np.maximum(distance - np.hypot(of_n, of_d), 0.0)


def _walked(
    scale: np.ndarray, of_n: np.ndarray, of_d: np.ndarray, bits: np.ndarray, rng: np.random.Generator
) -> np.ndarray | float:
    """ω ((|v_N| z_N + |v_D| z_D)/√|v| + √b z_b), v the decades and b the bits beyond the data."""
    length = np.hypot(of_n, of_d)
    if not (length.any() or bits.any()):
        return 0.0
    root = np.sqrt(np.where(length > 0, length, 1.0))
    z_n, z_d, z_bits = (walk(along, len(scale), rng) for along in (of_n, of_d, bits))
    return clipped(scale * (np.abs(of_n) / root * z_n + np.abs(of_d) / root * z_d + np.sqrt(bits) * z_bits))
