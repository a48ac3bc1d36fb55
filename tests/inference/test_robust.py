"""One wrong row must not move a fit: every constant stays within half a posterior SD."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bitlaw.inference.compiled import CompiledLaw, compile_law, learn_coordinates, sample_law
from bitlaw.inference.rows import arrange
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from designs import base_design, precision_design

COUPLED = {
    "mean_loss": 2.8, "floor_share": 0.55, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.055, "g": 0.5,
    "sigma": 0.004, "nu": 8.0, "sigma_cell": 0.004,
}  # fmt: skip
DEFAULT = COUPLED | {
    "k_w": 0.03, "c_w": 0.9, "k_a": 0.02, "c_a": 0.8, "k_kv": 0.01, "c_kv": 0.8, "gamma_D_train": 0.15,
    "gamma_N_train": 0.2, "kappa_train": 0.03, "C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3,
    "gamma_post": 0.65, "C_w": 1.0, "kappa": 0.15, "tau": 0.2, "sigma_gap": 5e-4, "nu_gap": 6.0,
}  # fmt: skip


def sampled(compiled: CompiledLaw, frame: pd.DataFrame) -> xr.Dataset:
    rows = arrange(compiled.law, frame)
    settings = SamplerSettings(
        draws=1000, seed=1, adaptation="diag" if compiled.model.n_dim > 60 else "low_rank"
    )
    return sample_law(learn_coordinates(compiled.given(rows), settings), settings)["posterior"].to_dataset()


def shifts(compiled: CompiledLaw, clean: pd.DataFrame, row: int, factor: float) -> dict[str, float]:
    """By constant: how far the posterior mean moves when one loss is wrong, in posterior SDs."""
    wrong = clean.copy()
    wrong.loc[row, "loss"] *= factor
    before, after = sampled(compiled, clean), sampled(compiled, wrong)
    constants = (*compiled.law.base.sampled, *compiled.law.parameters)
    return {
        item.name: abs(float(after[item.name].mean() - before[item.name].mean()))
        / float(before[item.name].std())
        for item in constants
    }


@pytest.mark.parametrize("factor", [0.8, 1.3])
def test_a_wrong_loss_does_not_move_the_base_law(factor: float) -> None:
    design = base_design(tuple(np.geomspace(1e7, 6e8, 8)), tuple(np.geomspace(4e8, 3e10, 10)))
    law = load_law("coupled")
    frame = simulate_losses(law, {**COUPLED, **law.complete(COUPLED, np)}, design, seed=2)
    moved = shifts(compile_law(law, frame), frame, row=37, factor=factor)
    assert max(moved.values()) < 0.5, moved


@pytest.mark.slow
@pytest.mark.parametrize(("what", "factor"), [("as trained", 1.2), ("after training", 1.05)])
def test_a_wrong_loss_does_not_move_the_default_law(what: str, factor: float) -> None:
    law, design = load_law("bitlaw-default"), precision_design()
    frame = simulate_losses(law, {**DEFAULT, **law.complete(DEFAULT, np)}, design, seed=2)
    trained = frame["bits_post"].isna()
    row = frame.index[trained if what == "as trained" else frame["bits_post"] == 4][5]
    moved = shifts(compile_law(law, frame), frame, row=int(row), factor=factor)
    assert max(moved.values()) < 0.5, moved
