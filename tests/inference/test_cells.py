"""The coordinates of cell effects change nothing about their prior."""

import numpy as np
import pymc as pm
import pytest

from bitlaw.inference.model import build_model
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
