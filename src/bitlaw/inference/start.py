"""Where chains start: at the loss of the table, with noise scales wide enough to feel every row."""

import numpy as np
import pymc as pm

from bitlaw.inference.centre import COORDINATES
from bitlaw.inference.levels import varying
from bitlaw.inference.parameters import shift_name
from bitlaw.inference.rows import Rows
from bitlaw.laws.law import Law, Prior

_WIDE_NOISE = {
    "sigma": 0.05,
    "nu": 8.0,
    "nu_gap": 8.0,
    "sigma_cell": 0.01,
    "kappa_train": 0.05,
    "kappa": 0.5,
    "tau": 0.5,
    "sigma_gap": 0.005,
}
_FLOOR_SHARE, _N_SHARE, _SLOPE = 0.6, 0.5, 0.07

_STEPS = 1.0
"""Steps of a sensitivity from its floor to the smallest bits: most of the capacity is left there."""
_GROWTH = 1.5
"""Softplus of it is what a bit less adds to a penalty, as a multiple: 1.7, so c is near 1 bit."""
_OFF_ZERO = 0.01
"""Effects start near zero, and the rest off its median: the sampler takes a gradient of zero for an error."""


def start_point(law: Law, rows: Rows) -> dict[str, float | np.ndarray]:
    """Starting values by name of the model's free variables, and of some it may not have.

    A Student-t likelihood far from the data is flat, and with a narrow scale a chain that starts
    there may never leave. So levels come from the table, noise starts wide, and the rest at the
    middle of its prior.

    Parameters
    ----------
    law
        The law.
    rows
        The arranged run table.
    """
    losses = np.concatenate([rows.trained.loss, rows.unpaired.loss])
    level = float(np.exp(np.log(losses).mean())) if len(losses) else 1.0
    start: dict[str, float | np.ndarray] = {
        "run_effect_level": np.full(len(rows.run_ids), _OFF_ZERO),
        "cell_level": np.full(rows.cells, _OFF_ZERO),
    }
    for prior in law.priors:
        name = f"{prior.name}_share" if prior.times else prior.name
        start[f"{prior.name}_steps"] = _STEPS
        start[f"{prior.name}_growth"] = _GROWTH
        middle = _middle(prior)
        wide = _WIDE_NOISE.get(prior.name, middle)
        start[name] = level if name == "mean_loss" else wide + _OFF_ZERO * middle * (wide == middle)
    centre = (level, _FLOOR_SHARE / (1 - _FLOOR_SHARE), _N_SHARE / (1 - _N_SHARE), _SLOPE, _SLOPE)
    start |= dict(zip(COORDINATES, np.log(centre), strict=True))
    for name, columns in varying(law, rows.pool, rows.factors).items():
        for column in columns:
            levels = len(rows.factors[column].names)
            start[f"{shift_name(name, column)}_level"] = np.full(levels, _OFF_ZERO)
            start[f"{shift_name(name, column)}_free"] = np.full(levels, start[name])
    return start


def jittered(model: pm.Model, law: Law) -> set:
    """Free variables whose start differs between chains: the law's constants but for its level."""
    fixed = {*_WIDE_NOISE, "mean_loss"}
    names = ({prior.name for prior in law.priors} | set(COORDINATES[1:])) - fixed
    suffixed = (
        names
        | {f"{name}_share" for name in names}
        | {f"{name}_steps" for name in names}
        | {f"{name}_growth" for name in names}
    )
    return {variable for variable in model.free_RVs if variable.name in suffixed}


def _middle(prior: Prior) -> float:
    first, second = prior.arguments
    return first / (first + second) if prior.distribution == "Beta" else first
