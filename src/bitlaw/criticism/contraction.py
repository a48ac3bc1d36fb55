"""How much the data narrowed each constant: posterior against prior. NumPy only."""

import numpy as np
import pandas as pd

from bitlaw.criticism.constants import fitted_constants, on_natural_scale
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit

LEAST_CONTRACTION = 0.3
"""Contraction below which the prior decides: the posterior's SD is more than 84 % of the prior's."""

_PROB = 0.9


def contraction_table(fit: Fit) -> pd.DataFrame:
    """Prior and posterior of every constant, sampled quantity and noise scale.

    Parameters
    ----------
    fit
        The fit.

    Returns
    -------
    pandas.DataFrame
        ``name``, ``kind`` (constant, sampled or noise), ``meaning``, ``unit``; ``prior_median``,
        ``prior_lo``, ``prior_hi``, ``posterior_median``, ``posterior_lo``, ``posterior_hi``
        (90 % ETI); and ``contraction``, 1 - variance of the posterior / variance of the prior on
        the log (positive), logit (floors) or plain scale: 1 where the data decide, 0 where the
        prior does, negative where the posterior is the wider. What was not sampled, such as
        ``sigma_cell`` without cells, what is fixed (E = 0) and what is tied to another has no row.
    """
    rows = []
    for item in fitted_constants(fit):
        prior, posterior = fit.draws(item.name, prior=True), fit.draws(item.name)
        spread = [np.var(on_natural_scale(fit, item.parameter, draws)) for draws in (posterior, prior)]
        rows.append(
            {
                "name": item.name,
                "kind": item.kind,
                "meaning": item.meaning,
                "unit": item.parameter.unit,
                **_summary("prior", prior),
                **_summary("posterior", posterior),
                "contraction": 1.0 - float(spread[0] / spread[1]),
            }
        )
    return pd.DataFrame(rows)


def contraction_findings(fit: Fit) -> tuple[Finding, ...]:
    """One finding ``prior.decides``: a WARN that names the constants the data hardly narrowed.

    Sampled quantities count, for a constant can owe all its contraction to one part of it: E to
    the loss at the centre, where its share of that loss stays as the prior had it. Noise scales are
    in the table alone: what they do to predictions is for the predictive checks.
    """
    code, table = "prior.decides", contraction_table(fit)
    looked_at = table[table["kind"] != "noise"].sort_values("contraction")
    lowest = looked_at.iloc[0]
    decided = looked_at[~(looked_at["contraction"] >= LEAST_CONTRACTION)]
    value = float(lowest["contraction"])
    if decided.empty:
        message = (
            f"The data decide all {len(looked_at)} quantities of the law: the least contraction from prior "
            f"to posterior is {value:.2f} ({lowest['name']}); below {LEAST_CONTRACTION:g} the prior would."
        )
        return (Finding(code, Status.PASS, value, LEAST_CONTRACTION, message),)
    names = "; ".join(
        f"{row['name']}, {row['meaning']} ({row['contraction']:.2f})" for _, row in decided.iterrows()
    )
    return (
        Finding(
            code,
            Status.WARN,
            value,
            LEAST_CONTRACTION,
            f"The prior decides {len(decided)} of {len(looked_at)} quantities of the law (contraction "
            f"below {LEAST_CONTRACTION:g}): {names}.",
            "Read the reasons of these priors (bitlaw laws NAME) and change them if you know better, or log "
            "runs that vary what the constant is about (design findings).",
        ),
    )


def _summary(which: str, draws: np.ndarray) -> dict[str, float]:
    tail = (1.0 - _PROB) / 2.0
    lo, median, hi = np.quantile(draws, (tail, 0.5, 1.0 - tail))
    return {f"{which}_median": float(median), f"{which}_lo": float(lo), f"{which}_hi": float(hi)}
