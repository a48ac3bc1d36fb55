"""Drifts: structural error of a law outside the runs it was fitted to, as stated, as shipped, and others.

``SHIPPED`` repeats the drift of the package from its parts, and has to give what the package itself gives
(``check_shipped``). ``STATED`` is what was stated before anything was measured; everything else here is an
alternative that was tried.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from forecasts import HeldOut, Posterior
from random_walk import OMEGA, SPREAD, walk

from bitlaw.inference.drift import DRIFT_PRIOR

SEED = 0
_TAIL = 4.0
_SMALLEST = 1e-12
_SAME = 1e-8
"""Log loss: rounding."""


@dataclass(frozen=True)
class Drift:
    """Error of log loss, Σ loading · ω z over axes; z is shared by all points of a draw.

    Parameters
    ----------
    name
        What it is called on the page.
    scale
        Median of ω.
    loadings
        Of each point on each axis, shape (points, axes), from a split and a posterior.
    spread
        Standard deviation of ln ω.
    freedom
        Degrees of freedom of z, scaled to unit variance; infinite is normal.
    """

    name: str
    scale: float
    loadings: Callable[[HeldOut, Posterior], np.ndarray]
    spread: float = SPREAD
    freedom: float = np.inf

    def draws(self, held_out: HeldOut, posterior: Posterior) -> np.ndarray:
        """Log loss of new runs with this drift, shape (draws, points)."""
        loadings = self.loadings(held_out, posterior)
        omega = self.scale * np.exp(self.spread * posterior.log_omega)
        z = posterior.z[:, : loadings.shape[1]]
        if np.isfinite(self.freedom):
            rng = np.random.default_rng(SEED)
            z = z * np.sqrt((self.freedom - 2) / rng.chisquare(self.freedom, (len(z), 1)))
        return posterior.new_runs((omega[:, None] * z) @ loadings.T)


def root_of_hull(held_out: HeldOut, posterior: Posterior) -> np.ndarray:
    """|v_N|/√|v| and |v_D|/√|v|, v the decades from the hull: a random walk outwards."""
    return _rooted(held_out.vector)


def linear_in_hull(held_out: HeldOut, posterior: Posterior) -> np.ndarray:
    """|v_N| and |v_D|: wrong slopes."""
    return np.abs(held_out.vector)


def root_of_compute(held_out: HeldOut, posterior: Posterior) -> np.ndarray:
    """√ of the decades of compute beyond the largest fitted run."""
    return np.sqrt(np.maximum(np.log10(held_out.compute_ratio), 0.0))[:, None]


def root_from_centre(held_out: HeldOut, posterior: Posterior) -> np.ndarray:
    """As ``root_of_hull``, with v the decades from the centre of the fitted runs."""
    return _rooted(held_out.sizes - held_out.fitted_sizes.mean(axis=0))


def share_of_gain(held_out: HeldOut, posterior: Posterior) -> np.ndarray:
    """What the law says is gained from the nearest fitted size to the point, log loss."""
    return np.abs(np.median(posterior.location - posterior.at_edge, axis=0))[:, None]


def root_of_gain(held_out: HeldOut, posterior: Posterior) -> np.ndarray:
    """√ of the gain, log loss."""
    return np.sqrt(share_of_gain(held_out, posterior))


def _rooted(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector, axis=1, keepdims=True)
    return np.abs(vector) / np.sqrt(np.maximum(length, _SMALLEST))


STATED = Drift("as stated", OMEGA, root_of_hull)
SHIPPED = Drift("as shipped", DRIFT_PRIOR.loss[0], root_of_hull, spread=DRIFT_PRIOR.loss[1])


def check_shipped(held_out: HeldOut) -> None:
    """Hold the drift of the package put together here against ``loss_draws``, draw by draw.

    Raises
    ------
    AssertionError
        If they differ: then no alternative tried here is compared with what the package does.
    """
    for posterior in held_out.laws.values():
        own = SHIPPED.draws(held_out, posterior)
        np.testing.assert_allclose(own, posterior.with_drift, atol=_SAME, rtol=0, err_msg=held_out.label)


@dataclass(frozen=True)
class ResidualWalk:
    """A discrepancy learned from the fitted runs: a random walk from their centre, given their residuals.

    Each axis has a Brownian motion away from the centre on either side, with ω² a decade; what the
    residuals of the posterior median say about it is carried outwards (a cut posterior: the law is
    fitted first).
    """

    name: str = "random walk given the residuals"
    scale: float = OMEGA

    def draws(self, held_out: HeldOut, posterior: Posterior) -> np.ndarray:
        """Log loss of new runs, shape (draws, points)."""
        rng = np.random.default_rng(SEED)
        omega = self.scale
        centre = held_out.fitted_sizes.mean(axis=0)
        near, far = held_out.fitted_sizes - centre, held_out.sizes - centre
        error = np.median(posterior.residual, axis=0)
        noise = float(np.median(posterior.sigma)) ** 2
        fitted = omega**2 * walk(near, near) + noise * np.eye(len(near))
        gain = np.linalg.solve(fitted, omega**2 * walk(near, far)).T
        covariance = omega**2 * walk(far, far) - gain @ (omega**2 * walk(near, far))
        values, axes = np.linalg.eigh((covariance + covariance.T) / 2)
        root = axes * np.sqrt(np.maximum(values, 0.0))
        z = rng.standard_normal((len(posterior.location), len(far)))
        return posterior.new_runs(gain @ error + z @ root.T)


SPREADS = (0.0, 0.3, 0.5, 0.8)
"""Standard deviations of ln ω among which one is chosen, where the spread is chosen too."""

ALTERNATIVES: tuple[Drift | ResidualWalk, ...] = (
    replace(STATED, name="as stated, another scale"),
    Drift("linear in the hull vector", OMEGA, linear_in_hull),
    Drift("√ of decades of compute", OMEGA, root_of_compute),
    Drift("√ of decades from the centre", OMEGA, root_from_centre),
    Drift("Student-t z, 4 degrees", OMEGA, root_of_hull, freedom=_TAIL),
    Drift("ω known, no spread", OMEGA, root_of_hull, spread=0.0),
    Drift("share of the predicted gain", 0.1, share_of_gain),
    Drift("√ of the predicted gain", 0.03, root_of_gain),
    ResidualWalk(),
)
"""Each is tried at several scales."""

WITH_SPREAD = (
    replace(STATED, name="as stated, another scale and spread"),
    Drift("linear in the hull vector, another spread", OMEGA, linear_in_hull),
    Drift("√ of decades of compute, another spread", OMEGA, root_of_compute),
)
"""Each is tried at several scales and spreads."""
