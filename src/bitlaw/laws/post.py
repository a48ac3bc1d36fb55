"""Post-training quantization: the degradation of a trained run whose weights are quantized afterwards."""

from typing import Any

from bitlaw.laws.law import Parameter, Post, Values

REFERENCE_BITS = 4.0
"""C is the degradation at the centre of the table at this many bits."""

SYMMETRIC_METHODS: tuple[str, ...] = ("rtn",)
"""Methods whose grid is symmetric round-to-nearest with 2^(P-1) - 1 levels a side."""

_SMALLEST = 1e-30


def bits_coordinate(bits: Any, symmetric: Any, xp: Any) -> Any:
    """The bits that the resolution of a method's grid is worth.

    Symmetric round-to-nearest has 2^(P-1) - 1 levels a side, so P' = 1 + log2(2^(P-1) - 1); for
    every other method P itself.

    Parameters
    ----------
    bits
        Bit-width P.
    symmetric
        1 where the grid is symmetric round-to-nearest, else 0.
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> [round(float(bits_coordinate(bits, 1, numpy)), 3) for bits in (2.0, 3.0, 8.0)]
    [1.0, 2.585, 7.989]
    """
    levels = xp.maximum(xp.exp((bits - 1.0) * _LN2) - 1.0, _SMALLEST)
    return xp.where(symmetric, 1.0 + xp.log(levels) / _LN2, bits)


_LN2 = 0.6931471805599453


def log_degradation(p: Values, columns: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """Ln δ of arXiv 2411.04330, centred: δ = C at (N̄, D̄, 4 bits) from a 16-bit run.

    δ = C (D/D̄)^γD (N_eff/N̄)^-γN exp(-(P'_post - P'(4))/γ_post) [1 - exp(-C_w (P'_w - P'_post))],
    before the bound by ln V; P' is ``bits_coordinate``.

    Parameters
    ----------
    p
        ``C``, ``gamma_D``, ``gamma_N``, ``gamma_post``, ``C_w``.
    columns
        ``bits_weights``, ``bits_post``, ``post_symmetric``.
    log_n, log_d
        ln(N_eff/N̄) and ln(D/D̄).
    xp
        Array namespace.
    """
    symmetric = columns["post_symmetric"]
    after = bits_coordinate(columns["bits_post"], symmetric, xp)
    before = bits_coordinate(columns["bits_weights"], symmetric, xp)
    at_reference = bits_coordinate(REFERENCE_BITS, symmetric, xp)
    change = xp.maximum(-xp.expm1(-p["C_w"] * (before - after)), _SMALLEST)
    return (
        xp.log(p["C"])
        + p["gamma_D"] * log_d
        - p["gamma_N"] * log_n
        - (after - at_reference) / p["gamma_post"]
        + xp.log(change)
    )


def log_power_degradation(p: Values, columns: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """Ln δ of arXiv 2411.17691, centred: δ = C (D/D̄)^γD (N_eff/N̄)^-γN (P_post/4)^-γP, before the bound.

    Parameters
    ----------
    p
        ``C``, ``gamma_D``, ``gamma_N``, ``gamma_P``.
    columns
        ``bits_post``, ``post_symmetric``; bits enter through ``bits_coordinate``.
    log_n, log_d
        ln(N_eff/N̄) and ln(D/D̄).
    xp
        Array namespace.
    """
    symmetric = columns["post_symmetric"]
    after = bits_coordinate(columns["bits_post"], symmetric, xp)
    ratio = after / bits_coordinate(REFERENCE_BITS, symmetric, xp)
    return xp.log(p["C"]) + p["gamma_D"] * log_d - p["gamma_N"] * log_n - p["gamma_P"] * xp.log(ratio)


_SIZE = (
    Parameter(
        "C", "positive", "degradation at the centre of the table at 4 bits", "nats/token", by="method_post"
    ),
    Parameter("gamma_D", "real", "growth of the degradation with tokens"),
    Parameter("gamma_N", "real", "decline of the degradation with effective parameters"),
)

EXPONENTIAL = Post(
    name="exponential",
    equation=(
        "δ = C (D/D̄)^γD (N_eff/N̄)^-γN exp(-(P_post - 4)/γ_post) [1 - exp(-C_w (P_w - P_post))], "
        "bounded by ln V; for symmetric round-to-nearest P is 1 + log2(2^(P-1) - 1)"
    ),
    source="arXiv 2411.04330",
    parameters=(
        *_SIZE,
        Parameter(
            "gamma_post",
            "positive",
            "bits that shrink the degradation by a factor e",
            "bits",
            by="method_post",
        ),
        Parameter("C_w", "positive", "how fast the gap to the training bits matters", "1/bits"),
    ),
    cannot="that a bit less costs more at few bits than at many, in proportion",
    log_degradation=log_degradation,
)

POWER = Post(
    name="power",
    equation=(
        "δ = C (D/D̄)^γD (N_eff/N̄)^-γN (P_post/4)^-γP, bounded by ln V; "
        "for symmetric round-to-nearest P is 1 + log2(2^(P-1) - 1)"
    ),
    source="arXiv 2411.17691",
    parameters=(
        *_SIZE,
        Parameter("gamma_P", "positive", "power by which bits shrink the degradation", by="method_post"),
    ),
    cannot="that the degradation vanishes as bits_post reaches the bits a model was trained in",
    log_degradation=log_power_degradation,
)
