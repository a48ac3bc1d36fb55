"""The law along one axis, as bands for a figure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.reporting.grouping import Precision
from bitlaw.reporting.observed import group_columns, most_common, shown_rows, trained_rows
from bitlaw.runs.columns import UNQUANTIZED_BITS

PROB = 0.9
"""Probability of every interval drawn; equal-tailed."""

POINTS = 40


@dataclass(frozen=True)
class Band:
    """Median and interval along an axis, arrays of one length."""

    x: np.ndarray
    median: np.ndarray
    lo: np.ndarray
    hi: np.ndarray


def band(x: np.ndarray, draws: np.ndarray, centre: np.ndarray | None = None) -> Band:
    """The band of draws of shape (samples, points).

    Parameters
    ----------
    x
        Positions.
    draws
        What the interval is of, for example the loss of a new run.
    centre
        Draws whose median is the line, for example the law's mean; ``draws`` by default.
    """
    tail = (1.0 - PROB) / 2.0
    lo, hi = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    return Band(x, np.median(draws if centre is None else centre, axis=0), lo, hi)


def loss_band(fit: Fit, n_params: float, tokens: np.ndarray, precision: Precision) -> Band:
    """Loss against tokens at one size and training precision: the law's mean, the interval of a new run."""
    draws = loss_draws(fit, points_like(fit, n_params=n_params, tokens=tokens, **precision.columns))
    return band(tokens, draws.new_run, draws.mean)


def degradation_band(
    fit: Fit, x: np.ndarray, n_params: float, tokens: np.ndarray, bits_post: np.ndarray, method_post: str
) -> Band:
    """Degradation after post-training quantization along an axis, of runs trained at 16 bits.

    Parameters
    ----------
    fit
        The fit; a law that takes losses as trained as data is given the median of the runs shown.
    x
        The axis: tokens, or bits.
    n_params, tokens, bits_post, method_post
        The runs and what they are quantized to; arrays broadcast against ``x``.
    """
    where = {"tokens": np.broadcast_to(tokens, x.shape), "bits_post": np.broadcast_to(bits_post, x.shape)}
    points = points_like(fit, n_params=n_params, method_post=method_post, **where)
    measured = float(trained_rows(fit)["loss"].median()) if fit.law.base.is_observed else None
    draws = loss_draws(fit, points, measured=measured)
    return band(x, draws.new_run_degradation, draws.degradation)


def penalty_band(fit: Fit, n_params: float, tokens: float, kinds: tuple[str, ...], bits: np.ndarray) -> Band:
    """Loss over the same run at 16 bits against the bits of some tensor kinds, nats/token.

    Parameters
    ----------
    fit
        The fit.
    n_params, tokens
        The run.
    kinds
        Run-table columns that have these bits; the others have 16.
    bits
        Bit-widths.
    """
    columns = dict.fromkeys(kinds, np.append(bits, UNQUANTIZED_BITS))
    mean = loss_draws(fit, points_like(fit, n_params=n_params, tokens=tokens, **columns)).mean
    return band(bits, mean[:, :-1] - mean[:, -1:])


def points_like(fit: Fit, **columns: object) -> pd.DataFrame:
    """Points of the group, vocabulary and group size that the figures show."""
    rows = shown_rows(fit)
    points = points_frame(**columns)
    for name in ("vocab_size", "group_size"):
        points[name] = float(most_common(rows[name], np.nan))  # type: ignore[arg-type]
    return points.assign(**{name: rows[name].iloc[0] for name in group_columns(fit)})
