"""Formats as categories: each has a number by which it multiplies parameters or tokens."""

from typing import Any

from bitlaw.laws.law import Parameter, Training, Values


def log_factor_n(p: Values, columns: Values, xp: Any) -> Any:
    """ln(N_eff/N) = ln eff_N of the forward scheme; 0 for an unquantized run (arXiv 2502.16440).

    Parameters
    ----------
    p
        ``eff_N`` of each run's scheme.
    columns
        ``is_quantized``.
    xp
        Array namespace.
    """
    return xp.where(columns["is_quantized"], xp.log(p["eff_N"]), 0.0)


def log_factor_d(p: Values, columns: Values, xp: Any) -> Any:
    """ln(D_eff/D) = ln eff_D of the backward scheme; 0 where it is unquantized (arXiv 2505.14669).

    Parameters
    ----------
    p
        ``eff_D`` of each run's backward scheme.
    columns
        ``is_quantized_backward``.
    xp
        Array namespace.
    """
    return xp.where(columns["is_quantized_backward"], xp.log(p["eff_D"]), 0.0)


FORMAT_PARAMETERS = Training(
    name="format-parameters",
    equation="N_eff = N eff_N(forward format)",
    source="arXiv 2502.16440",
    parameters=(
        Parameter("eff_N", "unit", "share of parameters that a forward format leaves effective", by="scheme"),
    ),
    columns=("scheme", "is_quantized"),
    cannot="what a format does that was not logged, nor that its gap moves with N and D otherwise than the loss",
    log_share_n=log_factor_n,
)

FORMAT_TOKENS = Training(
    name="format-tokens",
    equation="D_eff = D eff_D(backward format)",
    source="arXiv 2505.14669",
    parameters=(
        Parameter(
            "eff_D", "unit", "share of tokens that a backward format leaves effective", by="scheme_backward"
        ),
    ),
    columns=("scheme_backward", "is_quantized_backward"),
    cannot="what a backward format does that was not logged",
    log_share_d=log_factor_d,
)
