"""How far the posterior moves when the prior is made stronger or weaker. NumPy only.

Power-scaling (Kallioinen et al. 2023, arXiv 2107.14054): the prior raised to a power, by the weights
stored in the fit. The sensitivity is their measure: the cumulative Jensen-Shannon distance between the
draws with and without weights, per doubling of the power.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.criticism.constants import fitted_constants
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit

MOST_SENSITIVE = 0.05
"""Where the authors of the measure call a prior informative.

For a normal posterior: its mean moves by about a quarter of an SD per doubling of the power.
"""

_FEWEST_EFFECTIVE_WEIGHTS = 100.0


@dataclass(frozen=True)
class PriorScaling:
    """Weights that turn draws into those under a stronger or weaker prior (arXiv 2107.14054).

    Parameters
    ----------
    powers
        What the prior is raised to, shape (powers,).
    weights
        Shape (powers, samples); each row sums to 1.
    """

    powers: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class PriorPull:
    """How far one number follows the prior; None where too few draws carry the weight.

    Parameters
    ----------
    sensitivity
        As of a constant: distance per doubling of the prior's power.
    shift
        Mean under the highest power less that under the lowest, in posterior SDs.
    """

    sensitivity: float | None
    shift: float | None


def prior_scaling(fit: Fit) -> PriorScaling | None:
    """The prior's weights as a fit keeps them; None where it keeps none."""
    return PriorScaling(_powers(fit), _weights(fit, "prior")) if "weight" in fit.weights else None


def prior_pull(draws: np.ndarray, scaling: PriorScaling | None) -> PriorPull:
    """How far any number follows the prior.

    Parameters
    ----------
    draws
        Of the number, under the posterior, shape (samples,), in the order of the weights.
    scaling
        The weights; None without any.
    """
    if scaling is None or not effective_weights(scaling.weights) >= _FEWEST_EFFECTIVE_WEIGHTS:
        return PriorPull(None, None)
    spread = float(draws.std())
    if not spread > 0:
        return PriorPull(0.0, 0.0)
    lowest, highest = scaling.weights[np.argsort(scaling.powers)[[0, -1]]] @ draws
    found = sensitivity(draws, scaling.weights, scaling.powers)
    return PriorPull(found, float(highest - lowest) / spread)


def prior_sensitivity(fit: Fit) -> pd.DataFrame:
    """What a stronger and a weaker prior would do to every constant, sampled quantity and noise scale.

    Parameters
    ----------
    fit
        A fit with power-scaling weights.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``kind``, ``meaning``, ``unit``, ``median``, ``median_weaker`` and
        ``median_stronger`` (prior to the lowest and the highest power), ``shift`` (from weaker to
        stronger, in posterior SD), ``sensitivity`` (to the prior) and ``likelihood_sensitivity``;
        NaN where fewer than 100 draws carry the weight.
    """
    weights = {component: _weights(fit, component) for component in ("prior", "likelihood")}
    powers = _powers(fit)
    order = np.argsort(powers)
    rows = []
    for item in fitted_constants(fit):
        draws = fit.draws(item.name)
        weaker, stronger = (weighted_median(draws, weights["prior"][i]) for i in order[[0, -1]])
        spread = draws.std()
        rows.append(
            {
                "name": item.name,
                "kind": item.kind,
                "meaning": item.meaning,
                "unit": item.parameter.unit,
                "median": float(np.median(draws)),
                "median_weaker": weaker,
                "median_stronger": stronger,
                "shift": (stronger - weaker) / float(spread) if spread > 0 else 0.0,
                "sensitivity": sensitivity(draws, weights["prior"], powers),
                "likelihood_sensitivity": sensitivity(draws, weights["likelihood"], powers),
            }
        )
    return pd.DataFrame(rows)


def prior_sensitivity_findings(fit: Fit) -> tuple[Finding, ...]:
    """One finding ``prior.sensitivity``: a WARN that names what follows the prior."""
    code = "prior.sensitivity"
    effective = effective_weights(_weights(fit, "prior")) if "weight" in fit.weights else 0.0
    if not effective >= _FEWEST_EFFECTIVE_WEIGHTS:
        message = (
            f"The draws stand for a scaled prior with {effective:.0f} effective draws; at least "
            f"{_FEWEST_EFFECTIVE_WEIGHTS:.0f} are needed, so prior sensitivity was not checked."
        )
        advice = "Draw more samples, or fit again under another prior."
        return (Finding(code, Status.NOT_RUN, None, MOST_SENSITIVE, message, advice),)
    table = prior_sensitivity(fit)
    table = table[table["kind"] != "noise"].sort_values("sensitivity", ascending=False)
    value = float(table.iloc[0]["sensitivity"])
    moved = table[table["sensitivity"] >= MOST_SENSITIVE]
    if moved.empty:
        message = (
            f"Nothing in the law follows the prior: the largest sensitivity is {value:.3f} "
            f"({table.iloc[0]['name']}), below {MOST_SENSITIVE:g}."
        )
        return (Finding(code, Status.PASS, value, MOST_SENSITIVE, message),)
    lowest, highest = min(_powers(fit)), max(_powers(fit))
    named = ", ".join(
        f"{name} ({shift:+.2f} SD)" for name, shift in zip(moved["name"], moved["shift"], strict=True)
    )
    return (
        Finding(
            code,
            Status.WARN,
            value,
            MOST_SENSITIVE,
            f"{len(moved)} of {len(table)} quantities of the law follow the prior (sensitivity "
            f"{MOST_SENSITIVE:g} or more): medians as the prior's power goes from {lowest:g} to {highest:g}: "
            f"{named}.",
            "Check that you believe these priors (bitlaw laws NAME), or log runs that inform the constant.",
        ),
    )


def sensitivity(draws: np.ndarray, weights: np.ndarray, powers: np.ndarray) -> float:
    """Distance from the unweighted draws per doubling of the power, averaged over the powers.

    Parameters
    ----------
    draws
        Shape (samples,).
    weights
        Shape (powers, samples); each row sums to 1.
    powers
        Shape (powers,), none of them 1.

    Returns
    -------
    float
        0 where the weights change nothing; NaN where too few draws carry the weight.
    """
    if not effective_weights(weights) >= _FEWEST_EFFECTIVE_WEIGHTS:
        return float("nan")
    slopes = [
        max(cumulative_distance(draws, row), cumulative_distance(-draws, row)) / abs(np.log2(power))
        for row, power in zip(weights, powers, strict=True)
    ]
    return float(np.mean(slopes))


def cumulative_distance(draws: np.ndarray, weights: np.ndarray) -> float:
    """Cumulative Jensen-Shannon distance of weighted draws from the same draws without weights.

    0 where they agree; at most 1 (Nguyen and Vreeken 2015, normalised as in arXiv 2107.14054).
    """
    order = np.argsort(draws)
    width = np.diff(draws[order])
    plain = np.arange(1, len(draws)) / len(draws)
    weighted = np.cumsum(weights[order])[:-1] / weights.sum()
    area = width @ (plain + weighted)
    if not area > 0:
        return 0.0
    middle = (plain + weighted) / 2.0
    divergence = width @ (_times_log2_ratio(plain, middle) + _times_log2_ratio(weighted, middle))
    return float(np.sqrt(max(divergence, 0.0) / area))


def weighted_median(draws: np.ndarray, weights: np.ndarray) -> float:
    """The draw at which half of the weight is reached, interpolated.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    2.0
    """
    order = np.argsort(draws)
    share = weights[order]
    reached = (np.cumsum(share) - share / 2.0) / share.sum()
    return float(np.interp(0.5, reached, draws[order]))


def effective_weights(weights: np.ndarray) -> float:
    """Kish's effective number of draws, 1 / Σ w², of the worst row; NaN where a weight is not finite."""
    return float((weights.sum(axis=-1) ** 2 / (weights**2).sum(axis=-1)).min())


def _times_log2_ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above * np.log2(np.where(above > 0, above, 1.0) / np.where(above > 0, below, 1.0))


def _weights(fit: Fit, component: str) -> np.ndarray:
    return fit.weights["weight"].sel(component=component).transpose("power", "sample").to_numpy()


def _powers(fit: Fit) -> np.ndarray:
    return fit.weights["power"].to_numpy().astype(np.float64)
