"""Training precision as capacity: fewer bits act like fewer effective parameters."""

from typing import Any

from bitlaw.laws.law import Capacity, Parameter, Values

UNQUANTIZED_BITS = 16.0
SMALLEST_SHARE = 1e-300
"""Stands for zero capacity: its logarithm is finite, and the bound turns its loss into ln V."""

TENSOR_KINDS: tuple[tuple[str, str, str], ...] = (
    ("w", "bits_weights", "weights"),
    ("a", "bits_activations", "activations"),
    ("kv", "bits_kv", "KV cache"),
)


def capacity_share(bits: Any, gamma: Any, floor: Any, xp: Any) -> Any:
    """f(P) = max(0, 1 - exp(-(P - P0)/γ)), the share of parameters that stay effective (arXiv 2411.04330).

    Parameters
    ----------
    bits
        Bit-width P.
    gamma
        Sensitivity γ, bits.
    floor
        P0, the bit-width at which capacity reaches zero; γ n in the paper's notation.
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> round(float(capacity_share(4.0, 2.0, 1.0, numpy)), 4)
    0.7769
    >>> float(capacity_share(2.0, 2.2102, 3.11, numpy))
    1e-300
    """
    return xp.maximum(-xp.expm1(-(bits - floor) / gamma), SMALLEST_SHARE)


def log_share_printed(p: Values, columns: Values, xp: Any) -> Any:
    """ln(N_eff/N) = Σ ln f(P) over weights, activations and KV cache, exactly as printed."""
    return sum(
        xp.log(capacity_share(columns[column], p[f"gamma_{kind}"], p[f"P0_{kind}"], xp))
        for kind, column, _ in TENSOR_KINDS
    )


def log_share(p: Values, columns: Values, xp: Any) -> Any:
    """ln(N_eff/N) relative to 16 bits: exactly 0 where every tensor kind has 16 bits or more.

    Parameters
    ----------
    p
        ``gamma_w``, ``P0_w``, ``gamma_a``, ``P0_a``, ``gamma_kv``, ``P0_kv``.
    columns
        ``bits_weights``, ``bits_activations``, ``bits_kv``.
    xp
        Array namespace.
    """
    capped = {column: xp.minimum(columns[column], UNQUANTIZED_BITS) for _, column, _ in TENSOR_KINDS}
    reference = dict.fromkeys(capped, UNQUANTIZED_BITS)
    return log_share_printed(p, capped, xp) - log_share_printed(p, reference, xp)


_PARAMETERS = tuple(
    parameter
    for kind, _, name in TENSOR_KINDS
    for parameter in (
        Parameter(f"gamma_{kind}", "positive", f"precision sensitivity of the {name}", "bits"),
        Parameter(f"P0_{kind}", "positive", f"bit-width at which quantized {name} leave no capacity", "bits"),
    )
)
_COLUMNS = tuple(column for _, column, _ in TENSOR_KINDS)

EFFECTIVE_PARAMETERS = Capacity(
    name="effective-parameters",
    equation="N_eff = N Π_x f(P_x)/f(16), f(P) = max(0, 1 - exp(-(P - P0)/γ)), x = weights, activations, KV",
    source="arXiv 2411.04330",
    parameters=_PARAMETERS,
    log_share=log_share,
    columns=_COLUMNS,
)

EFFECTIVE_PARAMETERS_PRINTED = Capacity(
    name="effective-parameters-printed",
    equation="N_eff = N Π_x f(P_x), f(P) = max(0, 1 - exp(-(P - P0)/γ)), x = weights, activations, KV",
    source="arXiv 2411.04330",
    parameters=_PARAMETERS,
    log_share=log_share_printed,
    columns=_COLUMNS,
)

CAPACITIES: dict[str, Capacity] = {
    term.name: term for term in (EFFECTIVE_PARAMETERS, EFFECTIVE_PARAMETERS_PRINTED)
}
