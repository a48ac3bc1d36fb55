"""Whether groups of rows fit: their mean residuals against those of replicates. NumPy only."""

import numpy as np

from bitlaw.finding import Finding, Status

SMALLEST_PROBABILITY = 0.01
"""Two-sided posterior predictive probability of a group's mean residual below which it is a misfit."""


def group_finding(
    code: str,
    groups: np.ndarray,
    observed: np.ndarray,
    replicated: np.ndarray,
    what: str,
    unit: str,
    advice: str,
) -> Finding:
    """The group whose mean residual is the least compatible with replicates."""
    checked = [
        (label, *compatibility(observed[:, groups == label], replicated[:, groups == label]))
        for label in np.unique(groups)
        if np.isfinite(observed[:, groups == label]).any()
    ]
    if not checked:
        return Finding(code, Status.NOT_RUN, None, None, "Not checked: no measured value is positive.")
    # Probabilities end at what 400 replicates can tell; then the larger distance is the worse.
    label, probability, distance, mean = min(checked, key=lambda item: (item[1], -item[2]))
    bad = sum(item[1] < SMALLEST_PROBABILITY for item in checked)
    size = int(np.isfinite(observed[0, groups == label]).sum())
    worst = (
        f"{label} ({size} rows) has a mean residual of {100 * np.expm1(mean):+.2f} % {unit}, "
        f"predictive p = {probability:.3f}"
    )
    by_chance = SMALLEST_PROBABILITY * len(checked)
    verdict = (
        f"{bad} of {len(checked)} groups by {what} do not fit (p < {SMALLEST_PROBABILITY:g}, as "
        f"{by_chance:.2g} would by chance)"
        if bad
        else f"All {len(checked)} groups by {what} fit (p >= {SMALLEST_PROBABILITY:g})"
    )
    return Finding(
        code,
        Status.WARN if bad else Status.PASS,
        probability,
        SMALLEST_PROBABILITY,
        f"{verdict}; the worst, {worst}.",
        advice if bad else "",
    )


def compatibility(observed: np.ndarray, replicated: np.ndarray) -> tuple[float, float, float]:
    """Two-sided predictive probability of a group's mean residual, its distance, and the mean.

    Parameters
    ----------
    observed, replicated
        Residuals of shape (samples, rows) under each draw; NaN is left out.

    Returns
    -------
    tuple of float
        The probability; the distance from the median of replicates in their robust SD; and the
        median over draws of the mean residual.
    """
    seen, repeated = _row_means(observed), _row_means(replicated)
    usable = np.isfinite(seen) & np.isfinite(repeated)
    seen, repeated = seen[usable], repeated[usable]
    above, below = int((repeated >= seen).sum()), int((repeated <= seen).sum())
    probability = min(1.0, 2.0 * (min(above, below) + 1) / (len(seen) + 1))
    lo, middle, hi = np.quantile(repeated, (0.16, 0.5, 0.84))
    mean = float(np.median(seen))
    return probability, float(abs(mean - middle) / max((hi - lo) / 2.0, 1e-12)), mean


def _row_means(values: np.ndarray) -> np.ndarray:
    """Mean over the rows that have a value; NaN where none has."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1), np.nan) / np.maximum(count, 1)
