"""The law along one way out of the data, with what was measured and held out: what the fan chart shows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.fold_task import FoldRecord
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.folds import compute_flop
from bitlaw.inference.hull import hull_vector
from bitlaw.reporting.curves import Band, band, points_like
from bitlaw.reporting.grouping import Precision, precision_of, precisions
from bitlaw.reporting.observed import trained_rows

BEYOND = 2.0
"""Decades of compute that are shown beyond the largest run."""

NEAR = 0.15
"""Decades from the way within which a run counts as being on it."""

SAME = 1.1
"""A factor of compute within which two marks count as one."""

_POINTS = 121
_ON_WAY = 1e-6
_ROOM = 0.3
_LEAST_GROWTH = 0.5
"""Decades of compute gained per decade gone, below which a way across the data is no way out of it."""


@dataclass(frozen=True)
class Way:
    """A straight line in (log10 N, log10 D) along which compute grows, from the centre of the data outwards.

    Parameters
    ----------
    centre
        Geometric means of parameters and of tokens, log10, shape (2,).
    unit
        Direction of length 1, shape (2,).
    """

    centre: np.ndarray
    unit: np.ndarray

    def sizes(self, compute: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters and tokens where the line has some compute, FLOP = 6 N D."""
        gone = (np.log10(compute / 6.0) - self.centre.sum()) / self.unit.sum()
        log_sizes = self.centre[:, None] + self.unit[:, None] * gone
        return 10.0 ** log_sizes[0], 10.0 ** log_sizes[1]

    def distance(self, frame: pd.DataFrame) -> np.ndarray:
        """Decades of each row from the line."""
        apart = np.log10(frame[["n_params", "tokens"]].to_numpy(np.float64)) - self.centre
        return np.abs(apart[:, 0] * self.unit[1] - apart[:, 1] * self.unit[0])


@dataclass(frozen=True)
class Fan:
    """The loss against compute along one way out of the data.

    Parameters
    ----------
    precision
        What the runs shown were trained in.
    n_params, tokens
        Sizes along the way; the bands have as many points.
    new_run
        The law's median, and the interval of a new run.
    law
        The interval of the law's mean without drift.
    law_with_drift
        The same with drift; None where drift is left out.
    edge
        Compute at which the way leaves the fitted sizes, FLOP; None where it does not.
    asked
        Compute of the model asked about, among those of the bands; None where it is not on the way.
    measured
        Runs: ``compute``, ``loss`` and ``near``, whether they are on the way.
    held_out
        Runs that the last fold of the backtest predicted: ``compute``, ``loss``, ``median``, ``lo``, ``hi``.
    fold
        That fold; None without any.
    """

    precision: Precision
    n_params: np.ndarray
    tokens: np.ndarray
    new_run: Band
    law: Band
    law_with_drift: Band | None
    edge: float | None
    asked: float | None
    measured: pd.DataFrame
    held_out: pd.DataFrame
    fold: FoldRecord | None

    @property
    def asked_beyond(self) -> bool:
        """Whether the model asked about is on the way, and beyond the edge of the data."""
        return self.asked is not None and self.edge is not None and self.asked > SAME * self.edge


def fan(
    fit: Fit, asked: tuple[float, float], backtest: Backtest | None = None, drift: bool = True
) -> Fan | None:
    """The fan from the centre of the data to the model asked about, or to the largest run, and beyond.

    Parameters
    ----------
    fit
        The fit; of a pooled one the group of the largest run is shown.
    asked
        Parameters and tokens of the model asked about.
    backtest
        The fit's own, for the runs held out.
    drift
        Show what structural error beyond the data adds.

    Returns
    -------
    Fan or None
        None where no run's loss as trained is explained by the law.
    """
    trained = trained_rows(fit)
    trained = trained[trained["status"] != "diverged"]
    if trained.empty or fit.law.base.is_observed:
        return None
    precision = _precision(fit, trained)
    shown = precision.rows(trained, fit.pool)
    way = way_out(fit, asked)
    target, largest = 6.0 * asked[0] * asked[1], float(compute_flop(fit.rows).max())
    ends = compute_flop(shown).min(), max(largest * 10**BEYOND, target * 10**_ROOM)
    on_way = way.distance(pd.DataFrame({"n_params": [asked[0]], "tokens": [asked[1]]}))[0] <= _ON_WAY
    compute = np.geomspace(*ends, _POINTS)
    if on_way and target > ends[0]:
        compute = np.sort(np.append(compute, target))
    n_params, tokens = way.sizes(compute)
    points = points_like(fit, n_params=n_params, tokens=tokens, **precision.columns)
    plain, drifting = (loss_draws(fit, points, drift=included) for included in (False, True))
    fold = _last_fold(backtest, shown)
    return Fan(
        precision=precision,
        n_params=n_params,
        tokens=tokens,
        new_run=band(compute, (drifting if drift else plain).new_run, plain.mean),
        law=band(compute, plain.mean),
        law_with_drift=band(compute, drifting.mean) if drift else None,
        edge=_edge(fit.hull, way, compute),
        asked=target if target in compute else None,
        measured=pd.DataFrame(
            {
                "compute": compute_flop(shown),
                "loss": shown["loss"].to_numpy(np.float64),
                "near": way.distance(shown) <= NEAR,
            },
            index=shown.index,
        ),
        held_out=_held_out(fold, shown),
        fold=fold,
    )


def way_out(fit: Fit, asked: tuple[float, float]) -> Way:
    """The way from the centre of the data to what is asked about where that is larger than any run.

    Otherwise to the largest run; and where that is no larger than the others, along which parameters and
    tokens grow alike.

    Parameters
    ----------
    fit
        The fit.
    asked
        Parameters and tokens.
    """
    largest = fit.largest_run()
    sizes = max(asked, (largest["n_params"], largest["tokens"]), key=lambda size: size[0] * size[1])
    centre = np.log10([fit.reference.n_params, fit.reference.tokens])
    step = np.log10(np.array(sizes, np.float64)) - centre
    length = np.hypot(*step)
    unit = step / length if length > 0 else np.zeros(2)
    return Way(centre, unit if unit.sum() >= _LEAST_GROWTH else np.full(2, np.sqrt(0.5)))


def _precision(fit: Fit, trained: pd.DataFrame) -> Precision:
    """16 bits where there are such runs; otherwise the precision with most."""
    unquantized = trained[[one.is_unquantized for one in precision_of(trained, fit.pool)]]
    return precisions(unquantized if len(unquantized) else trained, most=1, pool=fit.pool)[0]


def _edge(hull: np.ndarray, way: Way, compute: np.ndarray) -> float | None:
    """The compute beyond which the way is outside the hull for good, to a hundredth of a decade."""
    steps = np.geomspace(compute[0], compute[-1], int(100 * np.log10(compute[-1] / compute[0])) + 2)
    finer = np.unique(np.concatenate([steps, compute, [6.0 * 10.0 ** way.centre.sum()]]))
    sizes = np.log10(np.stack(way.sizes(finer), axis=1))
    inside = np.flatnonzero(~hull_vector(hull, sizes).any(axis=1))
    return float(finer[inside[-1]]) if len(inside) and inside[-1] < len(finer) - 1 else None


def _last_fold(backtest: Backtest | None, shown: pd.DataFrame) -> FoldRecord | None:
    """Of the folds over compute that predict runs shown, the one fitted to most."""
    folds = [
        fold
        for fold in (backtest.converged if backtest is not None else ())
        if fold.kind == "compute" and any(row.row in shown.index for row in fold.rows)
    ]
    return max(folds, key=lambda fold: fold.n_train, default=None)


def _held_out(fold: FoldRecord | None, shown: pd.DataFrame) -> pd.DataFrame:
    rows = [row for row in fold.rows if row.row in shown.index] if fold is not None else []
    found = pd.DataFrame(
        [(6.0 * row.n_params * row.tokens, row.log_loss, row.median, row.lo, row.hi) for row in rows],
        columns=["compute", "loss", "median", "lo", "hi"],
        index=[row.row for row in rows],
        dtype=np.float64,
    )
    losses = ["loss", "median", "lo", "hi"]
    return found.assign(**{name: np.exp(found[name]) for name in losses})
