"""Draws of the loss at any points, from a fit alone: NumPy, neither PyMC nor ArviZ."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.errors import InputError, did_you_mean
from bitlaw.inference.columns import law_columns, take
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL, level_names, spread_scale, varying
from bitlaw.inference.likelihood import degradation, gap_scale, new_degradation, new_loss, trained_scale
from bitlaw.inference.parameters import at_index, at_levels, flat, shift_name, spread_name
from bitlaw.inference.usable import training_without_term
from bitlaw.laws.evaluate import StructuralError, log_post_degradation, train
from bitlaw.runs.columns import COLUMNS


@dataclass(frozen=True)
class LossDraws:
    """Draws of the loss at points; every array has the shape (samples, points), nats/token.

    Parameters
    ----------
    trained
        The law's mean loss as trained.
    degradation
        What quantizing after training adds; 0 where a point is not quantized after training.
    new_run
        Loss of a new run at each point: with the effects of its cell and its run, and noise.
    new_run_degradation
        Degradation of a new run, with its run effect and relative error.
    """

    trained: np.ndarray
    degradation: np.ndarray
    new_run: np.ndarray
    new_run_degradation: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The law's mean loss, after post-training quantization where there is any."""
        return self.trained + self.degradation


@dataclass(frozen=True)
class KnownRun:
    """Draws of a fit given what was measured on one run (see ``known_run``).

    Parameters
    ----------
    rows
        Which draw of the fit stands behind each, shape (samples,); a draw may stand there several times.
    effect
        The run's effect u on the logarithm of its degradation, shape (samples,).
    effective
        Number of effective draws, 1/Σw² of their weights.
    """

    rows: np.ndarray
    effect: np.ndarray
    effective: float


def points_frame(**columns: Any) -> pd.DataFrame:
    """Points to predict, from run-table columns by name; what is not given takes its default.

    Parameters
    ----------
    **columns
        Values or sequences of one length; ``n_params`` and ``tokens`` at least.

    Examples
    --------
    >>> points_frame(n_params=7e9, tokens=[1e12, 2e12])[["n_params", "bits_weights"]].values.tolist()
    [[7000000000.0, 16.0], [7000000000.0, 16.0]]
    """
    length = max((len(value) for value in columns.values() if np.ndim(value)), default=1)
    frame = pd.DataFrame(columns, index=range(length))
    for column in COLUMNS:
        if column.name not in frame and column.name not in ("loss", "flops"):
            frame[column.name] = np.nan if column.default is None else column.default
    return frame


def loss_draws(
    fit: Fit,
    points: pd.DataFrame,
    prior: bool = False,
    seed: int = 0,
    measured: float | np.ndarray | None = None,
    drift: bool = True,
    known: KnownRun | None = None,
) -> LossDraws:
    """Draws of the loss at points.

    Points that share ``run_id``, or all points where none is given, are taken to be one training
    run: they share the effects of run and cell, and the random numbers behind them, so that
    differences between options carry no noise of their own.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns, for example from ``points_frame``; ``vocab_size`` missing means the fit's.
    prior
        Use draws of the prior in place of the posterior.
    seed
        Seed of effects and noise.
    measured
        Measured loss of the run as trained, nats/token; it then replaces the law's, structural error
        included.
    drift
        Include the law's structural error beyond the data (see ``structural_error``).
    known
        What is known of the run that all points are; its effect then is in the mean. Draws follow its ``rows``.

    Raises
    ------
    InputError
        For a point the law has no term for, or of a group that the fit has not seen.
    """
    require_terms(fit, points)
    columns = point_columns(fit, points, measured)
    p = law_parameters(fit, points, prior)
    error = structural_error(fit, points) if drift else None
    if known is not None:
        p = {name: value[known.rows] for name, value in p.items()}
        parts = {} if error is None else vars(error)
        own = {name: part if np.ndim(part) == 0 else part[known.rows] for name, part in parts.items()}
        error = error and StructuralError(**own)
    run = train(fit.law, p, columns, fit.reference, np, error)
    shape = (fit.samples(prior), len(points))
    trained = np.broadcast_to(run.loss, shape)
    noise = _draw_noise(p, points, shape[0], seed)
    if known is not None:
        noise = replace(noise, run=np.zeros_like(noise.run))
    new_trained = trained
    if measured is not None:
        trained = new_trained = np.full(shape, measured)
    elif not fit.law.base.is_observed:
        scatter = noise.cell + noise.trained * trained_scale(p, run, 0.0, np)
        new_trained = new_loss(trained, scatter, np)
    after = points["bits_post"].notna().to_numpy()
    gap, new_gap = np.zeros(shape), np.zeros(shape)
    if after.any() and fit.law.post is not None:
        quantized = take(columns, after)
        own = at_index(p, np.flatnonzero(after))
        log_n_after = np.broadcast_to(run.log_n, shape)[:, after]
        error = error and replace(error, log_degradation=_at(error.log_degradation, after))
        log_delta = log_post_degradation(fit.law, own, quantized, log_n_after, fit.reference, np, error)
        log_delta = log_delta if known is None else log_delta + known.effect[:, None]
        ceiling = quantized["ceiling"]
        gap[:, after] = degradation(log_delta, trained[:, after], ceiling, np)
        with_effect = degradation(log_delta + noise.run[:, after], new_trained[:, after], ceiling, np)
        error = gap_scale(own, with_effect, np) * noise.post[:, after]
        new_gap[:, after] = new_degradation(with_effect, error, new_trained[:, after], ceiling, np)
    return LossDraws(trained, gap, new_trained + new_gap, new_gap)


def _at(values: np.ndarray | float, points: np.ndarray) -> np.ndarray | float:
    return values if np.ndim(values) == 0 else np.asarray(values)[:, points]


def point_columns(
    fit: Fit, points: pd.DataFrame, measured: float | np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Law columns of the points; a ceiling that they do not state is the fit's.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns.
    measured
        Measured loss of the run as trained; by default that of the fitted run of the same ``run_id``.

    Raises
    ------
    InputError
        If the law takes the loss as trained as data, and there is none.
    """
    columns = law_columns(points)
    columns["ceiling"] = np.where(np.isinf(columns["ceiling"]), fit.ceiling, columns["ceiling"])
    if fit.law.base.is_observed:
        columns["loss_trained"] = (
            _own_losses(fit, points) if measured is None else np.full(len(points), measured)
        )
        if np.isnan(columns["loss_trained"]).any():
            raise InputError(
                f"law {fit.law.name} predicts what quantization after training adds to a measured loss; "
                "give the checkpoint's loss as trained (measured, --loss), or the run_id of a fitted run"
            )
    return columns


def _own_losses(fit: Fit, points: pd.DataFrame) -> np.ndarray:
    own = fit.rows[fit.rows["bits_post"].isna()].set_index("run_id")["loss"]
    ids = points["run_id"] if "run_id" in points else pd.Series(None, points.index, dtype=object)
    return ids.map(own).to_numpy(np.float64)


def law_parameters(fit: Fit, points: pd.DataFrame, prior: bool = False) -> dict[str, np.ndarray]:
    """Every parameter at each point, noise scales included: shape (samples, 1) or (samples, points).

    The level ``new`` of a column stands for a group, format or method that was never measured: its
    constants are drawn from the spread between those that were.

    Raises
    ------
    InputError
        For a level the fit has not seen.
    """
    draws = fit.prior if prior else fit.posterior
    common = {item.name: flat(draws[item.name]) for item in fit.law.priors if item.name in draws}
    every = dict.fromkeys((*fit.pool, *fit.law.by), True)
    shifts: dict[str, np.ndarray] = {}
    for name, columns in varying(fit.law, fit.pool, every).items():
        for column in columns:
            labels = level_names(points, column)
            if not (labels == "").all():
                shifts[name] = shifts.get(name, 0.0) + _shifts(fit, name, column, labels, prior)
    return at_levels(fit.law, common, shifts, np)


def _shifts(fit: Fit, name: str, column: str, labels: pd.Series, prior: bool) -> np.ndarray:
    """What a quantity is shifted by at each point, for the point's level of one column."""
    samples, seen = fit.samples(prior), fit.levels(column)
    variable = shift_name(name, column)
    by_level = {"": np.zeros(samples)}
    for label in sorted(set(labels) - {""}):
        if label not in seen and label != NEW_LEVEL:
            raise InputError(
                f'{column} "{label}" was not seen by the fit; {did_you_mean(label, seen)}; or "{NEW_LEVEL}", '
                "one that was never measured"
            )
        if label in seen and not prior and variable in fit.posterior:
            by_level[label] = flat(fit.posterior[variable].sel({column: label}))[:, 0]
        elif label in seen and not prior and len(seen) == 1:
            by_level[label] = by_level[""]
        else:
            by_level[label] = _unseen_shift(fit, name, column, label, prior)
    return np.stack([by_level[label] for label in labels], axis=1)


def _unseen_shift(fit: Fit, name: str, column: str, label: str, prior: bool) -> np.ndarray:
    """Shift of a level without data; a free quantity has its prior to itself there, so none."""
    scale, samples = spread_scale(fit.law, name, column), fit.samples(prior)
    if scale is None:
        return np.zeros(samples)
    rng = np.random.default_rng(list(f"{fit.provenance.seed} {name} {column} {label}".encode()))
    spread = np.abs(rng.normal(0.0, scale, samples))
    if not prior and spread_name(name, column) in fit.posterior:
        spread = fit.draws(spread_name(name, column))
    return spread * rng.standard_normal(samples)


@dataclass(frozen=True)
class Noise:
    """Effects and standard errors of new runs, shape (samples, points); points of one run share them."""

    cell: np.ndarray
    run: np.ndarray
    trained: np.ndarray
    post: np.ndarray


def noise_draws(fit: Fit, points: pd.DataFrame, seed: int = 0) -> Noise:
    """The effects and errors that ``loss_draws`` gives new runs at points; arguments as there."""
    return _draw_noise(law_parameters(fit, points), points, fit.samples(), seed)


def _draw_noise(p: dict[str, np.ndarray], points: pd.DataFrame, samples: int, seed: int) -> Noise:
    rng = np.random.default_rng(seed)
    ids = points["run_id"] if "run_id" in points else pd.Series("", index=points.index)
    run = pd.factorize(ids, use_na_sentinel=False)[0]
    shape, zero = (samples, int(run.max()) + 1), np.zeros((samples, 1))
    first = np.unique(run, return_index=True)[1]
    cell = rng.standard_normal(shape)[:, run] * p.get("sigma_cell", zero)
    effect = rng.standard_normal(shape)[:, run] * p.get("tau", zero)
    freedom = at_index({"nu": p["nu"]}, first)["nu"] if "nu" in p else np.ones((samples, 1))
    student = rng.standard_t(np.broadcast_to(freedom, shape))[:, run]
    freedom = np.broadcast_to(p.get("nu_gap", np.ones((samples, 1))), (samples, len(points)))
    return Noise(cell, effect, student, rng.standard_t(freedom))


def require_terms(fit: Fit, points: pd.DataFrame) -> None:
    """Raise InputError where the law has no term for a point."""
    law = fit.law
    problems = list(dict.fromkeys(reason for _, reason in training_without_term(law, points)))
    after = points["bits_post"].notna()
    if after.any() and law.post is None:
        problems.append(f"law {law.name} has no term for bits_post; leave it empty")
    elif (points["bits_post"] >= points["bits_weights"]).any():
        problems.append("bits_post must be below bits_weights: quantizing to as many bits changes nothing")
    if problems:
        raise InputError(problems)
