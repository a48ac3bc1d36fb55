"""What the constants of post-training quantization mean, in plain words with their posterior."""

import math
from dataclasses import dataclass

import numpy as np

from bitlaw.decisions.intervals import interval_of
from bitlaw.inference.fit import Fit
from bitlaw.laws.post import SYMMETRIC_METHODS, bits_coordinate
from bitlaw.reporting.words import range_text, symbol
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
    """κ, γ_post, γ_D, γ_N and τ, as far as the law has them and they were sampled.

    Parameters
    ----------
    fit
        The fit; none for a law without a post-training term.
    """
    words = {
        "kappa": _kappa,
        "gamma_post": _gamma_post,
        "gamma_D": _gamma_d,
        "gamma_N": _gamma_n,
        "tau": _tau,
    }
    return tuple(
        Meaning(
            symbol(name),
            _interval(fit.draws(name), unit),
            _interval(fit.draws(name, prior=True), unit),
            say(fit),
        )
        for name, say in words.items()
        for unit in ["bits" if name == "gamma_post" else ""]
        if fit.law.post is not None and name in fit.posterior and name in fit.prior
    )


def _interval(draws: np.ndarray, unit: str = "") -> Interval:
    return interval_of(draws, _PROB, unit)


def _percent(draws: np.ndarray) -> str:
    interval = _interval(100.0 * draws)
    return f"{range_text(interval)} %"


def _kappa(fit: Fit) -> str:
    return (
        "Relative scatter of a measured degradation around the law within a run: one bit-width of a run "
        "typically "
        f"lies {_percent(fit.draws('kappa'))} off, in proportion to the degradation, however well the run "
        "itself is "
        "known. More runs do not reduce it."
    )


def _tau(fit: Fit) -> str:
    return (
        "Scatter between runs: all degradations of one run share a factor that typically lies "
        f"{_percent(np.expm1(fit.draws('tau')))} from 1. It is part of every interval for a new run."
    )


def _gamma_post(fit: Fit) -> str:
    gamma = fit.draws("gamma_post")
    text = (
        "Bits that shrink the degradation by a factor e: each bit more divides it by "
        f"exp(1/γ_post) = {range_text(_interval(np.exp(1.0 / gamma)))}"
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


def _gamma_d(fit: Fit) -> str:
    draws = fit.draws("gamma_D")
    return (
        "The degradation grows as tokens to the power γ_D: training twice as long multiplies it by 2^γ_D = "
        f"{range_text(_interval(2.0**draws))}. It grows at all, γ_D > 0, with probability "
        f"{format_probability(float((draws > 0).mean()))}."
    )


def _gamma_n(fit: Fit) -> str:
    draws = fit.draws("gamma_N")
    verdict = (
        "larger models are hurt less" if float(np.median(draws)) > 0 else "larger models are hurt no less"
    )
    probability = float((draws > 0).mean())
    doubt = "" if min(probability, 1 - probability) < 0.05 else ", though the sign is open"
    return (
        "The degradation falls as effective parameters to the power γ_N: ten times the parameters divide "
        "it by "
        f"10^γ_N = {range_text(_interval(np.exp(math.log(10.0) * draws)))}; {verdict}{doubt} "
        f"(γ_N > 0 with probability {format_probability(probability)})."
    )
