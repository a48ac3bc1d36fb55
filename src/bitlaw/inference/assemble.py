"""From a sampled posterior to a Fit: prior draws, leave-out scores, power-scaling weights, provenance."""

import platform
from dataclasses import asdict
from importlib.metadata import version

import numpy as np
import xarray as xr

from bitlaw.inference.centre import COORDINATES
from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit, Provenance
from bitlaw.inference.hull import convex_hull
from bitlaw.inference.leave_out import leave_runs_out, power_scaling_weights
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.prior import log_prior, prior_draws
from bitlaw.inference.rows import Rows
from bitlaw.inference.sample import SamplerSettings
from bitlaw.laws.law import Law, Reference
from bitlaw.runs.table import RunTable

_SUFFIXES = ("_share", "_steps", "_level", "_free", "_growth")
"""Ends of the names of coordinates."""

LIBRARIES = ("bitlaw", "pymc", "pytensor", "nutpie", "arviz", "numpy")


def assemble_fit(
    law: Law,
    table: RunTable,
    rows: Rows,
    reference: Reference,
    sampled: xr.DataTree,
    settings: SamplerSettings,
    attempts: int,
    seed: int,
) -> Fit:
    """Everything a Fit holds but its findings.

    Parameters
    ----------
    law, table, rows, reference
        What was fitted.
    sampled
        What the sampler returned.
    settings, attempts
        How it was sampled, and at which attempt.
    seed
        Seed the user gave.
    """
    drawn = sampled["posterior"].to_dataset()
    likelihood = run_log_likelihood(law, rows, reference, drawn)
    posterior = law_names(drawn)
    if rows.cells:
        shape = (posterior.sizes["chain"], posterior.sizes["draw"], rows.cells)
        effects = (("chain", "draw", "cell"), likelihood.cell_effect.reshape(shape))
        posterior = posterior.assign(cell_effect=effects)
    flat = {
        str(name): values.to_numpy().reshape(-1)
        for name, values in posterior.data_vars.items()
        if values.dims == ("chain", "draw")
    }
    prior = prior_draws(law, reference, len(likelihood.by_run), seed)
    return Fit(
        law=law,
        reference=reference,
        posterior=posterior,
        prior=xr.Dataset({name: (("chain", "draw"), draws[None, :]) for name, draws in prior.items()}),
        drift=drift_draws(len(likelihood.by_run), seed, law.name),
        sample_stats=sampled["sample_stats"].to_dataset(),
        rows=table.frame,
        excluded=table.excluded,
        runs=leave_runs_out(likelihood, rows.run_ids, posterior.sizes["chain"]),
        weights=power_scaling_weights(log_prior(law, reference, flat), likelihood.by_run.sum(axis=1)),
        pool=rows.pool,
        hull=convex_hull(np.log10(table.frame[["n_params", "tokens"]].to_numpy(np.float64))),
        findings=(),
        provenance=Provenance(
            source=table.source,
            table_hash=table.content_hash(),
            seed=seed,
            attempts=attempts,
            settings=asdict(settings),
            versions={name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
        ),
    )


def law_names(posterior: xr.Dataset) -> xr.Dataset:
    """Without the coordinates that quantities are sampled in, where they are there themselves."""
    names = [str(name) for name in posterior.data_vars]
    sampled_in = [
        name
        for name in names
        for suffix in _SUFFIXES
        if name.endswith(suffix) and name.removesuffix(suffix) in {*names, "cell"}
    ]
    return posterior.drop_vars([name for name in (*sampled_in, *COORDINATES) if name in posterior])
