"""The levels that constants differ between: groups a fit pools over, formats, post-training methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.inference.columns import backward_schemes, schemes
from bitlaw.laws.law import Law

NEW_LEVEL = "new"
"""Stands for a group, format or method that was never measured."""


@dataclass(frozen=True)
class Factor:
    """A column some constants differ over.

    Parameters
    ----------
    names
        Its levels.
    code
        Level of each row; -1 where none applies (a run that is not quantized has no format).
    """

    names: tuple[str, ...]
    code: np.ndarray


def level_names(frame: pd.DataFrame, column: str) -> pd.Series:
    """Level of each row in a column; "" where none applies.

    Parameters
    ----------
    frame
        Canonical run-table columns.
    column
        A column of the table, ``scheme`` or ``scheme_backward``.
    """
    if column == "scheme":
        return schemes(frame)
    if column == "scheme_backward":
        return backward_schemes(frame)
    if column == "method_post":
        return frame["method_post"].astype(str).where(frame["bits_post"].notna(), "")
    return frame[column].astype(str)


def factor(frame: pd.DataFrame, column: str) -> Factor:
    """Levels of a column, in alphabetical order."""
    labels = level_names(frame, column)
    names = tuple(sorted(set(labels) - {""}))
    return Factor(names, labels.map({name: code for code, name in enumerate(names)} | {"": -1}).to_numpy(int))


def of_level(effects: Any, level: np.ndarray) -> Any:
    """The effect of each row's level; zero where it has none.

    Parameters
    ----------
    effects
        An array or a tensor with one effect per level along its last axis.
    level
        Level of each row; -1 = none.

    Examples
    --------
    >>> of_level(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([1, -1, 0]))
    array([[0.2, 0. , 0.1],
           [0.4, 0. , 0.3]])
    """
    if (level < 0).all():
        return 0.0
    known = effects[..., np.maximum(level, 0)]
    return known if (level >= 0).all() else known * np.where(level < 0, 0.0, 1.0)


def varying(law: Law, pool: Sequence[str], columns: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The columns each sampled quantity differs over, of those that have two levels or more.

    Parameters
    ----------
    law
        The law.
    pool
        Columns pooled over. A quantity that is free between groups is so over the first of them.
    columns
        What there are two levels or more of, by column.
    """
    by = {parameter.name: parameter.by for parameter in law.sampled}
    found = {}
    for prior in law.priors:
        over = {"shared": (), "pooled": tuple(pool), "free": tuple(pool[:1])}[prior.groups]
        own = (by[prior.name],) if by[prior.name] else ()
        found[prior.name] = tuple(
            column for column in dict.fromkeys((*over, *own)) if column is not None and column in columns
        )
    return {name: over for name, over in found.items() if over}


def spread_scale(law: Law, name: str, column: str) -> float | None:
    """Scale of the half-normal prior on a quantity's spread over a column; None where it is free."""
    prior = law.prior(name)
    own = next(parameter.by for parameter in law.sampled if parameter.name == name)
    return prior.by_sd if column == own else prior.group_sd
