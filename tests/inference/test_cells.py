"""The coordinates of cell effects change nothing about their prior."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from bitlaw.inference.model import build_model
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.registry import load_law
from designs import precision_design


@pytest.mark.parametrize(("sigma", "sigma_cell"), [(0.05, 0.002), (0.001, 0.03)])
def test_cell_effects_have_their_prior_whatever_the_noise(sigma: float, sigma_cell: float) -> None:
    frame = precision_design().assign(loss=2.5)
    law = load_law("kumar2024-coupled")
    model = build_model(law, arrange(law, frame), reference_scales(frame))
    fixed = pm.do(model, {"sigma": sigma, "sigma_cell": sigma_cell})
    effects = pm.draw(fixed["cell_effect"], draws=4000, random_seed=1)
    assert effects.shape == (4000, 10)
    np.testing.assert_allclose(effects.std(axis=0), sigma_cell, rtol=0.06)
    np.testing.assert_allclose(effects.mean(axis=0), 0.0, atol=0.08 * sigma_cell)


@pytest.mark.parametrize("relative_error", [0.0, 0.002])
def test_effects_recomputed_from_draws_are_those_of_the_model(relative_error: float) -> None:
    frame = precision_design().assign(loss=2.5, loss_se=2.5 * relative_error)
    law = load_law("kumar2024-coupled")
    rows, reference = arrange(law, frame), reference_scales(frame)
    model = build_model(law, rows, reference)
    names = [
        *(prior.name for prior in law.priors),
        "E",
        "a",
        "b",
        "alpha",
        "beta",
        "cell_level",
        "cell_effect",
    ]
    names = [name for name in dict.fromkeys(names) if name in model.named_vars]
    drawn = pm.draw([model[name] for name in names], draws=5, random_seed=3)
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", "cell")[: values.ndim + 1], values[None])
            for name, values in zip(names, drawn, strict=True)
        }
    )
    effects = run_log_likelihood(law, rows, reference, posterior).cell_effect
    np.testing.assert_allclose(effects, posterior["cell_effect"].to_numpy()[0], rtol=1e-9, atol=1e-12)
