"""What predictive draws of held-out runs are made of, so that a drift is tried without fitting again."""

from dataclasses import dataclass

import common_practice
import inside_likelihood
import numpy as np
import pandas as pd
from held_out import Split
from store import Fitted, Store

from bitlaw import Fit
from bitlaw.criticism.design_size import sampled_constants
from bitlaw.finding import Status
from bitlaw.inference.columns import law_columns
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.hull import convex_hull, hull_vector
from bitlaw.workflow import preparing

COUPLED, CHINCHILLA = "coupled", "chinchilla"
FEWEST_ROWS = 8
ROWS_PER_CONSTANT = 2
MOST_NOISE = 1.0
"""Log loss that noise may add. Rare draws of ν near 1 have a Student-t without mean, and CRPS none with it."""


@dataclass(frozen=True)
class Posterior:
    """Draws under one law, in log loss.

    Parameters
    ----------
    location
        The law's mean at the held-out runs, shape (draws, points).
    noise
        What a new run adds, shape (draws, points).
    at_edge
        The law's mean at the nearest fitted size, with the precision of the held-out run, same shape.
    residual
        Of the fitted runs, measured less the law's mean, shape (draws, fitted runs).
    sigma
        Scale of the noise, shape (draws,).
    log_score
        Sum of expected log densities of the fitted runs, each left out, nats; by run.
    """

    location: np.ndarray
    noise: np.ndarray
    at_edge: np.ndarray
    residual: np.ndarray
    sigma: np.ndarray
    log_score: pd.Series


@dataclass(frozen=True)
class HeldOut:
    """A split with what every competitor says about its larger runs.

    Parameters
    ----------
    label, table, source
        Names of the split, of its table and of the runs it comes from.
    sizes, fitted_sizes
        (log10 N, log10 D) of held-out and of fitted runs, shape (points, 2).
    measured
        Log loss of the held-out runs.
    common
        Draws of common practice, None where it has nothing to say: with precision in the table.
    inside
        Draws under the coupled law with a discrepancy sampled together with it.
    laws
        Posterior by base law.
    """

    label: str
    table: str
    source: str
    sizes: np.ndarray
    fitted_sizes: np.ndarray
    measured: np.ndarray
    common: np.ndarray | None
    inside: np.ndarray
    laws: dict[str, Posterior]

    @property
    def vector(self) -> np.ndarray:
        """Decades of N and of D from the hull of the fitted sizes."""
        return hull_vector(convex_hull(self.fitted_sizes), self.sizes)

    @property
    def compute_ratio(self) -> np.ndarray:
        """Compute of each held-out run over the largest fitted."""
        return 10 ** (self.sizes.sum(axis=1) - self.fitted_sizes.sum(axis=1).max())


@dataclass(frozen=True)
class Forecasts:
    """Every split of the study.

    Parameters
    ----------
    held_out
        Splits that count.
    left_out
        Those that do not, and why.
    fits
        Every fit behind them.
    """

    held_out: tuple[HeldOut, ...]
    left_out: dict[str, str]
    fits: tuple[Fitted, ...]


def forecast(splits: list[Split], store: Store) -> Forecasts:
    """Fit both laws to the smaller runs of every split and draw its larger runs.

    A split with fewer runs than twice the constants of the coupled law, or with a fit that did not
    converge, is left out and named.
    """
    held_out, left_out, fits = [], {}, []
    for split in splits:
        needed = max(FEWEST_ROWS, ROWS_PER_CONSTANT * _constants(split))
        if len(split.train.frame) < needed:
            left_out[split.label] = f"{len(split.train.frame)} runs to fit, fewer than {needed}"
            continue
        laws = {COUPLED: split.table.coupled, CHINCHILLA: split.table.chinchilla}
        fitted = {
            base: store.fit(f"{split.label}, {law.name}", split.train, law) for base, law in laws.items()
        }
        fits += fitted.values()
        failed = [base for base, one in fitted.items() if one.fit.status is Status.FAIL]
        if failed:
            left_out[split.label] = f"{' and '.join(failed)} did not converge"
            continue
        held_out.append(_held_out(split, {base: one.fit for base, one in fitted.items()}, store))
    return Forecasts(tuple(held_out), left_out, tuple(fits))


def _constants(split: Split) -> int:
    return sampled_constants(preparing.prepare(split.train, split.table.coupled).law)


def _held_out(split: Split, fits: dict[str, Fit], store: Store) -> HeldOut:
    measured = np.log(split.test["loss"].to_numpy(np.float64))
    common = None
    if not split.table.has_precision:
        common = store.array(
            f"{split.label}, common practice",
            split.train,
            lambda: common_practice.predictive_draws(split.train.frame, split.test),
        )
    return HeldOut(
        label=split.label,
        table=split.table.name,
        source=split.table.source,
        sizes=_log_sizes(split.test),
        fitted_sizes=_log_sizes(split.train.frame),
        measured=measured,
        common=common,
        inside=store.array(
            f"{split.label}, discrepancy in the likelihood",
            split.train,
            lambda: inside_likelihood.predictive_draws(
                fits[COUPLED], _log_sizes(fits[COUPLED].rows), _log_sizes(split.test), law_columns(split.test)
            ),
        ),
        laws={base: _posterior(fit, split.test) for base, fit in fits.items()},
    )


def _posterior(fit: Fit, test: pd.DataFrame) -> Posterior:
    draws = loss_draws(fit, test)
    location = np.log(draws.trained)
    smallest, largest = (draws.trained * np.exp(sign * MOST_NOISE) for sign in (-1, 1))
    fitted = np.log(loss_draws(fit, fit.rows).trained)
    edge = 10 ** (_log_sizes(test) - hull_vector(fit.hull, _log_sizes(test)))
    return Posterior(
        location=location,
        noise=np.log(np.clip(draws.new_run, smallest, largest)) - location,
        at_edge=np.log(loss_draws(fit, test.assign(n_params=edge[:, 0], tokens=edge[:, 1])).trained),
        residual=np.log(fit.rows["loss"].to_numpy(np.float64)) - fitted,
        sigma=fit.draws("sigma"),
        log_score=fit.runs.set_index("run_id")["elpd"],
    )


def _log_sizes(frame: pd.DataFrame) -> np.ndarray:
    return np.log10(frame[["n_params", "tokens"]].to_numpy(np.float64))
