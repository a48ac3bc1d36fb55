"""Base laws: the loss of an unquantized run from its parameters and tokens, centred."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bitlaw.laws.law import Base, Parameter, Values

_ALPHA = Parameter("alpha", "positive", "slope of the loss in parameters")
_BETA = Parameter("beta", "positive", "slope of the loss in tokens")
_FLOOR = Parameter("E", "positive", "irreducible loss", "nats/token")
_A = Parameter("a", "positive", "loss the parameter term alone contributes at the centre", "nats/token")
_B = Parameter("b", "positive", "loss the token term alone contributes at the centre", "nats/token")

_LARGEST_EXPONENT = 300.0
"""Keeps the loss of a run without capacity finite (the bound turns it into ln V), and a and b above 0."""


def _exp(exponent: Any, xp: Any) -> Any:
    return xp.exp(xp.minimum(exponent, _LARGEST_EXPONENT))


def chinchilla_loss(p: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """E + a (N/N̄)^-α + b (D/D̄)^-β (arXiv 2203.15556), in nats/token.

    Parameters
    ----------
    p
        ``E``, ``a``, ``b``, ``alpha``, ``beta``.
    log_n, log_d
        ln(N/N̄) and ln(D/D̄).
    xp
        Array namespace: ``numpy`` or ``pytensor.tensor``.

    Examples
    --------
    At the centre the two terms contribute a and b:

    >>> import numpy
    >>> p = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
    >>> float(chinchilla_loss(p, 0.0, 0.0, numpy))
    2.5
    """
    return p["E"] + p["a"] * _exp(-p["alpha"] * log_n, xp) + p["b"] * _exp(-p["beta"] * log_d, xp)


def coupled_loss(p: Values, log_n: Any, log_d: Any, xp: Any) -> Any:
    """E + (A N^(-α/g) + B D^(-β/g))^g in centred form, nats/token (arXiv 2505.14669, outer exponent g).

    g = 1 is Chinchilla; g < 1 makes parameters and tokens bottleneck each other.

    Parameters
    ----------
    p
        ``E``, ``a``, ``b``, ``alpha``, ``beta``, ``g``.
    log_n, log_d
        ln(N/N̄) and ln(D/D̄).
    xp
        Array namespace.
    """
    from_n = (xp.log(p["a"]) - p["alpha"] * log_n) / p["g"]
    from_d = (xp.log(p["b"]) - p["beta"] * log_d) / p["g"]
    return p["E"] + _exp(p["g"] * xp.logaddexp(from_n, from_d), xp)


def chinchilla_constants(sampled: Values, xp: Any) -> dict[str, Any]:
    """The Chinchilla constants are sampled as they are."""
    return {name: sampled[name] for name in ("E", "a", "b", "alpha", "beta")}


def coupled_constants(sampled: Values, xp: Any) -> dict[str, Any]:
    """The coupled law's constants from what the data see at the centre.

    Parameters
    ----------
    sampled
        ``mean_loss`` L̄, ``floor_share`` e = E/L̄, ``n_share`` w (N's share of the reducible loss),
        ``slope_n`` = -∂ln L/∂ln N, ``slope_d`` = -∂ln L/∂ln D, ``g``.
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> sampled = dict(mean_loss=2.5, floor_share=0.6, n_share=0.5, slope_n=0.07, slope_d=0.07, g=1.0)
    >>> {name: round(float(value), 3) for name, value in coupled_constants(sampled, numpy).items()}
    {'E': 1.5, 'a': 0.5, 'b': 0.5, 'alpha': 0.35, 'beta': 0.35, 'g': 1.0}
    """
    loss, floor, share, g = (sampled[name] for name in ("mean_loss", "floor_share", "n_share", "g"))
    reducible = 1.0 - floor
    log_from_n, log_from_d = (
        xp.maximum(g * log_share, -_LARGEST_EXPONENT) for log_share in (xp.log(share), xp.log1p(-share))
    )
    return {
        "E": floor * loss,
        "a": reducible * loss * xp.exp(log_from_n),
        "b": reducible * loss * xp.exp(log_from_d),
        "alpha": sampled["slope_n"] / (reducible * share),
        "beta": sampled["slope_d"] / (reducible * (1.0 - share)),
        "g": g,
    }


def kaplan_constants(sampled: Values, xp: Any) -> dict[str, Any]:
    """Kaplan's constants (arXiv 2001.08361) from what the data see at the centre.

    [(N_c/N)^(α/β) + D_c/D]^β is the coupled law without a floor whose outer exponent is β.

    Parameters
    ----------
    sampled
        ``mean_loss``, ``n_share``, ``slope_n``, ``slope_d`` as for the coupled law.
    xp
        Array namespace.

    Examples
    --------
    >>> import numpy
    >>> sampled = dict(mean_loss=2.5, n_share=0.5, slope_n=0.04, slope_d=0.05)
    >>> p = kaplan_constants(sampled, numpy)
    >>> round(p["alpha"], 3), round(p["beta"], 3), round(float(coupled_loss(p, 0.0, 0.0, numpy)), 3)
    (0.08, 0.1, 2.5)
    """
    beta = sampled["slope_d"] / (1.0 - sampled["n_share"])
    without_floor = {**sampled, "floor_share": 0.0 * sampled["n_share"], "g": beta}
    return coupled_constants(without_floor, xp)


def _equal_slopes(sampled: Values) -> dict[str, Any]:
    """Slopes in N and D where α = β: the sum of both is shared out as the reducible loss is."""
    share = sampled["n_share"]
    return {**sampled, "slope_n": sampled["slope"] * share, "slope_d": sampled["slope"] * (1.0 - share)}


CHINCHILLA = Base(
    name="chinchilla",
    equation="L = E + a (N/N̄)^-α + b (D/D̄)^-β",
    source="arXiv 2203.15556",
    sampled=(_FLOOR, _A, _B, _ALPHA, _BETA),
    parameters=(_FLOOR, _A, _B, _ALPHA, _BETA),
    constants=chinchilla_constants,
    loss=chinchilla_loss,
)

_G = Parameter("g", "positive", "outer exponent; 1 is Chinchilla, below 1 N and D bottleneck each other")
_MEAN_LOSS = Parameter("mean_loss", "positive", "loss at the centre of the table", "nats/token")
_FLOOR_SHARE = Parameter("floor_share", "unit", "E as a share of the loss at the centre")
_N_SHARE = Parameter("n_share", "unit", "N's share of the reducible loss at the centre")
_SLOPES = (
    Parameter("slope_n", "positive", "-∂ln L/∂ln N at the centre"),
    Parameter("slope_d", "positive", "-∂ln L/∂ln D at the centre"),
)
_SLOPE = Parameter("slope", "positive", "-∂ln L/∂ln N - ∂ln L/∂ln D at the centre, for α = β")

COUPLED = Base(
    name="coupled",
    equation="L = E + [(a (N/N̄)^-α)^(1/g) + (b (D/D̄)^-β)^(1/g)]^g",
    source="arXiv 2505.14669",
    sampled=(_MEAN_LOSS, _FLOOR_SHARE, _N_SHARE, *_SLOPES, _G),
    parameters=(_FLOOR, _A, _B, _ALPHA, _BETA, _G),
    constants=coupled_constants,
    loss=coupled_loss,
)

KAPLAN = Base(
    name="kaplan",
    equation="L = [(a (N/N̄)^-α)^(1/β) + (b (D/D̄)^-β)^(1/β)]^β, without a floor",
    source="arXiv 2001.08361",
    sampled=(_MEAN_LOSS, _N_SHARE, *_SLOPES),
    parameters=(_FLOOR, _A, _B, _ALPHA, _BETA, _G),
    constants=kaplan_constants,
    loss=coupled_loss,
)

OBSERVED = Base(
    name="observed",
    equation="L = the measured loss of each run as trained",
    source="bitlaw",
    sampled=(),
    parameters=(),
    constants=lambda sampled, xp: {},
    loss=None,
)

BASES: dict[str, Base] = {base.name: base for base in (CHINCHILLA, COUPLED, KAPLAN, OBSERVED)}

_EQUAL: dict[str, tuple[tuple[Parameter, ...], Callable[[Values], dict[str, Any]]]] = {
    "chinchilla": ((_FLOOR, _A, _B, _ALPHA), lambda sampled: {**sampled, "beta": sampled["alpha"]}),
    "coupled": ((_MEAN_LOSS, _FLOOR_SHARE, _N_SHARE, _SLOPE, _G), _equal_slopes),
    "kaplan": ((_MEAN_LOSS, _N_SHARE, _SLOPE), _equal_slopes),
}


def with_equal_exponents(base: Base) -> Base:
    """The same base with α = β.

    Parameters
    ----------
    base
        One of ``BASES``; the observed base has no exponents and stays as it is.

    Examples
    --------
    >>> [parameter.name for parameter in with_equal_exponents(COUPLED).sampled]
    ['mean_loss', 'floor_share', 'n_share', 'slope', 'g']
    """
    if base.name not in _EQUAL:
        return base
    sampled, complete = _EQUAL[base.name]
    return replace(
        base,
        equation=f"{base.equation}, α = β",
        sampled=sampled,
        constants=lambda values, xp: base.constants(complete(values), xp),
    )
