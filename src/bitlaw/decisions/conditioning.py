"""What measurements take away from the variance of a quantity: linear-Gaussian conditioning, and greedy choice."""

from dataclasses import dataclass

import numpy as np

_MATERIAL = (0.0, 0.1, 0.3, 0.6, 1.0)
_AS_GOOD = 0.95
_MOST_DEVIATIONS = 5.0


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


def without_outliers(draws: np.ndarray) -> np.ndarray:
    """Draws drawn in to five standard deviations, as told by the middle 68 %: tails decide no covariance.

    The scale of drift is itself uncertain, which gives penalties tails that a handful of draws would rule.

    Parameters
    ----------
    draws
        Shape (samples, quantities).

    Examples
    --------
    >>> draws = np.append(np.linspace(-1.0, 1.0, 99), 1e9)[:, None]
    >>> bool(without_outliers(draws).max() < 5.0)
    True
    """
    lo, middle, hi = np.quantile(draws, (0.16, 0.5, 0.84), axis=0)
    half = np.where(hi > lo, 0.5 * _MOST_DEVIATIONS * (hi - lo), np.inf)
    return np.clip(draws, middle - half, middle + half)


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
    >>> reductions(np.array([[1.0, 0.5], [0.5, 2.0]]), np.array([1]), one).round(6).tolist()
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


def best_plan(
    covariance: np.ndarray,
    targets: np.ndarray,
    candidates: Measurements,
    budget: float,
    least_share: float = 0.0,
) -> tuple[Step, ...]:
    """Candidates one after the other, each given those before it, until the budget is spent or nothing helps.

    The most variance per cost first (``greedy``) fills a plan with cheap runs that say little and can
    miss a dear one that says much. So it is tried among all candidates, among those only that take away at least
    some share of what the best affordable one does, and after that best one; of these the shortest plan is taken
    that takes away at least 95 % of what the best of them does.

    Parameters
    ----------
    covariance, targets, candidates
        As for ``reductions``.
    budget
        What may be spent; never exceeded.
    least_share
        Share of the remaining variance that a candidate must take away to count.
    """
    start = float(covariance[targets, targets].sum())
    plans = [greedy(covariance, targets, candidates, budget, least_share, material) for material in _MATERIAL]
    removed = [start - plan[-1].variance if plan else 0.0 for plan in plans]
    enough = [plan for plan, gone in zip(plans, removed, strict=True) if gone >= _AS_GOOD * max(removed)]
    return min(enough, key=len)


def greedy(
    covariance: np.ndarray,
    targets: np.ndarray,
    candidates: Measurements,
    budget: float,
    least_share: float = 0.0,
    material: float = 0.0,
) -> tuple[Step, ...]:
    """Candidates in the order of what they take away per cost, each given those before it.

    Parameters
    ----------
    covariance, targets, candidates, budget, least_share
        As for ``best_plan``.
    material
        Share of what the best affordable candidate takes away that a candidate must reach; 1 = always the one that
        takes away most.
    """
    available, spent = np.ones(len(candidates), bool), 0.0
    steps: list[Step] = []
    while True:
        variance = float(covariance[targets, targets].sum())
        gain = reductions(covariance, targets, candidates)
        fits = available & (candidates.cost <= budget - spent) & (gain > least_share * variance) & (gain > 0)
        if not fits.any():
            return tuple(steps)
        fits &= gain >= material * gain[fits].max()
        chosen = int(np.where(fits, gain / candidates.cost, -np.inf).argmax())
        covariance = observe(covariance, candidates.rows[chosen], candidates.noise[chosen])
        available[chosen] = not candidates.once[chosen]
        spent += float(candidates.cost[chosen])
        steps.append(Step(chosen, spent, max(0.0, float(covariance[targets, targets].sum()))))


def left_after_all(covariance: np.ndarray, targets: np.ndarray, candidates: Measurements) -> float:
    """Variance of the targets, summed, after every candidate was measured once."""
    if not len(candidates):
        return float(covariance[targets, targets].sum())
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


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The system solved in units of the diagonal; a row that shows nothing, 0 throughout, adds nothing."""
    scale = np.sqrt(np.einsum("...ii->...i", matrix))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = matrix / scale[..., :, None] / scale[..., None, :]
    size = matrix.shape[-1]
    known = scaled + 1e-10 * np.eye(size)
    return np.asarray(np.linalg.solve(known, right / scale[..., :, None]) / scale[..., :, None])
