"""How fast decisions are: each over 4,000 draws, in this process, after a first call that warms up imports."""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from bitlaw.inference.fit import Fit

DRAWS = 4000
TEN_BITS = (16.0, 12.0, 10.0, 8.0, 7.0, 6.0, 5.0, 4.5, 4.0, 3.5)
_ADDITIVE = {
    "mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5,
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.005, "c_kv": 1.1,
    "gamma_D_train": 0.1, "gamma_N_train": 0.2,
}  # fmt: skip
_MEASURED = {"b200": {"bf16": 900.0, "fp8-e4m3": 1260.0, "nvfp4": 1620.0}}


def fits() -> "dict[str, Fit]":
    """Fits whose posterior is spread around known constants, with drift, of a law of shares and one of penalties."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from fits import collapsed_fit, kumar_constants

    after = {name: kumar_constants()[name] for name in ("C", "gamma_D", "gamma_N", "gamma_post", "C_w")}
    spread = {"samples": DRAWS, "jitter": 0.05, "drift": True, "vocab_size": 50_000.0}
    return {
        "kumar2024": collapsed_fit("kumar2024", kumar_constants(), **spread),
        "bitlaw-default": collapsed_fit("bitlaw-default", _ADDITIVE | after, **spread),
    }


def decisions() -> "dict[str, Callable[[Fit], object]]":
    """What is timed, by name: each takes a fit."""
    from bitlaw.decisions.budget import budget
    from bitlaw.decisions.optimum import optimum
    from bitlaw.decisions.plan import plan

    five_hundred = {"candidates": _candidates(), "budget": 1e21}
    return {
        "optimum_free_sizes_10_bits": lambda fit: optimum(fit, flops=1e21, bits=TEN_BITS),
        "optimum_fixed_parameters_10_bits": lambda fit: optimum(fit, n_params=1e9, flops=1e21, bits=TEN_BITS),
        "optimum_fixed_sizes_10_bits": lambda fit: optimum(fit, n_params=1e9, tokens=1e11, bits=TEN_BITS),
        "optimum_on_b200_measured": lambda fit: optimum(fit, flops=1e21, hardware="b200", speeds=_MEASURED),
        "budget_10_bits": lambda fit: budget(fit, flops=1e21, bits=TEN_BITS),
        "budget_10_bits_served": lambda fit: budget(fit, flops=1e21, bits=TEN_BITS, lifetime_tokens=1e12),
        "budget_10_bits_target": lambda fit: budget(fit, flops=1e21, bits=TEN_BITS, prefer="target:2.5"),
        "plan_for_loss_500_candidates": lambda fit: plan(fit, n_params=1e10, tokens=1e12, **five_hundred),
        "plan_for_optimum_500_candidates": lambda fit: plan(fit, "optimum", flops=1e22, **five_hundred),
        "plan_for_ptq_500_candidates": lambda fit: plan(
            fit, "ptq", n_params=1e10, tokens=1e12, **five_hundred
        ),
    }


def _candidates() -> "pd.DataFrame":
    """500 runs of 25 sizes, 5 lengths and 4 precisions, each quantized to 4 bits after training, too."""
    from itertools import product

    import numpy as np

    from bitlaw.inference.draws import points_frame

    every = [
        (n_params, tokens, bits, after)
        for n_params, tokens, bits in product(
            np.geomspace(1e7, 1e9, 25), np.geomspace(1e9, 1e11, 5), (16, 8, 6, 5)
        )
        for after in (float("nan"), 4.0)
    ]
    n_params, tokens, bits, after = (list(column) for column in zip(*every, strict=True))
    return points_frame(
        run_id=[f"run {number // 2}" for number in range(len(every))],
        n_params=n_params,
        tokens=tokens,
        bits_weights=bits,
        bits_post=after,
        method_post=["" if value != value else "gptq" for value in after],
    )


def decision_runs() -> dict[str, object]:
    """Wall time, processor time and peak memory of every decision under every law."""
    record: dict[str, object] = {"draws": DRAWS}
    for law, fit in fits().items():
        for name, decide in decisions().items():
            decide(fit)
            wall, processor = time.perf_counter(), time.process_time()
            decide(fit)
            record[f"{name}, {law}"] = {
                "seconds": round(time.perf_counter() - wall, 2),
                "processor_seconds": round(time.process_time() - processor, 2),
                "peak_gb_so_far": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
            }
    return record
