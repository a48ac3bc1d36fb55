"""What predictive draws of held-out runs are made of, so that a drift is tried without fitting again."""

from dataclasses import dataclass
from typing import Any

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
from bitlaw.inference.draws import law_parameters, loss_draws, point_columns
from bitlaw.inference.drift import DRIFT_PRIOR, structural_error
from bitlaw.inference.hull import convex_hull, hull_vector
from bitlaw.laws.evaluate import StructuralError, train
from bitlaw.workflow import preparing

COUPLED, CHINCHILLA = "coupled", "chinchilla"
FEWEST_ROWS = 8
ROWS_PER_CONSTANT = 2


@dataclass(frozen=True)
class Posterior:
    """Draws under one law, in log loss.

    Parameters
    ----------
    with_drift, without_drift
        Of new runs at the held-out runs, as ``loss_draws`` gives them, shape (draws, points).
    location
        The law's mean there, without drift, same shape.
    at_edge
        The law's mean at the nearest fitted size, with the precision of the held-out run, same shape.
    residual
        Of the fitted runs, measured less the law's mean, shape (draws, fitted runs).
    sigma
        Scale of the noise, shape (draws,).
    log_score
        Sum of expected log densities of the fitted runs, each left out, nats; by run.
    log_omega, z
        What is random in the drift: ln ω from its median in standard deviations, shape (draws,), and
        the directions along N and D, shape (draws, 2).
    parts
        What ``new_runs`` takes the law from.
    """

    with_drift: np.ndarray
    without_drift: np.ndarray
    location: np.ndarray
    at_edge: np.ndarray
    residual: np.ndarray
    sigma: np.ndarray
    log_score: pd.Series
    log_omega: np.ndarray
    z: np.ndarray
    parts: "Parts"

    def new_runs(self, log_error: np.ndarray) -> np.ndarray:
        """Draws of new runs with another structural error of the unquantized log loss, shape (draws, points).

        The drift of the penalty and the noise of a run stay those of ``loss_draws``.
        """
        own = self.parts
        error = StructuralError(log_loss=log_error, log_penalty=own.log_penalty)
        run = train(own.fit.law, own.constants, own.columns, own.fit.reference, np, error)
        return np.log(run.loss) + own.noise


@dataclass(frozen=True)
class Parts:
    """What the prediction of a new run is made of, so that a drift is tried without fitting again.

    Parameters
    ----------
    fit
        The fit.
    constants, columns
        The law's at the held-out runs.
    log_penalty
        Stated drift of the logarithm of the penalty of low precision.
    noise
        What a new run adds, log loss, shape (draws, points).
    """

    fit: Fit
    constants: dict[str, np.ndarray]
    columns: dict[str, np.ndarray]
    log_penalty: Any
    noise: np.ndarray


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
    drifted, plain = (loss_draws(fit, test, drift=drift) for drift in (True, False))
    error = structural_error(fit, test)
    median, spread = DRIFT_PRIOR.loss
    fitted = np.log(loss_draws(fit, fit.rows, drift=False).trained)
    edge = 10 ** (_log_sizes(test) - hull_vector(fit.hull, _log_sizes(test)))
    at_edge = loss_draws(fit, test.assign(n_params=edge[:, 0], tokens=edge[:, 1]), drift=False)
    return Posterior(
        with_drift=np.log(drifted.new_run),
        without_drift=np.log(plain.new_run),
        location=np.log(plain.trained),
        at_edge=np.log(at_edge.trained),
        residual=np.log(fit.rows["loss"].to_numpy(np.float64)) - fitted,
        sigma=fit.draws("sigma"),
        log_score=fit.runs.set_index("run_id")["elpd"],
        log_omega=np.log(fit.drift["omega"].to_numpy() / median) / spread,
        z=np.stack([fit.drift["z_n"].to_numpy(), fit.drift["z_d"].to_numpy()], axis=1),
        parts=Parts(
            fit=fit,
            constants=law_parameters(fit, test),
            columns=point_columns(fit, test),
            log_penalty=0.0 if error is None else error.log_penalty,
            noise=np.log(drifted.new_run / drifted.trained),
        ),
    )


def _log_sizes(frame: pd.DataFrame) -> np.ndarray:
    return np.log10(frame[["n_params", "tokens"]].to_numpy(np.float64))
