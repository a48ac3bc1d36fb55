"""Simulation-based calibration: how often a 90 % interval contains the parameter that made the table.

Tables are simulated from one design with parameters drawn from the prior, fitted with one compiled
model, and each parameter's true value is looked up in its posterior. Over n tables a 90 % interval
should contain the truth in a binomial(n, 0.9) number of them. Tables are fitted by an executor: here, in
local processes, or on a Dask cluster whose workers have bitlaw.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from bitlaw.inference.compiled import CompiledLaw, compile_law, learn_coordinates, sample_law
from bitlaw.inference.draws import points_frame
from bitlaw.inference.executors import NAMES, Executor, Progress, Serial, executor_named
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, load_law
from bitlaw.laws.spec import parse_law

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


@dataclass(frozen=True)
class SimulatedTable:
    """A table whose parameters are known, as a task that any worker can run.

    Parameters
    ----------
    toml
        The law.
    frame
        Its rows.
    truth
        The parameters they were simulated with.
    seed
        Of sampling.
    cores
        Chains that run at a time; None for the default of sampling.
    """

    toml: str
    frame: pd.DataFrame
    truth: dict[str, float]
    seed: int
    cores: int | None


@dataclass(frozen=True)
class Ranked:
    """Where the truth of one table lies.

    Parameters
    ----------
    ranks
        Share of the draws below the truth, by parameter.
    divergences
        Number of divergent transitions.
    """

    ranks: dict[str, float]
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


def design_of(law: Law) -> pd.DataFrame:
    """The design that a law is calibrated on."""
    return design() if law.training else unquantized_design()


def is_valid(frame: pd.DataFrame) -> bool:
    """Whether a run table would be read: no run as trained is worse than guessing.

    The choice depends on the losses alone, so the posterior stays calibrated over what is kept.
    """
    trained = frame["bits_post"].isna()
    return bool((frame.loc[trained, "loss"] < np.log(frame.loc[trained, "vocab_size"])).all())


@lru_cache(maxsize=1)
def compiled_for_design(toml: str) -> CompiledLaw:
    """A law compiled for its design, at most once per process."""
    law = parse_law(toml, "the law to calibrate")
    return compile_law(law, design_of(law))


def rank(task: SimulatedTable) -> Ranked:
    """Fit one table, with the model compiled for its design, and look the truth up.

    Parameters
    ----------
    task
        The table.
    """
    compiled = compiled_for_design(task.toml)
    rows = arrange(compiled.law, task.frame)
    settings = SamplerSettings(draws=500, tune=1000, seed=task.seed, target_accept=0.95)
    if task.cores is not None:
        settings = replace(settings, cores=task.cores)
    ready = learn_coordinates(compiled.given(rows), settings)
    sampled = sample_law(ready, settings)
    posterior = sampled["posterior"].to_dataset()
    ranks = {
        name: float((posterior[name].to_numpy() < value).mean())
        for name, value in task.truth.items()
        if name in posterior
    }
    return Ranked(ranks, int(sampled["sample_stats"]["diverging"].sum()))


def simulated_tables(law: Law, tables: int, seed: int, cores: int | None = None) -> Iterator[SimulatedTable]:
    """Tables that could be read, with parameters drawn from the prior.

    Parameters
    ----------
    law, tables, seed
        As for ``calibrate``.
    cores
        Chains that run at a time when they are fitted.
    """
    frame = design_of(law)
    most = 20 * tables
    drawn = prior_draws(law, reference_scales(frame), most, seed)
    kept = 0
    for index in range(most):
        truth = {name: float(values[index]) for name, values in drawn.items()}
        simulated = simulate_losses(law, truth, frame, seed=seed + 1000 + index)
        if is_valid(simulated):
            yield SimulatedTable(law.toml, simulated, truth, kept, cores)
            kept += 1


def calibrate(
    law: Law, tables: int, seed: int = 0, executor: Executor | None = None, progress: Progress | None = None
) -> Calibration:
    """Fit simulated tables and count the intervals that contain the truth.

    Parameters
    ----------
    law
        The law to simulate from and to fit.
    tables
        Number of tables.
    seed
        Seed of parameters, noise and sampling.
    executor
        Where tables are fitted; here by default.
    progress
        Told how many are done.
    """
    executor = executor or Serial()
    cores = None if executor.is_local else 1
    tasks = list(islice(simulated_tables(law, tables, seed, cores), tables))
    found = dict(executor.run(rank, tasks, progress))
    in_order = [found[index] for index in range(len(tasks))]
    ranks: dict[str, list[float]] = {}
    for one in in_order:
        for name, value in one.ranks.items():
            ranks.setdefault(name, []).append(value)
    tail = (1 - PROB) / 2
    inside = {name: int(sum(tail <= value <= 1 - tail for value in values)) for name, values in ranks.items()}
    return Calibration(inside, ranks, len(tasks), sum(one.divergences for one in in_order))


def main() -> None:
    """Run from the command line: ``python benchmarks/calibration.py --tables 200``."""
    from machine import machine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--law", default=DEFAULT_LAW)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--executor", choices=NAMES, default="serial")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="Dask cluster, as tcp://host:8786")
    arguments = parser.parse_args()
    executor = executor_named(arguments.executor, arguments.scheduler)
    found = calibrate(load_law(arguments.law), arguments.tables, executor=executor)
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
