"""How constants differ between levels, in coordinates that sample well.

A level's value θ = μ + shift, on the natural scale of the quantity, with shift ~ N(0, spread²), is
sampled as x ~ N(w μ, spread^(2w)) with shift = spread^(1-w) (x - w μ). For any w that is exactly the
prior; w = 0 is the non-centred form, which mixes where a level has little data, and w = 1 the centred
form, which mixes where it has much.
"""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.distributions import sample_prior
from bitlaw.inference.levels import spread_scale, varying
from bitlaw.inference.parameters import shift_name, spread_name
from bitlaw.inference.prior import natural
from bitlaw.inference.rows import Rows
from bitlaw.laws.law import Law


def level_shifts(law: Law, rows: Rows, common: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """What each level adds to each quantity that differs over it, on its natural scale.

    Parameters
    ----------
    law, rows
        What the model is built from.
    common
        Sampled quantities common to all levels.

    Returns
    -------
    dict
        By quantity and column, a vector of one shift per level.
    """
    shifts = {}
    for name, columns in varying(law, rows.pool, rows.factors).items():
        for column in columns:
            centre = natural(law.prior(name), common[name], pt)
            scale = spread_scale(law, name, column)
            if scale is None:
                shift = _free(law, name, column) - centre
            else:
                shift = _pooled(name, column, centre, scale, centring(rows, name, column))
            shifts[name, column] = pm.Deterministic(shift_name(name, column), shift, dims=column)
    return shifts


def _pooled(name: str, column: str, centre: Any, scale: float, weight: np.ndarray) -> Any:
    spread = pm.HalfNormal(spread_name(name, column), np.float64(scale))
    level = pm.Normal(f"{name}_level_{column}", weight * centre, spread**weight, dims=column)
    return spread ** (1.0 - weight) * (level - weight * centre)


def _free(law: Law, name: str, column: str) -> Any:
    prior = law.prior(name)
    return natural(prior, sample_prior(prior, f"{name}_free_{column}", dims=column), pt)


_WELL_MEASURED = {"mean_loss": 1.0}


def centring(rows: Rows, name: str, column: str) -> np.ndarray:
    """w of each level: how much its own data say about the quantity, between 0 and 1."""
    return np.full(len(rows.factors[column].names), _WELL_MEASURED.get(name, 0.0))
