"""Small synthetic run tables and fits whose truth is known."""

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bitlaw.inference.draws import points_frame
from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit, Provenance
from bitlaw.inference.hull import convex_hull
from bitlaw.inference.prior import log_prior, prior_draws
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.law import Law
from bitlaw.laws.registry import load_law

TRUTH = {
    "mean_loss": 2.5, "floor_share": 0.5, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.07, "g": 0.6,
    "gamma_w": 2.0, "P0_w": 0.6, "gamma_a": 2.2, "P0_a": 0.8, "gamma_kv": 1.0, "P0_kv": 0.9,
    "C": 0.03, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.65, "C_w": 0.6,
    "k_w": 0.03, "c_w": 1.0, "k_a": 0.04, "c_a": 1.2, "k_kv": 0.01, "c_kv": 0.8,
    "gamma_D_train": 0.15, "gamma_N_train": 0.2, "gamma_G": 0.6, "gamma_P": 5.5,
    "eff_N": 0.8, "eff_D": 0.9, "k_float": 0.05, "delta_float": 3.0, "nu_float": 3.0,
    "sigma": 0.002, "nu": 8.0, "sigma_cell": 0.004, "kappa_train": 0.01,
    "kappa": 0.1, "tau": 0.2, "sigma_gap": 2e-4, "nu_gap": 8.0,
}  # fmt: skip
CHINCHILLA_TRUTH = TRUTH | {"E": 1.6, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37}


def training_design(sizes=(25e3, 55e3, 150e3, 332e3), tokens=(1e6, 2e6, 4e6, 8e6)) -> pd.DataFrame:
    """Every size with every length at 16 bits, and some in fewer bits, one kind or all."""
    bits = [
        (16, 16, 16),
        (4, 16, 16),
        (3, 16, 16),
        (16, 4, 16),
        (16, 3, 16),
        (16, 16, 3),
        (16, 16, 2),
        (3, 3, 3),
    ]
    runs = list(product(sizes, tokens, bits))
    return points_frame(
        run_id=[f"r{i}" for i in range(len(runs))],
        n_params=[run[0] for run in runs],
        tokens=[run[1] for run in runs],
        bits_weights=[float(run[2][0]) for run in runs],
        bits_activations=[float(run[2][1]) for run in runs],
        bits_kv=[float(run[2][2]) for run in runs],
        vocab_size=256.0,
    )


def with_post_rows(design: pd.DataFrame, bits=(2.0, 3.0, 4.0, 6.0)) -> pd.DataFrame:
    """The design and its PTQ rows below the training bits."""
    after = [
        design.assign(bits_post=value, method_post="rtn")[design["bits_weights"] > value] for value in bits
    ]
    return pd.concat([design, *after], ignore_index=True)


def design_for(law: Law) -> pd.DataFrame:
    """The design with what the terms of a law read; runs it has no term for are left out."""
    frame = training_design()
    quantized = frame[["bits_weights", "bits_activations", "bits_kv"]].lt(16).any(axis=1)
    which = np.arange(len(frame)) % 3
    if "is_floating" in law.training_columns:
        frame["format"] = np.where(quantized, np.array(["fp4", "fp8", "e5m2"])[which], "")
    if {"group_size", "block_size"} & law.training_columns:
        frame["group_size"] = np.where(which < 2, 32.0, 128.0)
    if "scheme_backward" in law.training_columns:
        frame["format_backward"] = np.array(["", "mxfp4", "mxfp8"])[which]
    if not law.training:
        frame = frame[~quantized][:60]
    return with_post_rows(frame) if law.post else frame


@pytest.fixture
def design() -> pd.DataFrame:
    return with_post_rows(training_design())


@pytest.fixture
def make_fit() -> Callable[..., Fit]:
    return _make_fit


def _make_fit(
    law: str | Law = "kumar2024-coupled",
    frame: pd.DataFrame | None = None,
    spread: float = 0.01,
    samples: int = 1000,
    changes: Mapping[str, float] | None = None,
    true_changes: Mapping[str, float] | None = None,
    from_prior: tuple[str, ...] = (),
) -> Fit:
    """A fit whose posterior lies at the truth (or at ``changes`` of it), of relative width ``spread``."""
    law = law if isinstance(law, Law) else load_law(law)
    truth = (CHINCHILLA_TRUTH if law.base.name == "chinchilla" else TRUTH) | dict(true_changes or {})
    if frame is None:
        frame = design_for(law)
    if law.base.is_observed:
        frame = frame.assign(loss=2.5)
    reference = reference_scales(frame)
    constants = law.complete(truth, np)
    frame = simulate_losses(law, {name: float(value) for name, value in constants.items()}, frame, seed=1)
    rng = np.random.default_rng(2)
    at = truth | dict(changes or {})
    prior = prior_draws(law, reference, samples, seed=3)
    sampled = {
        item.name: prior[item.name][rng.permutation(samples)]
        if item.name in from_prior
        else at[item.name] * np.exp(spread * rng.standard_normal(samples))
        for item in law.priors
    }
    posterior = law.complete(sampled, np)
    chains = 4
    prior_density = log_prior(law, reference, sampled)
    return Fit(
        law=law,
        reference=reference,
        posterior=xr.Dataset({k: (("chain", "draw"), v.reshape(chains, -1)) for k, v in posterior.items()}),
        prior=xr.Dataset({name: (("chain", "draw"), values[None, :]) for name, values in prior.items()}),
        drift=drift_draws(samples, 0, law.name),
        sample_stats=xr.Dataset(),
        rows=frame,
        excluded=frame.iloc[:0],
        runs=pd.DataFrame(),
        weights=scaling_weights(prior_density, rng.normal(size=samples)),
        pool=(),
        hull=convex_hull(np.log10(frame[["n_params", "tokens"]].to_numpy())),
        findings=(),
        provenance=Provenance("test", "", 0, 1, {}, {}),
    )


def scaling_weights(log_prior_density: np.ndarray, log_likelihood: np.ndarray) -> xr.Dataset:
    powers = [0.8, 1.25]
    rows = np.array(
        [
            [np.exp((power - 1) * (d - d.max())) for power in powers]
            for d in (log_prior_density, log_likelihood)
        ]
    )
    return xr.Dataset(
        {"weight": (("component", "power", "sample"), rows / rows.sum(axis=-1, keepdims=True))},
        {"component": ["prior", "likelihood"], "power": powers},
    )
