"""Effects of levels that share a spread, in coordinates that sample well.

An effect u ~ N(0, τ²) sampled as u = τ z mixes badly where its level has much data, sampled as itself
badly where it has little. So it is sampled as x = (u - w û) / s, with û ± e what the level's own data
say, and r = τ²/e²: s = τ / √(1 + r) is the spread of the effect given both, and w = r / (1 + r). For any
û and e, the effect has exactly its prior. They start at e = ∞, which is u = τ z, and are learned from a
pilot.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from bitlaw.inference.distributions import sample_normal

_UNKNOWN = 1e3
_LEAST_WEIGHT = 0.01


def adaptive_effects(name: str, dims: str, numbers: Mapping[str, Any], spread: Any, centre: Any = 0.0) -> Any:
    """Effects u ~ N(0, spread²), one per level.

    Parameters
    ----------
    name, dims
        The variable is called ``NAME_level``.
    numbers
        The model's ``NAME_estimate`` and ``NAME_error``, one of each per level.
    spread
        τ.
    centre
        What is added to the effect before data see it; estimates are of the sum.
    """
    estimate, error = numbers[f"{name}_estimate"], numbers[f"{name}_error"]
    information = (spread / error) ** 2
    narrowing = pt.sqrt(1.0 + information)
    expected = information / (1.0 + information) * (estimate - centre)
    width = spread / narrowing
    level = sample_normal(f"{name}_level", -expected / width, narrowing, dims=dims)
    return expected + width * level


def unknown_estimates(name: str, levels: int) -> dict[str, np.ndarray]:
    """What each level's own data say before a pilot: nothing."""
    return {f"{name}_estimate": np.zeros(levels), f"{name}_error": np.full(levels, _UNKNOWN)}


def learned_estimates(
    name: str, effect: np.ndarray, spread: np.ndarray, centre: np.ndarray | float = 0.0
) -> dict[str, np.ndarray]:
    """What each level's own data say, from draws of a pilot, as numbers of the model.

    Parameters
    ----------
    name
        As for ``adaptive_effects``.
    effect
        Draws of u, shape (samples, levels).
    spread, centre
        Draws of τ and of the centre, shape (samples, 1).
    """
    value = effect + centre
    between = float(np.median(np.square(spread)))
    mean, variance = value.mean(axis=0), value.var(axis=0)
    precision = np.maximum(1.0 / variance - 1.0 / between, 1.0 / _UNKNOWN**2)
    weight = precision / (precision + 1.0 / between)
    own = (mean / variance - np.mean(centre) / between) / precision
    return {
        f"{name}_estimate": np.where(weight > _LEAST_WEIGHT, own, mean),
        f"{name}_error": 1.0 / np.sqrt(precision),
    }
