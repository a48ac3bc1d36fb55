"""How far each point lies beyond the fitted runs, as numbers: the distances that risk is graded by. NumPy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.risk_limits import REFUSE_BITS, REFUSE_DECADES
from bitlaw.inference.columns import law_columns
from bitlaw.inference.distance import (
    Range,
    beyond_sizes,
    bits_values,
    log_ratio,
    low_precision_rows,
    post_bits,
    training_bits,
)
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Distance:
    """How far one point is from the fitted runs; 0 inside, negative below the smallest.

    Parameters
    ----------
    n_params, tokens, compute
        Decades beyond the fitted parameters, tokens and their product.
    ratio
        Decades of tokens per parameter beyond the runs that show what is asked about: those trained in
        low precision for a point in low precision, those quantized after training for one that is.
    hull
        Decades from the convex hull of the fitted (log10 N, log10 D).
    vector
        The same as a vector: decades of parameters and of tokens from the nearest fitted combination.
    bits
        Bits beyond those fitted, by run-table column (or part of a format); where none was ever quantized,
        bits below 16.
    """

    n_params: float
    tokens: float
    compute: float
    ratio: float
    hull: float
    vector: tuple[float, float]
    bits: Mapping[str, float]

    @property
    def decades(self) -> float:
        """The farthest of parameters, tokens, compute and ratio, decades."""
        return max(abs(value) for value in (self.n_params, self.tokens, self.compute, self.ratio))

    @property
    def bits_below(self) -> float:
        """Bits below every measured one, of the kind farthest below."""
        return max((-value for value in self.bits.values()), default=0.0)

    @property
    def is_beyond_support(self) -> bool:
        """Whether nothing measured supports an answer there."""
        return self.decades >= REFUSE_DECADES - _ROUNDING or self.bits_below >= REFUSE_BITS - _ROUNDING

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain JSON types."""
        named = {name: getattr(self, name) for name in ("n_params", "tokens", "compute", "ratio", "hull")}
        return named | {"bits": dict(self.bits)}


def distances(fits: Sequence[Fit], points: pd.DataFrame) -> tuple[Distance, ...]:
    """How far points are from what was fitted; of several laws, from what each of them reads.

    Parameters
    ----------
    fits
        One, or several of the same rows.
    points
        Canonical run-table columns.
    """
    by_fit = zip(*(_distances(fit, points) for fit in fits), strict=True)
    return tuple(_farthest(own) for own in by_fit)


def _distances(fit: Fit, points: pd.DataFrame) -> list[Distance]:
    log_n, log_d = (np.log10(points[name].to_numpy(np.float64)) for name in ("n_params", "tokens"))
    rows_n, rows_d = (np.log10(fit.rows[name].to_numpy(np.float64)) for name in ("n_params", "tokens"))
    of_n, of_d = beyond_sizes(fit.hull, 10**log_n, 10**log_d)
    columns = {
        "n_params": signed_excess(_range(rows_n), log_n, np),
        "tokens": signed_excess(_range(rows_d), log_d, np),
        "compute": signed_excess(_range(rows_n + rows_d), log_n + log_d, np),
        "ratio": _ratio(fit, points),
    }
    bits = {
        column: signed_excess(fitted, bits_values(points, column), np)
        for column, fitted in training_bits(fit).items()
    }
    if fit.law.post is not None:
        bits["bits_post"] = _post(fit, points)
    return [
        Distance(
            **{name: float(values[row]) for name, values in columns.items()},
            hull=float(np.hypot(of_n[row], of_d[row])),
            vector=(float(of_n[row]), float(of_d[row])),
            bits={name: float(values[row]) for name, values in bits.items()},
        )
        for row in range(len(points))
    ]


def _ratio(fit: Fit, points: pd.DataFrame) -> np.ndarray:
    """The farthest of tokens per parameter beyond all rows, and beyond those that show what is asked."""
    columns = law_columns(points)
    low = columns["is_quantized"] | columns["is_quantized_backward"]
    after = points["bits_post"].notna().to_numpy()
    return ratio_beyond(fitted_ratios(fit), low, after, log_ratio(points), np)


@dataclass(frozen=True)
class FittedRatios:
    """Fitted log10(D/N): of all rows, of those in low precision, of those quantized after training."""

    every: Range
    low: Range | None
    post: Range | None


def fitted_ratios(fit: Fit) -> FittedRatios:
    """The ranges that ``ratio_beyond`` takes; None where there is no such row."""
    low, post = low_precision_rows(fit), fit.rows[fit.rows["bits_post"].notna()]
    of_low, of_post = (None if rows.empty else _range(log_ratio(rows)) for rows in (low, post))
    return FittedRatios(_range(log_ratio(fit.rows)), of_low, of_post)


def ratio_beyond(fitted: FittedRatios, low: Any, after: Any, asked: Any, xp: Any) -> Any:
    """Decades of tokens per parameter beyond what was fitted, and beyond the rows that show what is asked.

    Parameters
    ----------
    fitted
        Fitted ranges.
    low, after
        Whether each point is trained in low precision, and quantized after training.
    asked
        log10(D/N) of the points.
    xp
        Array namespace.
    """
    found = signed_excess(fitted.every, asked, xp)
    for known, about in ((fitted.low, low), (fitted.post, after)):
        if known is not None:
            own = xp.where(about, signed_excess(known, asked, xp), 0.0)
            found = xp.where(xp.abs(own) > xp.abs(found), own, found)
    return found


def _post(fit: Fit, points: pd.DataFrame) -> np.ndarray:
    unquantized = Range(UNQUANTIZED_BITS, UNQUANTIZED_BITS)
    bits = bits_values(points, "bits_post")
    ranges = [known or unquantized for known in post_bits(fit, points)]
    return np.array([float(signed_excess(known, bits[[row]], np)[0]) for row, known in enumerate(ranges)])


def _range(values: np.ndarray) -> Range:
    return Range(float(values.min()), float(values.max()))


def signed_excess(fitted: Range, values: Any, xp: Any) -> Any:
    """How far values lie beyond a range: negative below it, 0 inside.

    Examples
    --------
    >>> signed_excess(Range(4.0, 16.0), np.array([3.0, 8.0, 20.0]), np).tolist()
    [-1.0, 0.0, 4.0]
    """
    excess = fitted.excess(values, xp)
    return xp.where(excess > _ROUNDING, xp.where(values < fitted.lo, -excess, excess), 0.0)


def _farthest(found: Sequence[Distance]) -> Distance:
    """Laws of the same rows differ in the bits that they read alone."""
    if len(found) == 1:
        return found[0]
    bits: dict[str, float] = {}
    for one in found:
        for column, value in one.bits.items():
            bits[column] = max(value, bits.get(column, 0.0), key=abs)
    nearest = max(found, key=lambda one: abs(one.ratio))
    return Distance(**vars(nearest) | {"bits": bits})
