"""What each number format leaves effective, for laws with formats as categories."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.inference.draws import law_parameters
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL, level_names
from bitlaw.reporting.observed import group_columns

FACTORS = {"eff_N": "scheme", "eff_D": "scheme_backward"}
"""Factors per format, and the column of formats each has a value for."""

_PROB = 0.9


def format_table(fit: Fit) -> pd.DataFrame:
    """Factors of every format: the share of parameters, or of tokens, that it leaves effective.

    Parameters
    ----------
    fit
        The fit; of a pooled one the values are those of the largest run's group.

    Returns
    -------
    pandas.DataFrame
        One row per factor and format, the highest factor first: ``factor`` (eff_N or eff_D),
        ``format``, ``runs`` (training runs in it), ``median``, ``lo``, ``hi`` (90 % ETI); and last of
        each factor the format ``new``, which stands for one that was never measured. Empty for a law
        without such factors.
    """
    own = {name: column for name, column in FACTORS.items() if name in fit.law.by.get(column, ())}
    rows = [row for name, column in own.items() for row in _of_factor(fit, name, column)]
    return pd.DataFrame(rows, columns=["factor", "format", "runs", "median", "lo", "hi"])


def _of_factor(fit: Fit, name: str, column: str) -> Iterator[dict[str, object]]:
    runs = fit.rows.drop_duplicates("run_id")
    labels = level_names(runs, column)
    first = runs.assign(label=labels)[labels != ""].drop_duplicates("label")
    largest = fit.largest_run()
    points = first.assign(**{pooled: largest[pooled] for pooled in group_columns(fit)})
    draws = law_parameters(fit, points)[name]
    draws = np.broadcast_to(draws, (len(draws), len(points)))
    counts = labels.value_counts()
    found: list[dict[str, Any]] = [
        {"factor": name, "format": label, "runs": int(counts[label])} | _summary(draws[:, index])
        for index, label in enumerate(first["label"])
    ]
    yield from sorted(found, key=lambda row: -row["median"])
    yield {"factor": name, "format": NEW_LEVEL, "runs": 0} | _summary(
        _never_measured(fit, points, name, column)
    )


def _never_measured(fit: Fit, points: pd.DataFrame, name: str, column: str) -> np.ndarray:
    """Draws of the factor of a format that no run was trained in."""
    point = points.iloc[[0]]
    if column == "scheme":
        point = point.assign(format=NEW_LEVEL, bits_weights=16.0, bits_activations=16.0, bits_kv=16.0)
    else:
        point = point.assign(format_backward=NEW_LEVEL)
    return law_parameters(fit, point)[name][:, 0]


def _summary(draws: np.ndarray) -> dict[str, float]:
    quantiles = np.quantile(draws, (0.5, 0.5 - _PROB / 2, 0.5 + _PROB / 2))
    return dict(zip(("median", "lo", "hi"), map(float, quantiles), strict=True))
