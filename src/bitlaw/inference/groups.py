"""How constants differ between levels: what each level adds to a quantity, on its natural scale."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.distributions import sample_prior
from bitlaw.inference.effects import adaptive_effects, unknown_estimates
from bitlaw.inference.levels import spread_scale, varying
from bitlaw.inference.parameters import shift_name, spread_name
from bitlaw.inference.prior import natural
from bitlaw.inference.rows import Rows
from bitlaw.laws.law import Law


def level_shifts(
    law: Law, rows: Rows, common: dict[str, Any], numbers: Mapping[str, Any], uninformed: Sequence[str] = ()
) -> dict[tuple[str, str], Any]:
    """What each level adds to each quantity that differs over it.

    Parameters
    ----------
    law, rows
        What the model is built from.
    common
        Sampled quantities common to all levels.
    numbers
        The model's numbers (see ``estimates_of_levels``).
    uninformed
        Quantities that no row moves with, in no level either.

    Returns
    -------
    dict
        By quantity and column, a vector of one shift per level.
    """
    shifts = {}
    for name, columns in varying(law, rows.pool, rows.factors).items():
        if name in uninformed:
            continue
        prior = law.prior(name)
        centre = natural(prior, common[name], pt)
        for column in columns:
            scale, variable = spread_scale(law, name, column), shift_name(name, column)
            if scale is None:
                own = sample_prior(prior, f"{variable}_free", dims=column)
                shift = natural(prior, own, pt) - centre
            else:
                spread = pm.HalfNormal(spread_name(name, column), np.float64(scale))
                shift = adaptive_effects(variable, column, numbers, spread, centre)
            shifts[name, column] = pm.Deterministic(variable, shift, dims=column)
    return shifts


def partially_pooled(law: Law, rows: Rows, uninformed: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Quantities and columns over which they differ around a common value, by a spread that is sampled."""
    return [
        (name, column)
        for name, columns in varying(law, rows.pool, rows.factors).items()
        for column in columns
        if name not in uninformed and spread_scale(law, name, column) is not None
    ]


def estimates_of_levels(law: Law, rows: Rows, uninformed: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Numbers that the partially pooled shifts of ``level_shifts`` read, before a pilot (see ``effects``)."""
    found: dict[str, np.ndarray] = {}
    for name, column in partially_pooled(law, rows, uninformed):
        found |= unknown_estimates(shift_name(name, column), len(rows.factors[column].names))
    return found
