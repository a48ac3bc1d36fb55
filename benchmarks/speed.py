"""How fast bitlaw fits and decides: effective draws per second, cold fits from CSV, imports, peak memory.

Run on an idle machine: ``make bench``. Results are written with the machine and the versions.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

SWEEP = files("bitlaw.data").joinpath("tiny_sweep.csv")
MEASURED = (
    "E", "alpha", "beta", "g", "gamma_w", "P0_w", "gamma_a", "P0_a", "gamma_kv", "P0_kv",
    "gamma_D", "gamma_N", "gamma_post", "C_w", "sigma", "nu", "kappa", "tau",
)  # fmt: skip
"""Quantities that the centred and the plain model share."""


def rows_480() -> pd.DataFrame:
    """A simulated table of 480 training runs in eight precisions, no post-training quantization."""
    from bitlaw.inference.draws import points_frame
    from bitlaw.inference.prior import prior_draws
    from bitlaw.inference.rows import reference_scales
    from bitlaw.inference.simulate import simulate_losses
    from bitlaw.laws.registry import load_law

    precisions = (
        (16, 16, 16), (3, 16, 16), (5, 16, 16), (16, 4, 16), (16, 6, 16), (16, 16, 3), (4, 4, 4), (6, 6, 6),
    )  # fmt: skip
    grid = [
        (n, d, *bits, seed)
        for n in np.geomspace(2e7, 1e9, 5)
        for d in np.geomspace(5e8, 5e10, 6)
        for bits in precisions
        for seed in (0, 1)
    ]
    n, d, weights, activations, kv, seed = (np.array(values, float) for values in zip(*grid, strict=True))
    frame = points_frame(
        run_id=[f"run{index}" for index in range(len(grid))], n_params=n, tokens=d, bits_weights=weights,
        bits_activations=activations, bits_kv=kv, seed=seed, vocab_size=32_000.0,
    )  # fmt: skip
    law = load_law("kumar2024-coupled")
    draws = prior_draws(law, reference_scales(frame), 2000, seed=0)
    constants = {name: float(np.median(values)) for name, values in draws.items()}
    return simulate_losses(law, constants, frame, seed=1)


def effective_draws(posterior: xr.Dataset, seconds: float, divergences: int) -> dict[str, float | str]:
    """The least bulk ESS among the shared quantities, and per second of sampling."""
    import arviz as az

    names = [name for name in MEASURED if name in posterior]
    ess = {name: float(az.ess(posterior[[name]], method="bulk")[name]) for name in names}
    worst = min(ess, key=lambda name: ess[name])
    return {
        "least_ess": round(ess[worst], 1),
        "worst": worst,
        "seconds": round(seconds, 2),
        "least_ess_per_second": round(ess[worst] / seconds, 2),
        "divergences": divergences,
    }


def sampling(frame: pd.DataFrame) -> dict[str, dict]:
    """Sampling by bitlaw against ``pm.sample()`` defaults, on the plain model and on our own."""
    import nutpie
    from plain_model import plain_model

    from bitlaw.inference.compiled import compile_law, learn_coordinates, sample_law, settings_for
    from bitlaw.inference.model import build_model
    from bitlaw.laws.registry import load_law

    law, found = load_law("kumar2024-coupled"), {}
    ready = compile_law(law, frame)
    rows, reference = ready.rows, ready.reference
    model = build_model(law, rows, reference, ready.uninformed)
    start = time.perf_counter()
    settings = settings_for(ready, 0)
    sampled = sample_law(learn_coordinates(ready, settings), settings)
    seconds = time.perf_counter() - start
    diverging = int(sampled["sample_stats"]["diverging"].sum())
    found["bitlaw"] = effective_draws(sampled["posterior"].to_dataset(), seconds, diverging)
    for name, other in (
        ("defaults_on_plain_model", plain_model(law, rows, reference)),
        ("defaults_on_our_model", model),
    ):
        # pm.sample() picks nutpie; compiling is left out of the time, as it is for bitlaw.
        compiled = nutpie.compile_pymc_model(other)
        start = time.perf_counter()
        sampled = nutpie.sample(
            compiled, draws=1000, tune=1000, chains=4, cores=2, seed=0, progress_bar=False
        )
        seconds = time.perf_counter() - start
        diverging = int(sampled["sample_stats"]["diverging"].sum())
        found[name] = effective_draws(sampled["posterior"].to_dataset(), seconds, diverging)
        ratio = found["bitlaw"]["least_ess_per_second"] / found[name]["least_ess_per_second"]
        found[name]["bitlaw_is_faster_by"] = round(ratio, 1)
    return found


def cold(command: list[str], kernels: Path | None = None) -> dict[str, float]:
    """Wall time and peak memory of a command in a process of its own.

    Parameters
    ----------
    command
        The command.
    kernels
        Folder that PyTensor keeps compiled kernels in; its usual one by default.
    """
    environment = os.environ | ({"PYTENSOR_FLAGS": f"base_compiledir={kernels}"} if kernels else {})
    start = time.perf_counter()
    done = subprocess.run(
        command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    if done.returncode not in (0, 1):  # 1: done, but the fit did not converge, which the record shows
        raise RuntimeError(f"exit {done.returncode}: {' '.join(command)}")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    return {"seconds": round(seconds, 2), "peak_gb_so_far": round(peak, 3)}


def cold_fit(runs: Path, fit: Path, *options: str, kernels: Path | None = None) -> dict[str, float | str]:
    """A fit without backtest in a process of its own, from CSV to saved fit, and how well it sampled."""
    from bitlaw.inference.fit_file import load_fit

    fit.unlink(missing_ok=True)
    bitlaw = str(Path(sys.executable).with_name("bitlaw"))
    measured = cold([bitlaw, "fit", str(runs), "--out", str(fit), "--no-backtest", *options], kernels)
    found = load_fit(fit)
    convergence = {item.code: item for item in found.findings if item.code.startswith("convergence.")}
    return {
        **measured,
        "rows": len(found.rows),
        "attempts": found.provenance.attempts,
        **{code.removeprefix("convergence."): str(item.value) for code, item in convergence.items()},
    }


def base_240(path: Path) -> Path:
    """A simulated table of 240 unquantized runs."""
    from bitlaw.inference.draws import points_frame
    from bitlaw.inference.simulate import simulate_losses
    from bitlaw.laws.registry import load_law

    rng = np.random.default_rng(0)
    frame = points_frame(n_params=10 ** rng.uniform(7.5, 10, 240), tokens=10 ** rng.uniform(9, 11, 240))
    frame["run_id"] = [f"run{index}" for index in range(240)]
    constants = {
        "E": 1.8, "a": 0.4, "b": 0.4, "alpha": 0.35, "beta": 0.37, "sigma": 0.004, "nu": 6.0,
    }  # fmt: skip
    frame = simulate_losses(load_law("chinchilla"), constants, frame, seed=0)
    frame[["run_id", "n_params", "tokens", "loss"]].to_csv(path, index=False)
    return path


def cold_runs() -> dict[str, object]:
    """Commands in processes of their own, from CSV to saved fit and from fit to decision."""
    record: dict[str, object] = {}
    bitlaw = [str(Path(sys.executable).with_name("bitlaw"))]
    with tempfile.TemporaryDirectory() as folder:
        imports = [cold([sys.executable, "-c", "import bitlaw"])["seconds"] for _ in range(5)]
        record["import_bitlaw_seconds"] = min(imports)
        table = base_240(Path(folder) / "base.csv")
        fit = str(Path(folder) / "fit.nc")
        for law, runs, name in (
            ("chinchilla", table, "cold_fit_chinchilla_240_rows"),
            ("coupled", table, "cold_fit_coupled_240_rows"),
            ("bitlaw-default", SWEEP, "cold_fit_sweep"),
        ):
            for suffix, options in (("", ["--no-backtest"]), ("_with_backtest", [])):
                Path(fit).unlink(missing_ok=True)
                command = [*bitlaw, "fit", str(runs), "--law", law, "--out", fit, *options]
                record[name + suffix] = cold(command)
                if not Path(fit).is_file():
                    raise RuntimeError(f"{name}: the fit that was timed wrote nothing")
        question = ["--n-params", "3e5", "--tokens", "8e6"]
        record["predict_from_fit_file"] = cold([*bitlaw, "predict", fit, *question])
        record["optimum_from_fit_file"] = cold([*bitlaw, "optimum", fit, "--flops", "1.6e13"])
        record["ptq_from_fit_file"] = cold([*bitlaw, "ptq", fit, *question, "--tolerance", "0.01"])
        record["plan_from_fit_file"] = cold([*bitlaw, "plan", fit, *question, "--budget", "1.6e12"])
    return record


def sampling_runs() -> dict[str, object]:
    """Effective draws per second on a simulated table and on the sweep."""
    from bitlaw.inference.usable import usable_rows
    from bitlaw.laws.registry import load_law
    from bitlaw.runs.read import read_runs

    sweep, _ = usable_rows(load_law("kumar2024-coupled"), read_runs(str(SWEEP)))
    return {"sampling_480_rows": sampling(rows_480()), "sampling_sweep": sampling(sweep.frame)}


def backtest_runs() -> dict[str, object]:
    """A backtest of eight folds over compute on 240 rows, in this process, after compilation."""
    from bitlaw.criticism.backtest import run_backtest
    from bitlaw.inference.executors import Serial
    from bitlaw.inference.recipe import recipe_of
    from bitlaw.workflow.preparing import prepare

    record: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        table = base_240(Path(folder) / "base.csv")
        for law in ("chinchilla", "coupled", "bitlaw-default"):
            prepared = prepare(table, law)
            recipe = recipe_of(prepared.law, prepared.table.frame, prepared.pool, seed=0)
            start = time.perf_counter()
            recipe.compiled()
            compiled = time.perf_counter()
            found = run_backtest(recipe, table.name, Serial(), cuts=8)
            record[law] = {
                "compile_seconds": round(compiled - start, 2),
                "seconds": round(time.perf_counter() - compiled, 2),
                "folds": len(found.folds),
                "converged": len(found.converged),
                "most_attempts": max(fold.attempts for fold in found.folds),
                "coverage": {f"{prob:g}": round(share, 3) for prob, share in found.coverage.items()},
            }
    return record


def parts() -> dict[str, Callable[[], dict[str, object]]]:
    """What can be measured."""
    from library import compare_runs, library_runs, pooled_runs
    from report_pages import report_runs
    from step_log import import_step_log

    from decisions import decision_runs

    return {
        "cold": cold_runs,
        "sampling": sampling_runs,
        "backtest": backtest_runs,
        "library": library_runs,
        "pooled": pooled_runs,
        "compare": compare_runs,
        "decisions": decision_runs,
        "report": report_runs,
        "import": import_step_log,
    }


def main() -> None:
    """Measure everything, or one part, and write or update ``speed.json``."""
    from machine import machine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--part", choices=list(parts()), help="measure this part only")
    arguments = parser.parse_args()
    path = arguments.out / "speed.json"
    chosen = [arguments.part] if arguments.part else list(parts())
    record = json.loads(path.read_text(encoding="utf-8")) if arguments.part and path.is_file() else {}
    for part in chosen:
        command = f"python benchmarks/speed.py --part {part}"
        record[part] = {"command": command, "machine": machine(), **parts()[part]()}
    text = json.dumps(record, indent=2, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
