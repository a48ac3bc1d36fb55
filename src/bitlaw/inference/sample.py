"""Sampling with nutpie: compiled once, with the mass-matrix adaptation that suits the dimensions."""

from dataclasses import dataclass, replace
from typing import Any

import nutpie
import pymc as pm
import xarray as xr

from bitlaw.inference.compilation import quick_compilation
from bitlaw.inference.rows import Rows
from bitlaw.inference.start import jittered, start_point
from bitlaw.laws.law import Law

_FEW_DIMENSIONS, _MANY_DIMENSIONS = 20, 60
_CAREFUL = 0.98
"""Target acceptance of the automatic retry."""


@dataclass(frozen=True)
class SamplerSettings:
    """How the posterior is sampled.

    Parameters
    ----------
    draws, tune, chains
        Kept draws and warm-up draws per chain, and chains.
    target_accept
        Average acceptance probability the step size is tuned to.
    cores
        Chains that run at a time.
    seed
        The same seed on the same machine gives the same draws.
    adaptation
        How nutpie adapts the mass matrix: ``low_rank`` or ``diag``.
    max_depth
        A trajectory has at most 2^max_depth - 1 steps.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float = 0.9
    cores: int = 2
    seed: int = 0
    adaptation: str = "low_rank"
    max_depth: int = 10

    def more_careful(self) -> "SamplerSettings":
        """The settings of the one automatic retry."""
        return replace(
            self, draws=2 * self.draws, tune=2 * self.tune, target_accept=_CAREFUL, seed=self.seed + 1
        )


def default_settings(dimensions: int, seed: int, has_levels: bool = False) -> SamplerSettings:
    """Settings for a model.

    Low-rank adaptation learns the correlations of a law's constants. Where constants differ between
    many levels there are too many correlations to learn, and a diagonal gives more effective draws per
    second (20 groups of 25 runs, 155 dimensions: 2.5 times). Large spreads bend such posteriors: at a target
    of .9 three fits of five had a divergence and had to be done again, at .95 none of ten.

    Parameters
    ----------
    dimensions
        Dimensions of the model.
    seed
        Seed of sampling.
    has_levels
        Whether constants differ between many groups, formats or methods.
    """
    if dimensions <= _FEW_DIMENSIONS:
        return SamplerSettings(seed=seed)
    if has_levels and dimensions > _MANY_DIMENSIONS:
        return SamplerSettings(draws=2000, target_accept=0.95, seed=seed, adaptation="diag")
    if dimensions <= _MANY_DIMENSIONS:
        return SamplerSettings(draws=1500, seed=seed)
    return SamplerSettings(tune=500, seed=seed)


def compile_model(model: pm.Model, law: Law, rows: Rows) -> Any:
    """A compiled model for nutpie; ``with_data`` gives it new losses without compiling again.

    It draws unconstrained variables; what follows from them is computed afterwards (see ``quantities``).

    Parameters
    ----------
    model
        What ``build_model`` made of the law and the rows.
    law, rows
        They decide where chains start.
    """
    start = {name: value for name, value in start_point(law, rows).items() if name in model.named_vars}
    with quick_compilation():
        return nutpie.compile_pymc_model(
            model, initial_points=start, jitter_rvs=jittered(model, law), var_names=()
        )


def draw_posterior(compiled: Any, settings: SamplerSettings, progress: bool = False) -> xr.DataTree:
    """Sample a compiled model.

    Returns
    -------
    xarray.DataTree
        With the groups ``posterior``, ``unconstrained_posterior`` and ``sample_stats``; each variable of
        the model is in the second if it is transformed for sampling, else in the first.
    """
    return nutpie.sample(
        compiled,
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=settings.cores,
        seed=settings.seed,
        target_accept=settings.target_accept,
        adaptation=settings.adaptation,
        maxdepth=settings.max_depth,
        save_warmup=False,
        progress_bar=progress,
        store_unconstrained=True,
    )
