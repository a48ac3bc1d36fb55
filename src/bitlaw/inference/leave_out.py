"""What a posterior would have been without a run, or under a stronger or weaker prior."""

import arviz as az  # noqa: F401  (registers the azstats accessor)
import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.pointwise import RunLogLikelihood

POWERS: tuple[float, float] = (0.8, 1.25)
"""Powers the prior and the likelihood are raised to (arXiv 2107.14054)."""

_SAMPLE = ("chain", "draw")


def leave_runs_out(likelihood: RunLogLikelihood, run_ids: tuple[str, ...], chains: int) -> pd.DataFrame:
    """Expected log predictive density of each whole run left out, by PSIS (arXiv 1507.04544).

    Parameters
    ----------
    likelihood
        Log likelihood by run.
    run_ids
        Names of the runs, in its order.
    chains
        Number of chains the samples came from, chain-major.

    Returns
    -------
    pandas.DataFrame
        ``run_id``, ``elpd`` (nats) and ``pareto_k``.
    """
    array = xr.DataArray(likelihood.by_run.reshape(chains, -1, len(run_ids)), dims=(*_SAMPLE, "run"))
    elpd, pareto_k, _ = array.azstats.loo(sample_dims=list(_SAMPLE))
    return pd.DataFrame({"run_id": run_ids, "elpd": elpd.to_numpy(), "pareto_k": pareto_k.to_numpy()})


def power_scaling_weights(log_prior: np.ndarray, log_likelihood: np.ndarray) -> xr.Dataset:
    """Weights that turn the draws into those under a scaled prior or likelihood (arXiv 2107.14054).

    Parameters
    ----------
    log_prior, log_likelihood
        Log densities at each posterior draw, shape (samples,).

    Returns
    -------
    xarray.Dataset
        ``weight`` with dimensions component, power and sample; each row sums to 1.
    """
    weights = []
    for values in (log_prior, log_likelihood):
        array = xr.DataArray(values, dims="sample")
        log_weights = [array.azstats.power_scale_lw(alpha=power, dim="sample") for power in POWERS]
        normalised = [np.exp(w - w.max()) for w in log_weights]
        weights.append([np.asarray(w / w.sum()) for w in normalised])
    return xr.Dataset(
        {"weight": (("component", "power", "sample"), np.array(weights))},
        {"component": ["prior", "likelihood"], "power": list(POWERS)},
    )
