"""The coordinates of cell effects change nothing about their prior."""

import numpy as np
import pymc as pm
import pytensor
import pytest
import xarray as xr
from scipy import stats

from bitlaw.inference.model import build_model
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.registry import load_law
from designs import precision_design


@pytest.mark.parametrize(("sigma", "sigma_cell"), [(0.05, 0.002), (0.001, 0.03)])
def test_cell_effects_have_their_prior_whatever_the_noise(sigma: float, sigma_cell: float) -> None:
    frame = precision_design().assign(loss=2.5)
    law = load_law("kumar2024-coupled")
    rows = arrange(law, frame)
    model = pm.do(build_model(law, rows, reference_scales(frame)), {"sigma": sigma, "sigma_cell": sigma_cell})
    density = next(item for item in model.potentials if item.name == "cell_level_prior")
    function = pytensor.function(
        model.value_vars,
        model.replace_rvs_by_values([density, model["cell_effect"]]),
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )
    names = [variable.name for variable in model.value_vars]
    point = {name: np.asarray(model.initial_point()[name]) for name in names}

    def at(level: np.ndarray) -> list[np.ndarray]:
        return function(*(point | {"cell_level": level}).values())

    level = np.random.default_rng(1).normal(0.0, 2.0, rows.cells)
    found, effect = at(level)
    width = at(level + 1.0)[1] - effect  # effects are straight lines in their levels
    np.testing.assert_allclose(found - np.log(width), stats.norm.logpdf(effect, 0.0, sigma_cell), rtol=1e-6)


@pytest.mark.parametrize("relative_error", [0.0, 0.002])
def test_effects_recomputed_from_draws_are_those_of_the_model(relative_error: float) -> None:
    frame = precision_design().assign(loss=2.5, loss_se=2.5 * relative_error)
    law = load_law("kumar2024-coupled")
    rows, reference = arrange(law, frame), reference_scales(frame)
    model = build_model(law, rows, reference)
    names = [*(prior.name for prior in law.priors), "cell_level", "cell_effect"]
    names = [name for name in dict.fromkeys(names) if name in model.named_vars]
    function = pytensor.function(
        model.value_vars,
        model.replace_rvs_by_values([model[name] for name in names]),
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )
    rng, initial = np.random.default_rng(3), model.initial_point()
    start = [np.asarray(initial[variable.name]) for variable in model.value_vars]
    drawn = [function(*(part + 0.3 * rng.standard_normal(part.shape) for part in start)) for _ in range(5)]
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", "cell")[: np.ndim(values[0]) + 2], np.array([values]))
            for name, values in zip(names, zip(*drawn, strict=True), strict=True)
        }
    )
    effects = run_log_likelihood(law, rows, reference, posterior).cell_effect
    np.testing.assert_allclose(effects, posterior["cell_effect"].to_numpy()[0], rtol=1e-9, atol=1e-12)
