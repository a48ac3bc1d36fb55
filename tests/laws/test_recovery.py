"""Simulate, fit, recover: what a law with given constants would have logged gives the constants back."""

import math
from typing import Any

import numpy as np
import pytest

from bitlaw.inference.compiled import compile_law, learn_coordinates, sample_law
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.law import Law
from bitlaw.laws.registry import law_names, load_law
from designs import law_design
from fits import NOISE

PROB = 0.9
FEWEST, CONSTANTS = 0.7, 20
"""At least .7 of the 90 % intervals hold the truth, over as many tables as it takes to have 20 constants:
a binomial(20, .9) count is below 14 once in 400 times, and the seeds are fixed."""

SETTINGS = SamplerSettings(draws=400, tune=600, chains=2, seed=1, target_accept=0.95)
QUIET = {"sigma": 0.002, "sigma_cell": 0.001, "tau": 0.1, "kappa": 0.05, "kappa_train": 0.01}
FAST: dict[str, dict[str, Any]] = {
    "coupled": {},
    "chen2025": {"sizes": (1e7, 1.6e8), "tokens": (4e8, 1e10)},
    "ptq-gap": {"methods": ("rtn",)},
}
"""A base, a training term and a post-training term, on designs in which no constant differs between levels."""


def share_recovered(law: Law, **options: Any) -> float:
    """Share of the constants of simulated tables that their 90 % intervals hold."""
    design = law_design(law, **options)
    draws = prior_draws(law, reference_scales(design.assign(loss=1.0)), 500, 0)
    middle = {name: float(np.median(values)) for name, values in draws.items()}
    noise = {name: value for name, value in (NOISE | QUIET).items() if name in middle}
    truth = law.complete({prior.name: middle[prior.name] for prior in law.priors} | noise, np)
    names = [parameter.name for parameter in law.sampled if parameter not in law.noise]
    tables = [simulate_losses(law, truth, design, seed) for seed in range(math.ceil(CONSTANTS / len(names)))]
    compiled = compile_law(law, tables[0])
    inside = []
    for table in tables:
        rows = arrange(law, table)
        ready = learn_coordinates(compiled.given(rows), SETTINGS)
        posterior = sample_law(ready, SETTINGS)["posterior"].to_dataset()
        for name in names:
            low, high = np.quantile(posterior[name].to_numpy(), [(1 - PROB) / 2, (1 + PROB) / 2])
            inside.append(low <= truth[name] <= high)
    return float(np.mean(inside))


@pytest.mark.parametrize("name", FAST)
def test_constants_are_recovered(name: str) -> None:
    assert share_recovered(load_law(name), **FAST[name]) >= FEWEST


@pytest.mark.slow
@pytest.mark.parametrize("name", law_names())
def test_constants_of_every_law_are_recovered(name: str) -> None:
    assert share_recovered(load_law(name)) >= FEWEST
