"""Drift: how wrong a law may be beyond the data it was fitted to; nothing inside.

No parametric law is exact, and its posterior knows nothing of the error that its form makes outside of
the fitted runs. Drift is that error as a stated prior: one draw per posterior draw, shared by every point
of that draw, so that a whole extrapolation moves together.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.distance import beyond_post, beyond_sizes, beyond_training
from bitlaw.inference.fit import Fit
from bitlaw.laws.evaluate import StructuralError

_LARGEST_LOG_ERROR = 10.0
"""A factor of 22,000: what lies beyond says no more, and would leave expected losses infinite."""


@dataclass(frozen=True)
class DriftPrior:
    """The scales of drift: medians and standard deviations of the logarithm of LogNormal priors.

    Stated rather than learned: the refits that one table allows are few, reach a short way beyond their
    data and share most of it.

    Parameters
    ----------
    loss
        ω, log-loss error per square root of a decade beyond the fitted sizes: 1 % at one decade, within
        a factor of 1.6 either way with 90 % probability. About what base laws fitted to the smaller runs
        of public tables miss the larger ones by. The median is as first stated; the spread, first .8, was
        narrowed after 90 % intervals had held too often on real tables (docs/extrapolation.md).
    penalty
        ω_δ, error of a precision penalty's logarithm per square root of a decade of size, or a bit,
        beyond the rows that show one: 20 % at one. Measured on
        quantization-aware training and post-training tables, .2 to .3 (docs/extrapolation.md).
    """

    loss: tuple[float, float] = (0.01, 0.3)
    penalty: tuple[float, float] = (0.2, 0.8)


DRIFT_PRIOR = DriftPrior()


def drift_draws(samples: int, seed: int, law: str, prior: DriftPrior = DRIFT_PRIOR) -> xr.Dataset:
    """Draws of drift, one per draw of a posterior or prior.

    Parameters
    ----------
    samples
        Number of draws.
    seed
        Seed of the fit; the same seed gives the same draws.
    law
        Name of the law: laws fitted with one seed drift on their own.
    prior
        The scales.

    Returns
    -------
    xarray.Dataset
        Dimension ``sample``: ``omega`` and ``omega_penalty``, the scales; and the standard normal
        directions ``z_n`` and ``z_d`` of the loss along parameters and tokens, ``z_train`` and ``z_post``
        of the penalties of low precision in training and after it.
    """
    rng = np.random.default_rng(list(f"{seed} drift {law}".encode()))
    scales = {"omega": prior.loss, "omega_penalty": prior.penalty}
    drawn = {
        name: median * np.exp(sigma * rng.standard_normal(samples))
        for name, (median, sigma) in scales.items()
    }
    drawn |= {name: rng.standard_normal(samples) for name in ("z_n", "z_d", "z_train", "z_post")}
    return xr.Dataset({name: ("sample", values) for name, values in drawn.items()})


def without_drift(fit: Fit) -> Fit:
    """The fit as if its law had no structural error: every draw of drift is of scale 0.

    Parameters
    ----------
    fit
        The fit.
    """
    none = {name: 0.0 * fit.drift[name] for name in ("omega", "omega_penalty")}
    return replace(fit, drift=fit.drift.assign(none))


def structural_error(
    fit: Fit,
    points: pd.DataFrame,
    n_params: np.ndarray | None = None,
    tokens: np.ndarray | None = None,
) -> StructuralError | None:
    """The error of the law at points in every draw; None where no point is beyond the data.

    With v the shortest vector, in decades of (N, D), from the convex hull of the fitted runs, the log loss
    of an unquantized run is off by ω(|v_N| z_N + |v_D| z_D)/√|v|; the logarithm of a precision penalty
    by ω_δ √d z, d the decades of (N, D) from the hull of the rows that show one plus the bits beyond them.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns, shape (points,).
    n_params, tokens
        Sizes in place of the points' own, arrays that broadcast to (samples, points); where one is NaN
        nothing is off.
    """
    n_params = points["n_params"].to_numpy(np.float64) if n_params is None else n_params
    tokens = points["tokens"].to_numpy(np.float64) if tokens is None else tokens
    unknown = np.isnan(n_params) | np.isnan(tokens)
    if unknown.any():
        n_params, tokens = (
            np.where(unknown, size, sizes)
            for size, sizes in ((fit.reference.n_params, n_params), (fit.reference.tokens, tokens))
        )
    error = StructuralError(
        log_loss=0.0 if fit.law.base.is_observed else _loss_error(fit, n_params, tokens),
        log_penalty=_penalty_error(fit, beyond_training(fit, points, n_params, tokens), "z_train"),
        log_degradation=_penalty_error(fit, beyond_post(fit, points, n_params, tokens), "z_post"),
    )
    return error if any(np.any(part) for part in vars(error).values()) else None


def _loss_error(fit: Fit, n_params: np.ndarray, tokens: np.ndarray) -> np.ndarray | float:
    of_n, of_d = beyond_sizes(fit.hull, n_params, tokens)
    if not (of_n.any() or of_d.any()):
        return 0.0
    scale, along_n, along_d = (_draws(fit, name) for name in ("omega", "z_n", "z_d"))
    return log_loss_error(of_n, of_d, scale, along_n, along_d, np)


def _penalty_error(fit: Fit, distance: np.ndarray, direction: str) -> np.ndarray | float:
    if not distance.any():
        return 0.0
    return log_penalty_error(distance, _draws(fit, "omega_penalty"), _draws(fit, direction), np)


def log_loss_error(of_n: Any, of_d: Any, omega: Any, z_n: Any, z_d: Any, xp: Any) -> Any:
    """Error of the log loss, ω(|v_N| z_N + |v_D| z_D)/√|v|.

    Parameters
    ----------
    of_n, of_d
        Decades of parameters and tokens beyond the data, v.
    omega, z_n, z_d
        Draws of the scale and of the directions.
    xp
        Array namespace.

    Examples
    --------
    >>> round(float(log_loss_error(4.0, 0.0, 0.01, 1.5, 0.0, np)), 6)
    0.03
    """
    of_n, of_d = xp.abs(of_n), xp.abs(of_d)
    distance = xp.hypot(of_n, of_d)
    root = xp.sqrt(xp.where(distance > 0, distance, 1.0))
    return clipped(omega * (of_n / root * z_n + of_d / root * z_d), xp)


def log_penalty_error(distance: Any, omega: Any, z: Any, xp: Any) -> Any:
    """Error of the logarithm of a precision penalty, ω_δ z √d; arguments as for ``log_loss_error``.

    Examples
    --------
    >>> float(log_penalty_error(4.0, 0.2, 1.0, np))
    0.4
    """
    return clipped(omega * z * xp.sqrt(distance), xp)


def _draws(fit: Fit, name: str) -> np.ndarray:
    return fit.drift[name].to_numpy()[:, None]


def clipped(log_error: Any, xp: Any = np) -> Any:
    """Log errors that leave expected losses finite."""
    return xp.minimum(xp.maximum(log_error, -_LARGEST_LOG_ERROR), _LARGEST_LOG_ERROR)
