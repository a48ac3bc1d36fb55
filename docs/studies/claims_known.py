"""A law with known constants, from a fit or a paper, at the precisions that the claims are about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from claims_evidence import Evidence

from bitlaw.decisions.costs import cost_in_bits
from bitlaw.decisions.law_draws import LawDraws, law_draws
from bitlaw.decisions.on_offer import OnOffer, default_tensors, on_offer
from bitlaw.decisions.optimum import precision_question
from bitlaw.decisions.question import TENSORS
from bitlaw.inference.fit import Fit
from bitlaw.laws.law import Reference
from bitlaw.laws.registry import load_law

MOST_DRAWS = 1000
BUDGETS = (1e21, 1e25)
"""FLOP, for laws whose answers depend on it."""

REFERENCE = Reference(1e9, 2e10, {})
_COLUMNS: dict[str, Any] = {
    "bits_weights": 16.0,
    "bits_activations": 16.0,
    "bits_kv": 16.0,
    "bits_gradients": 16.0,
    "ceiling": np.inf,
    "group_size": 128.0,
    "exponent_bits": 2.0,
    "mantissa_bits": 1.0,
    "block_size": 128.0,
    "is_floating": False,
    "is_quantized": False,
    "is_quantized_backward": False,
}
UNQUANTIZED = OnOffer(16.0, None, {}, 1.0)
CHINCHILLA = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
"""arXiv 2404.10102; stands in where a paper's own base constants are not at hand."""

KUMAR = {"E": 2.7648, "A": 4299.0, "B": 18060.0, "alpha": 0.4965, "beta": 0.4965}
_KUMAR_FACTORS = {"w": (2.6745, 0.3037), "a": (2.2102, 1.4072), "kv": (0.9578, 2.4185)}
KUMAR_POST = {"k": 0.0598, "gamma_D": 0.5068, "gamma_N": 0.3439, "gamma_post": 0.5907, "offset": 1.1277}
OUYANG_POST = {"k": 0.017, "gamma_D": 0.5251, "gamma_N": 0.2261, "gamma_P": 5.4967}
_SUN = {"E": 1.9061, "A": 69.2343, "B": 68973.0621, "alpha": 0.2368, "beta": 0.5162}
_SUN_GRID = (11334.5197, 3.1926, 2.9543)
_CHEN_BOTH = (0.1582, 0.2186, 0.0745, 0.7779)
_FULLY_FELT = 50.0


@dataclass(frozen=True)
class Known:
    """A law at known constants.

    Parameters
    ----------
    law, source
        Name of the law, and where its constants are from.
    published
        Whether they are those of a paper.
    at
        Its draws at precisions.
    offer
        Precisions on offer, 16 bits first; bit-widths in steps of one where the law reads bits.
    bits
        Whether the law reads bits, so that any bit-width can be asked about.
    what
        What is quantized.
    sizes
        Parameters and tokens of the question, and the smallest and largest tokens per parameter at ``small``.
    flops
        Budgets to ask about, FLOP at 16 bits.
    note
        What stands in for a constant that is not published.
    """

    law: str
    source: str
    published: bool
    at: Callable[[Sequence[OnOffer]], LawDraws]
    offer: tuple[OnOffer, ...]
    bits: bool
    what: str
    sizes: tuple[float, float]
    small: float
    ratios: tuple[float, float]
    flops: float
    note: str = ""

    def option(self, bits: float) -> OnOffer | None:
        """What is on offer at these bits; None where nothing is."""
        return next((option for option in self.offer if option.bits == bits), None)


def from_fit(evidence: Evidence, ratios: tuple[float, float]) -> Known:
    """A fitted law, asked about the largest logged run; draws thinned to a thousand."""
    fit = evidence.fit
    largest = fit.largest_run()
    n_params, tokens = float(largest["n_params"]), float(largest["tokens"])
    tensors = default_tensors((fit,))
    columns = [TENSORS[name] for name in tensors]
    reads_bits = not fit.law.training_columns & {"scheme", "scheme_backward"}
    if reads_bits:
        lowest = int(min(fit.rows.loc[fit.rows[columns].max(axis=1) < 16, columns].max(axis=1)))
        offer = tuple(in_bits(bits, columns) for bits in range(16, lowest - 1, -1))
    else:
        offer = _formats(fit)
    return Known(
        law=evidence.law,
        source=evidence.source,
        published=False,
        at=lambda options: thinned(law_draws(fit, options, None)),
        offer=offer,
        bits=reads_bits,
        what=" and ".join(tensors),
        sizes=(n_params, tokens),
        small=float(fit.rows["n_params"].min()),
        ratios=ratios,
        flops=6.0 * n_params * tokens,
    )


def _formats(fit: Fit) -> tuple[OnOffer, ...]:
    """What the runs were trained in, where a multiplication is in fewer than 16 bits."""
    question = precision_question((fit,), flops=1e20)
    return tuple(option for option in on_offer(question, (fit,)) if option.bits < 16 or option.format is None)


def in_bits(bits: float, columns: Sequence[str]) -> OnOffer:
    """Joint bits of some tensors, at a cost in proportion."""
    return OnOffer(float(bits), None, dict.fromkeys(columns, float(bits)), float(cost_in_bits(bits)))


def thinned(law: LawDraws) -> LawDraws:
    """At most a thousand draws, evenly spaced."""
    step = -(-law.samples // MOST_DRAWS)
    return replace(law, constants={name: value[::step] for name, value in law.constants.items()})


def published() -> list[Known]:
    """Laws at the constants of their papers; at two budgets where these matter."""
    columns = list(TENSORS.values())[:3]
    whole = tuple(in_bits(bits, columns) for bits in range(16, 2, -1))
    floats = tuple(floating(bits) for bits in range(16, 2, -1))
    four = (UNQUANTIZED, _named("W4A4", 4.0, bits_weights=4.0, bits_activations=4.0))
    base = "base constants of 2404.10102"
    frantar = {"W4A4": (4.0, 0.747), "W1A1": (1.0, 0.067)}
    frantar_offer = (UNQUANTIZED, *(_named(name, bits, eff_N=eff) for name, (bits, eff) in frantar.items()))
    quartet = {"MXFP4 (QuEST)": (0.64, 0.83), "MXFP4 (RTN)": (0.59, 0.93), "MXFP4 (SR)": (0.42, 0.88)}
    quartet_offer = (
        UNQUANTIZED,
        *(
            _named(name, 4.0, eff_N=of_n, eff_D=of_d, cost=4.25 / 16)
            for name, (of_n, of_d) in quartet.items()
        ),
    )
    found = [
        _paper("kumar2024", kumar(), whole, True, "weights, activations and KV cache"),
        _paper("frantar2025", chinchilla(), frantar_offer, False, "weights and activations", note=base),
        _paper(
            "quartet2025", chinchilla() | {"g": 1.0}, quartet_offer, False, "forward and backward",
            note=f"{base}, uncoupled",
        ),
    ]  # fmt: skip
    for flops in BUDGETS:
        found += [
            _paper("sun2025", sun(), floats, True, "all, floating point, blocks of 128", flops),
            _paper("chen2025", chen(), four, False, "weights and activations, groups of 128", flops, base),
        ]
    return found


def _paper(
    law: str,
    constants: Mapping[str, float],
    offer: tuple[OnOffer, ...],
    bits: bool,
    what: str,
    flops: float | None = None,
    note: str = "",
) -> Known:
    """A law whose answers depend on the budget where one is given."""
    source = (
        "published constants"
        if flops is None
        else f"published constants, {flops:.0e} FLOP".replace("e+", "e")
    )
    flops = BUDGETS[0] if flops is None else flops
    n_params = (flops / 120.0) ** 0.5
    return Known(
        law=law,
        source=source,
        published=True,
        at=lambda options: paper_draws(law, constants, options),
        offer=offer,
        bits=bits,
        what=what,
        sizes=(n_params, 20.0 * n_params),
        small=n_params,
        ratios=(20.0, 2000.0),
        flops=flops,
        note=note,
    )


def paper_draws(name: str, constants: Mapping[str, float], options: Sequence[OnOffer]) -> LawDraws:
    """One draw, at the constants of a paper; shares of a format are those of the option."""
    columns = {
        key: np.array([option.columns.get(key, default) for option in options])
        for key, default in _COLUMNS.items()
    }
    values = {key: np.full((1, 1), value) for key, value in constants.items()}
    for share in ("eff_N", "eff_D"):
        if any(share in option.columns for option in options):
            values[share] = np.array([[float(option.columns.get(share, 1.0)) for option in options]])
            flag = "is_quantized" if share == "eff_N" else "is_quantized_backward"
            columns[flag] = values[share][0] < 1.0
        elif name in ("frantar2025", "quartet2025"):
            values[share] = np.ones((1, 1))
    return LawDraws(load_law(name), REFERENCE, values, columns, np.array([option.cost for option in options]))


def _named(name: str, bits: float, cost: float | None = None, **columns: float) -> OnOffer:
    return OnOffer(bits, name, columns, float(cost_in_bits(bits)) if cost is None else cost)


def floating(bits: float) -> OnOffer:
    """Floating point of so many bits, split between exponent and mantissa as is best (arXiv 2501.02423)."""
    if bits >= 16:
        return UNQUANTIZED
    _, delta, nu = _SUN_GRID
    mantissa = nu * bits / (delta + nu) - 0.5
    columns = {"exponent_bits": bits - 1.0 - mantissa, "mantissa_bits": mantissa, "is_floating": True}
    return OnOffer(float(bits), None, columns, float(cost_in_bits(bits)))


def centred(raw: Mapping[str, float]) -> dict[str, float]:
    """Base constants in raw counts, centred at the reference."""
    return {
        "E": raw["E"],
        "alpha": raw["alpha"],
        "beta": raw["beta"],
        "a": raw["A"] * REFERENCE.n_params ** -raw["alpha"],
        "b": raw["B"] * REFERENCE.tokens ** -raw["beta"],
    }


def chinchilla() -> dict[str, float]:
    """The replication's Chinchilla."""
    return centred(CHINCHILLA)


def kumar() -> dict[str, float]:
    """Table 2 of arXiv 2411.04330, with the offsets of its footnote, and its post-training term."""
    factors = {f"gamma_{x}": gamma for x, (gamma, _) in _KUMAR_FACTORS.items()}
    floors = {f"P0_{x}": gamma * n for x, (gamma, n) in _KUMAR_FACTORS.items()}
    k = KUMAR_POST
    at_four = k["k"] * np.exp(-4.0 / k["gamma_post"] + k["offset"])
    return (
        centred(KUMAR)
        | factors
        | floors
        | _post(k, at_four)
        | {"gamma_post": k["gamma_post"], "C_w": _FULLY_FELT}
    )


def ouyang() -> dict[str, float]:
    """The post-training term of arXiv 2411.17691 on the replication's Chinchilla."""
    k = OUYANG_POST
    return chinchilla() | _post(k, k["k"] * 4.0 ** -k["gamma_P"]) | {"gamma_P": k["gamma_P"]}


def _post(raw: Mapping[str, float], at_four: float) -> dict[str, float]:
    growth = REFERENCE.tokens ** raw["gamma_D"] / REFERENCE.n_params ** raw["gamma_N"]
    return {"gamma_D": raw["gamma_D"], "gamma_N": raw["gamma_N"], "C": float(at_four * growth)}


def sun() -> dict[str, float]:
    """The constants of arXiv 2501.02423."""
    gamma, delta, nu = _SUN_GRID
    growth = REFERENCE.tokens ** _SUN["beta"] / REFERENCE.n_params ** _SUN["alpha"]
    k = float(np.log2(128.0)) * growth / (gamma * 2.5**delta * 1.5**nu)
    return centred(_SUN) | {"k_float": k, "delta_float": delta, "nu_float": nu}


def chen() -> dict[str, float]:
    """Penalties of arXiv 2505.14302 at 4 bits, W4A4 as one, in groups of 128; what c is does not matter there."""
    k, of_n, of_d, of_g = _CHEN_BOTH
    level = k * REFERENCE.tokens**of_d / REFERENCE.n_params**of_n * np.log2(128.0) ** of_g
    c = 1.0
    both = float(level / (1.0 - np.exp(-12.0 / c)))
    kinds = {"k_w": both, "k_a": 0.0, "k_kv": 0.0, "c_w": c, "c_a": c, "c_kv": c}
    return chinchilla() | kinds | {"gamma_D_train": of_d, "gamma_N_train": of_n, "gamma_G": of_g}
