"""Where the variance of one number comes from: the prior, the law's constants, drift, noise. NumPy only."""

import numpy as np

SOURCES = ("prior", "constants", "drift", "noise")

_TAIL = 0.05
_HALF_WIDTH = 1.6448536269514722
"""Half the 90 % interval of a normal, in SDs."""


def variance_shares(
    undrifted: np.ndarray, drifted: np.ndarray, total: np.ndarray, prior: np.ndarray
) -> dict[str, float] | None:
    """Shares of a number's variance by source; they sum to 1.

    Drift and noise are drawn apart from the constants, so that the variances of what each adds in a draw
    add up. What is left, that of the law's own number, is divided between the prior and the data by
    ``prior_weight``: it is uncertain because the constants are, and in part only as uncertain as they were
    stated to be. Variances are those of normals with the same 90 % interval, for a Student-t may have none.

    Parameters
    ----------
    undrifted
        Draws of the number under the law alone, on a scale where errors add (a logarithm), shape (samples,).
    drifted
        The same draws with the law's structural error.
    total
        The same with the noise of a new run; ``drifted`` again for a number without any.
    prior
        Draws of the law's own number under the prior, any number of them.

    Returns
    -------
    dict or None
        By the names in ``SOURCES``; None where the number does not vary.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> law, drift, noise = (rng.normal(0.0, sd, 4000) for sd in (2.0, 4.0, 2.0))
    >>> shares = variance_shares(law, law + drift, law + drift + noise, rng.normal(0.0, 20.0, 4000))
    >>> {name: round(share, 1) for name, share in shares.items()}
    {'prior': 0.0, 'constants': 0.2, 'drift': 0.7, 'noise': 0.2}
    """
    law, drift, noise = (robust_variance(part) for part in (undrifted, drifted - undrifted, total - drifted))
    whole = law + drift + noise
    if not whole > 0:
        return None
    weight = prior_weight(undrifted, prior)
    parts = (weight * law, (1.0 - weight) * law, drift, noise)
    return {name: part / whole for name, part in zip(SOURCES, parts, strict=True)}


def prior_weight(posterior: np.ndarray, prior: np.ndarray) -> float:
    """How much of a number the data left as the prior had it: posterior variance over prior variance, at most 1.

    Of a normal prior and a normal likelihood that is the weight with which the prior enters the posterior
    mean, the data having the rest; 1 where the data say nothing of this number.

    Parameters
    ----------
    posterior, prior
        Draws of the number, shape (samples,) each.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> round(prior_weight(rng.normal(0.0, 1.0, 4000), rng.normal(3.0, 2.0, 4000)), 1)
    0.2
    """
    before, after = robust_variance(prior), robust_variance(posterior)
    return min(1.0, after / before) if before > 0 else float(after > 0)


def robust_variance(draws: np.ndarray) -> float:
    """Variance of the normal with the same 90 % equal-tailed interval.

    Examples
    --------
    >>> round(robust_variance(np.random.default_rng(0).normal(0.0, 3.0, 100000)), 1)
    9.0
    """
    lo, hi = np.quantile(draws, (_TAIL, 1.0 - _TAIL))
    return float(((hi - lo) / (2.0 * _HALF_WIDTH)) ** 2)
