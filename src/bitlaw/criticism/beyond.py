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
        "n_params": _signed(_range(rows_n), log_n),
        "tokens": _signed(_range(rows_d), log_d),
        "compute": _signed(_range(rows_n + rows_d), log_n + log_d),
        "ratio": _ratio(fit, points),
    }
    bits = {
        column: _signed(fitted, bits_values(points, column)) for column, fitted in training_bits(fit).items()
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
    asked, found = log_ratio(points), np.zeros(len(points))
    low_rows = low_precision_rows(fit) if low.any() else fit.rows.iloc[:0]
    for rows, about in (
        (fit.rows, np.ones(len(points), bool)),
        (low_rows, low),
        (fit.rows[fit.rows["bits_post"].notna()], after),
    ):
        if len(rows):
            own = np.where(about, _signed(_range(log_ratio(rows)), asked), 0.0)
            found = np.where(np.abs(own) > np.abs(found), own, found)
    return found


def _post(fit: Fit, points: pd.DataFrame) -> np.ndarray:
    unquantized = Range(UNQUANTIZED_BITS, UNQUANTIZED_BITS)
    bits = bits_values(points, "bits_post")
    ranges = [known or unquantized for known in post_bits(fit, points)]
    return np.array([float(_signed(known, bits[[row]])[0]) for row, known in enumerate(ranges)])


def _range(values: np.ndarray) -> Range:
    return Range(float(values.min()), float(values.max()))


def _signed(fitted: Range, values: np.ndarray) -> np.ndarray:
    excess = fitted.excess(values)
    return np.where(excess > _ROUNDING, np.where(values < fitted.lo, -excess, excess), 0.0)


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
