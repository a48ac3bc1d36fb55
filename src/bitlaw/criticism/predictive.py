"""Whether the fit reproduces the rows it was fitted to, by bits. NumPy only.

Posterior predictive checks: the mean residual of a group of rows is compared with that of replicates
in which cells and runs share effects as they do in the data. Data used twice make such a check
lenient, so what it reports is worth a look.
"""

import numpy as np
import pandas as pd

from bitlaw.criticism.group_fit import SMALLEST_PROBABILITY, group_finding
from bitlaw.criticism.replicate import Replicates, replicate_gaps, replicate_trained, thinned
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import backward_schemes
from bitlaw.inference.fit import Fit
from bitlaw.inference.rows import Rows, arrange
from bitlaw.laws.formats import bits_say_all
from bitlaw.laws.law import Law
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits

LOWEST_NU = 2.0
_FEWEST_ROWS = 5
_MEASURABLE = 2.0
"""Smallest expected degradation that is compared, in units of the error of a paired degradation."""
_OTHER = "other"
_PROB = 0.9


def predictive_findings(fit: Fit, seed: int = 0) -> tuple[Finding, ...]:
    """Residuals of trained losses and of degradations by bits, coverage, and the tails of the noise.

    Parameters
    ----------
    fit
        The fit; about 400 of its draws are used.
    seed
        Seed of the replicates.

    Returns
    -------
    tuple of Finding
        ``predictive.bits``, ``predictive.coverage``, for laws with a post-training term
        ``predictive.bits_post``, and ``noise.student_t``: WARN, PASS or NOT_RUN.
    """
    rng = np.random.default_rng(seed)
    few, rows = thinned(fit), arrange(fit.law, fit.rows, fit.pool)
    findings = []
    reason = _no_trained_losses(fit.law, rows)
    if reason:
        findings += [_not_run(code, reason) for code in ("predictive.bits", "predictive.coverage")]
    else:
        trained = replicate_trained(few, rows, rng)
        findings += [bits_finding(trained), coverage_finding(trained)]
    if fit.law.post is not None:
        paired = len(rows.paired) > 0
        findings.append(
            bits_post_finding(
                replicate_gaps(few, rows, rng), _MEASURABLE * float(np.median(fit.draws("sigma_gap")))
            )
            if paired
            else _not_run(
                "predictive.bits_post", "no row quantized after training comes with its run's own loss"
            )
        )
    return (*findings, student_finding(fit))


def _no_trained_losses(law: Law, rows: Rows) -> str:
    if law.base.is_observed:
        return f"law {law.name} takes losses as trained as data"
    return "" if len(rows.trained) else "no row holds a loss as trained"


def bits_finding(trained: Replicates) -> Finding:
    """Mean residual of log loss in each group of training precisions, beside the rest of its cells.

    What a cell shares, its seed above all, says nothing about bits and would hide a misfit in them.
    """
    observed = beside_cell(trained.observed - trained.expected, trained.shared)
    replicated = beside_cell(trained.replicated - trained.expected, trained.shared)
    return group_finding(
        "predictive.bits",
        precision_groups(trained.rows),
        observed,
        replicated,
        "training precision",
        "of the loss beside the rest of its cells",
        "Compare with a law that has another precision term; distrust this law at these bits.",
    )


def bits_post_finding(gaps: Replicates, measurable: float = 0.0) -> Finding:
    """Mean log ratio of measured to expected degradation at each bit-width after training.

    Degradations expected below ``measurable`` (nats/token) are all error and decide nothing, so they
    are left out. Those measured as zero or less have no logarithm; replicates lose theirs the same
    way, so leaving them out is no bias.
    """
    expected = np.where(gaps.expected >= measurable, gaps.expected, np.nan)
    return group_finding(
        "predictive.bits_post",
        post_groups(gaps.rows),
        _log_ratio(np.broadcast_to(gaps.observed, expected.shape), expected),
        _log_ratio(gaps.replicated, expected),
        "precision after training",
        "of the degradation",
        "The law's slope in bits after training does not hold throughout: distrust it at these bits.",
    )


def coverage_finding(trained: Replicates) -> Finding:
    """Share of trained losses inside their 90 % predictive intervals, against that of replicates."""
    tail = (1.0 - _PROB) / 2.0
    lo, hi = np.quantile(trained.replicated, (tail, 1.0 - tail), axis=0)
    inside = (trained.observed >= lo) & (trained.observed <= hi)
    replicated = ((trained.replicated >= lo) & (trained.replicated <= hi)).mean(axis=1)
    coverage, lowest = float(inside.mean()), float(np.quantile(replicated, SMALLEST_PROBABILITY))
    enough = coverage >= lowest
    return Finding(
        "predictive.coverage",
        Status.PASS if enough else Status.WARN,
        coverage,
        lowest,
        f"{int(inside.sum())} of {len(inside)} trained losses ({100 * coverage:.0f} %) lie in the 90 % "
        f"intervals of a new run; at least {100 * lowest:.0f} % would in 99 of 100 tables if the law held.",
        ""
        if enough
        else "Intervals are too narrow even for the fitted rows: look at residuals by bits and size.",
    )


def student_finding(fit: Fit) -> Finding:
    """Degrees of freedom of the noise: a median below 2 points to structure, not to outliers."""
    code = "noise.student_t"
    if "nu" not in fit.posterior:
        return _not_run(code, "the fit has no Student-t noise")
    median = float(np.median(fit.draws("nu")))
    fine = median >= LOWEST_NU
    return Finding(
        code,
        Status.PASS if fine else Status.WARN,
        median,
        LOWEST_NU,
        f"The noise of log loss has {median:.1f} degrees of freedom (posterior median)"
        + (
            "."
            if fine
            else f", below {LOWEST_NU:g}: a sign of misfit structure, not of robustness: look at residuals "
            "by bits."
        ),
        "" if fine else "Find the rows with large residuals, and try a law with another precision term.",
    )


def precision_groups(rows: pd.DataFrame) -> np.ndarray:
    """Training precision of each row, such as ``W4 A16 KV16``; groups of fewer than 5 are ``other``.

    A format that bits do not describe is named before them, and a quantized backward pass after them.
    """
    parts = (("W", "bits_weights"), ("A", "bits_activations"), ("KV", "bits_kv"))
    labels = [symbol + rows[column].clip(upper=UNQUANTIZED_BITS).map(format_bits) for symbol, column in parts]
    bits = labels[0] + " " + labels[1] + " " + labels[2]
    name = rows["format"].astype(str)
    forward = bits.where(name.map(bits_say_all), name + " " + bits)
    backward = backward_schemes(rows)
    return _merged(forward.where(backward == "", forward + ", backward " + backward))


def post_groups(rows: pd.DataFrame) -> np.ndarray:
    """Bits of each row after training, such as ``3 bits``, and the method where there are several.

    Methods of fewer than 5 rows at these bits are taken together; groups of fewer than 5 are ``other``.
    """
    bits = rows["bits_post"].map(format_bits) + " bits"
    method = rows["method_post"].astype(str)
    if method.nunique() == 1:
        return _merged(bits)
    own = bits + " " + method
    return _merged(own.where(_counts(own) >= _FEWEST_ROWS, bits + " other methods"))


def _merged(labels: pd.Series) -> np.ndarray:
    return labels.where(_counts(labels) >= _FEWEST_ROWS, _OTHER).to_numpy(str)


def _counts(labels: pd.Series) -> pd.Series:
    return labels.map(labels.value_counts())


def _log_ratio(measured: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """log(measured / expected), NaN where the measured one is not positive."""
    return np.log(np.where(measured > 0, measured, np.nan) / expected)


def beside_cell(residuals: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Residuals less the median residual of their cell; as they are for rows alone in theirs.

    Examples
    --------
    >>> beside_cell(np.array([[1.0, 2.0, 6.0, 5.0]]), np.array([0, 0, 0, -1])).tolist()
    [[-1.0, 0.0, 4.0, 5.0]]
    """
    beside = np.array(residuals)
    codes, counts = np.unique(cell[cell >= 0], return_counts=True)
    for code in codes[counts > 1]:
        beside[:, cell == code] -= np.median(residuals[:, cell == code], axis=1, keepdims=True)
    return beside


def _not_run(code: str, reason: str) -> Finding:
    return Finding(code, Status.NOT_RUN, None, None, f"Not checked: {reason}.", "")
