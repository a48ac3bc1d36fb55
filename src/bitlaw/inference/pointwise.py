"""Log likelihood of whole training runs at posterior draws, in NumPy, run effects integrated out.

Leaving out a run leaves out its effect too, so the effect must not be taken from the draws that saw
the run: it is integrated out by Gauss-Hermite quadrature.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import special, stats

from bitlaw.inference.cells import drawn_cell_effects
from bitlaw.inference.columns import take
from bitlaw.inference.levels import of_level
from bitlaw.inference.likelihood import degradation, gap_scale, trained_scale, unpaired_scale
from bitlaw.inference.parameters import at_index, posterior_parameters
from bitlaw.inference.rows import Block, Rows
from bitlaw.laws.evaluate import Trained, log_post_degradation, train
from bitlaw.laws.law import Law, Reference

_NODES = 9


@dataclass(frozen=True)
class RunLogLikelihood:
    """Log likelihood of each run and of the whole table at each posterior draw.

    Parameters
    ----------
    by_run
        Shape (samples, runs); run effects integrated out.
    total
        Shape (samples,); at the run effects of the draw.
    cell_effect
        Effect that the runs of each cell share, shape (samples, cells).
    """

    by_run: np.ndarray
    total: np.ndarray
    cell_effect: np.ndarray


def run_log_likelihood(
    law: Law, rows: Rows, reference: Reference, posterior: xr.Dataset, nodes: int = _NODES
) -> RunLogLikelihood:
    """Log likelihood of every training run with all of its rows.

    Parameters
    ----------
    law, rows, reference
        What the model was built from.
    posterior
        Its draws, with the coordinates that effects of cells were sampled in (``cell_level``).
    nodes
        Quadrature nodes of the integral over a run's effect.
    """
    distinct, alike = rows.distinct_runs(law.base.is_observed)
    p = posterior_parameters(law, rows, posterior, rows.first[distinct])
    trained = train(law, p, take(rows.run_columns, distinct), reference, np)
    samples, n_runs = posterior.sizes["chain"] * posterior.sizes["draw"], len(rows.run_ids)
    cell = _cell_effects(rows, p, trained, posterior, alike)
    by_run = np.zeros((samples, n_runs))
    if not law.base.is_observed:
        for block, density in ((rows.trained, _measured), (rows.diverged, _diverged)):
            if len(block):
                values = density(p, block.at_distinct(alike), trained, cell)
                by_run += _sum_by_run(values, block.run, n_runs)
    if "run_effect" not in posterior:
        return RunLogLikelihood(by_run, by_run.sum(axis=1), cell)

    post = {
        name: (block, posterior_parameters(law, rows, posterior, block.row), take(rows.columns, block.row))
        for name, block in (("paired", rows.paired), ("unpaired", rows.unpaired))
        if len(block)
    }
    log_delta = {
        name: log_post_degradation(law, own, columns, _at(trained.log_n, alike[block.run]), reference, np)
        for name, (block, own, columns) in post.items()
    }

    def post_log_density(effect: np.ndarray) -> np.ndarray:
        """Sum over the post-training rows of each run at run effects of shape (samples, runs)."""
        total = np.zeros_like(by_run)
        for name, (block, own, columns) in post.items():
            moved = log_delta[name] + effect[:, block.run]
            if name == "paired":
                values = _paired(own, columns, block, moved)
            else:
                values = _unpaired(own, columns, block.at_distinct(alike), moved, trained, cell)
            total += _sum_by_run(values, block.run, n_runs)
        return total

    effect = posterior["run_effect"].to_numpy().reshape(samples, n_runs)
    integrated = _integrate(post_log_density, effect, p["tau"], nodes)
    return RunLogLikelihood(by_run + integrated, (by_run + post_log_density(effect)).sum(axis=1), cell)


def _integrate(
    log_density: Callable[[np.ndarray], np.ndarray], effect: np.ndarray, tau: np.ndarray, nodes: int
) -> np.ndarray:
    """Ln ∫ exp(log_density(t)) N(t; 0, τ) dt per run, nodes placed where the posterior has the effect."""
    points, weights = special.roots_hermite(nodes)
    centre, spread = effect.mean(axis=0), 1.2 * effect.std(axis=0)
    total = np.full(effect.shape, -np.inf)
    for node, weight in zip(points, weights, strict=True):
        t = np.broadcast_to(centre + np.sqrt(2.0) * spread * node, effect.shape)
        prior = stats.norm.logpdf(t, 0.0, tau)
        measure = np.log(weight) + node**2 + np.log(np.sqrt(2.0) * spread)
        total = np.logaddexp(total, log_density(t) + prior + measure)
    return total


def _measured(p: dict[str, np.ndarray], block: Block, trained: Trained, cell: np.ndarray) -> np.ndarray:
    location, scale = _location_and_scale(p, block, trained, cell)
    return stats.t.logpdf(np.log(block.loss), _at(p["nu"], block.run), location, scale)


def _diverged(p: dict[str, np.ndarray], block: Block, trained: Trained, cell: np.ndarray) -> np.ndarray:
    location, scale = _location_and_scale(p, block, trained, cell)
    return special.log_ndtr((location - np.log(block.loss)) / scale)


def _location_and_scale(
    p: dict[str, np.ndarray], block: Block, trained: Trained, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    expected, scale = _expected(p, block, trained)
    return expected + of_level(cell, block.cell), scale


def _expected(p: dict[str, np.ndarray], block: Block, trained: Trained) -> tuple[np.ndarray, np.ndarray]:
    """Log loss that the law expects, without the effects of cells, and its noise."""
    here = _trained_at(trained, block.run)
    scale = trained_scale(at_index(p, block.run), here, block.relative_error, np)
    return np.log(here.loss), np.broadcast_to(scale, here.loss.shape)


def _paired(
    p: dict[str, np.ndarray], columns: dict[str, np.ndarray], block: Block, log_delta: np.ndarray
) -> np.ndarray:
    gap = degradation(log_delta, block.loss_trained, columns["ceiling"], np)
    return stats.t.logpdf(block.gap, p["nu_gap"], gap, gap_scale(p, gap, np))


def _unpaired(
    p: dict[str, np.ndarray],
    columns: dict[str, np.ndarray],
    block: Block,
    log_delta: np.ndarray,
    trained: Trained,
    cell: np.ndarray,
) -> np.ndarray:
    before = _trained_at(trained, block.run)
    gap = degradation(log_delta, before.loss, columns["ceiling"], np)
    after = before.loss + gap
    scale = unpaired_scale(p, gap, after, trained_scale(p, before, block.relative_error, np), np)
    location = np.log(after) + of_level(cell, block.cell)
    return stats.t.logpdf(np.log(block.loss), p["nu"], location, scale)


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return values if values.shape[-1] == 1 else values[..., index]


def _trained_at(trained: Trained, index: np.ndarray) -> Trained:
    penalty = np.asarray(trained.penalty)
    return Trained(
        _at(trained.log_n, index),
        _at(trained.unquantized, index),
        penalty if penalty.ndim == 0 else _at(penalty, index),
    )


def _cell_effects(
    rows: Rows, p: dict[str, np.ndarray], trained: Trained, posterior: xr.Dataset, alike: np.ndarray
) -> np.ndarray:
    """Effect of each cell, shape (samples, cells)."""
    samples = posterior.sizes["chain"] * posterior.sizes["draw"]
    if not rows.cells:
        return np.zeros((samples, 0))
    level = posterior["cell_level"].to_numpy().reshape(samples, rows.cells)
    block = rows.trained.at_distinct(alike)
    expected, scale = _expected(p, block, trained)
    return drawn_cell_effects(rows, level, expected, scale, _at(p["sigma_cell"], block.run))


def _sum_by_run(values: np.ndarray, run: np.ndarray, n_runs: int) -> np.ndarray:
    membership = np.zeros((len(run), n_runs))
    membership[np.arange(len(run)), run] = 1.0
    return values @ membership
