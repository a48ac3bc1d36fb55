"""Whether the sampler found the posterior: R-hat, effective draws, and its own statistics.

The only findings that may FAIL. Limits follow Vehtari et al. 2021 (arXiv 1903.08008).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from bitlaw.criticism.sampler import divergence_finding, energy_finding, tree_depth_finding
from bitlaw.finding import Finding, Status

HIGHEST_RHAT = 1.01
FEWEST_EFFECTIVE_DRAWS = 400.0
_FEWEST_CHAINS = 2
_FEWEST_DRAWS = 4
_EFFECTS = ("run_effect", "cell_effect", "cell_level")
_ADVICE = (
    "Do not use this fit: sample longer with a higher target_accept, look for constants that the table "
    "cannot tell apart (design findings), or choose a law with fewer terms."
)


def convergence_findings(
    posterior: xr.Dataset, sample_stats: xr.Dataset, reported: xr.Dataset, max_depth: int = 10
) -> tuple[Finding, ...]:
    """What the draws say about the sampler.

    Parameters
    ----------
    posterior
        Draws, dimensions ``chain`` and ``draw`` and at most labels beyond. Effects of single runs
        and cells are latent and not looked at, nor is what never varies (a constant that is fixed).
        The statistics are of ranks, so an infinite draw counts like a large one; one that is not a
        number FAILs.
    sample_stats
        Sampler statistics, as nutpie or PyMC names them; one that is missing is NOT_RUN.
    reported
        Draws of the quantities that are reported, same dimensions; may be empty.
    max_depth
        Largest tree depth the sampler was allowed.

    Returns
    -------
    tuple of Finding
        ``convergence.rhat``, ``.ess_bulk``, ``.ess_tail``, ``.divergences``, ``.tree_depth`` and
        ``.energy``, in this order.
    """
    names, draws = _varying(posterior, reported)
    return (
        rhat_finding(names, draws),
        effective_draws_finding(names, draws, "bulk"),
        effective_draws_finding(names, draws, "tail"),
        divergence_finding(sample_stats),
        tree_depth_finding(sample_stats, max_depth),
        energy_finding(sample_stats),
    )


def rhat_finding(names: list[str], draws: np.ndarray) -> Finding:
    """The largest R-hat of quantities with draws of shape (chains, draws, quantities)."""
    code = "convergence.rhat"
    problem = _too_few(draws, _FEWEST_CHAINS)
    if problem:
        return Finding(
            code, Status.NOT_RUN, None, HIGHEST_RHAT, f"R-hat: {problem}.", "Sample at least 4 chains."
        )
    import arviz as az

    # Chains that never move have no variance within; their R-hat is infinite, which is what FAILs.
    with np.errstate(divide="ignore", invalid="ignore"):
        values = az.rhat(_labelled(draws)).to_numpy()
    worst = _worst(values, largest=True)
    passed = bool(values[worst] <= HIGHEST_RHAT)
    bad = int((~(values <= HIGHEST_RHAT)).sum())
    return Finding(
        code,
        Status.PASS if passed else Status.FAIL,
        _plain(values[worst]),
        HIGHEST_RHAT,
        f"The largest R-hat of {len(names)} quantities is {_shown(values[worst], '.3f')} ({names[worst]}); "
        + (f"at most {HIGHEST_RHAT} is needed." if passed else f"{bad} exceed {HIGHEST_RHAT}."),
        "" if passed else _ADVICE,
    )


def effective_draws_finding(names: list[str], draws: np.ndarray, part: str) -> Finding:
    """The smallest effective sample size, of the ``bulk`` or the ``tail`` of the draws."""
    code = f"convergence.ess_{part}"
    problem = _too_few(draws, 1)
    if problem:
        message = f"Effective draws ({part}): {problem}."
        return Finding(
            code, Status.NOT_RUN, None, FEWEST_EFFECTIVE_DRAWS, message, "Sample at least 4 chains."
        )
    import arviz as az

    with np.errstate(divide="ignore", invalid="ignore"):
        values = az.ess(_labelled(draws), method=part).to_numpy()
    worst = _worst(values, largest=False)
    passed = bool(values[worst] >= FEWEST_EFFECTIVE_DRAWS)
    bad = int((~(values >= FEWEST_EFFECTIVE_DRAWS)).sum())
    limit = f"{FEWEST_EFFECTIVE_DRAWS:.0f}"
    return Finding(
        code,
        Status.PASS if passed else Status.FAIL,
        _plain(values[worst]),
        FEWEST_EFFECTIVE_DRAWS,
        f"The fewest effective draws ({part}) of {len(names)} quantities are {_shown(values[worst], '.0f')} "
        f"({names[worst]}); "
        + (f"at least {limit} are needed." if passed else f"{bad} fall short of {limit}."),
        "" if passed else _ADVICE,
    )


def _varying(*datasets: xr.Dataset) -> tuple[list[str], np.ndarray]:
    """Scalar quantities by label that are not exactly constant, stacked along the last axis."""
    labelled = [pair for dataset in datasets for pair in _scalars(dataset)]
    varying = [(name, values) for name, values in labelled if (values != values.flat[0]).any()]
    if not varying:
        return [], np.empty((0, 0, 0))
    return [name for name, _ in varying], np.stack([values for _, values in varying], axis=-1)


def _scalars(dataset: xr.Dataset) -> Iterator[tuple[str, np.ndarray]]:
    for name, variable in dataset.data_vars.items():
        if str(name) in _EFFECTS:
            continue
        others = [dimension for dimension in variable.dims if dimension not in ("chain", "draw")]
        arranged = variable.transpose("chain", "draw", *others)
        values = arranged.to_numpy().astype(np.float64)
        labels = [arranged[dimension].to_numpy() for dimension in others]
        for index in np.ndindex(values.shape[2:]):
            where = ", ".join(str(label[i]) for label, i in zip(labels, index, strict=True))
            yield (f"{name}[{where}]" if where else str(name)), values[(slice(None), slice(None), *index)]


def _labelled(draws: np.ndarray) -> xr.DataArray:
    return xr.DataArray(draws, dims=("chain", "draw", "quantity"))


def _too_few(draws: np.ndarray, chains: int) -> str:
    if not draws.size:
        return "there are no draws of a quantity that varies"
    if draws.shape[0] < chains:
        return f"there is {draws.shape[0]} chain, and {chains} are needed"
    return f"there are only {draws.shape[1]} draws per chain" if draws.shape[1] < _FEWEST_DRAWS else ""


def _worst(values: np.ndarray, largest: bool) -> int:
    """Index of the worst value; one that is not a number is worse than any number."""
    badness = np.where(np.isnan(values), np.inf, values if largest else -values)
    return int(badness.argmax())


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _shown(value: float, form: str) -> str:
    return "not a number" if np.isnan(value) else format(value, form if value < 1e6 else ".1e")
