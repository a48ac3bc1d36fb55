"""Designs that several tests share: run tables without losses."""

import itertools

import numpy as np
import pandas as pd

from bitlaw.inference.draws import points_frame

SIZES = (1e7, 4e7, 1.6e8)
TOKENS = (4e8, 2e9, 1e10)
PRECISIONS = ((16, 16, 16), (3, 16, 16), (5, 16, 16), (16, 4, 16), (16, 16, 3), (4, 4, 4))
BITS_POST = (2.0, 3.0, 4.0, 6.0)


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
