"""Every fitted row against what the fit predicts for a new run there. NumPy only."""

import numpy as np
import pandas as pd

from bitlaw.criticism.replicate import thinned
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit

_SHOWN = ("run_id", "n_params", "tokens", "bits_weights", "bits_activations", "bits_kv", "bits_post")
_PROB = 0.9


def residual_table(fit: Fit, seed: int = 0) -> pd.DataFrame:
    """Observed losses beside the 90 % interval of a new run.

    Parameters
    ----------
    fit
        The fit; about 400 of its draws are used.
    seed
        Seed of the new runs' effects and noise.

    Returns
    -------
    pandas.DataFrame
        One row per fitted row: ``row`` (number in the run table), ``run_id``, ``n_params``,
        ``tokens``, the bits, ``observed``, ``predicted`` (posterior median of the law's mean),
        ``lo`` and ``hi`` (90 % ETI of a new run), all nats/token; ``residual``, log(observed /
        predicted); and ``standardised``, the residual over the posterior median of the scale
        √(σ² + σ_cell²), NaN for rows quantized after training, whose scale is another.
    """
    fit = thinned(fit)
    draws = loss_draws(fit, fit.rows, seed=seed)
    tail = (1.0 - _PROB) / 2.0
    lo, hi = np.quantile(draws.new_run, (tail, 1.0 - tail), axis=0)
    predicted = np.median(draws.mean, axis=0)
    observed = fit.rows["loss"].to_numpy(np.float64)
    residual = np.log(observed / predicted)
    cell = fit.draws("sigma_cell") if "sigma_cell" in fit.posterior else 0.0
    scale = float(np.median(np.hypot(fit.draws("sigma"), cell)))
    trained = fit.rows["bits_post"].isna().to_numpy()
    return pd.DataFrame(
        {
            "row": fit.rows.index.to_numpy(),
            **{name: fit.rows[name].to_numpy() for name in _SHOWN},
            "observed": observed,
            "predicted": predicted,
            "lo": lo,
            "hi": hi,
            "residual": residual,
            "standardised": np.where(trained, residual / scale, np.nan),
        }
    )
