"""Where each measured loss is expected and how far it may stray; the same code for sampler and NumPy."""

from typing import Any

from bitlaw.laws.evaluate import Trained, bounded
from bitlaw.laws.law import Values

_LARGEST_LOG_DELTA = 300.0
"""Keeps draws of a wide prior within the range of floating point, squared scales included."""

_LARGEST_LOG_NOISE = 1.0
"""A run that misses the law by more than a factor e has failed, which is no noise of a loss; without a
limit a Student-t with one degree of freedom or less would have no mean."""


def degradation(log_delta: Any, loss_trained: Any, ceiling: Any, xp: Any) -> Any:
    """Degradation after the bound, nats/token, from ln δ and the run's own loss as trained."""
    return bounded(xp.exp(xp.minimum(log_delta, _LARGEST_LOG_DELTA)), loss_trained, ceiling, xp)


def trained_scale(p: Values, trained: Trained, relative_error: Any, xp: Any) -> Any:
    """Scale of log loss as trained, √(σ² + e² + (κ_train Δ / L)²).

    Parameters
    ----------
    p
        ``sigma``, and ``kappa_train`` where the law has a term for training precision.
    trained
        The runs as the law has them.
    relative_error
        e, the standard error of the measured loss as a share of it; 0 where unknown.
    xp
        Array namespace.
    """
    variance = p["sigma"] ** 2 + relative_error**2
    if "kappa_train" in p:
        variance = variance + (p["kappa_train"] * trained.penalty / trained.loss) ** 2
    return xp.sqrt(variance)


def new_loss(trained: Any, scatter: Any, xp: Any) -> Any:
    """Loss of a new run, nats/token, from the law's mean and the run's scatter in log loss."""
    limited = xp.minimum(xp.maximum(scatter, -_LARGEST_LOG_NOISE), _LARGEST_LOG_NOISE)
    return trained * xp.exp(limited)


def new_degradation(with_effect: Any, error: Any, trained: Any, ceiling: Any, xp: Any) -> Any:
    """Degradation of a new run: never better than no loss at all, nor worse than guessing.

    Parameters
    ----------
    with_effect
        The law's mean with the effect of the run, nats/token.
    error
        What is measured besides, nats/token.
    trained
        Loss of the run as trained, nats/token.
    ceiling
        H, nats/token; ``inf`` where unknown.
    xp
        Array namespace.
    """
    room = xp.maximum(ceiling - trained, 0.0)
    return xp.minimum(xp.maximum(with_effect + error, -trained), room)


def gap_scale(p: Values, gap: Any, xp: Any) -> Any:
    """Scale of the Student-t noise of a paired degradation: a fixed error and one in proportion, √(s² + (κ δ)²)."""
    return xp.sqrt(p["sigma_gap"] ** 2 + (p["kappa"] * gap) ** 2)


def unpaired_scale(p: Values, gap: Any, loss: Any, trained_scale: Any, xp: Any) -> Any:
    """Scale of log loss where the run's own loss was not measured, √(scale as trained² + (κ δ / L)²)."""
    return xp.sqrt(trained_scale**2 + (p["kappa"] * gap / loss) ** 2)
