"""A fit of fewer draws, evenly thinned."""

from dataclasses import replace

import numpy as np
import xarray as xr

from bitlaw.inference.fit import Fit


def thinned(fit: Fit, samples: int) -> Fit:
    """The same fit with fewer draws, evenly spaced over its chains; as it is where it has no more.

    Draws of posterior, prior and drift of the same place stay together, and power-scaling weights sum to 1
    again. Sampler statistics stay those of all draws.

    Parameters
    ----------
    fit
        The fit.
    samples
        Number of draws to keep.
    """
    total = fit.samples()
    if total <= samples:
        return fit
    kept = ((np.arange(samples) + 0.5) * total / samples).astype(int)
    weights = fit.weights.isel(sample=kept)
    return replace(
        fit,
        posterior=_at(fit.posterior, kept),
        prior=_at(fit.prior, kept),
        drift=fit.drift.isel(sample=kept),
        weights=weights / weights.sum("sample"),
    )


def _at(draws: xr.Dataset, kept: np.ndarray) -> xr.Dataset:
    """Some draws of all chains, as one chain."""
    flat = {
        name: (("chain", "draw", *values.dims[2:]), _rows(values.to_numpy())[kept][None])
        for name, values in draws.items()
    }
    coords = {name: values for name, values in draws.coords.items() if name not in ("chain", "draw")}
    return xr.Dataset(flat, coords)


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, *values.shape[2:])
