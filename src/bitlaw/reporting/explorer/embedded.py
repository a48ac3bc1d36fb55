"""What the explorer embeds: draws, formulas, the options on offer, the edges of the data, and where it starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import UNQUANTIZED
from bitlaw.decisions.precision_summary import REQUIRED_PROBABILITY
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.inference.distance import BITS
from bitlaw.inference.draws import point_columns
from bitlaw.inference.drift import without_drift
from bitlaw.inference.fit import Fit
from bitlaw.inference.thin import thinned
from bitlaw.inference.usable import training_without_term
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.explorer.edges import edges_of
from bitlaw.reporting.explorer.formulas import recorded_functions
from bitlaw.reporting.explorer.priced import priced_offers
from bitlaw.reporting.explorer.stored import UNBOUNDED, Store, columns_of

DRAWS = 400
"""Draws in the page, evenly thinned: a probability then has a Monte Carlo error of at most .025."""

MOST_NUMBERS = 40_000
"""Numbers in the page, 8 bytes each (430 kB as text); where constants are too many for that, draws are fewer."""

_BITS_POST = (8.0, 6.0, 5.0, 4.0, 3.0, 2.0)
_START_BITS_POST = 4.0
_DECADES_BELOW, _DECADES_ABOVE = 1.0, 3.0
_TOLERANCE = 0.01
_PLACEHOLDER_LOSS = 1.0


@dataclass(frozen=True)
class Explorer:
    """What the page's explorer works with.

    Parameters
    ----------
    fit
        The fit whose draws are embedded: thinned, and without structural error where the answers are.
    group
        The group that constants are of; None without pooling.
    data
        Everything but the formulas, as plain JSON types.
    functions
        JavaScript of the formulas (``recorded_functions``).
    """

    fit: Fit
    group: str | None
    data: Mapping[str, Any]
    functions: str


def explorer(fit: Fit, answers: Answers, draws: int = DRAWS) -> Explorer:
    """The explorer of a fit, which starts at the question that was answered.

    Parameters
    ----------
    fit
        The fit; of several laws the one with the most weight.
    answers
        What was decided.
    draws
        Draws to embed at most.
    """
    asked, group = _question(answers), _group(fit, answers)
    fit = thinned(fit if answers.prediction.drift else without_drift(fit), draws)
    own = group_columns(fit, group)
    point = points_of((UNQUANTIZED,), [1.0], [1.0], own)
    ceiling = float(point_columns(fit, point, _PLACEHOLDER_LOSS)["ceiling"][0])
    store = Store.of(fit, point, answers.prediction.seed)
    offers = [
        store.offer(fit, one.name, one.title, one.options, own) for one in priced_offers(fit, asked, group)
    ]
    methods = [store.method(fit, method, own) for method in _methods(fit)]
    if fit.samples() * len(store.numbers) > MOST_NUMBERS:
        return explorer(fit, answers, MOST_NUMBERS // len(store.numbers))
    shared = offers[0]["options"][-1]["columns"]["group_size"] if offers else None
    data = {
        "law": fit.law.name,
        "group": group,
        "samples": fit.samples(),
        "prob": answers.prediction.prob,
        "confidence": REQUIRED_PROBABILITY,
        "drift": answers.prediction.drift,
        "has_base": not fit.law.base.is_observed,
        "reads_format": bool(fit.law.training_columns & {"scheme", "scheme_backward", "is_floating"}),
        "reference": {"n": fit.reference.n_params, "d": fit.reference.tokens},
        "ceiling": ceiling if np.isfinite(ceiling) else None,
        "columns": columns_of(point)
        | {"post_lo": -UNBOUNDED, "post_hi": UNBOUNDED}
        | ({} if shared is None else {"group_size": shared}),
        "kinds": _kinds(fit, point),
        "offers": offers,
        "methods": methods,
        "bits_post": _bits_post(fit) if methods else [],
        "edges": edges_of(fit, point),
        "start": _start(fit, answers, asked),
        "names": list(store.names),
        "draws": store.text(),
    }
    return Explorer(fit, group, data, recorded_functions(fit, store.names, ceiling))


def _question(answers: Answers) -> PrecisionQuestion | None:
    decision = answers.precision_free or answers.precision_fixed
    return None if decision is None else decision.question


def _group(fit: Fit, answers: Answers) -> str | None:
    """The group that was asked about, from the first answer that names it."""
    if not fit.pool:
        return None
    for decision in (_question(answers), answers.post_training):
        if decision is not None and decision.group is not None:
            return decision.group
    largest, inputs = fit.largest_run(), answers.prediction.points[0].inputs
    return ",".join(str(inputs.get(column, largest[column])) for column in fit.pool)


def _kinds(fit: Fit, point: pd.DataFrame) -> list[dict[str, str]]:
    """The tensor kinds whose bits the law reads, in training or in what is added after training."""
    read = set(fit.law.training_columns)
    low = point.assign(bits_weights=_START_BITS_POST)
    if _methods(fit) and not list(training_without_term(fit.law, low)):
        read.add("bits_weights")
    return [{"column": column, "label": name} for column, name in BITS.items() if column in read]


def _methods(fit: Fit) -> tuple[str, ...]:
    after = fit.rows[fit.rows["bits_post"].notna()]
    return () if fit.law.post is None else tuple(sorted(after["method_post"].astype(str).unique()))


def _bits_post(fit: Fit) -> list[float]:
    fitted = fit.rows["bits_post"].dropna().astype(float).unique().tolist()
    return sorted({*_BITS_POST, *fitted}, reverse=True)


def _start(fit: Fit, answers: Answers, question: PrecisionQuestion | None) -> dict[str, Any]:
    """Where the explorer starts, and how far its sliders go."""
    inputs, fixed, post = answers.prediction.points[0].inputs, answers.precision_fixed, answers.post_training
    n_params, tokens = float(inputs["n_params"]), float(inputs["tokens"])
    flops = None if question is None else question.flops
    tolerance = _TOLERANCE if fixed is None else fixed.question.tolerance
    rows = fit.rows
    return {
        "n": n_params,
        "d": tokens,
        "flops": flops or float(training_flop(n_params, tokens)),
        "tolerance": post.tolerance if fixed is None and post is not None else tolerance,
        "post": min(_bits_post(fit), key=lambda bits: abs(bits - _START_BITS_POST))
        if _methods(fit)
        else None,
        "method": None if post is None else post.method_post,
        "loss": answers.prediction.measured,
        "n_range": _slider(rows["n_params"], n_params),
        "d_range": _slider(rows["tokens"], tokens),
        "flops_range": _slider(
            training_flop(1.0, 1.0) * rows["n_params"] * rows["tokens"], flops or n_params * tokens
        ),
    }


def _slider(values: pd.Series, asked: float) -> list[float]:
    """Ends of a slider, log10: the data and what was asked, and some decades besides."""
    ends = np.log10([values.min(), values.max(), asked])
    return [float(np.floor(ends.min() - _DECADES_BELOW)), float(np.ceil(ends.max() + _DECADES_ABOVE))]
