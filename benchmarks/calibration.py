"""Simulation-based calibration: how often a 90 % interval contains the parameter that made the table.

Tables are simulated from one design with parameters drawn from the prior, fitted with one compiled
model, and each parameter's true value is looked up in its posterior. Over n tables a 90 % interval
should contain the truth in a binomial(n, 0.9) number of them.
"""

import argparse
import json
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.inference.compiled import CompiledLaw, compile_law, learn_coordinates, sample_law
from bitlaw.inference.draws import points_frame
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import arrange
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, load_law

PROB = 0.9


@dataclass(frozen=True)
class Calibration:
    """How often each parameter's interval contained the truth.

    Parameters
    ----------
    inside
        Count by parameter.
    ranks
        Rank of the truth among the draws, between 0 and 1, by parameter; uniform when calibrated.
    tables, divergences
        Number of tables, and of divergent transitions over all of them.
    """

    inside: dict[str, int]
    ranks: dict[str, list[float]]
    tables: int
    divergences: int


def design() -> pd.DataFrame:
    """30 training runs in six precisions, and their post-training quantized rows."""
    rows = []
    precisions = ((16, 16, 16), (3, 16, 16), (4, 16, 16), (16, 4, 16), (16, 16, 3), (4, 4, 4))
    for n_params, tokens in ((1e7, 4e8), (1e7, 1e10), (4e7, 2e9), (1.6e8, 4e8), (1.6e8, 1e10)):
        for weights, activations, kv in precisions:
            run = {
                "run_id": f"n{n_params:.0f}_d{tokens:.0f}_w{weights}_a{activations}_kv{kv}",
                "n_params": n_params, "tokens": tokens, "bits_weights": float(weights),
                "bits_activations": float(activations), "bits_kv": float(kv),
            }  # fmt: skip
            rows.append(run | {"bits_post": np.nan, "method_post": ""})
            after = [bits for bits in (2.0, 3.0, 4.0, 6.0) if bits < weights]
            rows += [run | {"bits_post": bits, "method_post": "rtn"} for bits in after]
    frame = points_frame(**pd.DataFrame(rows).to_dict(orient="list"))
    return frame.assign(loss=1.0, vocab_size=32_000.0)


def unquantized_design() -> pd.DataFrame:
    """30 unquantized training runs."""
    sizes, tokens = np.meshgrid(np.geomspace(1e7, 3e8, 5), np.geomspace(4e8, 2e10, 6))
    frame = points_frame(n_params=sizes.ravel(), tokens=tokens.ravel())
    frame["run_id"] = [f"run{index}" for index in range(len(frame))]
    return frame.assign(loss=1.0, vocab_size=32_000.0)


def is_valid(frame: pd.DataFrame) -> bool:
    """Whether a run table would be read: no run as trained is worse than guessing.

    The choice depends on the losses alone, so the posterior stays calibrated over what is kept.
    """
    trained = frame["bits_post"].isna()
    return bool((frame.loc[trained, "loss"] < np.log(frame.loc[trained, "vocab_size"])).all())


def refit(compiled: CompiledLaw, frame: pd.DataFrame, seed: int) -> xr.DataTree:
    """Sample a model compiled for the same design on new losses."""
    rows = arrange(compiled.law, frame)
    data = {"log_loss": np.log(rows.trained.loss)}
    if compiled.law.post is not None:
        data |= {"loss_trained": rows.paired.loss_trained, "gap": rows.paired.gap}
    settings = SamplerSettings(draws=500, tune=1000, seed=seed, target_accept=0.95)
    ready = learn_coordinates(replace(compiled, model=compiled.model.with_data(**data)), settings)
    return sample_law(ready, settings)


def calibrate(law: Law, tables: int, seed: int = 0) -> Calibration:
    """Fit simulated tables and count the intervals that contain the truth.

    Parameters
    ----------
    law
        The law to simulate from and to fit.
    tables
        Number of tables.
    seed
        Seed of parameters, noise and sampling.
    """
    frame = design() if law.training else unquantized_design()
    compiled = compile_law(law, frame)
    truth = prior_draws(law, compiled.reference, 20 * tables, seed)
    ranks: dict[str, list[float]] = {}
    divergences = 0
    valid = (
        (constants, simulated)
        for index in range(20 * tables)
        if is_valid(
            simulated := simulate_losses(
                law,
                constants := {name: float(values[index]) for name, values in truth.items()},
                frame,
                seed=seed + 1000 + index,
            )
        )
    )
    for index, (constants, simulated) in enumerate(islice(valid, tables)):
        sampled = refit(compiled, simulated, seed=index)
        posterior = sampled["posterior"].to_dataset()
        divergences += int(sampled["sample_stats"]["diverging"].sum())
        for name, value in constants.items():
            if name in posterior:
                draws = posterior[name].to_numpy().ravel()
                ranks.setdefault(name, []).append(float((draws < value).mean()))
    tail = (1 - PROB) / 2
    inside = {name: int(sum(tail <= rank <= 1 - tail for rank in values)) for name, values in ranks.items()}
    return Calibration(inside, ranks, tables, divergences)


def main() -> None:
    """Run from the command line: ``python benchmarks/calibration.py --tables 200``."""
    from machine import machine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--law", default=DEFAULT_LAW)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    found = calibrate(load_law(arguments.law), arguments.tables)
    record = {
        "command": f"python benchmarks/calibration.py --law {arguments.law} --tables {arguments.tables}",
        "machine": machine(),
        "interval": f"{PROB:.0%} ETI",
        "tables": found.tables,
        "divergences": found.divergences,
        "inside": found.inside,
    }
    path = arguments.out / f"calibration_{arguments.law}_{arguments.tables}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, count in sorted(found.inside.items(), key=lambda item: item[1]):
        print(f"{name:12s} {count:4d} of {found.tables}")


if __name__ == "__main__":
    main()
