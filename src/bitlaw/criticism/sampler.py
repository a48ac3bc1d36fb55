"""What the sampler says about itself: divergences, tree depth, energy."""

import numpy as np
import xarray as xr

from bitlaw.finding import Finding, Status

MOST_DIVERGENT = 0.001
"""Share of draws that may diverge with a WARN; beyond it the fit FAILs."""

MOST_AT_DEPTH = 0.01
"""Share of draws that may hit the maximum tree depth; beyond it a WARN, for it costs time, not truth."""

LOWEST_ENERGY = 0.3
"""E-BFMI below which a chain explores the energy too slowly (Betancourt, arXiv 1604.00695)."""


def divergence_finding(sample_stats: xr.Dataset) -> Finding:
    """No divergence passes, up to 0.1 % of the draws warns, more FAILs."""
    code = "convergence.divergences"
    if "diverging" not in sample_stats:
        return _missing(code, "diverging", MOST_DIVERGENT)
    diverging = sample_stats["diverging"].to_numpy().astype(bool)
    count, share = int(diverging.sum()), float(diverging.mean())
    if count == 0:
        message = f"None of {diverging.size} draws diverged."
        return Finding(code, Status.PASS, 0.0, MOST_DIVERGENT, message)
    status = Status.FAIL if share > MOST_DIVERGENT else Status.WARN
    return Finding(
        code,
        status,
        share,
        MOST_DIVERGENT,
        f"{count} of {diverging.size} draws diverged ({100 * share:.2g} %; up to {100 * MOST_DIVERGENT:g} % "
        "can be lived with).",
        "Raise target_accept; if divergences stay, the table cannot tell some of the constants apart.",
    )


def tree_depth_finding(sample_stats: xr.Dataset, max_depth: int = 10) -> Finding:
    """Share of draws whose tree hit the maximum depth; more than 1 % warns."""
    code = "convergence.tree_depth"
    reached = _reached_depth(sample_stats, max_depth)
    if reached is None:
        return _missing(code, "maxdepth_reached", MOST_AT_DEPTH)
    share = float(reached.mean())
    passed = share <= MOST_AT_DEPTH
    return Finding(
        code,
        Status.PASS if passed else Status.WARN,
        share,
        MOST_AT_DEPTH,
        f"{int(reached.sum())} of {reached.size} draws hit the maximum tree depth "
        f"({100 * share:.2g} %; up to {100 * MOST_AT_DEPTH:g} % is fine).",
        "" if passed else "The draws are valid but slow to gain: check the effective draws, and tune longer.",
    )


def energy_finding(sample_stats: xr.Dataset) -> Finding:
    """The smallest E-BFMI of a chain; below 0.3 warns."""
    code = "convergence.energy"
    if "energy" not in sample_stats:
        return _missing(code, "energy", LOWEST_ENERGY)
    import arviz as az

    # A chain whose energy never changes has no E-BFMI: not a number, which warns.
    with np.errstate(divide="ignore", invalid="ignore"):
        values = az.bfmi(sample_stats[["energy"]])["energy"].to_numpy()
    low = ~(values >= LOWEST_ENERGY)
    smallest = float(values.min())
    known = np.isfinite(smallest)
    return Finding(
        code,
        Status.WARN if low.any() else Status.PASS,
        smallest if known else None,
        LOWEST_ENERGY,
        f"The smallest E-BFMI of {len(values)} chains is {f'{smallest:.2f}' if known else 'not a number'}; "
        f"at least {LOWEST_ENERGY:g} is needed"
        + (f", and {int(low.sum())} fall short." if low.any() else "."),
        "Tails may be explored too slowly: tune longer, or look at the scales of effects near zero."
        if low.any()
        else "",
    )


def _reached_depth(sample_stats: xr.Dataset, max_depth: int) -> np.ndarray | None:
    """Whether each draw hit the maximum; nutpie and PyMC name the statistic differently."""
    for name in ("maxdepth_reached", "reached_max_treedepth"):
        if name in sample_stats:
            return sample_stats[name].to_numpy().astype(bool)
    for name in ("depth", "tree_depth"):
        if name in sample_stats:
            return sample_stats[name].to_numpy() >= max_depth
    return None


def _missing(code: str, statistic: str, threshold: float) -> Finding:
    return Finding(
        code,
        Status.NOT_RUN,
        None,
        threshold,
        f'The sampler reported no "{statistic}", so this was not checked.',
        "Use a sampler that reports it, such as nutpie.",
    )
