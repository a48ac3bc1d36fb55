"""A compiled law sampled again with runs left out, and what it then expects of them.

The compiled model is used as it is: a row of weight 0 has no part in the likelihood.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import arviz as az  # noqa: F401  (registers the azstats accessor)
import numpy as np
import xarray as xr
from scipy import special

from bitlaw.inference.compiled import CompiledLaw, learn_coordinates, sample_law
from bitlaw.inference.executors import Executor, Progress, Serial
from bitlaw.inference.fit import Fit
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.recipe import Recipe
from bitlaw.inference.refit_limits import FEWEST_DRAWS, HIGHEST_PARETO_K, HIGHEST_RHAT
from bitlaw.inference.sample import SamplerSettings
from bitlaw.laws.law import Law

MOST_REFITS = 15
"""Refits per law that replace unreliable importance sampling, worst Pareto k first."""


_DRAWS = 500
_HELD_OUT_NODES = 41
"""Quadrature nodes for the effect of a run that was left out, whose density is far from where it was."""


@dataclass(frozen=True)
class Refit:
    """A law without some of its runs.

    Parameters
    ----------
    posterior
        Draws that never saw the runs left out.
    log_density
        Log predictive density of each run left out, nats, in the order asked for.
    rhat
        Largest R-hat of the law's constants.
    effective
        Number of draws that the density of each run rests on, 1 / Σ w² with w their shares of it.
    """

    posterior: xr.Dataset
    log_density: np.ndarray
    rhat: float
    effective: np.ndarray


@dataclass(frozen=True)
class ExactScores:
    """A fit in which importance sampling was replaced by refitting where it cannot be relied on.

    Parameters
    ----------
    fit
        The fit; its ``runs`` have the new ``elpd``, and a column ``refitted``.
    refitted
        Runs scored by refitting.
    unreliable
        Runs whose Pareto k is too high and that were not refitted, for the limit was reached.
    rhat
        Largest R-hat of all refits; 1 without any.
    rough
        Refitted runs whose density rests on too few draws to be known.
    """

    fit: Fit
    refitted: tuple[str, ...]
    unreliable: tuple[str, ...]
    rhat: float
    rough: tuple[str, ...] = ()


def refit_without(
    compiled: CompiledLaw, fit: Fit, left_out: Sequence[int] | np.ndarray, seed: int = 0, short: bool = False
) -> Refit:
    """Sample a law again without some training runs, and score them.

    Reference scales, and with them the priors, stay those of the whole table.

    Parameters
    ----------
    compiled
        What the fit was sampled from.
    fit
        The fit to all runs; the refit is sampled with the same care.
    left_out
        Indices of training runs in ``compiled.rows.run_ids``.
    seed
        Added to the fit's seed.
    short
        Fewer draws, in the coordinates of the fit: enough for the predictive density of one run.
    """
    return _refit(compiled, _settings(fit), fit.posterior.get("run_effect"), left_out, seed, short)


def _settings(fit: Fit) -> SamplerSettings:
    return SamplerSettings(**fit.provenance.settings)  # type: ignore[arg-type]


def _refit(
    compiled: CompiledLaw,
    settings: SamplerSettings,
    run_effect: xr.DataArray | None,
    left_out: Sequence[int] | np.ndarray,
    seed: int,
    short: bool,
) -> Refit:
    settings = replace(settings, seed=settings.seed + seed)
    run_ids = np.array(compiled.rows.run_ids, object)[list(left_out)]
    without = compiled.without(compiled.rows.frame["run_id"].astype(str).isin(run_ids).to_numpy())
    if short:
        settings = replace(settings, draws=_DRAWS, tune=_DRAWS)
    else:
        without = learn_coordinates(without, settings)
    posterior = sample_law(without, settings)["posterior"].to_dataset()
    by_draw = held_out_log_density(compiled, run_effect, posterior, left_out)
    total = special.logsumexp(by_draw, axis=0)
    effective = np.exp(2.0 * total - special.logsumexp(2.0 * by_draw, axis=0))
    return Refit(posterior, total - np.log(len(by_draw)), largest_rhat(compiled.law, posterior), effective)


def largest_rhat(law: Law, posterior: xr.Dataset) -> float:
    """Largest R-hat of the constants of a law and of its noise scales."""
    constants = posterior[[prior.name for prior in law.priors if prior.name in posterior]]
    return max(float(values) for values in constants.azstats.rhat().data_vars.values())


def held_out_log_density(
    compiled: CompiledLaw,
    run_effect: xr.DataArray | None,
    posterior: xr.Dataset,
    left_out: Sequence[int] | np.ndarray,
) -> np.ndarray:
    """Log density of runs that a posterior never saw at its draws, nats, shape (samples, runs).

    The effect of a run left out is integrated out, with the nodes of the quadrature where the fit to
    all runs has the effect: its likelihood is there, and the prior is far too wide to place them by.
    The effect of its cell is the draws', informed by the runs of that cell that were kept, or drawn
    from its prior where none was.

    Parameters
    ----------
    compiled
        As for ``refit_without``.
    run_effect
        Draws of the effects of runs in the fit to all of them; None where the law has none.
    posterior
        Draws without the runs.
    left_out
        Indices of the runs.
    """
    if run_effect is not None:
        posterior = posterior.assign(run_effect=_as_many(run_effect, posterior))
    likelihood = run_log_likelihood(
        compiled.law, compiled.rows, compiled.reference, posterior, _HELD_OUT_NODES
    )
    return likelihood.by_run[:, list(left_out)]


def _as_many(draws: xr.DataArray, like: xr.Dataset) -> xr.DataArray:
    """Draws thinned or repeated to the number of chains and draws of a dataset."""
    sizes = {name: like.sizes[name] for name in ("chain", "draw")}
    draw = np.linspace(0, draws.sizes["draw"] - 1, sizes["draw"]).round().astype(int)
    chain = np.arange(sizes["chain"]) % draws.sizes["chain"]
    taken = draws.isel(chain=chain, draw=draw)
    return taken.assign_coords(chain=like["chain"], draw=like["draw"])


@dataclass(frozen=True)
class RefitTask:
    """A refit that any worker can run.

    Parameters
    ----------
    recipe
        The law and all rows.
    settings
        Those of the fit to all rows.
    run_effect
        Draws of the effects of runs in that fit; None where the law has none.
    left_out, seed, short
        As for ``refit_without``; a short refit that does not converge is sampled again, longer.
    """

    recipe: Recipe
    settings: SamplerSettings
    run_effect: xr.DataArray | None
    left_out: tuple[int, ...]
    seed: int
    short: bool


def run_refit(task: RefitTask) -> Refit:
    """Sample a law again without some runs.

    Parameters
    ----------
    task
        What to do.
    """
    compiled = task.recipe.compiled()
    given = (task.settings, task.run_effect, task.left_out, task.seed)
    refit = _refit(compiled, *given, short=task.short)
    return _refit(compiled, *given, short=False) if task.short and not refit.rhat <= HIGHEST_RHAT else refit


def exact_scores(
    recipe: Recipe,
    fit: Fit,
    held_out: Sequence[int] | np.ndarray = (),
    most: int = MOST_REFITS,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> tuple[ExactScores, Refit | None]:
    """Score anew, each by a refit of its own, the runs whose Pareto k is above .7; and some runs together.

    Parameters
    ----------
    recipe
        Of the law and the rows that the fit was sampled from.
    fit
        The fit.
    held_out
        Indices of runs to leave out together; none by default.
    most
        Refits at most; runs with the worst k come first. That of the runs left out together is not counted.
    executor
        Where the refits run; here by default.
    progress
        Told how many refits are done.

    Returns
    -------
    ExactScores, Refit
        The scores one by one, and the refit without the runs left out together; None without any.
    """
    executor = executor or Serial()
    settings = _settings(fit) if executor.is_local else replace(_settings(fit), cores=1)
    effect = fit.posterior.get("run_effect")
    runs = fit.runs.reset_index(drop=True).assign(refitted=False)
    bad = runs.index[~(runs["pareto_k"] <= HIGHEST_PARETO_K)]
    worst_first = bad[np.argsort(-runs.loc[bad, "pareto_k"].fillna(np.inf).to_numpy(), kind="stable")]
    chosen = [int(run) for run in worst_first[:most]]
    tasks = [RefitTask(recipe, settings, effect, (run,), seed=run + 1, short=True) for run in chosen]
    if len(held_out):
        tasks.append(RefitTask(recipe, settings, effect, tuple(map(int, held_out)), seed=0, short=False))
    refits = dict(executor.run(run_refit, tasks, progress)) if tasks else {}
    together = refits.pop(len(chosen), None)
    for index, refit in refits.items():
        runs.loc[chosen[index], ["elpd", "refitted"]] = [float(refit.log_density[0]), True]
    scores = ExactScores(
        fit=replace(fit, runs=runs),
        refitted=tuple(runs.loc[chosen, "run_id"]),
        unreliable=tuple(runs.loc[worst_first[most:], "run_id"]),
        rhat=max((refit.rhat for refit in refits.values()), default=1.0),
        rough=tuple(
            str(runs.loc[chosen[index], "run_id"])
            for index, refit in sorted(refits.items())
            if refit.effective[0] < FEWEST_DRAWS
        ),
    )
    return scores, together
