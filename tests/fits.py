"""Fits without sampling: posteriors collapsed to known constants, for tests of every room above inference."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.columns import law_columns
from bitlaw.inference.draws import points_frame
from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit, Provenance
from bitlaw.inference.levels import factor, varying
from bitlaw.inference.likelihood import degradation
from bitlaw.inference.parameters import shift_name
from bitlaw.inference.prior import natural, prior_draws
from bitlaw.laws.evaluate import log_post_degradation, train
from bitlaw.laws.law import Law, Reference
from bitlaw.laws.post import REFERENCE_BITS
from bitlaw.laws.registry import load_law

REFERENCE = Reference(
    n_params=1e8,
    tokens=1e10,
    smallest_bits=dict.fromkeys(("bits_weights", "bits_activations", "bits_kv", "bits_gradients"), 4.0),
)
ONE_GROUP: Mapping[str, Mapping[str, float]] = MappingProxyType({"": {}})
NOISE = {
    "sigma": 0.005, "nu": 8.0, "sigma_cell": 0.003, "kappa_train": 0.02,
    "kappa": 0.2, "tau": 0.3, "sigma_gap": 0.0005, "nu_gap": 8.0,
}  # fmt: skip

KUMAR = {
    "A": 4299.0, "B": 18060.0, "E": 2.7648, "alpha": 0.4965, "beta": 0.4965,
    "gamma_w": 2.6745, "n_w": 0.3037, "gamma_a": 2.2102, "n_a": 1.4072, "gamma_kv": 0.9578, "n_kv": 2.4185,
    "C_T": 0.0598, "gamma_D": 0.5068, "gamma_N": 0.3439, "gamma_post": 0.5907, "offset_post": 1.1277,
}  # fmt: skip
"""Table 2 and the post-training constants of arXiv 2411.04330, in raw counts."""

SUN = {
    "n": 69.2343, "alpha": 0.2368, "d": 68973.0621, "beta": 0.5162, "floor": 1.9061,
    "gamma": 11334.5197, "delta": 3.1926, "nu": 2.9543,
}  # fmt: skip
"""Constants of arXiv 2501.02423, in raw counts."""

OBSERVED_LOSS = 2.5
"""Loss as trained of every run, for a law that takes it as data."""

FULLY_FELT = 50.0
"""C_w at which the gap to the training bits no longer matters; the paper publishes none."""


def kumar_constants(reference: Reference = REFERENCE, offsets: bool = True) -> dict[str, float]:
    """The published constants of arXiv 2411.04330 in centred form, for the law ``kumar2024``.

    ``offsets=False`` leaves out the offsets n of its footnote: the trap that gives 3.47 bits.
    """
    k = KUMAR
    log_c = (
        math.log(k["C_T"])
        + k["gamma_D"] * math.log(reference.tokens)
        - k["gamma_N"] * math.log(reference.n_params)
        - REFERENCE_BITS / k["gamma_post"]
        + k["offset_post"]
    )
    floors = {f"P0_{x}": k[f"gamma_{x}"] * k[f"n_{x}"] if offsets else 1e-9 for x in ("w", "a", "kv")}
    same = ("E", "alpha", "beta", "gamma_w", "gamma_a", "gamma_kv", "gamma_D", "gamma_N", "gamma_post")
    return (
        {name: k[name] for name in same}
        | floors
        | {
            "a": k["A"] * reference.n_params ** -k["alpha"],
            "b": k["B"] * reference.tokens ** -k["beta"],
            "C": math.exp(log_c),
            "C_w": FULLY_FELT,
        }
    )


def sun_constants(reference: Reference = REFERENCE) -> dict[str, float]:
    """The published constants of arXiv 2501.02423 in centred form, for the law ``sun2025``.

    k_float is the penalty of E2M1 in blocks of 128 at the centre.
    """
    s = SUN
    grid = s["gamma"] * 2.5 ** s["delta"] * 1.5 ** s["nu"]
    growth = reference.tokens ** s["beta"] / reference.n_params ** s["alpha"]
    return {
        "E": s["floor"],
        "a": s["n"] * reference.n_params ** -s["alpha"],
        "b": s["d"] * reference.tokens ** -s["beta"],
        "alpha": s["alpha"],
        "beta": s["beta"],
        "k_float": math.log2(128) * growth / grid,
        "delta_float": s["delta"],
        "nu_float": s["nu"],
    }


def zero_shifts(law: Law, column: str, levels: Sequence[str], shape: tuple[int, ...]) -> dict[str, Any]:
    """Posterior variables of levels that do not differ, by chains and draws, for ``Dataset.assign``."""
    none = np.zeros((*shape, len(levels)))
    names = varying(law, (column,), {column: levels})
    return {shift_name(name, column): (("chain", "draw", column), none) for name in names}


def collapsed_fit(
    law_name: str,
    constants: Mapping[str, float],
    reference: Reference = REFERENCE,
    samples: int = 64,
    rows: pd.DataFrame | None = None,
    vocab_size: float | None = None,
    jitter: float = 0.0,
    *,
    pool: str | None = None,
    groups: Mapping[str, Mapping[str, float]] | None = None,
    drift: bool = False,
) -> Fit:
    """A Fit whose posterior is collapsed to given constants, made without sampling.

    Parameters
    ----------
    law_name
        A law of the library.
    constants
        The law's constants (E, a, b, …), or the quantities it samples, from which the constants
        follow. Noise scales are optional, with the defaults in ``NOISE``.
    reference
        Scales of the fit.
    samples
        Draws in all, in two chains.
    rows
        Rows used; by default a small grid around the reference whose losses are the law's own.
    vocab_size
        Vocabulary of the default rows; None = unknown, so that no bound applies.
    jitter
        Standard deviation of the logarithm of every constant; 0 = all draws alike.
    pool, groups
        Column pooled over, and per group the sampled quantities that differ from the common ones.
    drift
        Draw the structural error beyond the data; by default it is collapsed to none, so that the answers
        are the law's own wherever they are.
    """
    law = load_law(law_name)
    values = _complete(law, constants)
    rng = np.random.default_rng(0)
    draws = {name: _spread(value, samples, jitter, rng) for name, value in values.items()}
    posterior = {name: (("chain", "draw"), value.reshape(2, -1)) for name, value in draws.items()}
    coords: dict[str, object] = {"chain": [0, 1], "draw": np.arange(samples // 2)}
    if groups and pool:
        coords[pool] = list(groups)
        for prior in law.priors:
            if prior.groups == "shared":
                continue
            common = natural(prior, values[prior.name], np)
            own = [
                natural(prior, group.get(prior.name, values[prior.name]), np) - common
                for group in groups.values()
            ]
            shifts = np.broadcast_to(own, (2, samples // 2, len(groups)))
            posterior[shift_name(prior.name, pool)] = (("chain", "draw", pool), shifts)
    if rows is None:
        rows = design(law, values, reference, vocab_size, pool, groups or ONE_GROUP)
    for column in law.by:
        levels = factor(rows, column).names
        if len(levels) > 1:
            posterior |= zero_shifts(law, column, levels, (2, samples // 2))
            coords[column] = list(levels)
    run_ids = rows["run_id"].unique()
    prior = prior_draws(law, reference, samples, seed=0)
    return Fit(
        law=law,
        reference=reference,
        posterior=xr.Dataset(posterior, coords),
        prior=xr.Dataset({name: (("chain", "draw"), value[None]) for name, value in prior.items()}),
        drift=drift_draws(samples, 0, law_name) if drift else _no_drift(samples),
        sample_stats=xr.Dataset(
            {"diverging": (("chain", "draw"), np.zeros((2, samples // 2), bool))},
            {"chain": [0, 1], "draw": np.arange(samples // 2)},
        ),
        rows=rows,
        excluded=rows.iloc[:0].assign(reason=pd.Series(dtype=object)),
        runs=pd.DataFrame({"run_id": run_ids, "elpd": 0.0, "pareto_k": 0.1}),
        weights=xr.Dataset(
            {"weight": (("component", "power", "sample"), np.full((2, 2, samples), 1.0 / samples))},
            {"component": ["prior", "likelihood"], "power": [0.8, 1.25]},
        ),
        pool=(pool,) if pool else (),
        hull=_corners(rows),
        findings=(),
        provenance=Provenance("collapsed", "none", 0, 1, {}, {}),
    )


def measured_everywhere(fit: Fit) -> Fit:
    """The same fit with rows at all sizes and bits, so that nothing asked of it is refused."""
    rows = fit.rows
    low = {name: 1.0 for name in ("bits_weights", "bits_activations", "bits_kv", "bits_gradients")}
    corners = [
        rows.iloc[[0]].assign(run_id=f"corner {n:g} {d:g} {b}", n_params=n, tokens=d, **(low if b else {}))
        for n in (1e3, 1e15)
        for d in (1e3, 1e20)
        for b in (0, 1)
    ]
    every = pd.concat([rows, *corners], ignore_index=True)
    return replace(fit, rows=every, hull=_corners(every))


def design(
    law: Law,
    values: Mapping[str, float],
    reference: Reference = REFERENCE,
    vocab_size: float | None = None,
    pool: str | None = None,
    groups: Mapping[str, Mapping[str, float]] = ONE_GROUP,
) -> pd.DataFrame:
    """A grid of runs around the reference with exactly the law's losses.

    Three sizes by three token counts, each a factor of 4 apart; laws with a capacity also at 8, 6
    and 4 bits; laws with a post-training term also quantized to 6, 4 and 3 bits by ``gptq``.
    """
    training_bits = (16.0, 8.0, 6.0, 4.0) if law.training else (16.0,)
    post_bits = (np.nan, 6.0, 4.0, 3.0) if law.post else (np.nan,)
    runs = []
    for group in groups:
        for n_factor in (0.25, 1.0, 4.0):
            for d_factor in (0.25, 1.0, 4.0):
                for bits in training_bits:
                    for post in post_bits:
                        if np.isnan(post) or post < bits:
                            runs.append((group, n_factor, d_factor, bits, post))
    group, n_factor, d_factor, bits, post = zip(*runs, strict=True)
    frame = points_frame(
        run_id=[f"{g}n{n}-d{d}-{b:g}b" for g, n, d, b, _ in runs],
        n_params=reference.n_params * np.array(n_factor),
        tokens=reference.tokens * np.array(d_factor),
        bits_weights=bits,
        bits_activations=bits,
        bits_kv=bits,
        bits_post=post,
        method_post=["" if np.isnan(p) else "gptq" for p in post],
        vocab_size=np.nan if vocab_size is None else float(vocab_size),
        **({pool: group} if pool else {}),
    )
    by_row = {name: np.array([groups[g].get(name, value) for g in group]) for name, value in values.items()}
    frame["loss"] = _losses(law, by_row, reference, frame)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _losses(law: Law, p: Mapping[str, np.ndarray], reference: Reference, frame: pd.DataFrame) -> np.ndarray:
    columns = law_columns(frame) | {"loss_trained": np.full(len(frame), OBSERVED_LOSS)}
    if all(prior.name in p for prior in law.priors):
        p = law.complete(p, np)
    run = train(law, p, columns, reference, np)
    loss = np.array(run.loss)
    after = frame["bits_post"].notna().to_numpy()
    if after.any():
        quantized = {name: value[after] for name, value in columns.items()}
        own = {name: value[after] for name, value in p.items()}
        log_delta = log_post_degradation(law, own, quantized, run.log_n[after], reference, np)
        loss[after] += degradation(log_delta, loss[after], quantized["ceiling"], np)
    return loss


def _complete(law: Law, constants: Mapping[str, float]) -> dict[str, float]:
    values = dict(NOISE) | dict(constants)
    if all(parameter.name in values for parameter in law.base.sampled):
        values |= {name: float(value) for name, value in law.complete(values, np).items()}
    needed = [parameter.name for parameter in law.parameters]
    missing = sorted(set(needed) - set(values))
    if missing:
        raise ValueError(f"law {law.name} also needs {', '.join(missing)}")
    known = {parameter.name for parameter in (*law.sampled, *law.parameters)}
    return {name: value for name, value in values.items() if name in known}


def _spread(value: float, samples: int, jitter: float, rng: np.random.Generator) -> np.ndarray:
    return value * np.exp(jitter * rng.standard_normal(samples))


def _no_drift(samples: int) -> xr.Dataset:
    drawn = drift_draws(samples, 0, "")
    return drawn.assign(omega=0.0 * drawn["omega"], omega_penalty=0.0 * drawn["omega_penalty"])


def _corners(rows: pd.DataFrame) -> np.ndarray:
    log_n, log_d = np.log10(rows["n_params"]), np.log10(rows["tokens"])
    return np.array([[n, d] for n in (log_n.min(), log_n.max()) for d in (log_d.min(), log_d.max())])
