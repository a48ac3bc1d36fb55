"""Where chains start: at the loss of the table, with noise scales wide enough to feel every row."""

import numpy as np
import pymc as pm

from bitlaw.inference.groups import centring
from bitlaw.inference.levels import varying
from bitlaw.inference.prior import natural
from bitlaw.inference.rows import Rows
from bitlaw.laws.law import Law, Prior

_WIDE_NOISE = {
    "sigma": 0.05,
    "nu": 8.0,
    "sigma_cell": 0.01,
    "kappa_train": 0.05,
    "kappa": 0.5,
    "tau": 0.5,
    "sigma_gap": 0.005,
}
_SHARES_OF_LOSS = {"mean_loss": 1.0, "E": 0.6, "a": 0.2, "b": 0.2}
"""What is set by the level of the losses, as a share of their geometric mean."""

_STEPS = 1.0
"""Steps of a sensitivity from its floor to the smallest bits: most of the capacity is left there."""
_OFF_ZERO = 0.01
"""Effects start near zero, not at it: the sampler takes a gradient of exactly zero for an error."""


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
        "run_effect": np.full(len(rows.run_ids), _OFF_ZERO),
        "cell_level": np.full(rows.cells, _OFF_ZERO),
    }
    for prior in law.priors:
        name = f"{prior.name}_share" if prior.times else prior.name
        start[f"{prior.name}_steps"] = _STEPS
        if prior.name in _SHARES_OF_LOSS:
            start[name] = level * _SHARES_OF_LOSS[prior.name]
        else:
            start[name] = _WIDE_NOISE.get(prior.name, _middle(prior))
    for name, columns in varying(law, rows.pool, rows.factors).items():
        for column in columns:
            at = natural(law.prior(name), start[name], np)
            start[f"{name}_level_{column}"] = centring(rows, name, column) * at + _OFF_ZERO
            start[f"{name}_free_{column}"] = np.full(len(rows.factors[column].names), start[name])
    return start


def jittered(model: pm.Model, law: Law) -> set:
    """Free variables whose start differs between chains: the law's constants but for its level."""
    fixed = set(_WIDE_NOISE) | set(_SHARES_OF_LOSS)
    names = {prior.name for prior in law.priors} - fixed
    suffixed = names | {f"{name}_share" for name in names} | {f"{name}_steps" for name in names}
    return {variable for variable in model.free_RVs if variable.name in suffixed}


def _middle(prior: Prior) -> float:
    first, second = prior.arguments
    return first / (first + second) if prior.distribution == "Beta" else first
