"""The group of a pooled fit and the post-training method that a decision is for."""

from difflib import get_close_matches
from typing import Any

import pandas as pd

from bitlaw.errors import InputError, did_you_mean
from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL

_OR_NEW = f'or "{NEW_LEVEL}", one that was never measured'

_NEARLY = 0.75
"""Similarity (difflib ratio) from which an unseen method is taken for a slip."""


def group_columns(fit: Fit, group: str | None) -> dict[str, Any]:
    """Run-table columns that place a point in its group.

    Parameters
    ----------
    fit
        The fit.
    group
        Name of the group; for a fit pooled over two columns one of each, with a comma, in the order
        of ``fit.pool``. ``new`` is a group that was never measured: its constants are drawn from the
        spread between those that were. None for a fit without pooling.

    Returns
    -------
    dict
        The columns pooled over, and ``vocab_size`` where the group's rows agree on one.

    Raises
    ------
    InputError
        If the fit is pooled and the group is missing or unknown, or the fit is not pooled.
    """
    if not fit.pool:
        if group is not None:
            raise InputError(f'group "{group}": this fit is not pooled; valid: no group')
        return {}
    if group is None:
        raise InputError(_group_needed(fit))
    names = [name.strip() for name in group.split(",")] if len(fit.pool) > 1 else [group]
    if len(names) != len(fit.pool):
        raise InputError(f'group "{group}": {_group_needed(fit)}')
    chosen = dict(zip(fit.pool, names, strict=True))
    problems = [
        f'{column} "{name}" is not a fitted group; {did_you_mean(name, fit.levels(column))}; {_OR_NEW}'
        for column, name in chosen.items()
        if name not in (*fit.levels(column), NEW_LEVEL)
    ]
    if problems:
        raise InputError(problems)
    return chosen | _agreed_vocabulary(fit, chosen)


def place_in_group(fit: Fit, points: pd.DataFrame, group: str | None) -> pd.DataFrame:
    """Points with their group, from its name or from columns of their own.

    Parameters
    ----------
    fit
        The fit.
    points
        Canonical columns.
    group
        As for ``group_columns``; None where the points say it themselves.

    Raises
    ------
    InputError
        As for ``group_columns``, and for a point of a pooled fit without a group.
    """
    if group is not None:
        chosen = group_columns(fit, group)
        vocabulary = points["vocab_size"].fillna(chosen.pop("vocab_size", float("nan")))
        return points.assign(vocab_size=vocabulary, **chosen)
    for column in fit.pool:
        if column not in points or (points[column].astype(str) == "").any():
            raise InputError(_group_needed(fit))
    return points


def fitted_method(fit: Fit, method_post: str | None) -> str:
    """The post-training method asked for, or the only one there is.

    Parameters
    ----------
    fit
        The fit.
    method_post
        Name of a method. One that no row was quantized by, such as ``new``, has its constants drawn from the
        spread between methods (``level_of_method``), unless its name is nearly a known one.

    Raises
    ------
    InputError
        If no row is quantized after training, or the method is nearly a known one, or missing among
        several.
    """
    after = fit.rows["bits_post"].notna()
    seen = sorted(fit.rows.loc[after, "method_post"].astype(str).unique())
    if not seen:
        raise InputError("the fit has no rows quantized after training, so it says nothing about them")
    valid = f"valid: {', '.join(f'"{name}"' for name in seen)}, {_OR_NEW}"
    if method_post is None and len(seen) > 1:
        raise InputError(f"method_post is needed, the fit has seen several; {valid}")
    if method_post is None or method_post in seen:
        return seen[0] if method_post is None else method_post
    near = get_close_matches(method_post.lower(), [name.lower() for name in seen], n=1, cutoff=_NEARLY)
    if near or not method_post:
        raise InputError(f'method_post "{method_post}" was not seen by the fit; {valid}')
    return method_post


def level_of_method(fit: Fit, method_post: str) -> str:
    """The level whose constants a method has: its own, or ``new`` where no row was quantized by it."""
    return method_post if method_post in fit.levels("method_post") else NEW_LEVEL


def _group_needed(fit: Fit) -> str:
    columns = " and ".join(fit.pool)
    if len(fit.pool) == 1:
        known = ", ".join(fit.levels(fit.pool[0]))
        return f"the fit is pooled over {columns}, so a group is needed; valid: {known}, {_OR_NEW}"
    known = "; ".join(f"{column} {', '.join(fit.levels(column))}" for column in fit.pool)
    example = ",".join(fit.levels(column)[0] for column in fit.pool)
    return (
        f"the fit is pooled over {columns}, so a group of each is needed, as in {example}; "
        f"valid: {known}; {_OR_NEW}"
    )


def _agreed_vocabulary(fit: Fit, chosen: dict[str, str]) -> dict[str, float]:
    """The vocabulary that all rows of the measured groups agree on."""
    rows = fit.rows
    for column, name in chosen.items():
        if name in fit.levels(column):
            rows = rows[rows[column].astype(str) == name]
    vocabulary = rows["vocab_size"].unique()
    return {"vocab_size": float(vocabulary[0])} if len(vocabulary) == 1 else {}
