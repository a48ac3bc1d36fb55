"""Log likelihood of whole training runs at posterior draws, in NumPy, run effects integrated out.

Leaving out a run leaves out its effect too, so the effect must not be taken from the draws that saw
the run: it is integrated out by Gauss-Hermite quadrature.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import special, stats

from bitlaw.inference.columns import take
from bitlaw.inference.likelihood import degradation, gap_scale, unpaired_scale
from bitlaw.inference.model import NOISE_NAMES
from bitlaw.inference.rows import PostBlock, Rows
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation, trained_loss
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
    """

    by_run: np.ndarray
    total: np.ndarray


def run_log_likelihood(law: Law, rows: Rows, reference: Reference, posterior: xr.Dataset) -> RunLogLikelihood:
    """Log likelihood of every training run with all of its rows.

    Parameters
    ----------
    law, rows, reference
        What the model was built from.
    posterior
        Its draws.
    """
    p = _flat(posterior, rows)
    run_params = {name: value for name, value in p.items() if name not in NOISE_NAMES}
    log_n = log_effective_params(law, run_params, rows.run_columns, reference, np)
    run_loss = trained_loss(law, run_params, rows.run_columns, log_n, reference, np)
    cell = _cell_effect(posterior, rows)
    n_runs = len(rows.run_ids)

    block = rows.trained
    location = np.log(run_loss[:, block.run]) + cell[:, block.cell]
    trained = stats.t.logpdf(np.log(block.loss), p["nu"], location, p["sigma"])
    by_run = _sum_by_run(trained, block.run, n_runs)
    if "run_effect" not in posterior:
        return RunLogLikelihood(by_run, by_run.sum(axis=1))

    base = {}
    for name in ("paired", "unpaired"):
        post = getattr(rows, name)
        own = {key: v if v.shape[1] == 1 else v[:, post.run] for key, v in run_params.items()}
        log_n_rows = np.broadcast_to(log_n, run_loss.shape)[:, post.run]
        columns = take(rows.columns, post.row)
        base[name] = log_post_degradation(law, own, columns, log_n_rows, reference, np)

    def post_log_density(effect: np.ndarray) -> np.ndarray:
        """Sum over the post-training rows of each run at run effects of shape (samples, runs)."""
        total = np.zeros_like(by_run)
        for name, density in (("paired", _paired), ("unpaired", _unpaired)):
            post = getattr(rows, name)
            if len(post.run):
                log_delta = base[name] + effect[:, post.run]
                total += _sum_by_run(density(p, rows, post, log_delta, run_loss, cell), post.run, n_runs)
        return total

    effect = posterior["run_effect"].to_numpy().reshape(len(by_run), n_runs)
    integrated = _integrate(post_log_density, effect, p["tau"])
    return RunLogLikelihood(by_run + integrated, (by_run + post_log_density(effect)).sum(axis=1))


def _integrate(
    log_density: Callable[[np.ndarray], np.ndarray], effect: np.ndarray, tau: np.ndarray
) -> np.ndarray:
    """Ln ∫ exp(log_density(t)) N(t; 0, τ) dt per run, nodes placed where the posterior has the effect."""
    nodes, weights = special.roots_hermite(_NODES)
    centre, spread = effect.mean(axis=0), 1.2 * effect.std(axis=0)
    terms = []
    for node, weight in zip(nodes, weights, strict=True):
        t = np.broadcast_to(centre + np.sqrt(2.0) * spread * node, effect.shape)
        prior = stats.norm.logpdf(t, 0.0, tau)
        measure = np.log(weight) + node**2 + np.log(np.sqrt(2.0) * spread)
        terms.append(log_density(t) + prior + measure)
    return special.logsumexp(np.stack(terms), axis=0)


def _paired(
    p: dict[str, np.ndarray],
    rows: Rows,
    block: PostBlock,
    log_delta: np.ndarray,
    run_loss: np.ndarray,
    cell: np.ndarray,
) -> np.ndarray:
    gap = degradation(log_delta, block.loss_trained, rows.columns["ceiling"][block.row], np)
    return stats.norm.logpdf(block.gap, gap, gap_scale(p, gap, np))


def _unpaired(
    p: dict[str, np.ndarray],
    rows: Rows,
    block: PostBlock,
    log_delta: np.ndarray,
    run_loss: np.ndarray,
    cell: np.ndarray,
) -> np.ndarray:
    before = run_loss[:, block.run]
    gap = degradation(log_delta, before, rows.columns["ceiling"][block.row], np)
    after = before + gap
    location = np.log(after) + cell[:, block.cell]
    return stats.t.logpdf(np.log(block.loss), p["nu"], location, unpaired_scale(p, gap, after, np))


def _flat(posterior: xr.Dataset, rows: Rows) -> dict[str, np.ndarray]:
    """Parameters as (samples, 1), or (samples, runs) where they differ by group."""
    flat = {}
    for name in posterior.data_vars:
        values = posterior[name]
        if values.dims == ("chain", "draw"):
            grouped = f"{name}_group"
            if grouped in posterior:
                by_group = posterior[grouped].to_numpy().reshape(values.size, -1)
                flat[str(name)] = by_group[:, rows.run_group]
            else:
                flat[str(name)] = values.to_numpy().reshape(-1, 1)
    return flat


def _cell_effect(posterior: xr.Dataset, rows: Rows) -> np.ndarray:
    """Effect of each cell with a zero in last place, which index -1 picks."""
    samples = posterior.sizes["chain"] * posterior.sizes["draw"]
    if not rows.cells:
        return np.zeros((samples, 1))
    effect = posterior["cell_effect"].to_numpy().reshape(samples, rows.cells)
    return np.concatenate([effect, np.zeros((samples, 1))], axis=1)


def _sum_by_run(values: np.ndarray, run: np.ndarray, n_runs: int) -> np.ndarray:
    membership = np.zeros((len(run), n_runs))
    membership[np.arange(len(run)), run] = 1.0
    return values @ membership
