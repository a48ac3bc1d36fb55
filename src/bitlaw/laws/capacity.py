"""Training precision as capacity: fewer bits act like fewer effective parameters."""

from typing import Any

from bitlaw.laws.law import Parameter, Training, Values

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
    """ln(N_eff/N) = Σ ln f(P) over weights, activations and KV cache, as printed; 16 bits and more are f(16)."""
    return sum(
        xp.log(
            capacity_share(
                xp.minimum(columns[column], UNQUANTIZED_BITS), p[f"gamma_{kind}"], p[f"P0_{kind}"], xp
            )
        )
        for kind, column, _ in TENSOR_KINDS
    )


def log_share_printed_at_16(p: Values, xp: Any) -> Any:
    """ln(N_eff/N) of an unquantized run as printed, where f(16) is not quite 1."""
    return log_share_printed(p, {column: UNQUANTIZED_BITS for _, column, _ in TENSOR_KINDS}, xp)


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
    return log_share_printed(p, columns, xp) - log_share_printed_at_16(p, xp)


def log_share_of_tokens(p: Values, columns: Values, xp: Any) -> Any:
    """ln(D_eff/D) = ln f(P_g)/f(16) with P_g the bits of the gradients; 0 at 16 bits or more.

    Parameters
    ----------
    p
        ``gamma_g``, ``P0_g``.
    columns
        ``bits_gradients``.
    xp
        Array namespace.
    """
    bits = xp.minimum(columns["bits_gradients"], UNQUANTIZED_BITS)
    share, whole = (
        xp.log(capacity_share(value, p["gamma_g"], p["P0_g"], xp)) for value in (bits, UNQUANTIZED_BITS)
    )
    return share - whole


def _constants(kind: str, name: str) -> tuple[Parameter, Parameter]:
    return (
        Parameter(f"gamma_{kind}", "positive", f"precision sensitivity of the {name}", "bits"),
        Parameter(f"P0_{kind}", "positive", f"bit-width at which quantized {name} leave no capacity", "bits"),
    )


_PARAMETERS = tuple(item for kind, _, name in TENSOR_KINDS for item in _constants(kind, name))
_COLUMNS = tuple(column for _, column, _ in TENSOR_KINDS)
_CANNOT = "that the gap to 16 bits moves with N and D otherwise than the loss itself moves with N"

EFFECTIVE_PARAMETERS = Training(
    name="effective-parameters",
    equation="N_eff = N Π_x f(P_x)/f(16), f(P) = max(0, 1 - exp(-(P - P0)/γ)), x = weights, activations, KV",
    source="arXiv 2411.04330",
    parameters=_PARAMETERS,
    columns=_COLUMNS,
    cannot=_CANNOT,
    log_share_n=log_share,
)

EFFECTIVE_PARAMETERS_PRINTED = Training(
    name="effective-parameters-printed",
    equation="N_eff = N Π_x f(P_x), f(P) = max(0, 1 - exp(-(P - P0)/γ)), x = weights, activations, KV",
    source="arXiv 2411.04330",
    parameters=_PARAMETERS,
    columns=_COLUMNS,
    cannot=_CANNOT,
    log_share_n=log_share_printed,
    log_share_n_at_16=log_share_printed_at_16,
)

EFFECTIVE_TOKENS = Training(
    name="effective-tokens",
    equation="D_eff = D f(P_g)/f(16), f(P) = max(0, 1 - exp(-(P - P0)/γ)), g = gradients",
    source="arXiv 2411.04330 (its D_eff), for the backward pass as in 2505.14669",
    parameters=_constants("g", "gradients"),
    columns=("bits_gradients",),
    cannot="that the gap to 16 bits moves with N and D otherwise than the loss itself moves with D",
    log_share_d=log_share_of_tokens,
)
