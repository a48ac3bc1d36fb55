"""Training in floating point: a penalty by exponent bits, mantissa bits and block size."""

import math
from typing import Any

from bitlaw.laws.law import Parameter, Training, Values

REFERENCE_BLOCK = 128.0
_REFERENCE_EXPONENT, _REFERENCE_MANTISSA = 2.0, 1.0
_LARGEST_LOG = 300.0


def penalty(p: Values, columns: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """(D^β/N^α) log2(B) / (γ (E + .5)^δ (M + .5)^ν) of arXiv 2501.02423, centred, before the bound.

    k_float is the penalty of E2M1 in blocks of 128 at the centre of the table; α and β are the
    exponents of the base. 0 where the format is unquantized or an integer. In nats/token.

    Parameters
    ----------
    p
        ``k_float``, ``delta_float``, ``nu_float``, ``alpha``, ``beta``.
    columns
        ``exponent_bits``, ``mantissa_bits``, ``block_size``, ``is_floating``.
    log_n, log_d
        ln(N/N̄) and ln(D/D̄).
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> p = {"k_float": 0.05, "delta_float": 3.19, "nu_float": 2.95, "alpha": 0.24, "beta": 0.52}
    >>> e2m1 = {"exponent_bits": 2.0, "mantissa_bits": 1.0, "block_size": 128.0, "is_floating": True}
    >>> round(float(penalty(p, e2m1, 0.0, 0.0, numpy)), 9)
    0.05
    """
    exponent = xp.log((columns["exponent_bits"] + 0.5) / (_REFERENCE_EXPONENT + 0.5))
    mantissa = xp.log((columns["mantissa_bits"] + 0.5) / (_REFERENCE_MANTISSA + 0.5))
    block = xp.log(columns["block_size"]) / math.log(REFERENCE_BLOCK)
    growth = p["beta"] * log_d - p["alpha"] * log_n
    log_rest = growth - p["delta_float"] * exponent - p["nu_float"] * mantissa
    size = p["k_float"] * block * xp.exp(xp.minimum(log_rest, _LARGEST_LOG))
    return xp.where(columns["is_floating"], size, 0.0)


FLOATING_POINT = Training(
    name="floating-point",
    equation="Δ = k (D/D̄)^β (N/N̄)^-α (log2 B / 7) [(E + .5)/2.5]^-δ [(M + .5)/1.5]^-ν, E and M bits, B block",
    source="arXiv 2501.02423",
    parameters=(
        Parameter("k_float", "positive", "penalty of E2M1 in blocks of 128 at the centre", "nats/token"),
        Parameter("delta_float", "positive", "power by which exponent bits shrink the penalty"),
        Parameter("nu_float", "positive", "power by which mantissa bits shrink the penalty"),
    ),
    columns=("exponent_bits", "mantissa_bits", "block_size", "is_floating"),
    cannot="that the penalty grows with D and falls with N at rates of its own: they are those of the loss",
    penalty=penalty,
)
