"""How the groups of a pooled fit differ: each group's constants beside the common values."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bitlaw.inference.draws import law_parameters, points_frame
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL
from bitlaw.laws.law import Parameter

MOST_CONSTANTS = 8
MOST_GROUPS = 24
APART = 2.0
"""Separation above which the data tell groups apart."""

_PROB = 0.9
_SMALLEST = 1e-300


def shrinkage_table(fit: Fit) -> pd.DataFrame:
    """Constants that differ between groups: posterior of each group, of the common value, and the spread.

    Parameters
    ----------
    fit
        A fit that pools over one or two columns, or whose post-training methods have constants of
        their own; each column is looked at with the others at their common value.

    Returns
    -------
    pandas.DataFrame
        One row per column, constant and group: ``column``, ``name``, ``unit``, ``group``, ``rows``
        (number fitted in it); ``median``, ``lo``, ``hi`` of the group (90 % ETI); ``common``,
        ``common_lo``, ``common_hi``; ``new_lo`` and ``new_hi``, where 90 % of a group that was never
        measured lie; ``spread``, ``spread_lo``, ``spread_hi``, the standard deviation between the
        groups measured, of the logarithm (``scale`` is "ln") or the plain value (""); and
        ``separation``, how far the two groups farthest apart are from each other, in standard
        deviations of that difference. Empty where nothing differs.
    """
    rows = [row for column in group_factors(fit) for row in _of_column(fit, column)]
    return pd.DataFrame(rows, columns=None if rows else ["column", "name", "group"])


def most_group_dependent(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """What a figure of one column can hold.

    Parameters
    ----------
    table
        ``shrinkage_table`` of a fit.
    column
        One of its columns.

    Returns
    -------
    pandas.DataFrame
        Its rows for the constants whose groups the data tell apart best, the best first, and the groups
        with the most rows.
    """
    own = table[table["column"] == column]
    names = own.drop_duplicates("name").sort_values("separation", ascending=False, kind="stable")["name"]
    sizes = own.drop_duplicates("group").sort_values("rows", ascending=False, kind="stable")["group"]
    parts = [own[own["name"] == name] for name in names.head(MOST_CONSTANTS)]
    shown = pd.concat(parts, ignore_index=True)
    return shown[shown["group"].isin(sizes.head(MOST_GROUPS))].reset_index(drop=True)


def group_factors(fit: Fit) -> tuple[str, ...]:
    """Columns whose groups have constants of their own: those pooled over, and post-training methods."""
    columns = dict.fromkeys((*fit.pool, *(("method_post",) if "method_post" in fit.law.by else ())))
    return tuple(column for column in columns if len(fit.levels(column)) > 1)


def _of_column(fit: Fit, column: str) -> Iterator[dict[str, object]]:
    levels = fit.levels(column)
    values = law_parameters(fit, _points(fit, column, ("", *levels, NEW_LEVEL)))
    logged = _logged(fit, column)
    for parameter in _reported(fit):
        draws = values.get(parameter.name)
        if draws is None or draws.shape[1] == 1 or np.ptp(draws[:, 1:-1], axis=1).max() == 0:
            continue
        common, groups, new = draws[:, 0], draws[:, 1:-1], draws[:, -1]
        is_log = parameter.support != "real"
        natural = np.log(np.maximum(groups, _SMALLEST)) if is_log else groups
        shared = {
            "column": column,
            "name": parameter.name,
            "unit": parameter.unit,
            "scale": "ln" if is_log else "",
            **_summary(common, ("common", "common_lo", "common_hi")),
            **_summary(natural.std(axis=1, ddof=1), ("spread", "spread_lo", "spread_hi")),
            "new_lo": float(np.quantile(new, 0.5 - _PROB / 2)),
            "new_hi": float(np.quantile(new, 0.5 + _PROB / 2)),
            "separation": _separation(natural),
        }
        for index, group in enumerate(levels):
            own = _summary(groups[:, index], ("median", "lo", "hi"))
            yield {"group": group, "rows": logged[group]} | own | shared


def _separation(groups: np.ndarray) -> float:
    """Distance of the two groups farthest apart, in posterior standard deviations of their difference."""
    medians = np.median(groups, axis=0)
    difference = groups[:, medians.argmax()] - groups[:, medians.argmin()]
    spread = float(difference.std())
    return float(difference.mean()) / spread if spread > 0 else float("inf")


def _points(fit: Fit, column: str, levels: tuple[str, ...]) -> pd.DataFrame:
    """A run in each group, in no group of the other columns."""
    points = points_frame(n_params=fit.reference.n_params, tokens=[fit.reference.tokens] * len(levels))
    if column == "method_post":
        points["bits_post"] = [np.nan if level == "" else 4.0 for level in levels]
    return points.assign(**{column: levels})


def _logged(fit: Fit, column: str) -> dict[str, int]:
    rows = fit.rows if column != "method_post" else fit.rows[fit.rows["bits_post"].notna()]
    return {str(name): int(count) for name, count in rows[column].astype(str).value_counts().items()}


def _reported(fit: Fit) -> tuple[Parameter, ...]:
    """The law's constants, what else it is sampled in, and its noise scales, each once."""
    return tuple({item.name: item for item in (*fit.law.parameters, *fit.law.sampled)}.values())


def _summary(draws: np.ndarray, names: tuple[str, str, str]) -> dict[str, float]:
    quantiles = np.quantile(draws, (0.5, 0.5 - _PROB / 2, 0.5 + _PROB / 2))
    return dict(zip(names, map(float, quantiles), strict=True))
