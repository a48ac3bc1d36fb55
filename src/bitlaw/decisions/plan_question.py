"""What a plan is asked: which decision more runs are for, answered with the runs there are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.across_laws import AcrossLaws, optimum_across
from bitlaw.decisions.costs import tokens_bought
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.plan_quantity import Quantity, between_options, of_degradation, of_loss
from bitlaw.decisions.prediction import Prediction
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.errors import InputError, did_you_mean
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_count

DECISIONS = ("loss", "optimum", "ptq")
"""What a plan may be for."""

_TRAINED = ("bits_weights", "bits_activations", "bits_kv")
_ONLY = {
    "optimum": ("formats", "group_size", "tensors"),
    "optimum or ptq": ("bits",),
    "ptq": ("loss", "run_id", "measured", "method_post"),
    "loss or ptq": _TRAINED,
}
"""Parts of a question that belong to some decisions alone."""


@dataclass(frozen=True)
class Answered:
    """The decision as it stands, and the quantity it rests on.

    Parameters
    ----------
    quantity
        The quantity.
    across
        The decision under each law and their stack.
    """

    quantity: Quantity
    across: AcrossLaws[Any]

    def risk(self, law: str | None = None) -> Risk | None:
        """Risk of the decision under one law; of the stack where None."""
        answer = self.across.stack if law is None else self.across.by_law[law]
        return answer.points[0].risk if isinstance(answer, Prediction) else answer.risk


def answered(
    fits: Sequence[Fit],
    decision: str,
    *,
    n_params: float | None = None,
    tokens: float | None = None,
    flops: float | None = None,
    tolerance: float = 0.01,
    prob: float = 0.9,
    group: str | None = None,
    seed: int | None = None,
    drift: bool = True,
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: float | None = None,
    **own: Any,
) -> Answered:
    """Make the decision with the runs there are, and find the quantity it rests on.

    Parameters are those of ``plan``; **own** are those that belong to some decisions alone.

    Raises
    ------
    InputError
        As for ``predict``, ``optimum`` and ``ptq``; for an unknown decision, a part of the question that
        another decision has, and where only one option is on offer.
    """
    if decision not in DECISIONS:
        raise InputError(f'cannot plan for "{decision}"; {did_you_mean(decision, DECISIONS)}')
    own = {name: value for name, value in own.items() if value is not None}
    _require_own(decision, own)
    common: dict[str, Any] = {"prob": prob, "group": group, "seed": seed, "drift": drift}
    if decision == "optimum":
        if n_params is None and flops is None:
            raise InputError(
                "a plan for optimum needs flops; n_params and flops; or n_params and tokens: what the choice is for, "
                "apart from the budget for runs"
            )
        spending: dict[str, Any] = {"hardware": hardware, "speeds": speeds, "price": price}
        sizes: dict[str, Any] = {"n_params": n_params, "tokens": tokens, "flops": flops}
        options = optimum_across(fits, **sizes, **spending, tolerance=tolerance, **own, **common)
        return Answered(between_options(fits, options.stack), options)
    if decision == "ptq" and "run_id" in own and (n_params, tokens, flops) == (None, None, None):
        known: dict[str, Any] = {}
    else:
        known = dict(zip(("n_params", "tokens"), _sizes(decision, n_params, tokens, flops), strict=True))
    if decision == "ptq":
        after = ptq_across(fits, **known, tolerance=tolerance, **own, **common)
        return Answered(of_degradation(fits[0], after.stack), after)
    for fit in fits:
        if fit.law.base.is_observed:
            raise InputError(
                f"law {fit.law.name} takes the loss as trained as data, so no run tells it about that; valid: ptq"
            )
    trained = {name: own.get(name, UNQUANTIZED_BITS) for name in _TRAINED}
    point = points_frame(**known, **trained, **group_columns(fits[0], group))
    sizes_text = f"{format_count(known['n_params'])} parameters on {format_count(known['tokens'])} tokens"
    return Answered(of_loss(point, sizes_text, group), predict_across(fits, point, **common))


def _require_own(decision: str, given: Mapping[str, Any]) -> None:
    """Raise InputError for parts of a question that another decision has."""
    problems = [
        f"{name} is no part of a plan for {decision}; valid: with a plan for {others}"
        for others, names in _ONLY.items()
        for name in names
        if name in given and decision not in others.split(" or ")
    ]
    if problems:
        raise InputError(problems)


def _sizes(
    decision: str, n_params: float | None, tokens: float | None, flops: float | None
) -> tuple[float, float]:
    if n_params is None or (tokens is None) == (flops is None):
        instead = ", or run_id of a fitted run" if decision == "ptq" else ""
        raise InputError(f"a plan for {decision} needs n_params, and tokens or flops (6 N D){instead}")
    if tokens is None:
        tokens = float(tokens_bought(flops or math.nan, n_params, 1.0))
    for name, value in (("n_params", n_params), ("tokens", tokens)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}; valid: a positive number")
    return n_params, tokens
