"""What measurements take away from the variance of a quantity: linear-Gaussian conditioning, and greedy choice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Measurements:
    """Candidates to measure, each one or more rows of a covariance.

    Parameters
    ----------
    rows
        Per candidate, the rows of the covariance that it shows.
    noise
        Per candidate, the covariance of what those measurements stray by, anew each time.
    cost
        What each costs, shape (candidates,).
    once
        Whether a candidate can be measured only once, shape (candidates,).
    """

    rows: tuple[np.ndarray, ...]
    noise: tuple[np.ndarray, ...]
    cost: np.ndarray
    once: np.ndarray

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.rows)


@dataclass(frozen=True)
class Step:
    """One candidate measured.

    Parameters
    ----------
    candidate
        Which.
    spent
        Cost of it and of all before.
    variance
        What is left of the variance of the targets, summed over them.
    """

    candidate: int
    spent: float
    variance: float


def covariance_of(draws: np.ndarray) -> np.ndarray:
    """Covariance of draws, shape (samples, quantities)."""
    centred = draws - draws.mean(axis=0)
    return centred.T @ centred / len(draws)


def reductions(covariance: np.ndarray, targets: np.ndarray, candidates: Measurements) -> np.ndarray:
    """By how much each candidate alone reduces the variance of the targets, summed over them.

    With C the covariance of a candidate's rows with the targets and M that of the rows themselves plus noise,
    tr(Cᵀ M⁻¹ C).

    Parameters
    ----------
    covariance
        Of everything, shape (quantities, quantities).
    targets
        Its rows whose variance counts.
    candidates
        What may be measured.

    Examples
    --------
    >>> one = Measurements((np.array([0]),), (np.array([[1.0]]),), np.ones(1), np.zeros(1, bool))
    >>> reductions(np.array([[1.0, 0.5], [0.5, 2.0]]), np.array([1]), one).tolist()
    [0.125]
    """
    gain = np.zeros(len(candidates))
    sizes = np.array([len(rows) for rows in candidates.rows])
    for size in np.unique(sizes):
        which = np.flatnonzero(sizes == size)
        rows = np.stack([candidates.rows[index] for index in which])
        noise = np.stack([candidates.noise[index] for index in which])
        shown = covariance[rows[:, :, None], rows[:, None, :]] + noise
        with_targets = covariance[rows[:, :, None], targets[None, None, :]]
        gain[which] = (with_targets * _solve(shown, with_targets)).sum(axis=(1, 2))
    return gain


def observe(covariance: np.ndarray, rows: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The covariance of everything after some of its rows were measured with noise.

    Parameters
    ----------
    covariance
        Shape (quantities, quantities).
    rows, noise
        What is measured, and the covariance of the error of that.
    """
    with_rows = covariance[rows]
    left = covariance - with_rows.T @ _solve(with_rows[:, rows] + noise, with_rows)
    return 0.5 * (left + left.T)


def greedy(
    covariance: np.ndarray,
    targets: np.ndarray,
    candidates: Measurements,
    budget: float,
    least_share: float = 0.0,
) -> tuple[Step, ...]:
    """Candidates in the order of what they take away per cost, each given those before it.

    Where the best single candidate that fits the budget would take away more than all of them, it comes first
    and the rest of the budget is spent likewise: greedy choice alone can miss one dear and good run.

    Parameters
    ----------
    covariance, targets, candidates
        As for ``reductions``.
    budget
        What may be spent; never exceeded.
    least_share
        Share of the variance that a candidate must take away to count.
    """
    start = float(covariance[targets, targets].sum())
    steps = _spend(covariance, targets, candidates, budget, least_share, ())
    alone = np.where(candidates.cost <= budget, reductions(covariance, targets, candidates), -np.inf)
    best = int(alone.argmax())
    if steps and start - alone[best] < steps[-1].variance:
        return _spend(covariance, targets, candidates, budget, least_share, (best,))
    return steps


def left_after_all(covariance: np.ndarray, targets: np.ndarray, candidates: Measurements) -> float:
    """Variance of the targets, summed, after every candidate was measured once."""
    rows = np.concatenate(candidates.rows)
    noise = np.zeros((len(rows), len(rows)))
    start = 0
    for block in candidates.noise:
        stop = start + len(block)
        noise[start:stop, start:stop] = block
        start = stop
    with_targets = covariance[np.ix_(rows, targets)]
    gain = (with_targets * _solve(covariance[np.ix_(rows, rows)] + noise, with_targets)).sum()
    return max(0.0, float(covariance[targets, targets].sum() - gain))


def _spend(
    covariance: np.ndarray,
    targets: np.ndarray,
    candidates: Measurements,
    budget: float,
    least_share: float,
    first: Sequence[int],
) -> tuple[Step, ...]:
    available, spent, planned = np.ones(len(candidates), bool), 0.0, list(first)
    steps: list[Step] = []
    while True:
        variance = float(covariance[targets, targets].sum())
        gain = reductions(covariance, targets, candidates)
        fits = available & (candidates.cost <= budget - spent) & (gain > least_share * variance) & (gain > 0)
        if not planned and not fits.any():
            return tuple(steps)
        worth = np.where(fits, gain / candidates.cost, -np.inf)
        chosen = planned.pop(0) if planned else int(worth.argmax())
        covariance = observe(covariance, candidates.rows[chosen], candidates.noise[chosen])
        available[chosen] = not candidates.once[chosen]
        spent += float(candidates.cost[chosen])
        steps.append(Step(chosen, spent, max(0.0, float(covariance[targets, targets].sum()))))


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The system solved in units of the diagonal; a row that shows nothing, 0 throughout, adds nothing."""
    scale = np.sqrt(np.einsum("...ii->...i", matrix))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = matrix / scale[..., :, None] / scale[..., None, :]
    size = matrix.shape[-1]
    known = scaled + 1e-10 * np.eye(size)
    return np.asarray(np.linalg.solve(known, right / scale[..., :, None]) / scale[..., :, None])
