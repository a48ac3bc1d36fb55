"""What the constants of training and post-training quantization mean, in words with their posterior."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from bitlaw.decisions.intervals import interval_of
from bitlaw.inference.fit import Fit
from bitlaw.laws.additive import ADDITIVE
from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.laws.post import SYMMETRIC_METHODS, bits_coordinate
from bitlaw.reporting.words import range_text, symbol
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import Interval, format_probability

_PROB = 0.9


@dataclass(frozen=True)
class Meaning:
    """A constant, its posterior and prior, and what follows from it."""

    symbol: str
    posterior: Interval
    prior: Interval
    words: str


def meanings(fit: Fit) -> tuple[Meaning, ...]:
    """Of quantization after training: κ, γ_post or γ_P, γ_D, γ_N and τ, those the law has.

    Parameters
    ----------
    fit
        The fit; none without a post-training term, or rows quantized after training.
    """
    words = {
        "kappa": _kappa,
        "gamma_post": _gamma_post,
        "gamma_P": _gamma_p,
        "gamma_D": _gamma_d,
        "gamma_N": _gamma_n,
        "tau": _tau,
    }
    measured = fit.law.post is not None and bool(fit.rows["bits_post"].notna().any())
    return _explained(fit, words) if measured else ()


def training_meanings(fit: Fit) -> tuple[Meaning, ...]:
    """Of training in fewer bits: k_x and c_x of every quantized tensor kind, γ_D_train and γ_N_train.

    Parameters
    ----------
    fit
        The fit; none for a law without the additive penalty.
    """
    words: dict[str, Callable[[Fit], str]] = {}
    for kind, column, name in TENSOR_KINDS:
        if (fit.rows[column] < UNQUANTIZED_BITS).any() and f"k_{kind}" not in fit.law.ties:
            words[f"k_{kind}"] = partial(_k, kind=kind, name=name)
            words[f"c_{kind}"] = partial(_c, kind=kind, name=name)
    words |= {"gamma_D_train": _gamma_d_train, "gamma_N_train": _gamma_n_train}
    own = {parameter.name for parameter in ADDITIVE.parameters}
    return _explained(fit, {name: say for name, say in words.items() if name in own})


def _explained(fit: Fit, words: Mapping[str, Callable[[Fit], str]]) -> tuple[Meaning, ...]:
    units = {parameter.name: parameter.unit for parameter in (*fit.law.parameters, *fit.law.noise)}
    return tuple(
        Meaning(
            symbol(name),
            _interval(fit.draws(name), units[name]),
            _interval(fit.draws(name, prior=True), units[name]),
            say(fit),
        )
        for name, say in words.items()
        if name in units and name in fit.posterior and name in fit.prior
    )


def _interval(draws: np.ndarray, unit: str = "") -> Interval:
    return interval_of(draws, _PROB, unit)


def _percent(draws: np.ndarray) -> str:
    interval = _interval(100.0 * draws)
    return f"{range_text(interval)} %"


def _kappa(fit: Fit) -> str:
    return (
        "Relative scatter of a measured degradation around the law within a run: one bit-width of a run "
        f"typically lies {_percent(fit.draws('kappa'))} off, in proportion to the degradation, however "
        "well the run itself is known. More runs do not reduce it."
    )


def _tau(fit: Fit) -> str:
    return (
        "Scatter between runs: all degradations of one run share a factor that typically lies "
        f"{_percent(np.expm1(fit.draws('tau')))} from 1. It is part of every interval for a new run."
    )


def _gamma_post(fit: Fit) -> str:
    gamma = fit.draws("gamma_post")
    text = (
        f"Bits that shrink the degradation by a factor e{_common(fit, 'gamma_post')}: each bit more "
        f"divides it by exp(1/γ_post) = {range_text(_interval(np.exp(1.0 / gamma)))}"
    )
    methods = fit.rows.loc[fit.rows["bits_post"].notna(), "method_post"].str.lower()
    if len(methods) and methods.isin(SYMMETRIC_METHODS).all():
        at = [float(bits_coordinate(bits, True, np)) for bits in (3.0, 4.0)]
        factor = range_text(_interval(np.exp((at[1] - at[0]) / gamma)))
        return (
            f"{text}, counted in the resolution of the symmetric round-to-nearest grid; from 3 to 4 bits, "
            f"{at[1] - at[0]:.2f} bits of resolution, by {factor}."
        )
    return f"{text}."


def _gamma_p(fit: Fit) -> str:
    halving = range_text(_interval(2.0 ** fit.draws("gamma_P")))
    return (
        f"The degradation falls as bits to the power γ_P{_common(fit, 'gamma_P')}: half the bits multiply "
        f"it by 2^γ_P = {halving}."
    )


def _common(fit: Fit, name: str) -> str:
    """That a constant differs between methods, where it does."""
    methods = fit.levels("method_post")
    differs = name in fit.law.by.get("method_post", ()) and len(methods) > 1
    return f" (the common value of {len(methods)} methods)" if differs else ""


def _gamma_d(fit: Fit) -> str:
    draws = fit.draws("gamma_D")
    return (
        "The degradation grows as tokens to the power γ_D: training twice as long multiplies it by 2^γ_D = "
        f"{range_text(_interval(2.0**draws))}. It grows at all, γ_D > 0, with probability "
        f"{format_probability(float((draws > 0).mean()))}."
    )


def _gamma_n(fit: Fit) -> str:
    draws = fit.draws("gamma_N")
    probability = float((draws > 0).mean())
    effective = "effective " if any(term.log_share_n for term in fit.law.training) else ""
    return (
        f"The degradation falls as {effective}parameters to the power γ_N: ten times the parameters divide "
        f"it by 10^γ_N = {range_text(_interval(np.exp(math.log(10.0) * draws)))}; {_hurt_less(draws)} (γ_N "
        f"> 0 with probability {format_probability(probability)})."
    )


def _hurt_less(draws: np.ndarray) -> str:
    """Who is hurt less, by the sign of an exponent of N."""
    sign = "larger models are hurt less" if float(np.median(draws)) > 0 else "larger models are hurt no less"
    probability = float((draws > 0).mean())
    return sign + ("" if min(probability, 1 - probability) < 0.05 else ", though the sign is open")


def _k(fit: Fit, kind: str, name: str) -> str:
    others = [words for tied, _, words in TENSOR_KINDS if fit.law.ties.get(f"k_{tied}") == f"k_{kind}"]
    tied = f" The {' and '.join(others)} have the same bits in every row and share it." if others else ""
    return f"What 4 bits for the {name} add to the loss at the centre of the table, before the bound.{tied}"


def _c(fit: Fit, kind: str, name: str) -> str:
    each = range_text(_interval(np.exp(1.0 / fit.draws(f"c_{kind}"))))
    return (
        f"Bits of the {name} that shrink the penalty by a factor e: each bit less multiplies the penalty by "
        f"e^(1/{symbol(f'c_{kind}')}) = {each}."
    )


def _gamma_d_train(fit: Fit) -> str:
    draws = fit.draws("gamma_D_train")
    return (
        "The training penalty grows as tokens to the power γ_D_train: training twice as long multiplies it "
        f"by 2^γ_D_train = {range_text(_interval(2.0**draws))}. It grows at all, γ_D_train > 0, with "
        f"probability {format_probability(float((draws > 0).mean()))}."
    )


def _gamma_n_train(fit: Fit) -> str:
    draws = fit.draws("gamma_N_train")
    tenfold = range_text(_interval(np.exp(math.log(10.0) * draws)))
    probability = format_probability(float((draws > 0).mean()))
    return (
        "The training penalty falls as parameters to the power γ_N_train: ten times the parameters divide "
        f"it by 10^γ_N_train = {tenfold}; {_hurt_less(draws)} (γ_N_train > 0 with probability "
        f"{probability})."
    )
