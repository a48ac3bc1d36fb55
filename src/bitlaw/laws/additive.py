"""Training precision as a penalty on the loss, continuous in bits, that grows with D and falls with N."""

import math
from typing import Any

from bitlaw.laws.capacity import TENSOR_KINDS, UNQUANTIZED_BITS
from bitlaw.laws.law import Parameter, Training, Values

REFERENCE_BITS = 4.0
"""k is the penalty at the centre of the table at this many bits, up to its value at 16."""

REFERENCE_GROUP = 128.0
"""k is stated for groups of this many elements where the term knows the group size."""

_SMALLEST_GROUP = 2.0
_LARGEST_LOG = 300.0


def penalty(p: Values, columns: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """Σ_x k_x [e^(-(P_x - 4)/c_x) - e^(-12/c_x)] (D/D̄)^γD (N/N̄)^-γN, nats/token, before the bound.

    The penalty of arXiv 2505.14302, continuous in bits and exactly 0 at 16; it falls by a factor e
    every c bits.

    Parameters
    ----------
    p
        ``k_w``, ``c_w``, ``k_a``, ``c_a``, ``k_kv``, ``c_kv``, ``gamma_D_train``, ``gamma_N_train``.
    columns
        ``bits_weights``, ``bits_activations``, ``bits_kv``.
    log_n, log_d
        ln(N/N̄) and ln(D/D̄).
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> p = {"k_w": 0.02, "c_w": 1.0, "k_a": 0.02, "c_a": 1.0, "k_kv": 0.0, "c_kv": 1.0}
    >>> p |= {"gamma_D_train": 0.1, "gamma_N_train": 0.2}
    >>> bits = {"bits_weights": 4.0, "bits_activations": 16.0, "bits_kv": 16.0}
    >>> round(float(penalty(p, bits, 0.0, 0.0, numpy)), 5)
    0.02
    """
    growth = p["gamma_D_train"] * log_d - p["gamma_N_train"] * log_n
    return _of_bits(p, columns, xp) * xp.exp(xp.minimum(growth, _LARGEST_LOG))


def penalty_in_groups(p: Values, columns: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """The same times (log2 G / log2 128)^γG, G the elements that share one scale (arXiv 2505.14302).

    Parameters
    ----------
    p
        As for ``penalty``, and ``gamma_G``.
    columns
        As for ``penalty``, and ``group_size``.
    log_n, log_d
        ln(N/N̄) and ln(D/D̄).
    xp
        Array namespace.
    """
    log_group = xp.log(xp.maximum(columns["group_size"], _SMALLEST_GROUP)) / math.log(REFERENCE_GROUP)
    growth = p["gamma_D_train"] * log_d - p["gamma_N_train"] * log_n + p["gamma_G"] * xp.log(log_group)
    return _of_bits(p, columns, xp) * xp.exp(xp.minimum(growth, _LARGEST_LOG))


def _of_bits(p: Values, columns: Values, xp: Any) -> Any:
    total = 0.0
    for kind, column, _ in TENSOR_KINDS:
        bits = xp.minimum(columns[column], UNQUANTIZED_BITS)
        at = xp.exp(-(bits - REFERENCE_BITS) / p[f"c_{kind}"])
        at_16 = xp.exp(-(UNQUANTIZED_BITS - REFERENCE_BITS) / p[f"c_{kind}"])
        total = total + p[f"k_{kind}"] * (at - at_16)
    return total


GROWTH: tuple[Parameter, ...] = (
    Parameter("gamma_D_train", "real", "growth of the training penalty with tokens"),
    Parameter("gamma_N_train", "real", "decline of the training penalty with parameters"),
)
_PARAMETERS = tuple(
    parameter
    for kind, _, name in TENSOR_KINDS
    for parameter in (
        Parameter(
            f"k_{kind}", "positive", f"penalty of 4-bit {name} at the centre of the table", "nats/token"
        ),
        Parameter(
            f"c_{kind}", "positive", f"bits of the {name} that shrink the penalty by a factor e", "bits"
        ),
    )
)
_COLUMNS = tuple(column for _, column, _ in TENSOR_KINDS)
_CANNOT = "that two tensor kinds quantized together cost other than the sum of both"

ADDITIVE = Training(
    name="additive",
    equation="Δ = Σ_x k_x [e^(-(P_x - 4)/c_x) - e^(-12/c_x)] (D/D̄)^γD (N/N̄)^-γN, x = weights, activations, KV",
    source="arXiv 2505.14302",
    parameters=(*_PARAMETERS, *GROWTH),
    columns=_COLUMNS,
    cannot=_CANNOT,
    penalty=penalty,
)

ADDITIVE_IN_GROUPS = Training(
    name="additive-in-groups",
    equation=(
        "Δ = Σ_x k_x [e^(-(P_x - 4)/c_x) - e^(-12/c_x)] (D/D̄)^γD (N/N̄)^-γN (log2 G / 7)^γG, "
        "x = weights, activations, KV"
    ),
    source="arXiv 2505.14302",
    parameters=(
        *_PARAMETERS,
        *GROWTH,
        Parameter("gamma_G", "real", "growth of the training penalty with log2 of the group size"),
    ),
    columns=(*_COLUMNS, "group_size"),
    cannot=_CANNOT,
    penalty=penalty_in_groups,
)
