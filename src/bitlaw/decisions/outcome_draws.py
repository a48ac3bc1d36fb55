"""What measurements would show, drawn jointly: log losses as trained, log degradations after training."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bitlaw.inference.columns import take
from bitlaw.inference.draws import law_parameters, point_columns, require_terms
from bitlaw.inference.drift_walk import drift_walk
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation, gap_scale, trained_scale
from bitlaw.inference.parameters import at_index, flat
from bitlaw.laws.evaluate import StructuralError, log_post_degradation, train

_LEAST = 1e-300
"""A degradation that underflows; its logarithm has no information beside the error of measuring it."""


@dataclass(frozen=True)
class Outcomes:
    """Draws of what measurements at points would show, and how far each would stray from that.

    Parameters
    ----------
    value
        Shape (samples, points): ln of the law's mean loss as trained, or of its degradation where a point is
        quantized after training; with structural error, and with the effect of a logged run.
    error
        Variance of a single measurement around its run, shape (points,).
    effect
        Variance of the effect that a new run adds: of its cell to its loss, of the run to all its
        degradations; 0 for a logged run, whose effect is in ``value``. Shape (points,).
    again
        Variance by which the same model quantized to the same bits strays when measured once more: the part of
        ``error`` that does not grow with the degradation. 0 for losses as trained, shape (points,).
    """

    value: np.ndarray
    error: np.ndarray
    effect: np.ndarray
    again: np.ndarray


def outcome_draws(
    fit: Fit,
    points: pd.DataFrame,
    seed: int = 0,
    drift: bool = True,
    measured: np.ndarray | None = None,
    checkpoint: str | None = None,
) -> Outcomes:
    """Draw the outcomes of measurements at points, jointly: row by row, from the same draw of everything.

    Noise is Student-t, and refits take it to be so: a measurement then counts as one with normal noise of
    variance s² (ν + 3)/(ν + 1), the reciprocal of its Fisher information, finite for any ν. The median over
    draws of that variance is used.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns. The ``run_id`` of a fitted run stands for that very run.
    seed
        Seed of drift.
    drift
        Include the law's structural error beyond the data, as a random walk (see ``drift_walk``).
    measured
        Losses as trained, shape (points,), of which a law that takes them as data needs one per point.
    checkpoint
        The ``run_id`` of points that are one model, trained already: they share an effect on their degradation,
        known or not, which then is in ``value``.

    Raises
    ------
    InputError
        For a point the law has no term for, or of a group that the fit has not seen.
    """
    require_terms(fit, points)
    columns = point_columns(fit, points, measured)
    p = law_parameters(fit, points)
    error = drift_walk(fit, points, seed) if drift else None
    run = train(fit.law, p, columns, fit.reference, np, error)
    shape = (fit.samples(), len(points))
    loss = np.broadcast_to(run.loss, shape)
    value = np.log(loss)
    spread, effect, again = (np.zeros(len(points)) for _ in range(3))
    if not fit.law.base.is_observed:
        scale = np.broadcast_to(trained_scale(p, run, 0.0, np), shape)
        spread[:] = _variance(scale, p["nu"])
        effect[:] = np.median(np.broadcast_to(p.get("sigma_cell", np.zeros((1, 1))), shape), axis=0) ** 2
    after = points["bits_post"].notna().to_numpy()
    if after.any() and fit.law.post is not None:
        quantized, own = take(columns, after), at_index(p, np.flatnonzero(after))
        log_n = np.broadcast_to(run.log_n, shape)[:, after]
        log_delta = log_post_degradation(
            fit.law, own, quantized, log_n, fit.reference, np, _degradation_part(error, after)
        )
        known, is_logged = _logged_effects(fit, points[after])
        if checkpoint is not None:
            of_it = (points.loc[after, "run_id"] == checkpoint).to_numpy() & ~is_logged
            drawn = np.random.default_rng([seed, 3]).standard_normal((fit.samples(), 1))
            known, is_logged = np.where(of_it, own["tau"] * drawn, known), is_logged | of_it
        gap = degradation(log_delta + known, loss[:, after], quantized["ceiling"], np)
        gap = np.maximum(np.broadcast_to(gap, (shape[0], int(after.sum()))), _LEAST)
        value[:, after] = np.log(gap)
        # Where a degradation is far below what can be told from zero, its logarithm is known to nothing.
        spread[after] = _of_logarithm(gap_scale(own, gap, np), gap, own["nu_gap"])
        again[after] = np.minimum(_of_logarithm(own["sigma_gap"], gap, own["nu_gap"]), spread[after])
        effect[after] = np.where(is_logged, 0.0, np.median(own["tau"], axis=0) ** 2)
    return Outcomes(value, spread, effect, again)


def _variance(scale: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray(np.median(scale**2 * (freedom + 3.0) / (freedom + 1.0), axis=0))


def _of_logarithm(scale: np.ndarray, gap: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    return np.minimum(_variance(scale / gap, freedom), 1.0 / _LEAST)


def _degradation_part(error: StructuralError | None, after: np.ndarray) -> StructuralError | None:
    if error is None or np.ndim(error.log_degradation) == 0:
        return error
    return replace(error, log_degradation=error.log_degradation[:, after])


def _logged_effects(fit: Fit, points: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Effect of each point's run on ln δ where that run was fitted, else 0; and whether it was.

    A fitted run that no row was quantized of has its effect from the spread of the others.
    """
    ids = points["run_id"].astype(str) if "run_id" in points else pd.Series("", index=points.index)
    logged = ids.isin(set(fit.rows["run_id"].astype(str))).to_numpy()
    effects = np.zeros((fit.samples(), len(points)))
    if not logged.any():
        return effects, logged
    if "run_effect" in fit.posterior:
        names = [str(name) for name in fit.posterior["run_effect"]["run"].to_numpy()]
        at = {name: number for number, name in enumerate(names)}
        drawn = flat(fit.posterior["run_effect"])
        effects[:, logged] = drawn[:, [at[name] for name in ids[logged]]]
        return effects, logged
    return effects, np.zeros_like(logged)
