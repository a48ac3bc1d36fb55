"""How far points lie beyond what was fitted: in size and in bits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.inference.columns import law_columns
from bitlaw.inference.fit import Fit
from bitlaw.inference.hull import convex_hull, hull_vector
from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.laws.law import Values
from bitlaw.runs.columns import UNQUANTIZED_BITS

BITS: dict[str, str] = {column: name for _, column, name in TENSOR_KINDS} | {"bits_gradients": "gradients"}
"""Training bits of each tensor kind: run-table columns and what they are of."""

PARTS: dict[str, str] = {"exponent_bits": "exponent", "mantissa_bits": "mantissa"}
"""Bits of the parts of a floating-point format, as ``law_columns`` calls them."""

_CHUNK = 8192
"""Points whose distance is computed at a time: temporaries that stay in a processor's cache."""


@dataclass(frozen=True)
class Range:
    """The smallest and the largest of fitted values."""

    lo: float
    hi: float

    def excess(self, values: Any, xp: Any = np) -> Any:
        """How far values lie outside; 0 inside and where a value is NaN.

        Parameters
        ----------
        values
            Values.
        xp
            Array namespace.

        Examples
        --------
        >>> Range(4.0, 16.0).excess(np.array([3.0, 8.0, np.nan, 20.0])).tolist()
        [1.0, 0.0, 0.0, 4.0]
        """
        outside = xp.maximum(values - self.hi, self.lo - values)
        return xp.where(outside > 0.0, outside, 0.0)


def range_of(values: np.ndarray) -> Range | None:
    """The range of values, NaN left out; None where nothing is left.

    Examples
    --------
    >>> range_of(np.array([3.0, np.nan, 8.0])), range_of(np.array([np.nan]))
    (Range(lo=3.0, hi=8.0), None)
    """
    known = values[~np.isnan(values)]
    return Range(float(known.min()), float(known.max())) if known.size else None


def beyond_sizes(hull: np.ndarray, n_params: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decades of parameters and of tokens from the convex hull of the fitted runs; signed, 0 inside.

    Parameters
    ----------
    hull
        Vertices in (log10 N, log10 D), shape (vertices, 2).
    n_params, tokens
        Arrays that broadcast with each other.

    Returns
    -------
    tuple of np.ndarray
        The two parts of the shortest vector, in the broadcast shape.

    Examples
    --------
    >>> square = np.array([[8.0, 10.0], [9.0, 10.0], [9.0, 11.0], [8.0, 11.0]])
    >>> of_n, of_d = beyond_sizes(square, np.array([3e8, 1e11]), np.array([3e10, 1e10]))
    >>> of_n.tolist(), of_d.tolist()
    ([0.0, 2.0], [0.0, 0.0])
    """
    log_n, log_d = np.broadcast_arrays(np.log10(n_params), np.log10(tokens))
    points = np.stack([log_n.ravel(), log_d.ravel()], axis=1)
    vector = np.concatenate(
        [hull_vector(hull, points[start : start + _CHUNK]) for start in range(0, max(len(points), 1), _CHUNK)]
    )
    return vector[:, 0].reshape(log_n.shape), vector[:, 1].reshape(log_n.shape)


def beyond_rows(rows: pd.DataFrame, n_params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Decades of (N, D) from the convex hull of some rows; 0 inside.

    Parameters
    ----------
    rows
        Canonical columns, one row at least.
    n_params, tokens
        Arrays that broadcast with each other.
    """
    return np.hypot(*beyond_sizes(hull_of(rows), n_params, tokens))


def hull_of(rows: pd.DataFrame) -> np.ndarray:
    """Vertices of the convex hull of the (log10 N, log10 D) of rows, shape (vertices, 2)."""
    return convex_hull(np.log10(rows[["n_params", "tokens"]].to_numpy(np.float64)))


def log_ratio(frame: pd.DataFrame) -> np.ndarray:
    """log10(D/N) of rows or points."""
    return np.log10((frame["tokens"] / frame["n_params"]).to_numpy(np.float64))


def bits_values(frame: pd.DataFrame, column: str) -> np.ndarray:
    """One kind of bits of every row; NaN where a row has none.

    Parameters
    ----------
    frame
        Canonical run-table columns.
    column
        A key of ``BITS`` (16 and more are 16) or of ``PARTS``, or ``bits_post``.
    """
    if column in PARTS:
        columns = law_columns(frame)
        return np.where(columns["is_floating"], columns[column], np.nan)
    return read_bits({column: frame[column].to_numpy(np.float64)}, column, np)


def read_bits(columns: Values, column: str, xp: Any) -> Any:
    """The same from law columns, of a part of a format whether or not it floats; 16 and more are 16."""
    return xp.minimum(columns[column], UNQUANTIZED_BITS) if column in BITS else columns[column]


def measured_rows(fit: Fit) -> pd.DataFrame:
    """Fitted rows whose loss was measured: of a diverged run it was only bounded."""
    return fit.rows[fit.rows["status"] != "diverged"]


def low_precision_rows(fit: Fit) -> pd.DataFrame:
    """Fitted rows that were trained in less than 16 bits, by their bits or their format."""
    rows = measured_rows(fit)
    columns = law_columns(rows)
    return rows[columns["is_quantized"] | columns["is_quantized_backward"]]


def training_bits(fit: Fit) -> dict[str, Range]:
    """Fitted range of every kind of training bits that the law reads, by column."""
    rows, read = measured_rows(fit), fit.law.training_columns
    ranges = {column: range_of(bits_values(rows, column)) for column in (*BITS, *PARTS) if column in read}
    return {column: known for column, known in ranges.items() if known is not None}


def post_bits(fit: Fit, points: pd.DataFrame) -> list[Range | None]:
    """Fitted range of the bits after training for each point: of its method, or of all where it is new.

    None where no fitted row is quantized after training.
    """
    rows = fit.rows[fit.rows["bits_post"].notna()]
    by_method = {
        method: range_of(own["bits_post"].to_numpy(np.float64)) for method, own in rows.groupby("method_post")
    }
    of_all = range_of(rows["bits_post"].to_numpy(np.float64))
    return [by_method.get(method, of_all) for method in points["method_post"]]


def beyond_training(fit: Fit, points: pd.DataFrame, n_params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """How far the penalty of training in low precision is beyond the rows that show one.

    Decades from the convex hull of the rows trained in low precision, and bits beyond those fitted,
    summed over tensor kinds. Tokens per parameter alone would leave out a model far larger than all that
    show a penalty, at their D/N. A tensor kind that was never quantized adds nothing, nor does anything where no row
    was trained in low precision: there the penalty is the prior's.

    Parameters
    ----------
    fit
        The fit.
    points
        Their training precision, canonical columns, shape (points,).
    n_params, tokens
        Sizes; arrays that broadcast with each other and with the points.
    """
    shape = np.broadcast_shapes(np.shape(n_params), np.shape(tokens), (len(points),))
    rows = low_precision_rows(fit)
    if not fit.law.training or rows.empty:
        return np.zeros(shape)
    bits = training_bits_excess(drifting_bits(fit), law_columns(points), np)
    return np.broadcast_to(beyond_rows(rows, n_params, tokens) + bits, shape)


def drifting_bits(fit: Fit) -> dict[str, Range]:
    """Fitted range of the training bits beyond which a penalty drifts: of what was ever quantized."""
    return {
        column: fitted
        for column, fitted in training_bits(fit).items()
        if column in PARTS or fitted.lo < UNQUANTIZED_BITS
    }


def training_bits_excess(fitted: Mapping[str, Range], columns: Values, xp: Any) -> Any:
    """Bits beyond those fitted, summed over what is quantized in training.

    Parameters
    ----------
    fitted
        Range of each kind of bits.
    columns
        Law columns.
    xp
        Array namespace.
    """
    total: Any = 0.0
    for column, known in fitted.items():
        excess = known.excess(read_bits(columns, column, xp), xp)
        total = total + (xp.where(columns["is_floating"], excess, 0.0) if column in PARTS else excess)
    return total


def beyond_post(fit: Fit, points: pd.DataFrame, n_params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """How far the degradation after training is beyond the rows quantized after training.

    Decades from the convex hull of these rows, and bits beyond theirs; 0 where a point is not quantized after
    training, and where no row is: there the degradation is the prior's.

    Parameters
    ----------
    fit, points, n_params, tokens
        As for ``beyond_training``.
    """
    shape = np.broadcast_shapes(np.shape(n_params), np.shape(tokens), (len(points),))
    rows = fit.rows[fit.rows["bits_post"].notna()]
    after = points["bits_post"].notna().to_numpy()
    if fit.law.post is None or rows.empty or not after.any():
        return np.zeros(shape)
    size = beyond_rows(rows, n_params, tokens)
    return np.broadcast_to(np.where(after, size + post_bits_excess(fit, points), 0.0), shape)


def post_bits_excess(fit: Fit, points: pd.DataFrame) -> np.ndarray:
    """Bits after training beyond those fitted with the point's method; 0 without any, shape (points,)."""
    bits = bits_values(points, "bits_post")
    ranges = post_bits(fit, points)
    excess = [
        0.0 if known is None else float(known.excess(bits[[index]])[0]) for index, known in enumerate(ranges)
    ]
    return np.array(excess)
