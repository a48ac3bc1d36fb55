"""How far points lie outside what was fitted. NumPy only: it runs with every prediction."""

import numpy as np
import pandas as pd

from bitlaw.criticism.new_groups import new_group_findings
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import law_columns
from bitlaw.inference.fit import Fit
from bitlaw.inference.hull import hull_vector
from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits, format_count

_ROUNDED = 0.002
"""Decades: counts that differ by less are the same number as printed."""
_NEGLIGIBLE = 1e-6
"""Decades and bits below which a point counts as inside: rounding of logarithms."""

_NO_EVIDENCE = 1.0
"""Decades beyond which the numbers are no evidence at all about the model asked for."""

_KINDS = (*TENSOR_KINDS, ("g", "bits_gradients", "gradients"))
_PARTS = (("exponent_bits", "exponent"), ("mantissa_bits", "mantissa"))
_SIZES = (
    ("n_params", "parameters", "largest", "smallest"),
    ("tokens", "tokens", "longest", "shortest"),
)


def extrapolation_findings(fit: Fit, points: pd.DataFrame) -> tuple[Finding, ...]:
    """What about the points was never measured.

    Parameters
    ----------
    fit
        The fit.
    points
        Points to predict, canonical run-table columns.

    Returns
    -------
    tuple of Finding
        One WARN per kind of excess, about the worst point: ``extrapolation.size`` and ``.ratio``
        (value in decades), ``extrapolation.bits_weights``, ``.bits_activations``, ``.bits_kv``,
        ``.bits_gradients``, ``.exponent_bits``, ``.mantissa_bits`` and ``.bits_post`` (value in bits;
        None where none was measured), and ``groups.new``. If there is none, one PASS
        ``extrapolation.inside``.
    """
    columns = fit.law.training_columns
    kinds = [(column, name) for _, column, name in _KINDS if column in columns]
    parts = [(column, name) for column, name in _PARTS if column in columns]
    checks = (
        size_finding(fit, points),
        ratio_finding(fit, points),
        *(_training_bits_finding(fit, points, column, name) for column, name in kinds),
        *(_format_bits_finding(fit, points, column, name) for column, name in parts),
        _post_bits_finding(fit, points),
        *new_group_findings(fit, points),
    )
    found = tuple(finding for finding in checks if finding is not None)
    if found:
        return found
    message = "Every point asked about lies inside the fitted range of parameters, tokens and bits."
    return (Finding("extrapolation.inside", Status.PASS, 0.0, 0.0, message),)


def size_finding(fit: Fit, points: pd.DataFrame) -> Finding | None:
    """Distance of the farthest point from the convex hull of the fitted (log10 N, log10 D)."""
    sizes = points[["n_params", "tokens"]].to_numpy(np.float64)
    vector = hull_vector(fit.hull, np.log10(sizes))
    distance = np.hypot(vector[:, 0], vector[:, 1])
    worst = int(distance.argmax())
    if distance[worst] <= _ROUNDED:
        return None
    decades = float(distance[worst])
    beyond = [
        text
        for value, names in zip(sizes[worst], _SIZES, strict=True)
        if (text := _beyond(fit, value, *names))
    ]
    if not beyond:
        n, d = (format_count(value) for value in sizes[worst])
        beyond = [f"{n} parameters with {d} tokens is {_decades(decades)} outside the fitted combinations"]
    verdict = (
        "these numbers are not evidence about such a model"
        if decades >= _NO_EVIDENCE
        else "the law is extrapolated there, not tested"
    )
    return Finding(
        "extrapolation.size",
        Status.WARN,
        decades,
        0.0,
        f"{', and '.join(beyond)}: {verdict}.",
        "Log runs nearer to the size you ask about, and take the interval as a lower bound.",
    )


def ratio_finding(fit: Fit, points: pd.DataFrame) -> Finding | None:
    """Tokens per parameter beyond the fitted ones."""
    fitted = np.log10((fit.rows["tokens"] / fit.rows["n_params"]).to_numpy(np.float64))
    asked = np.log10((points["tokens"] / points["n_params"]).to_numpy(np.float64))
    worst, decades, above = _worst_excess(asked, fitted.min(), fitted.max())
    if decades <= _ROUNDED:
        return None
    limit = 10 ** (fitted.max() if above else fitted.min())
    return Finding(
        "extrapolation.ratio",
        Status.WARN,
        decades,
        0.0,
        f"{10 ** asked[worst]:.3g} tokens per parameter is {_decades(decades)} "
        f"{'above the largest' if above else 'below the smallest'} fitted ratio ({limit:.3g}).",
        "Log runs with such a ratio of tokens to parameters.",
    )


def _training_bits_finding(fit: Fit, points: pd.DataFrame, column: str, name: str) -> Finding | None:
    # The loss of a diverged run was not measured, only bounded.
    fitted = fit.rows.loc[fit.rows["status"] != "diverged", column].clip(upper=UNQUANTIZED_BITS)
    asked = points[column].clip(upper=UNQUANTIZED_BITS)
    return _bits_finding(column, f"{name} in training", asked, fitted)


def _format_bits_finding(fit: Fit, points: pd.DataFrame, column: str, name: str) -> Finding | None:
    """Exponent or mantissa bits of floating-point formats beyond the fitted ones."""
    asked, fitted = (
        pd.Series(columns[column][columns["is_floating"]], dtype=np.float64)
        for columns in (law_columns(points), law_columns(fit.rows))
    )
    if asked.empty or fitted.empty:
        return None
    return _bits_finding(column, f"{name} of the format", asked, fitted)


def _post_bits_finding(fit: Fit, points: pd.DataFrame) -> Finding | None:
    asked, fitted = points["bits_post"].dropna(), fit.rows["bits_post"].dropna()
    if fit.law.post is None or asked.empty:
        return None
    if fitted.empty:
        return Finding(
            "extrapolation.bits_post",
            Status.WARN,
            None,
            None,
            f"{_bits(float(asked.min()))} after training was asked about, and no fitted row is "
            "quantized after training: the answer is the prior's.",
            "Evaluate fitted runs after post-training quantization.",
        )
    return _bits_finding("bits_post", "weights after training", asked, fitted)


def _bits_finding(column: str, name: str, asked: pd.Series, fitted: pd.Series) -> Finding | None:
    lowest, highest = float(fitted.min()), float(fitted.max())
    values = asked.to_numpy(np.float64)
    worst, excess, above = _worst_excess(values, lowest, highest)
    if excess <= _NEGLIGIBLE:
        return None
    side, limit = ("above the most", highest) if above else ("below the fewest", lowest)
    return Finding(
        f"extrapolation.{column}",
        Status.WARN,
        excess,
        0.0,
        f"{_bits(values[worst])} for the {name} is {format_bits(round(excess, 3))} {side} fitted "
        f"({format_bits(limit)}).",
        "Log runs at these bits; until then the answer rests on the shape of the law.",
    )


def _bits(value: float) -> str:
    return f"{format_bits(value)} bit{'' if value == 1 else 's'}"


def _worst_excess(values: np.ndarray, lowest: float, highest: float) -> tuple[int, float, bool]:
    """Index of the value farthest outside of a range, its excess (0 inside), and whether it is above."""
    excess = np.maximum(values - highest, lowest - values)
    worst = int(excess.argmax())
    return worst, max(float(excess[worst]), 0.0), bool(values[worst] > highest)


def _beyond(fit: Fit, value: float, column: str, noun: str, largest: str, smallest: str) -> str:
    """How far one size is beyond the fitted ones; empty inside their range."""
    fitted = fit.rows[column].to_numpy(np.float64)
    _, decades, above = _worst_excess(
        np.log10(np.array([value])), np.log10(fitted.min()), np.log10(fitted.max())
    )
    if decades <= _ROUNDED:
        return ""
    side, limit = (f"above the {largest}", fitted.max()) if above else (f"below the {smallest}", fitted.min())
    return f"{format_count(value)} {noun} is {_decades(decades)} {side} fitted run ({format_count(limit)})"


def _decades(decades: float) -> str:
    """Decades, or a factor where they are few.

    Examples
    --------
    >>> _decades(4.32), _decades(0.18)
    ('4.3 decades', 'a factor of 1.51')
    """
    return f"{decades:.1f} decades" if decades >= 0.95 else f"a factor of {10**decades:.3g}"
