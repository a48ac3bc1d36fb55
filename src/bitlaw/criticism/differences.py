"""What differs between laws fitted to the same runs, in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.inference.columns import schemes
from bitlaw.inference.draws import law_parameters, point_columns
from bitlaw.inference.fit import Fit
from bitlaw.laws.evaluate import log_post_degradation, train
from bitlaw.units import Interval, format_bits

_PROB = 0.9
_STEP = 1e-3
_STEP_OF_BITS = 0.25
_OF_SIZE = {"tokens": "D", "n_params": "N"}
_GAP, _DEGRADATION = "gap to 16 bits", "degradation after training"


@dataclass(frozen=True)
class Elasticity:
    """How one quantity answers to one column under one law, at the centre of the table.

    Parameters
    ----------
    law
        Name of the law.
    quantity
        ``gap to 16 bits`` (what training in fewer bits adds to the loss) or ``degradation after training``.
    column
        ``tokens`` or ``n_params``: the value is d ln quantity / d ln column, without unit;
        ``bits_post``: the factor by which one bit more divides the quantity.
    where
        The precision it holds at.
    value
        Posterior median and 90 % ETI.
    """

    law: str
    quantity: str
    column: str
    where: str
    value: Interval

    def to_dict(self) -> dict[str, Any]:
        """The elasticity as plain JSON types."""
        names = {name: getattr(self, name) for name in ("law", "quantity", "column", "where")}
        return names | self.value.to_dict()


@dataclass(frozen=True)
class Differences:
    """What laws cannot say, and what they say differently.

    Parameters
    ----------
    cannot
        Complete sentences on the structures that not all of the laws share.
    elasticities
        How gap and degradation move under each law that has a term for them.
    """

    cannot: tuple[str, ...]
    elasticities: tuple[Elasticity, ...]

    def sentences(self) -> tuple[str, ...]:
        """All differences in words."""
        groups: dict[tuple[str, str, str], list[Elasticity]] = {}
        for item in self.elasticities:
            groups.setdefault((item.quantity, item.where, item.column), []).append(item)
        return (*self.cannot, *(_measured(*key, items) for key, items in groups.items()))

    def to_dict(self) -> dict[str, Any]:
        """The differences as plain JSON types."""
        return {
            "cannot": list(self.cannot),
            "elasticities": [item.to_dict() for item in self.elasticities],
            "sentences": list(self.sentences()),
        }


def law_differences(fits: Sequence[Fit]) -> Differences:
    """What differs between laws fitted to the same rows.

    Elasticities are taken at the geometric mean of the runs' parameters and tokens, for a run in the
    most frequent quantized scheme of the table.

    Parameters
    ----------
    fits
        One per law.
    """
    found = [item for fit in fits for item in (*_of_gap(fit), *_of_degradation(fit))]
    return Differences(tuple(_cannot(fits)), tuple(found))


def _cannot(fits: Sequence[Fit]) -> Iterator[str]:
    """One sentence per limit that some laws have and others do not."""
    limits: dict[str, list[str]] = {}
    for fit in fits:
        for term in (*fit.law.training, *((fit.law.post,) if fit.law.post else ())):
            names = limits.setdefault(term.cannot, [])
            names += [fit.law.name] if fit.law.name not in names else []
    for limit, names in limits.items():
        if len(names) < len(fits):
            yield f"{_listed(names)} cannot say {limit}."
    for what, lacking in (
        ("training precision", [fit.law.name for fit in fits if not fit.law.training]),
        ("post-training quantization", [fit.law.name for fit in fits if fit.law.post is None]),
    ):
        if lacking and len(lacking) < len(fits):
            yield f"{_listed(lacking)} {'has' if len(lacking) == 1 else 'have'} no term for {what}."


def _of_gap(fit: Fit) -> Iterator[Elasticity]:
    runs = fit.rows.drop_duplicates("run_id")
    scheme = schemes(runs)
    quantized = runs[(scheme != "").to_numpy()]
    if fit.law.training and len(quantized):
        label = scheme[quantized.index].mode().iloc[0]
        typical = quantized[(scheme[quantized.index] == label).to_numpy()].iloc[[0]]
        gap = _at_centre(fit, typical.assign(bits_post=np.nan, method_post=""), _log_gap)
        for column in _OF_SIZE:
            yield Elasticity(fit.law.name, _GAP, column, str(label), _slope(gap, column))


def _of_degradation(fit: Fit) -> Iterator[Elasticity]:
    after = fit.rows[fit.rows["bits_post"].notna()]
    if fit.law.post is None or after.empty:
        return
    after = after[(after["method_post"] == after["method_post"].mode().iloc[0]).to_numpy()]
    after = after[(after["bits_post"] == after["bits_post"].mode().iloc[0]).to_numpy()]
    typical = after.sort_values("bits_weights", ascending=False, kind="stable").iloc[[0]]
    method, bits = typical["method_post"].iloc[0], float(typical["bits_post"].iloc[0])
    where = f"{format_bits(bits)} bits{f' by {method}' if method else ''}"
    degradation = _at_centre(fit, typical, _log_degradation)
    yield Elasticity(fit.law.name, _DEGRADATION, "tokens", where, _slope(degradation, "tokens"))
    less, more = degradation({"bits_post": -_STEP_OF_BITS}), degradation({"bits_post": _STEP_OF_BITS})
    per_bit = np.exp(np.minimum((less - more) / (2 * _STEP_OF_BITS), _LARGEST_LOG))
    yield Elasticity(fit.law.name, _DEGRADATION, "bits_post", where, _interval(per_bit))


_LARGEST_LOG = 300.0
_Moved = Callable[[Mapping[str, float]], np.ndarray]


def _at_centre(
    fit: Fit, typical: pd.DataFrame, log_quantity: Callable[[Fit, dict, dict], np.ndarray]
) -> _Moved:
    """The logarithm of a quantity as a function of steps in ln D, ln N or bits from the centre."""
    centre = typical.assign(n_params=fit.reference.n_params, tokens=fit.reference.tokens)
    p = law_parameters(fit, centre)
    own = (
        float(fit.rows.loc[fit.rows["bits_post"].isna(), "loss"].median())
        if fit.law.base.is_observed
        else None
    )
    columns = point_columns(fit, centre, own)

    def moved(steps: Mapping[str, float]) -> np.ndarray:
        there = dict(columns)
        for column, step in steps.items():
            there[column] = there[column] * np.exp(step) if column in _OF_SIZE else there[column] + step
        return log_quantity(fit, p, there)[:, 0]

    return moved


def _log_gap(fit: Fit, p: dict, columns: dict) -> np.ndarray:
    with np.errstate(divide="ignore"):  # a draw without any gap has no elasticity
        return np.log(train(fit.law, p, columns, fit.reference, np).penalty)


def _log_degradation(fit: Fit, p: dict, columns: dict) -> np.ndarray:
    run = train(fit.law, p, columns, fit.reference, np)
    return log_post_degradation(fit.law, p, columns, run.log_n, fit.reference, np)


def _slope(log_quantity: _Moved, column: str) -> Interval:
    with np.errstate(invalid="ignore"):
        slope = (log_quantity({column: _STEP}) - log_quantity({column: -_STEP})) / (2 * _STEP)
    return _interval(slope)


def _interval(draws: np.ndarray) -> Interval:
    known = draws[np.isfinite(draws)]
    if not known.size:
        return Interval(*(float("nan"),) * 3, prob=_PROB)
    median, lo, hi = np.quantile(known, [0.5, 0.5 - _PROB / 2, 0.5 + _PROB / 2])
    return Interval(float(median), float(lo), float(hi), _PROB)


def _measured(quantity: str, where: str, column: str, items: Sequence[Elasticity]) -> str:
    if column == "bits_post":
        parts = [f"by {item.value} under {item.law}" for item in items]
        return f"At {where} one bit more divides the {quantity} {', '.join(parts)}."
    size = _OF_SIZE[column]
    medians = [item.value.median for item in items]
    verb = "grows" if min(medians) > 0 else "falls" if max(medians) < 0 else "moves"
    parts = [f"as {size}^{item.value} under {item.law}" for item in items]
    return f"At {where} the {quantity} {verb} with {size} {', '.join(parts)}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
