"""Known-truth tables: exact without noise, spread as told with noise."""

import numpy as np
import pytest

from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from designs import precision_design
from fits import NOISE

LAW = load_law("kumar2024-coupled")
QUIET = {
    "sigma": 1e-12,
    "sigma_cell": 1e-12,
    "kappa_train": 1e-12,
    "kappa": 1e-9,
    "tau": 1e-9,
    "sigma_gap": 1e-12,
    "nu": 8.0,
    "nu_gap": 8.0,
}


def constants(noise: dict[str, float]) -> dict[str, float]:
    draws = prior_draws(LAW, reference_scales(precision_design()), 500, 0)
    return {name: float(np.median(values)) for name, values in draws.items()} | noise


def test_same_seed_same_table_and_no_noise_is_the_law() -> None:
    design = precision_design(seeds=(0, 1))
    first = simulate_losses(LAW, constants(NOISE), design, seed=1)
    again = simulate_losses(LAW, constants(NOISE), design, seed=1)
    assert first["loss"].equals(again["loss"])
    quiet = simulate_losses(LAW, constants(QUIET), design, seed=1)
    seeds = quiet.pivot_table(index=["n_params", "tokens", "bits_weights", "bits_activations", "bits_kv"],
                              columns=["bits_post", "seed"], values="loss")  # fmt: skip
    for bits in (2.0, 3.0, 4.0, 6.0):
        np.testing.assert_allclose(seeds[bits][0.0].dropna(), seeds[bits][1.0].dropna(), rtol=1e-8)
    assert quiet["loss"].between(0.3, np.log(32_000)).all()


def test_noise_has_the_scales_it_was_given() -> None:
    design = precision_design(seeds=tuple(range(60)))
    noise = NOISE | {"sigma": 0.004, "nu": 500.0, "sigma_cell": 0.01, "kappa_train": 1e-9}
    log_loss = np.log(simulate_losses(LAW, constants(noise), design, seed=1)["loss"])
    trained = design["bits_post"].isna()
    keys = ["n_params", "tokens", "bits_weights", "bits_activations", "bits_kv"]
    residual = log_loss[trained] - log_loss[trained].groupby(
        [design.loc[trained, key] for key in keys]
    ).transform("mean")
    cell = residual.groupby([design.loc[trained, key] for key in ("n_params", "tokens", "seed")])
    assert (residual - cell.transform("mean")).std() == pytest.approx(0.004 * np.sqrt(5 / 6), rel=0.1)
    assert residual.std() == pytest.approx(np.hypot(0.004, 0.01), rel=0.1)
