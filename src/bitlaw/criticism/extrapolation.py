"""How far points lie outside what was fitted. NumPy only: it runs with every prediction."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bitlaw.criticism.joint_bits import joint_bits_finding
from bitlaw.criticism.new_groups import new_group_findings
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import law_columns
from bitlaw.inference.distance import (
    BITS,
    PARTS,
    Range,
    beyond_sizes,
    bits_values,
    log_ratio,
    low_precision_rows,
    post_bits,
    training_bits,
)
from bitlaw.inference.fit import Fit
from bitlaw.units import format_bits, format_count

_ROUNDED = 0.002
"""Decades: counts that differ by less are the same number as printed."""
_NEGLIGIBLE = 1e-6
"""Decades and bits below which a point counts as inside: rounding of logarithms."""

_NO_EVIDENCE = 1.0
"""Decades beyond which the numbers are no evidence at all about the model asked for."""

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
        (value in decades), ``.ratio_training`` and ``.ratio_post`` where tokens per parameter are farther
        beyond the rows trained in low precision, or quantized after training, than beyond all;
        ``extrapolation.bits_weights``, ``.bits_activations``, ``.bits_kv``,
        ``.bits_gradients``, ``.exponent_bits``, ``.mantissa_bits`` and ``.bits_post`` (value in bits;
        None where none was measured), and ``groups.new``. If there is none, one PASS
        ``extrapolation.inside``.
    """
    names = {column: f"{name} in training" for column, name in BITS.items()}
    names |= {column: f"{name} of the format" for column, name in PARTS.items()}
    fitted = training_bits(fit)
    checks = (
        size_finding(fit, points),
        *_ratio_findings(fit, points),
        *(
            _bits_finding(column, name, bits_values(points, column), [fitted[column]] * len(points))
            for column, name in names.items()
            if column in fitted
        ),
        _post_bits_finding(fit, points),
        joint_bits_finding(fit, points),
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
    distance = np.hypot(*beyond_sizes(fit.hull, sizes[:, 0], sizes[:, 1]))
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
        "Log runs nearer to the size you ask about; out there the width of the interval is that of the "
        "drift, a stated prior.",
    )


def _ratio_findings(fit: Fit, points: pd.DataFrame) -> Iterator[Finding]:
    """Tokens per parameter beyond those fitted, and beyond those at which precision was varied."""
    columns = law_columns(points)
    low = columns["is_quantized"] | columns["is_quantized_backward"]
    after = points["bits_post"].notna().to_numpy()
    low_rows = low_precision_rows(fit) if low.any() else fit.rows.iloc[:0]
    post_rows = fit.rows[fit.rows["bits_post"].notna()]
    of_all = _ratio_finding("ratio", "fitted ratio", fit.rows, points)
    told = 0.0
    if of_all is not None:
        told = of_all.value or 0.0
        yield of_all
    for code, which, rows, about in (
        ("ratio_training", "ratio trained in low precision", low_rows, low),
        ("ratio_post", "ratio quantized after training", post_rows, after),
    ):
        finding = None if rows.empty or not about.any() else _ratio_finding(code, which, rows, points[about])
        if finding is not None and (finding.value or 0.0) > told + _ROUNDED:
            yield finding


def _ratio_finding(code: str, which: str, rows: pd.DataFrame, points: pd.DataFrame) -> Finding | None:
    fitted, asked = Range(log_ratio(rows).min(), log_ratio(rows).max()), log_ratio(points)
    excess = fitted.excess(asked)
    worst = int(excess.argmax())
    if excess[worst] <= _ROUNDED:
        return None
    above = asked[worst] > fitted.hi
    limit = 10 ** (fitted.hi if above else fitted.lo)
    return Finding(
        f"extrapolation.{code}",
        Status.WARN,
        float(excess[worst]),
        0.0,
        f"{10 ** asked[worst]:.3g} tokens per parameter is {_decades(excess[worst])} "
        f"{'above the largest' if above else 'below the smallest'} {which} ({limit:.3g}).",
        "Log runs with such a ratio of tokens to parameters.",
    )


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
    return _bits_finding(
        "bits_post", "weights after training", bits_values(points, "bits_post"), post_bits(fit, points)
    )


def _bits_finding(
    column: str, name: str, asked: np.ndarray, fitted: Sequence[Range | None]
) -> Finding | None:
    """The point farthest beyond the fitted range of its bits."""
    excess = np.array(
        [
            0.0 if known is None else float(known.excess(value))
            for value, known in zip(asked, fitted, strict=True)
        ]
    )
    worst = int(excess.argmax())
    known = fitted[worst]
    if known is None or excess[worst] <= _NEGLIGIBLE:
        return None
    above = asked[worst] > known.hi
    side, limit = ("above the most", known.hi) if above else ("below the fewest", known.lo)
    return Finding(
        f"extrapolation.{column}",
        Status.WARN,
        float(excess[worst]),
        0.0,
        f"{_bits(asked[worst])} for the {name} is {format_bits(round(float(excess[worst]), 3))} {side} fitted "
        f"({format_bits(limit)}).",
        "Log runs at these bits; until then the answer rests on the shape of the law, and its width on the "
        "drift, a stated prior.",
    )


def _bits(value: float) -> str:
    return f"{format_bits(value)} bit{'' if value == 1 else 's'}"


def _beyond(fit: Fit, value: float, column: str, noun: str, largest: str, smallest: str) -> str:
    """How far one size is beyond the fitted ones; empty inside their range."""
    sizes = fit.rows[column].to_numpy(np.float64)
    fitted = Range(np.log10(sizes.min()), np.log10(sizes.max()))
    decades = float(fitted.excess(np.log10(value)))
    if decades <= _ROUNDED:
        return ""
    above = np.log10(value) > fitted.hi
    side, limit = (f"above the {largest}", sizes.max()) if above else (f"below the {smallest}", sizes.min())
    return f"{format_count(value)} {noun} is {_decades(decades)} {side} fitted run ({format_count(limit)})"


def _decades(decades: float) -> str:
    """Decades, or a factor where they are few.

    Examples
    --------
    >>> _decades(4.32), _decades(0.18)
    ('4.3 decades', 'a factor of 1.51')
    """
    return f"{decades:.1f} decades" if decades >= 0.95 else f"a factor of {10**decades:.3g}"
