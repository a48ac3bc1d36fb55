"""Designs that several tests share: run tables without losses."""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.inference.draws import points_frame
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS
from fits import NOISE

SIZES = (1e7, 4e7, 1.6e8)
TOKENS = (4e8, 2e9, 1e10)
PRECISIONS = ((16, 16, 16), (3, 16, 16), (5, 16, 16), (16, 4, 16), (16, 16, 3), (4, 4, 4))
BITS_POST = (2.0, 3.0, 4.0, 6.0)
FORWARD_BITS = (
    {"bits_weights": 3.0}, {"bits_weights": 5.0}, {"bits_activations": 4.0}, {"bits_activations": 6.0},
    {"bits_kv": 3.0}, {"bits_kv": 5.0},
)  # fmt: skip


def base_design(sizes: tuple[float, ...] = SIZES, tokens: tuple[float, ...] = TOKENS) -> pd.DataFrame:
    """Unquantized runs on a grid of sizes and tokens."""
    grid = list(itertools.product(sizes, tokens))
    frame = points_frame(n_params=[n for n, _ in grid], tokens=[d for _, d in grid])
    frame["run_id"] = [f"n{n:.0f}_d{d:.0f}" for n, d in grid]
    return frame.assign(vocab_size=32_000.0, loss=np.nan)


def precision_design(seeds: tuple[int, ...] = (0, 1)) -> pd.DataFrame:
    """Runs in several training precisions, each quantized after training to fewer bits."""
    rows = []
    for n_params, tokens in ((1e7, 4e8), (1e7, 1e10), (4e7, 2e9), (1.6e8, 4e8), (1.6e8, 1e10)):
        for weights, activations, kv in PRECISIONS:
            for seed in seeds:
                run = {
                    "run_id": f"n{n_params:.0f}_d{tokens:.0f}_w{weights}_a{activations}_kv{kv}_s{seed}",
                    "n_params": n_params, "tokens": tokens, "bits_weights": float(weights),
                    "bits_activations": float(activations), "bits_kv": float(kv), "seed": float(seed),
                }  # fmt: skip
                rows.append(run | {"bits_post": np.nan, "method_post": ""})
                rows += [
                    run | {"bits_post": bits, "method_post": "rtn"} for bits in BITS_POST if bits < weights
                ]
    columns = pd.DataFrame(rows).to_dict(orient="list")
    return points_frame(**columns).assign(vocab_size=32_000.0, loss=np.nan)


def law_design(
    law: Law,
    sizes: tuple[float, ...] = (1e7, 4e7, 1.6e8),
    tokens: tuple[float, ...] = (4e8, 2e9, 1e10),
    methods: tuple[str, ...] = ("rtn", "gptq"),
) -> pd.DataFrame:
    """A table on which every term of a law has something to explain: each kind of run at each size and tokens.

    Losses are missing, but for those of a law that takes them as data.
    """
    rows = []
    for n_params, d in itertools.product(sizes, tokens):
        for number, kind in enumerate(_kinds_of_runs(law.training_columns)):
            run = {"run_id": f"n{n_params:.0f}_d{d:.0f}_{number}", "n_params": n_params, "tokens": d, **kind}
            rows.append(run)
            if law.post is not None and number == 0:
                rows += [
                    run | {"bits_post": bits, "method_post": method}
                    for bits, method in itertools.product(BITS_POST[1:], methods)
                ]
    names = dict.fromkeys(name for row in rows for name in row)
    defaults = dict.fromkeys(names, np.nan) | dict.fromkeys(("format", "format_backward", "method_post"), "")
    defaults |= dict.fromkeys(TRAINING_BITS, 16.0)
    frame = points_frame(**{name: [row.get(name, defaults[name]) for row in rows] for name in names})
    frame = frame.assign(vocab_size=32_000.0, loss=np.nan)
    if law.base.is_observed:
        frame.loc[frame["bits_post"].isna(), "loss"] = 2.5
    return frame


def _kinds_of_runs(reads: frozenset[str]) -> list[dict[str, Any]]:
    """Training precisions that tell the constants of the terms that read these columns apart."""
    kinds: list[dict[str, Any]] = [{}]
    if "bits_weights" in reads:
        bits = [*FORWARD_BITS, {"bits_weights": 4.0, "bits_activations": 4.0, "bits_kv": 4.0}]
        groups = (32.0, 1024.0) if "group_size" in reads else (128.0,)
        kinds += [kind | {"group_size": group} for kind in bits for group in groups]
    if "bits_gradients" in reads:
        kinds += [{"bits_gradients": bits} for bits in (4.0, 6.0, 8.0)]
    if "scheme" in reads:
        kinds += [{"format": name} for name in ("mxfp4", "nvfp4", "mxfp8")]
    if "scheme_backward" in reads:
        kinds += [{"format_backward": name} for name in ("mxfp4", "nvfp4", "mxfp8")]
    if "is_floating" in reads:
        splits = ("e2m1", "e3m1", "e2m2", "e3m2", "e4m1")
        kinds += [{"format": name, "group_size": group} for name in splits for group in (32.0, 512.0)]
    return kinds


def typical(law: Law, frame: pd.DataFrame) -> dict[str, float]:
    """The middle of the priors, with quiet noise."""
    draws = prior_draws(law, reference_scales(frame), 500, 0)
    middle = {name: float(np.median(values)) for name, values in draws.items()}
    return middle | {name: value for name, value in NOISE.items() if name in middle}


def simulated(law: Law, frame: pd.DataFrame) -> pd.DataFrame:
    """The design with losses of the law at typical constants, in two corpora and two families."""
    frame = simulate_losses(law, typical(law, frame), frame.reset_index(drop=True), seed=2)
    run = pd.factorize(frame["run_id"])[0]
    return frame.assign(corpus=np.where(run % 2, "web", "code"), family=np.where(run % 3, "a", "b"))
