"""How fast the law library fits: every law cold, many groups pooled, six laws compared."""

import itertools
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from bitlaw.laws.law import Law

QUEST = Path("../shared/data/quest_qat.csv")
_SIZES, _TOKENS, _SEEDS = np.geomspace(2e7, 1e9, 5), np.geomspace(5e8, 5e10, 5), (0, 1, 2, 3)
_BITS = ((16, 16), (8, 8), (4, 4), (4, 16), (3, 3))
_FORMATS = ("bf16", "fp8", "fp8-e5m2", "mxfp4", "nvfp4")
_PART = 475
_BASE = {"mean_loss": 2.8, "floor_share": 0.55, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.055, "g": 0.5}
_SPREADS = {"mean_loss": 0.1, "slope_n": 0.07, "slope_d": 0.07, "g": 0.07, "sigma": 0.3}


def library_table(law_name: str) -> pd.DataFrame:
    """500 simulated training runs that a law can explain, without post-training quantization."""
    from bitlaw.inference.draws import points_frame
    from bitlaw.inference.prior import prior_draws
    from bitlaw.inference.rows import reference_scales
    from bitlaw.inference.simulate import simulate_losses
    from bitlaw.laws.registry import load_law

    law = load_law(law_name)
    formats = law_name in ("sun2025", "frantar2025", "quartet2025")
    precisions = _FORMATS if formats else _BITS if law.training else ((16, 16),) * 5
    grid = list(itertools.product(_SIZES, _TOKENS, precisions, _SEEDS))
    n_params, tokens, precision, seeds = zip(*grid, strict=True)
    columns: dict[str, object] = {
        "run_id": [f"run{index}" for index in range(len(grid))],
        "n_params": n_params, "tokens": tokens, "seed": [float(seed) for seed in seeds],
        "vocab_size": 32_000.0, "group_size": 128.0,
    }  # fmt: skip
    if formats:
        columns |= {"format": precision}
        columns |= {"format_backward": precision} if law_name == "quartet2025" else {}
    else:
        columns |= {"bits_weights": [float(w) for w, _ in precision]}
        columns |= {"bits_activations": [float(a) for _, a in precision]}
    frame = points_frame(**columns)
    draws = prior_draws(law, reference_scales(frame), 2000, seed=0)
    constants = {name: np.float64(np.median(values)) for name, values in draws.items()}
    return simulate_losses(law, constants | _by_level(law, constants, frame), frame, seed=1)


def _by_level(law: "Law", constants: dict[str, np.float64], frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Constants that differ between formats, by run: as far apart as their priors expect."""
    from bitlaw.inference.levels import factor
    from bitlaw.inference.prior import deviate

    found, rng = {}, np.random.default_rng(2)
    for column, names in law.by.items():
        code = factor(frame, column).code
        for name in names if code.max() >= 0 else ():
            prior = law.prior(name)
            shifts = np.append(rng.normal(0.0, prior.by_sd or 0.0, code.max() + 1), 0.0)
            found[name] = deviate(prior, constants[name], shifts[code], np)
    return found


def pooled_table(groups: int = 20) -> pd.DataFrame:
    """Groups of 25 runs each, whose constants differ as the priors on spreads expect."""
    from bitlaw.inference.draws import points_frame
    from bitlaw.inference.rows import reference_scales
    from bitlaw.inference.simulate import simulate_losses
    from bitlaw.laws.registry import load_law

    law, rng = load_law("coupled"), np.random.default_rng(0)
    grid = np.array(list(itertools.product(_SIZES, _TOKENS)))
    common = _BASE | {"sigma": 0.004, "nu": 8.0, "sigma_cell": 0.003}
    frames, constants = [], []
    for group in range(groups):
        own = {
            name: value * np.exp(rng.normal(0.0, _SPREADS.get(name, 0.0))) for name, value in common.items()
        }
        constants.append({name: float(value) for name, value in law.complete(own, np).items()})
        ids = [f"{group}-{index}" for index in range(len(grid))]
        frames.append(
            points_frame(run_id=ids, n_params=grid[:, 0], tokens=grid[:, 1], corpus=f"corpus{group:02d}")
        )
    reference = reference_scales(pd.concat(frames))
    losses = [
        simulate_losses(law, own, frame, seed=index, reference=reference)
        for index, (frame, own) in enumerate(zip(frames, constants, strict=True))
    ]
    return pd.concat(losses, ignore_index=True)


def six_laws(folder: Path) -> list[str]:
    """Four laws of the library and two of the user's own, all able to explain the QuEST table."""
    from bitlaw.laws.registry import load_law

    own = {
        "formats-coupled": ("frantar2025", r'base = "chinchilla"', 'base = "coupled"'),
        "equal-exponents": (
            "bitlaw-default",
            r'base = "coupled"',
            'base = "coupled"\nequal_exponents = true',
        ),
    }
    paths = []
    for name, (source, old, new) in own.items():
        head = load_law(source).toml.split("[priors")[0]
        text = re.sub(r'name = ".*"', f'name = "{name}"', re.sub(old, new, head), count=1)
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return ["bitlaw-default", "kumar2024-coupled", "kumar2024", "frantar2025", *paths]


def library_runs() -> dict[str, object]:
    """Cold fits of every law that needs no post-training rows.

    PyTensor keeps the kernels it compiles. So each law is fitted twice from an empty folder of kernels:
    to part of its table, which is a law's first fit on a machine, and then to its table.
    """
    from bitlaw.laws.registry import law_names, load_law

    record: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in law_names():
            if load_law(name).base.is_observed:
                continue
            record[name] = _first_and_later(library_table(name), Path(folder) / name, "--law", name)
    return record


def pooled_runs() -> dict[str, object]:
    """Cold fits pooled over 20 groups, timed as those of ``library_runs``."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--law", "coupled", "--pool", "corpus")
        return {
            "coupled over 20 groups of 25": _first_and_later(
                pooled_table(), Path(folder) / "pooled", *options
            )
        }


def _first_and_later(table: pd.DataFrame, folder: Path, *options: str) -> dict[str, object]:
    """A law's first fit on a machine, which compiles its kernels, and one to another table after it."""
    from speed import cold_fit

    folder.mkdir()
    part, whole, kernels = folder / "part.csv", folder / "whole.csv", folder / "kernels"
    table.iloc[:_PART].to_csv(part, index=False)
    table.to_csv(whole, index=False)
    first = cold_fit(part, folder / "fit.nc", *options, kernels=kernels)
    later = cold_fit(whole, folder / "fit.nc", *options, kernels=kernels)
    return {"first_fit_on_a_machine_seconds": first["seconds"], **later}


def compare_runs() -> dict[str, object]:
    """Six laws compared on the 122 rows of the QuEST table, where it is present."""
    import bitlaw

    if not QUEST.is_file():
        return {"not_run": f"{QUEST} is absent"}
    with tempfile.TemporaryDirectory() as folder:
        laws = six_laws(Path(folder))
        start = time.perf_counter()
        comparison, _ = bitlaw.compare(QUEST, laws, out=Path(folder) / "out")
        seconds = time.perf_counter() - start
    return {
        "seconds": round(seconds, 1),
        "laws": [Path(law).stem for law in laws],
        "result": comparison.sentence(),
    }
