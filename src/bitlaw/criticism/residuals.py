"""Every fitted row against what the fit predicts for a new run there. NumPy only."""

import numpy as np
import pandas as pd

from bitlaw.criticism.replicate import thinned, trained_rows
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import trained_scale
from bitlaw.inference.rows import Rows, arrange

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
        One row per fitted row whose loss the law predicts, so none for diverged runs, and none for losses
        as trained where the law takes them as data: ``row`` (number in the run table), ``run_id``,
        ``n_params``, ``tokens``, the bits, ``observed``, ``predicted`` (posterior median of the law's
        mean), ``lo`` and ``hi`` (90 % ETI of a new run), all nats/token; ``residual``, log(observed /
        predicted); and ``standardised``, the residual over the posterior median of the scale of that
        row, √(σ² + loss_se²/L² + (κ_train Δ/L)² + σ_cell²), NaN for rows quantized after training,
        whose scale is another.
    """
    fit = thinned(fit)
    rows = arrange(fit.law, fit.rows, fit.pool)
    blocks = (
        (rows.paired, rows.unpaired)
        if fit.law.base.is_observed
        else (
            rows.trained,
            rows.paired,
            rows.unpaired,
        )
    )
    index = np.sort(np.concatenate([block.row for block in blocks]))
    frame = fit.rows.iloc[index]
    draws = loss_draws(fit, frame, seed=seed, drift=False)
    tail = (1.0 - _PROB) / 2.0
    lo, hi = np.quantile(draws.new_run, (tail, 1.0 - tail), axis=0)
    predicted = np.median(draws.mean, axis=0)
    observed = frame["loss"].to_numpy(np.float64)
    residual = np.log(observed / predicted)
    return pd.DataFrame(
        {
            "row": frame.index.to_numpy(),
            **{name: frame[name].to_numpy() for name in _SHOWN},
            "observed": observed,
            "predicted": predicted,
            "lo": lo,
            "hi": hi,
            "residual": residual,
            "standardised": residual / _scale_as_trained(fit, rows)[index],
        }
    )


def _scale_as_trained(fit: Fit, rows: Rows) -> np.ndarray:
    """Posterior median of the scale of log loss of each row of the frame; NaN where it is not modelled."""
    scale = np.full(len(rows.frame), np.nan)
    block = rows.trained
    if len(block) and not fit.law.base.is_observed:
        p, trained = trained_rows(fit, rows, block.row)
        own = trained_scale(p, trained, block.relative_error, np)
        scale[block.row] = np.median(np.hypot(own, p.get("sigma_cell", 0.0)), axis=0)
    return scale
