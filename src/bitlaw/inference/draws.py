"""Draws of the loss at any points, from a fit alone: NumPy, neither PyMC nor ArviZ."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.errors import InputError
from bitlaw.inference.columns import law_columns
from bitlaw.inference.fit import Fit
from bitlaw.inference.likelihood import degradation, gap_scale
from bitlaw.inference.usable import UNQUANTIZED_FORMATS, is_explained_format
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation, trained_loss
from bitlaw.laws.law import Parameter
from bitlaw.laws.noise import noise_parameters
from bitlaw.runs.columns import COLUMNS

_LARGEST_LOG_NOISE = 300.0
"""A Student-t with few degrees of freedom reaches beyond the range of floating point."""

_NOISE = tuple(parameter.name for parameter in noise_parameters(has_post=True))


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
    fit: Fit, points: pd.DataFrame, prior: bool = False, seed: int = 0, measured: float | None = None
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
        Measured loss of the run as trained, nats/token; it then replaces the law's.

    Raises
    ------
    InputError
        For a point the law has no term for, or of a group that the fit has not seen.
    """
    _require_terms(fit, points)
    columns = point_columns(fit, points)
    p = law_parameters(fit, points, prior)
    log_n = log_effective_params(fit.law, p, columns, fit.reference, np)
    trained = trained_loss(fit.law, p, columns, log_n, fit.reference, np)
    trained = np.broadcast_to(trained, (len(trained), len(points)))
    noise = _draw_noise(fit, points, prior, seed)
    new_trained = trained * np.exp(np.minimum(noise.cell + noise.trained, _LARGEST_LOG_NOISE))
    if measured is not None:
        trained = new_trained = np.full_like(trained, measured)
    after = points["bits_post"].notna().to_numpy()
    gap, new_gap = np.zeros_like(trained), np.zeros_like(trained)
    if after.any() and fit.law.post is not None:
        quantized = {name: values[after] for name, values in columns.items()}
        own = {name: value if value.shape[1] == 1 else value[:, after] for name, value in p.items()}
        log_n_after = np.broadcast_to(log_n, trained.shape)[:, after]
        log_delta = log_post_degradation(fit.law, own, quantized, log_n_after, fit.reference, np)
        ceiling = quantized["ceiling"]
        gap[:, after] = degradation(log_delta, trained[:, after], ceiling, np)
        with_effect = degradation(log_delta + noise.run[:, after], new_trained[:, after], ceiling, np)
        error = gap_scale(noise.scales, with_effect, np) * noise.post[:, after]
        new_gap[:, after] = np.minimum(with_effect + error, np.maximum(ceiling - new_trained[:, after], 0.0))
    return LossDraws(trained, gap, new_trained + new_gap, new_gap)


def point_columns(fit: Fit, points: pd.DataFrame) -> dict[str, np.ndarray]:
    """Law columns of the points; a ceiling that they do not state is the fit's."""
    columns = law_columns(points)
    columns["ceiling"] = np.where(np.isinf(columns["ceiling"]), fit.ceiling, columns["ceiling"])
    return columns


def law_parameters(fit: Fit, points: pd.DataFrame, prior: bool = False) -> dict[str, np.ndarray]:
    """The law's constants for each point, arrays of shape (samples, 1) or (samples, points)."""
    names = [parameter.name for parameter in _parameters(fit)]
    if not fit.pool or prior:
        return {name: fit.draws(name, prior)[:, None] for name in names}
    known = {name: code for code, name in enumerate(fit.group_names)}
    unknown = sorted(set(points[fit.pool]) - set(known))
    if unknown:
        raise InputError(
            f'{fit.pool} "{unknown[0]}" was not among the fitted groups; valid: {", ".join(known)}'
        )
    code = points[fit.pool].map(known).to_numpy(int)
    values = {}
    for name in names:
        grouped = f"{name}_group"
        if grouped in fit.posterior:
            by_group = fit.posterior[grouped].to_numpy().reshape(-1, len(known))
            values[name] = by_group[:, code]
        else:
            values[name] = fit.draws(name)[:, None]
    return values


def _parameters(fit: Fit) -> tuple[Parameter, ...]:
    law = fit.law
    terms = (law.base, law.capacity, law.post)
    return tuple(parameter for term in terms if term is not None for parameter in term.parameters)


@dataclass(frozen=True)
class _Noise:
    """Effects and errors of new runs, shape (samples, points); the points of one run share them."""

    scales: dict[str, np.ndarray]
    cell: np.ndarray
    run: np.ndarray
    trained: np.ndarray
    post: np.ndarray


def _draw_noise(fit: Fit, points: pd.DataFrame, prior: bool, seed: int) -> _Noise:
    rng = np.random.default_rng(seed)
    draws = fit.prior if prior else fit.posterior
    scales = {name: fit.draws(name, prior)[:, None] for name in _NOISE if name in draws}
    ids = points["run_id"] if "run_id" in points else pd.Series("", index=points.index)
    run = pd.factorize(ids, use_na_sentinel=False)[0]
    samples, runs = len(scales["sigma"]), int(run.max()) + 1
    zero = np.zeros((samples, 1))
    cell = rng.standard_normal((samples, runs)) * scales.get("sigma_cell", zero)
    effect = rng.standard_normal((samples, runs)) * scales.get("tau", zero)
    student = rng.standard_t(np.broadcast_to(scales["nu"], (samples, runs))) * scales["sigma"]
    post = rng.standard_normal((samples, len(points)))
    return _Noise(scales, cell[:, run], effect[:, run], student[:, run], post)


def _require_terms(fit: Fit, points: pd.DataFrame) -> None:
    law = fit.law
    explained = law.capacity.columns if law.capacity else ()
    problems = []
    for column in ("bits_weights", "bits_activations", "bits_kv", "bits_gradients"):
        if column not in explained and (points[column] < 16).any():
            problems.append(f"law {law.name} has no term for {column} below 16; valid: 16 and more")
    unknown = sorted({name for name in points["format"] if not is_explained_format(str(name))})
    if unknown:
        problems.append(
            f'law {law.name} has no term for format "{unknown[0]}"; valid: {", ".join(UNQUANTIZED_FORMATS[1:])}, int…'
        )
    after = points["bits_post"].notna()
    methods = set(fit.rows.loc[fit.rows["bits_post"].notna(), "method_post"])
    unseen = sorted(set(points.loc[after, "method_post"]) - methods) if methods else []
    if unseen:
        problems.append(
            f'method_post "{unseen[0]}" was not seen by the fit; valid: {", ".join(sorted(methods))}'
        )
    if after.any() and law.post is None:
        problems.append(f"law {law.name} has no term for bits_post; leave it empty")
    elif (points["bits_post"] >= points["bits_weights"]).any():
        problems.append("bits_post must be below bits_weights: quantizing to as many bits changes nothing")
    if problems:
        raise InputError(problems)
