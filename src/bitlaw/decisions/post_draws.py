"""Draws of the degradation from quantizing one trained checkpoint, with or without its measured loss."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.decisions.intervals import overflow_as_infinite
from bitlaw.inference.columns import law_columns
from bitlaw.inference.draws import law_parameters, loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation, gap_scale
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation


@dataclass(frozen=True)
class DegradationDraws:
    """Draws of the degradation, arrays of shape (samples, options), nats/token.

    Parameters
    ----------
    law_mean
        The law's mean.
    new_run
        Of a new run: with its run effect, shared by the options, and relative errors.
    """

    law_mean: np.ndarray
    new_run: np.ndarray


def degradation_draws(
    fit: Fit, points: pd.DataFrame, loss: float | None, prior: bool, seed: int
) -> DegradationDraws:
    """Draws of the degradation of one training run at several bit-widths.

    Parameters
    ----------
    fit
        The fit.
    points
        The run at each ``bits_post``, from ``points_frame``.
    loss
        Measured loss of the checkpoint, nats/token: the bound's room is H - loss, as in the
        likelihood of a paired row. None = the law's loss of a new run.
    prior
        Draw from the prior in place of the posterior.
    seed
        Seed of effects and errors.
    """
    # Draws of a wide prior may lie beyond the range of floating point far from the data.
    with np.errstate(over="ignore", invalid="ignore"):
        if loss is None:
            draws = loss_draws(fit, points, prior, seed)
            law_mean, new_run = draws.degradation, draws.new_run_degradation
        else:
            law_mean, new_run = _of_checkpoint(fit, points, loss, prior, seed)
    return DegradationDraws(overflow_as_infinite(law_mean), overflow_as_infinite(new_run))


def _of_checkpoint(
    fit: Fit, points: pd.DataFrame, loss: float, prior: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Degradation under the law's mean and of a new run, for a measured loss."""
    columns = post_columns(fit, points)
    constants = law_parameters(fit, points, prior)
    log_n = log_effective_params(fit.law, constants, columns, fit.reference, np)
    log_delta = log_post_degradation(fit.law, constants, columns, log_n, fit.reference, np)
    scales = {name: fit.draws(name, prior)[:, None] for name in ("tau", "kappa", "sigma_gap")}
    rng = np.random.default_rng(seed)
    run_effect = rng.standard_normal((len(log_delta), 1)) * scales["tau"]
    with_effect = degradation(log_delta + run_effect, loss, columns["ceiling"], np)
    error = gap_scale(scales, with_effect, np) * rng.standard_normal(log_delta.shape)
    law_mean = degradation(log_delta, loss, columns["ceiling"], np)
    return law_mean, np.minimum(with_effect + error, columns["ceiling"] - loss)


def post_columns(fit: Fit, points: pd.DataFrame) -> dict[str, np.ndarray]:
    """Law columns of the points; a ceiling that they do not state is the fit's."""
    columns = law_columns(points)
    columns["ceiling"] = np.where(np.isinf(columns["ceiling"]), fit.ceiling, columns["ceiling"])
    return columns
