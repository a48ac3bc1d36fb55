"""What candidates would show, drawn jointly with the quantity that a plan is for."""

from dataclasses import replace

import numpy as np
import pandas as pd

from bitlaw.decisions.candidates import CHECKPOINT, Candidates, logged_runs
from bitlaw.decisions.conditioning import Measurements, covariance_of, observe, without_outliers
from bitlaw.decisions.outcome_draws import Outcomes, outcome_draws
from bitlaw.decisions.plan_quantity import Checkpoint, Quantity
from bitlaw.inference.fit import Fit

_MOST_DRAWS = 4000
_SAME = ("run_id", "bits_post", "method_post")


def measurements(outcomes: Outcomes, candidates: Candidates) -> Measurements:
    """Candidates as rows of the covariance of their outcomes, with the noise of measuring each.

    Rows of a new run share its effect: its degradations that of the run. Each time anew, for another run of
    the kind is another seed.

    Parameters
    ----------
    outcomes
        At the candidates' points, which come first.
    candidates
        The candidates.
    """
    after = candidates.points["bits_post"].notna().to_numpy()
    rows = tuple(candidates.rows(number) for number in range(len(candidates)))
    return Measurements(
        rows,
        tuple(_noise(outcomes, after, own) for own in rows),
        candidates.cost,
        candidates.is_logged,
    )


def _noise(outcomes: Outcomes, after: np.ndarray, rows: np.ndarray) -> np.ndarray:
    kind, effect = after[rows], np.sqrt(outcomes.effect[rows])
    shared = np.where(kind[:, None] == kind[None, :], np.outer(effect, effect), 0.0)
    return np.asarray(shared + np.diag(outcomes.error[rows]))


def joint_outcomes(fit: Fit, quantity: Quantity, offered: Candidates, seed: int, drift: bool) -> Outcomes:
    """Outcomes at the candidates' points and at those measured on a checkpoint, then the quantity.

    Parameters
    ----------
    fit
        The fit.
    quantity
        The quantity, the last column of the values.
    offered
        The candidates, whose points come first.
    seed, drift
        As for ``outcome_draws``.
    """
    checkpoint = quantity.checkpoint
    known = [] if checkpoint is None else [checkpoint.measured]
    own = "" if checkpoint is None else checkpoint.run_id
    points = pd.concat([offered.points, *known, quantity.points.assign(run_id=own)], ignore_index=True)
    drawn = outcome_draws(fit, points, seed, drift, _as_trained(fit, quantity, points), own or None)
    first, last = len(offered.points), len(points) - len(quantity.points)
    kept = _thinned(len(drawn.value))
    value = np.column_stack([drawn.value[kept, :last], quantity.of(drawn.value[kept, last:])])
    joint = Outcomes(value, drawn.error[:last], drawn.effect[:last], drawn.again[:last])
    if checkpoint is None:
        return joint
    error = np.append(joint.error[:first], _errors(checkpoint, drawn, first, last))
    stray = max(0.0, float(drawn.error[last] - drawn.again[last]))
    itself = np.all([points[name] == points[name].iloc[last] for name in _SAME], axis=0)[:last]
    return _of_its_own(replace(joint, error=error), itself, stray, seed)


def _errors(checkpoint: Checkpoint, drawn: Outcomes, first: int, last: int) -> np.ndarray:
    """Variances of the logarithms of what was measured: of the law's error, and of the measurement's own.

    The latter is relative to what was measured; to the law's median where that is not positive.
    """
    size = np.exp(np.median(drawn.value[:, first:last], axis=0))
    gap = np.where(checkpoint.gap > 0, checkpoint.gap, size)
    again, law = drawn.again[first:last], drawn.error[first:last] - drawn.again[first:last]
    return np.asarray(law + np.where(checkpoint.error > 0, checkpoint.error**2, again * size**2) / gap**2)


def _of_its_own(joint: Outcomes, itself: np.ndarray, variance: float, seed: int) -> Outcomes:
    """Outcomes where the quantity is a model's own degradation, with the error of the law in proportion to it.

    Measured at those bits it shows itself, but for the error that measurements have anew each time.

    Parameters
    ----------
    joint
        Outcomes with the quantity in the last column.
    itself
        Which of the points are that very model at those very bits, shape (points,).
    variance
        Of the law's error there.
    seed
        Seed of the error.
    """
    rng = np.random.default_rng([seed, 4])
    own = joint.value[:, -1] + np.sqrt(variance) * rng.standard_normal(len(joint.value))
    shows = np.append(itself, True)
    return replace(
        joint,
        value=np.where(shows, own[:, None], joint.value),
        error=np.where(itself, joint.error - variance, joint.error),
    )


def covariance_now(outcomes: Outcomes, number: int) -> np.ndarray:
    """Covariance of the candidates' outcomes and the quantity, given what was measured on the checkpoint.

    Parameters
    ----------
    outcomes
        From ``joint_outcomes``.
    number
        Number of the candidates' points.

    Returns
    -------
    numpy.ndarray
        The quantity is its last row.
    """
    covariance = covariance_of(without_outliers(outcomes.value))
    known = np.arange(number, len(covariance) - 1)
    if not len(known):
        return covariance
    left = observe(covariance, known, np.diag(outcomes.error[known]))
    kept = np.delete(np.arange(len(left)), known)
    return left[np.ix_(kept, kept)]


def _as_trained(fit: Fit, quantity: Quantity, points: pd.DataFrame) -> np.ndarray | None:
    """Losses as trained, for a law that takes them as data; NaN where there is none."""
    if not fit.law.base.is_observed:
        return None
    own = logged_runs(fit).set_index("run_id")["loss"]
    known = np.array(points["run_id"].map(own), np.float64)
    of_question = (points["run_id"] == CHECKPOINT).to_numpy() | (
        np.arange(len(points)) >= len(points) - len(quantity.points)
    )
    known[of_question] = np.nan if quantity.measured is None else quantity.measured
    return known


def _thinned(samples: int) -> np.ndarray:
    kept = min(samples, _MOST_DRAWS)
    return ((np.arange(kept) + 0.5) * samples / kept).astype(int)
