"""A law fitted to the rows of one fold, from the model compiled for all of them, without a look at the rest.

The rows left out have weight 0, and the scales that priors are stated at (the centre, the smallest bits)
are those of the rows that are fitted.
"""

import platform
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.assemble import LIBRARIES, law_names
from bitlaw.inference.compiled import CompiledLaw, learn_coordinates, sample_law, settings_for
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit, Provenance
from bitlaw.inference.folds import Fold, rows_to_predict
from bitlaw.inference.hull import convex_hull
from bitlaw.inference.predictive_density import log_predictive_density
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.refit import largest_rhat
from bitlaw.inference.refit_limits import HIGHEST_RHAT
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.sample import SamplerSettings

_DRAWS = 500


@dataclass(frozen=True)
class FoldFit:
    """A fit to the rows of one fold.

    Parameters
    ----------
    fit
        Its posterior, reference scales, hull and rows are of the fitted rows alone. It has no scores of
        its runs, no power-scaling weights and no findings.
    rhat
        Largest R-hat of the law's constants.
    divergences
        Share of the draws that diverged.
    attempts
        1, or 2 where it was sampled again, more carefully.
    """

    fit: Fit
    rhat: float
    divergences: float
    attempts: int

    @property
    def converged(self) -> bool:
        """Whether R-hat is low enough for a predictive density."""
        return bool(self.rhat <= HIGHEST_RHAT)


@dataclass(frozen=True)
class HeldOut:
    """What a fold expects of the rows it was not fitted to.

    Parameters
    ----------
    rows
        The rows; a group that the fold was not fitted to is called ``new``.
    new_run
        Draws of their losses, shape (samples, rows), nats/token.
    log_density
        Log predictive density of the logarithm of their losses, nats.
    """

    rows: pd.DataFrame
    new_run: np.ndarray
    log_density: np.ndarray


def fit_fold(
    compiled: CompiledLaw,
    fold: Fold,
    seed: int = 0,
    cores: int | None = None,
    short: SamplerSettings | None = None,
) -> FoldFit:
    """Sample a compiled law for the rows of a fold; once more, with more care, where R-hat is too high.

    Parameters
    ----------
    compiled
        The law compiled for all rows, in coordinates that suit it.
    fold
        The fold.
    seed
        Seed of sampling and predictions.
    cores
        Chains that run at a time; the default of sampling if None.
    short
        How it is sampled, and no second time; 500 draws of each chain if None.
    """
    frame = compiled.rows.frame[fold.train]
    own = compiled.stated_at(reference_scales(frame)).without(~fold.train)
    if short is not None:
        return _sampled(own, frame, short, 1)
    settings = settings_for(compiled, seed)
    if cores is not None:
        settings = replace(settings, cores=cores)
    found = _sampled(own, frame, replace(settings, draws=_DRAWS, tune=_DRAWS), 1)
    if not found.converged:
        careful = settings.more_careful()
        found = _sampled(learn_coordinates(own, careful), frame, careful, 2)
    return found


def held_out_draws(fit: Fit, frame: pd.DataFrame, fold: Fold, seed: int = 0, drift: bool = True) -> HeldOut:
    """Draws of the losses that a fold predicts.

    What is known of a row is used: the loss as trained of a run that was fitted, and of every run for a
    law that takes it as data.

    Parameters
    ----------
    fit
        The fit to the fold.
    frame
        All rows of the table.
    fold
        The fold.
    seed
        Seed of effects and noise.
    drift
        Include the law's structural error beyond the rows of the fold.
    """
    rows = rows_to_predict(fit.law, frame, fit.pool, fold)
    known = frame if fit.law.base.is_observed else frame[fold.train]
    own = known[known["bits_post"].isna() & (known["status"] != "diverged")].set_index("run_id")["loss"]
    measured = rows["run_id"].map(own).where(rows["bits_post"].notna()).to_numpy(np.float64)
    has_own = ~np.isnan(measured)
    draws, density = [], []
    for part in (has_own, ~has_own):
        if part.any():
            given = measured[part] if part is has_own else None
            draws.append(loss_draws(fit, rows[part], seed=seed, measured=given, drift=drift))
            density.append(log_predictive_density(fit, rows[part], draws[-1], given, seed))
    return HeldOut(
        rows=pd.concat([rows[part] for part in (has_own, ~has_own) if part.any()]),
        new_run=np.concatenate([item.new_run for item in draws], axis=1),
        log_density=np.concatenate(density),
    )


def _sampled(own: CompiledLaw, frame: pd.DataFrame, settings: SamplerSettings, attempts: int) -> FoldFit:
    tree = sample_law(own, settings)
    statistics = tree["sample_stats"].to_dataset()
    posterior = tree["posterior"].to_dataset()
    rhat = largest_rhat(own.law, posterior)
    fit = _fit(own, frame, posterior, statistics, settings, attempts)
    return FoldFit(fit, rhat, float(statistics["diverging"].mean()), attempts)


def _fit(
    own: CompiledLaw,
    frame: pd.DataFrame,
    posterior: xr.Dataset,
    statistics: xr.Dataset,
    settings: SamplerSettings,
    attempts: int,
) -> Fit:
    samples = int(posterior.sizes["chain"] * posterior.sizes["draw"])
    prior = prior_draws(own.law, own.reference, samples, settings.seed)
    return Fit(
        law=own.law,
        reference=own.reference,
        posterior=law_names(posterior),
        prior=xr.Dataset({name: (("chain", "draw"), draws[None, :]) for name, draws in prior.items()}),
        drift=drift_draws(samples, settings.seed, own.law.name),
        sample_stats=statistics,
        rows=frame,
        excluded=frame.iloc[:0].assign(reason=""),
        runs=pd.DataFrame({"run_id": [], "elpd": [], "pareto_k": []}),
        weights=xr.Dataset(),
        pool=own.rows.pool,
        hull=convex_hull(np.log10(frame[["n_params", "tokens"]].to_numpy(np.float64))),
        findings=(),
        provenance=Provenance(
            source="fold of a backtest",
            table_hash="",
            seed=settings.seed,
            attempts=attempts,
            settings=asdict(settings),
            versions={name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
        ),
    )
