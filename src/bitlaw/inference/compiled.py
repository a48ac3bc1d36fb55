"""A law compiled for a run table: once, for the fit and every refit that leaves runs out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.effects import learned_estimates
from bitlaw.inference.groups import partially_pooled
from bitlaw.inference.informed import uninformed
from bitlaw.inference.levels import varying
from bitlaw.inference.model import build_model
from bitlaw.inference.numbers import VECTOR, Numbers, has_degradation, model_numbers, observations, scales
from bitlaw.inference.parameters import flat, shift_name, spread_name
from bitlaw.inference.prior import frozen, natural
from bitlaw.inference.quantities import Quantities, quantities_of
from bitlaw.inference.rows import Rows, arrange, reference_scales
from bitlaw.inference.sample import SamplerSettings, compile_model, default_settings, draw_posterior
from bitlaw.laws.law import Law, Reference

_MANY_LEVELS = 40
_UNINFORMED_STREAM = 1
"""Tells the random numbers of quantities that are not sampled from all others of the same seed."""
_PILOT_TUNE, _PILOT_DRAWS, _PILOT_CHAINS, _PILOT_MAX_DEPTH = 150, 100, 2, 7
_RECOMPUTED = ("cell_effect",)
"""What follows from the other draws by a law evaluated at every row; the log likelihood computes it anyway."""


@dataclass(frozen=True)
class CompiledLaw:
    """What sampling needs.

    Parameters
    ----------
    law, rows, reference
        The law, the arranged run table, and the scales of the fit.
    model
        The model as nutpie compiled it.
    numbers
        What its vector of data holds.
    quantities
        What follows from the unconstrained variables that it draws.
    uninformed
        Quantities that no row moves with: not in the model, drawn from their prior.
    """

    law: Law
    rows: Rows
    reference: Reference
    model: Any
    numbers: Numbers
    quantities: Quantities
    uninformed: tuple[str, ...] = ()

    def without(self, left_out: np.ndarray) -> "CompiledLaw":
        """The same law with rows left out of the likelihood; the scales of the fit stay as they are.

        Parameters
        ----------
        left_out
            Whether each row of ``rows.frame`` is left out.
        """
        return self.with_numbers(weight=np.where(left_out, 0.0, 1.0))

    def stated_at(self, reference: Reference) -> "CompiledLaw":
        """The same law with its priors and constants stated at other scales.

        Parameters
        ----------
        reference
            Those scales.
        """
        return replace(self.with_numbers(**scales(reference)), reference=reference)

    def given(self, rows: Rows) -> "CompiledLaw":
        """The same law with the losses of another table of the same design.

        Parameters
        ----------
        rows
            That table, arranged: the same runs but for their losses.
        """
        return replace(self.with_numbers(**observations(self.law, rows)), rows=rows)

    def with_numbers(self, **values: Any) -> "CompiledLaw":
        """The same model with some of its numbers replaced, without compiling (see ``Numbers.replaced``)."""
        numbers = self.numbers.replaced(**values)
        return replace(self, numbers=numbers, model=self.model.with_data(**{VECTOR: numbers.vector}))


def compile_law(law: Law, frame: pd.DataFrame, pool: Sequence[str] = ()) -> CompiledLaw:
    """Arrange usable rows and compile the model; takes seconds.

    Parameters
    ----------
    law
        The law to be fitted.
    frame
        Rows it can explain, canonical columns.
    pool
        Columns to pool over.
    """
    rows, reference = arrange(law, frame, pool), reference_scales(frame)
    unmoved = uninformed(law, rows, reference)
    model = build_model(law, rows, reference, unmoved)
    quantities = quantities_of(model, left_out=_RECOMPUTED)
    numbers = model_numbers(law, rows, reference, unmoved)
    return CompiledLaw(law, rows, reference, compile_model(model, law, rows), numbers, quantities, unmoved)


def sample_law(compiled: CompiledLaw, settings: SamplerSettings, progress: bool = False) -> xr.DataTree:
    """Sample a compiled law.

    Parameters
    ----------
    compiled
        The compiled law.
    settings
        How it is sampled.
    progress
        Show the sampler's progress bar.

    Returns
    -------
    xarray.DataTree
        With the groups ``posterior``, which has every quantity of the law, and ``sample_stats``.
    """
    sampled = draw_posterior(compiled.model, settings, progress)
    plain = sampled["posterior"].to_dataset()
    drawn = plain.merge(sampled["unconstrained_posterior"].to_dataset())
    posterior = plain.merge(compiled.quantities.at(drawn, {VECTOR: compiled.numbers.vector}))
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    rng = np.random.default_rng([settings.seed, _UNINFORMED_STREAM])
    prior = {
        name: frozen(compiled.law.prior(name), compiled.reference).rvs(shape, rng)
        for name in compiled.uninformed
    }
    complete = compiled.law.with_tied(prior)
    return xr.DataTree.from_dict(
        {
            "posterior": posterior.assign(
                {name: (("chain", "draw"), values) for name, values in complete.items()}
            ),
            "sample_stats": sampled["sample_stats"].to_dataset().drop_vars("unconstrained_draw"),
        }
    )


def settings_for(compiled: CompiledLaw, seed: int) -> SamplerSettings:
    """How a compiled law is sampled unless convergence asks for more care.

    Parameters
    ----------
    compiled
        The compiled law.
    seed
        Seed of sampling.
    """
    factors = compiled.rows.factors
    over = varying(compiled.law, compiled.rows.pool, factors)
    levels = sum(len(factors[column].names) for columns in over.values() for column in columns)
    return default_settings(compiled.model.n_dim, seed, has_levels=levels > _MANY_LEVELS)


def learn_coordinates(compiled: CompiledLaw, settings: SamplerSettings) -> CompiledLaw:
    """The same law in coordinates that suit its effects, learned from a short pilot.

    Where constants differ between groups, formats or methods, or runs have effects of their own, what
    each one's own data say decides in which coordinates it mixes (see ``effects``). The posterior is
    the same in all of them. A law without such effects comes back as it is.

    Parameters
    ----------
    compiled
        The compiled law.
    settings
        Those of the sampling to come; the pilot takes its seed and target acceptance.
    """
    law, rows = compiled.law, compiled.rows
    pooled = partially_pooled(law, rows, compiled.uninformed)
    has_run_effects = has_degradation(law, rows)
    if not pooled and not has_run_effects:
        return compiled
    short = replace(
        settings,
        tune=_PILOT_TUNE,
        draws=_PILOT_DRAWS,
        chains=_PILOT_CHAINS,
        max_depth=_PILOT_MAX_DEPTH,
    )
    pilot = sample_law(compiled, short)["posterior"].to_dataset()
    learned: dict[str, np.ndarray] = {}
    for name, column in pooled:
        centre, variable = natural(law.prior(name), flat(pilot[name]), np), shift_name(name, column)
        spread = flat(pilot[spread_name(name, column)])
        learned |= learned_estimates(variable, flat(pilot[variable]), spread, centre)
    if has_run_effects:
        learned |= learned_estimates("run_effect", flat(pilot["run_effect"]), flat(pilot["tau"]))
    return compiled.with_numbers(**learned)
