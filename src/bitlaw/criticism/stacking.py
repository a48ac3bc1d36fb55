"""Stacking: the mixture of laws that would have predicted left-out runs best (arXiv 1704.02030)."""

from collections.abc import Sequence

import numpy as np

from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit

_TOLERANCE = 1e-4
"""Nats of summed log score that the weights may fall short of the best mixture."""
_MOST_STEPS = 200_000


def stacking_weights(elpd: np.ndarray) -> np.ndarray:
    """Weights on the simplex that maximise Σ_i ln Σ_k w_k exp(elpd_ik).

    The problem is concave. The fixed-point iteration w_k ← w_k · mean_i(p_ik / Σ_j w_j p_ij) climbs
    from equal weights, so laws that predict alike share their weight; it stops where no mixture can
    score more than 1e-4 nats higher over all runs.

    Parameters
    ----------
    elpd
        Log predictive density of each left-out run under each law, nats, shape (runs, laws); finite.

    Returns
    -------
    numpy.ndarray
        Shape (laws,), sums to 1.

    Examples
    --------
    >>> stacking_weights(np.array([[0.0, -50.0], [1.0, -50.0]])).round(3).tolist()
    [1.0, 0.0]
    >>> stacking_weights(np.array([[0.0, -9.0], [-9.0, 0.0]])).tolist()
    [0.5, 0.5]
    """
    density = np.exp(elpd - elpd.max(axis=1, keepdims=True))
    weights = np.full(elpd.shape[1], 1.0 / elpd.shape[1])
    for _ in range(_MOST_STEPS):
        gain = (density / (density @ weights)[:, None]).mean(axis=0)
        weights = weights * gain
        weights /= weights.sum()
        if len(elpd) * (gain.max() - 1.0) < _TOLERANCE:  # bounds what is left to gain, by concavity
            break
    return weights


def law_weights(fits: Sequence[Fit]) -> np.ndarray:
    """Stacking weights of laws fitted to the same rows, from what each expects of left-out runs.

    Parameters
    ----------
    fits
        One fit per law.

    Returns
    -------
    numpy.ndarray
        One weight per fit, in their order; sums to 1.

    Raises
    ------
    InputError
        If the fits are of different rows or score different things, or a law occurs twice.
    """
    require_comparable(fits)
    return stacking_weights(elpd_by_run(fits))


def elpd_by_run(fits: Sequence[Fit]) -> np.ndarray:
    """Expected log predictive density of each run left out, nats, shape (runs, laws).

    Raises
    ------
    InputError
        If it is not finite for some run.
    """
    first = fits[0].runs["run_id"]
    elpd = np.stack([fit.runs.set_index("run_id")["elpd"].loc[first].to_numpy() for fit in fits], axis=1)
    problems = [
        f'law {fits[law].law.name} gives run "{first.iloc[run]}" a log predictive density of {elpd[run, law]}; '
        "its fit cannot be compared"
        for run, law in np.argwhere(~np.isfinite(elpd))
    ]
    if problems:
        raise InputError(problems)
    return elpd


def require_comparable(fits: Sequence[Fit]) -> None:
    """Raise InputError unless the fits are of different laws, on the same rows, of the same losses."""
    names = [fit.law.name for fit in fits]
    problems = [
        f"law {name} occurs {names.count(name)} times; give each law once, and a copy its own name"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if not fits:
        problems.append("no fits; give one or more")
    problems += [
        f"{fit.law.name} is fitted to other rows than {names[0]} ({_rows(fit)} against {_rows(fits[0])}); "
        "laws are compared on the same rows, as `bitlaw compare` fits them"
        for fit in fits[1:]
        if fit.provenance.table_hash != fits[0].provenance.table_hash
    ]
    observed = [fit.law.name for fit in fits if fit.law.base.is_observed]
    modelled = [name for name in names if name not in observed]
    if observed and modelled:
        problems.append(
            f"{', '.join(observed)} models degradations only and {', '.join(modelled)} whole losses, "
            "so they score different things; compare laws of one kind"
        )
    if problems:
        raise InputError(problems)


def _rows(fit: Fit) -> str:
    return f"{len(fit.rows)} rows, {fit.provenance.table_hash[:8]}"
