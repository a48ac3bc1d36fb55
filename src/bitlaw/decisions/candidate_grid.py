"""Candidates where the user names none: runs within a budget around the fitted ones, logged runs quantized anew."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.candidates import Candidates, candidates_of, logged_runs, too_small
from bitlaw.decisions.costs import training_flop
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.decisions.spending import Budget
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import COLUMNS

_SIZES, _RATIOS = 10, 6
_BEYOND = 10**0.25
_ROUNDING = 1e-9
_APART = 1.2
_MOST_LOGGED = 600
"""Quantizations of logged runs that are offered: of more, evenly over their compute."""
_COLUMNS = tuple(column.name for column in COLUMNS if column.name not in ("loss", "flops"))


def default_candidates(
    fit: Fit,
    target: pd.DataFrame,
    precisions: Sequence[Mapping[str, Any]],
    post: Sequence[Mapping[str, Any]],
    budget: Budget,
    pricing: Pricing = FLOP_BITS,
    checkpoint: pd.DataFrame | None = None,
) -> Candidates:
    """A grid of new runs, and where the question is about quantization after training, logged runs too.

    Ten sizes between the smallest fitted run and a little beyond the largest or the one asked about, each on six
    numbers of tokens: as far as the budget reaches, at no more and no fewer tokens per parameter than the fitted
    runs and the one asked about have, and not on far fewer or more tokens in all.

    Parameters
    ----------
    fit
        A fit to the rows in question.
    target
        The points asked about, canonical columns; new runs are of their group.
    precisions
        Run-table columns of each training precision to log.
    post
        ``bits_post`` and ``method_post`` of each quantization after training; new runs are quantized to all of
        them. Empty where the question is about training.
    budget
        What may be spent.
    pricing
        What training costs.
    checkpoint
        Rows of the very checkpoint asked about at bits that it was not measured at; None where it is not
        trained yet.

    Raises
    ------
    InputError
        If the budget trains not even the smallest run of the grid.
    """
    group = {name: target[name].iloc[0] for name in (*fit.pool, "vocab_size") if name in target}
    is_observed = fit.law.base.is_observed
    sizes = [] if is_observed else list(_sizes(fit, target, budget, required=not post))
    columns: list[dict[str, Any]] = []
    for number, (n_params, tokens) in enumerate(sizes):
        for kind, precision in enumerate(precisions):
            run = {
                "run_id": f"new {number} {kind}",
                "n_params": n_params,
                "tokens": tokens,
                **group,
                **precision,
            }
            columns += [run, *(run | dict(quantized) for quantized in post)]
    new = _frame(columns) if columns else None
    anew = _quantized_anew(fit, post, checkpoint)
    parts = [part for part in (new, anew, checkpoint) if part is not None and len(part)]
    if not parts:
        raise InputError(
            "nothing left to log: the table has every run quantized to all bits on offer; valid: other --bits, or "
            "--candidates of your own"
        )
    return candidates_of(fit, pd.concat(parts, ignore_index=True), pricing)


def _sizes(fit: Fit, target: pd.DataFrame, budget: Budget, required: bool) -> Iterator[tuple[float, float]]:
    """Parameters and tokens of new runs; none where the budget buys none and none is required."""
    every = pd.concat([fit.rows[["n_params", "tokens"]], target[["n_params", "tokens"]]]).astype(np.float64)
    ratio = every["tokens"] / every["n_params"]
    fewest, most = float(ratio.min()), float(ratio.max())
    shortest, longest = float(every["tokens"].min()) / _BEYOND, float(every["tokens"].max()) * _BEYOND
    smallest, largest = float(fit.rows["n_params"].min()), float(every["n_params"].max()) * _BEYOND
    product = budget.flops * (1.0 - _ROUNDING) / float(training_flop(1.0, 1.0))
    largest = min(largest, np.sqrt(product / fewest), product / shortest)
    if largest < smallest:
        if required:
            cheapest = float(training_flop(smallest, max(fewest * smallest, shortest)))
            raise too_small(budget, cheapest)
        return
    for n_params in np.geomspace(smallest, largest, _SIZES):
        lo, hi = max(n_params * fewest, shortest), min(n_params * most, longest, product / n_params)
        if lo <= hi:
            number = _RATIOS if hi > _APART * lo else 1
            yield from ((float(n_params), float(tokens)) for tokens in np.geomspace(lo, hi, number))
    for n_params, tokens in target[["n_params", "tokens"]].drop_duplicates().to_numpy(np.float64):
        if training_flop(n_params, tokens) <= budget.flops:
            yield float(n_params), float(tokens)


def _quantized_anew(
    fit: Fit, post: Sequence[Mapping[str, Any]], checkpoint: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Logged runs at the bits and methods that they were not measured at, but for the checkpoint's own."""
    if not post:
        return None
    measured = set(zip(fit.rows["run_id"], fit.rows["bits_post"], fit.rows["method_post"], strict=True))
    runs = logged_runs(fit)
    if checkpoint is not None and len(checkpoint):
        runs = runs[runs["run_id"].astype(str) != str(checkpoint["run_id"].iloc[0])]
    parts = [runs.assign(**quantized) for quantized in post]
    every = pd.concat(parts, ignore_index=True)
    key = zip(every["run_id"], every["bits_post"], every["method_post"], strict=True)
    new = np.array([one not in measured for one in key], bool)
    below = (every["bits_post"] < every["bits_weights"]).to_numpy(bool)
    columns = [name for name in _COLUMNS if name in every]
    found = every.loc[new & below, columns]
    if len(found) <= _MOST_LOGGED:
        return found
    by_compute = (found["n_params"] * found["tokens"]).argsort(kind="stable").to_numpy()
    evenly = by_compute[np.linspace(0, len(found) - 1, _MOST_LOGGED).round().astype(int)]
    return found.iloc[np.sort(evenly)]


def _frame(columns: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    named = list(dict.fromkeys(name for row in columns for name in row))
    default = {column.name: np.nan if column.default is None else column.default for column in COLUMNS}
    return points_frame(**{name: [row.get(name, default.get(name)) for row in columns] for name in named})
