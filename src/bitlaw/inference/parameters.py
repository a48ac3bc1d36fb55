"""A law's constants at rows: the common values, shifted by the levels a row belongs to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bitlaw.inference.levels import of_level, varying
from bitlaw.inference.prior import deviate
from bitlaw.inference.rows import Rows
from bitlaw.laws.law import Law, Values


def shift_name(name: str, column: str) -> str:
    """Name in the posterior of what the levels of a column add to a quantity, on its natural scale."""
    return f"{name}_by_{column}"


def spread_name(name: str, column: str) -> str:
    """Name in the posterior of the spread of that between levels."""
    return f"{name}_sd_{column}"


def at_levels(law: Law, common: Values, shifts: Values, xp: Any) -> dict[str, Any]:
    """Everything sampled, tied and derived, with its shifts applied.

    Parameters
    ----------
    law
        The law.
    common
        Sampled quantities, common to all levels.
    shifts
        By quantity: the sum of its shifts on the log, logit or plain scale.
    xp
        Array namespace.
    """
    sampled = {
        prior.name: deviate(prior, common[prior.name], shifts[prior.name], xp)
        if prior.name in shifts
        else common[prior.name]
        for prior in law.priors
        if prior.name in common
    }
    return law.complete(sampled, xp)


def posterior_parameters(
    law: Law, rows: Rows, posterior: xr.Dataset, index: np.ndarray
) -> dict[str, np.ndarray]:
    """Draws of every parameter at rows of the frame: shape (samples, 1), or (samples, rows) where it varies.

    Parameters
    ----------
    law, rows
        What was fitted.
    posterior
        Its draws.
    index
        Rows of ``rows.frame``.
    """
    codes = rows.codes(index)
    shifts: dict[str, np.ndarray] = {}
    for name, columns in varying(law, rows.pool, rows.factors).items():
        for column in (column for column in columns if shift_name(name, column) in posterior):
            shift = flat(posterior[shift_name(name, column)])
            shifts[name] = shifts.get(name, 0.0) + of_level(shift, codes[column])
    return at_levels(law, scalars(law, posterior), shifts, np)


def scalars(law: Law, posterior: xr.Dataset) -> dict[str, np.ndarray]:
    """Draws of what a law samples, shape (samples, 1)."""
    return {prior.name: flat(posterior[prior.name]) for prior in law.priors if prior.name in posterior}


def flat(values: xr.DataArray) -> np.ndarray:
    """Draws as (samples, …), chain-major; (samples, 1) for a scalar."""
    array = values.to_numpy()
    return array.reshape(array.shape[0] * array.shape[1], -1)


def at_index(values: Mapping[str, Any], index: np.ndarray) -> dict[str, Any]:
    """NumPy parameters of runs, (samples, 1) or (samples, runs), at the runs of some rows."""
    return {name: value if value.shape[-1] == 1 else value[:, index] for name, value in values.items()}
