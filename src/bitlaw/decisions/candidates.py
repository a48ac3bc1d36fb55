"""Runs that could be logged next: what each would measure, and what it costs."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.decisions.candidate_costs import costs_of
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.decisions.spending import Budget
from bitlaw.errors import InputError
from bitlaw.inference.columns import schemes
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import COLUMNS
from bitlaw.units import format_bits, format_count

MOST_ROWS = 1500
"""Of candidates; with 4,000 draws they take most of a gigabyte."""
CHECKPOINT = "the checkpoint asked about"
"""The ``run_id`` of a trained model that is no fitted run, and may be quantized anew like one."""
_ROOM = 4
_NOT_PLANNED = ("run_id", "loss", "flops", "loss_se", "status", "exclude", "bits_post", "method_post")


@dataclass(frozen=True)
class Candidates:
    """Runs that could be logged, or quantized after training where they are logged already.

    Parameters
    ----------
    points
        One row per measurement, canonical columns; a new run is measured as trained, and once more for
        every post-training quantization of it.
    candidate
        Which candidate each row belongs to, shape (rows,), ascending from 0.
    cost
        Of each candidate, FLOP at 16 bits, shape (candidates,).
    is_logged
        Whether its run was logged before, so that only quantizing it is to be paid for, and only once.
    """

    points: pd.DataFrame
    candidate: np.ndarray
    cost: np.ndarray
    is_logged: np.ndarray

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.cost)

    def rows(self, candidate: int) -> np.ndarray:
        """Rows of one candidate."""
        return np.flatnonzero(self.candidate == candidate)

    def within(self, budget: Budget) -> "Candidates":
        """Those that a budget buys one of.

        Raises
        ------
        InputError
            If the budget is not positive, or buys none.
        """
        require_positive(budget)
        fits = self.cost <= budget.flops
        if not fits.any():
            raise too_small(budget, float(self.cost.min()))
        kept = fits[self.candidate]
        again = np.cumsum(fits) - 1
        return Candidates(
            self.points[kept].reset_index(drop=True),
            again[self.candidate[kept]],
            self.cost[fits],
            self.is_logged[fits],
        )

    def inputs(self) -> list[dict[str, Any]]:
        """Run-table columns of each that are not at their defaults; post-training bits and methods as lists."""
        records, at = self.points.to_dict("records"), self._positions()
        return [
            _inputs([records[row] for row in own], bool(logged))
            for own, logged in zip(at, self.is_logged, strict=True)
        ]

    def texts(self) -> list[str]:
        """Each in words."""
        records, scheme = self.points.to_dict("records"), schemes(self.points).tolist()
        return [
            _text([records[row] for row in own], scheme[own[0]], bool(logged))
            for own, logged in zip(self._positions(), self.is_logged, strict=True)
        ]

    def _positions(self) -> list[np.ndarray]:
        return [self.rows(number) for number in range(len(self))]


def _inputs(rows: Sequence[Mapping[Hashable, Any]], is_logged: bool) -> dict[str, Any]:
    first = rows[0]
    inputs: dict[str, Any] = {"run_id": str(first["run_id"])} if is_logged else {}
    inputs |= {name: float(first[name]) for name in ("n_params", "tokens")}
    for column in COLUMNS:
        value = first.get(column.name)
        if column.name not in (*inputs, *_NOT_PLANNED) and not pd.isna(value) and value != column.default:
            inputs[column.name] = value if column.kind == "text" else float(value)
    after = [row for row in rows if not pd.isna(row["bits_post"])]
    if after:
        inputs["bits_post"] = [float(row["bits_post"]) for row in after]
        inputs["method_post"] = list(dict.fromkeys(str(row["method_post"]) for row in after))
    return inputs


def _text(rows: Sequence[Mapping[Hashable, Any]], scheme: str, is_logged: bool) -> str:
    first = rows[0]
    sizes = f"{format_count(first['n_params'])} parameters on {format_count(first['tokens'])} tokens"
    groups = [str(first[name]) for name in ("corpus", "family") if str(first.get(name, ""))]
    parts = [sizes, f"trained in {scheme}" if scheme else "16 bits", *groups]
    bits = [format_bits(row["bits_post"]) for row in rows if not pd.isna(row["bits_post"])]
    if bits:
        parts.append(f"quantized after training to {', '.join(bits)} bits")
    said = ", ".join(parts)
    if not is_logged:
        return said
    return f"{CHECKPOINT if first['run_id'] == CHECKPOINT else f'logged run {first["run_id"]}'} ({said})"


def nothing_offered(points: pd.DataFrame) -> Candidates:
    """No candidates, with the columns of points."""
    return Candidates(points.iloc[:0], np.zeros(0, int), np.zeros(0), np.zeros(0, bool))


def require_positive(budget: Budget) -> None:
    """Check a budget.

    Raises
    ------
    InputError
        If it is not a positive number.
    """
    if not (np.isfinite(budget.flops) and budget.flops > 0):
        raise InputError(f"budget is {budget.flops:g}; valid: a positive number (FLOP)")


def too_small(budget: Budget, cheapest: float) -> InputError:
    """The error of a budget that buys no candidate, of which the cheapest costs so many FLOP at 16 bits."""
    return InputError(
        f"budget is {budget.amount_text(budget.flops)}, and the cheapest candidate costs "
        f"{budget.amount_text(cheapest)}; valid: at least that"
    )


def candidates_of(
    fit: Fit, frame: pd.DataFrame, pricing: Pricing = FLOP_BITS, budget: Budget | None = None
) -> Candidates:
    """Candidates from rows of a table.

    Rows that share a new ``run_id`` are one run, paid for once; without one every row is a run of its own.
    A new run is measured as trained whether or not a row says so. Rows quantized after training that carry
    the ``run_id`` of a fitted run are quantizations of it, a candidate each.

    Without a chip training costs 6 N D, as on hardware that runs every precision as 16 bits (``costs_of``). A
    column ``cost`` says otherwise, row by row, in the unit of the budget.

    Parameters
    ----------
    fit
        A fit to the rows in question.
    frame
        Canonical columns, for example from ``points_frame``; ``run_id`` and ``cost`` where given.
    pricing
        What training costs.
    budget
        In whose unit the column ``cost`` is; FLOP at 16 bits where None.

    Raises
    ------
    InputError
        For no or too many rows, sizes or costs that are not positive, runs or quantizations that were logged
        already, or sizes of a logged run that are not its own.
    """
    _require_rows(frame)
    rows = frame.reset_index(drop=True)
    given = rows["run_id"].astype(object) if "run_id" in rows else pd.Series(None, rows.index, dtype=object)
    given = given.where(given.notna() & (given.astype(str) != ""), None)
    rows["run_id"] = [f"new {number}" if name is None else str(name) for number, name in enumerate(given, 1)]
    logged = _logged(fit, rows)
    _require_new(fit, rows, logged)
    rows["cost"] = rows["cost"].astype(np.float64) if "cost" in rows else np.nan
    key = rows["run_id"].where(~logged, rows["run_id"] + " row " + rows.index.astype(str))
    rows = rows.assign(key=key, is_logged=logged)
    complete = pd.concat([_trained_besides(rows), rows], ignore_index=True)
    place = pd.Series(range(key.nunique()), index=key.unique())[complete["key"]].to_numpy()
    after = complete["bits_post"].fillna(np.inf).to_numpy(np.float64)
    order = np.lexsort((-after, place))
    complete, number = complete.iloc[order].reset_index(drop=True), place[order]
    given_cost = complete["cost"].to_numpy(np.float64) / (1.0 if budget is None else budget.amount(1.0))
    cost = np.where(np.isnan(given_cost), costs_of(complete, pricing), given_cost)
    first = np.unique(number, return_index=True)[1]
    return Candidates(
        points=complete.drop(columns=["cost", "key", "is_logged"]),
        candidate=number,
        cost=np.bincount(number, cost),
        is_logged=complete["is_logged"].to_numpy(bool)[first],
    )


def logged_runs(fit: Fit) -> pd.DataFrame:
    """Fitted runs as trained, one row each."""
    rows = fit.rows[fit.rows["bits_post"].isna() & (fit.rows["status"] != "diverged")]
    return rows.drop_duplicates("run_id")


def _trained_besides(rows: pd.DataFrame) -> pd.DataFrame:
    """The loss as trained of new runs of which only quantizations are listed."""
    has_own = rows["bits_post"].isna().groupby(rows["key"]).transform("any")
    lacking = rows[~has_own & ~rows["is_logged"]].drop_duplicates("key")
    return lacking.assign(bits_post=np.nan, method_post="", cost=np.nan)


def _logged(fit: Fit, rows: pd.DataFrame) -> pd.Series:
    return rows["run_id"].isin({*fit.rows["run_id"].astype(str), CHECKPOINT})


def _require_rows(frame: pd.DataFrame) -> None:
    if frame.empty:
        raise InputError("no candidates; valid: at least one row with n_params and tokens")
    if len(frame) > MOST_ROWS:
        raise InputError(f"{len(frame)} rows of candidates; valid: at most {MOST_ROWS}")
    problems = []
    for name in ("n_params", "tokens", "cost"):
        if name not in frame:
            if name != "cost":
                problems.append(f'candidates: column "{name}" is missing')
            continue
        values = frame[name].to_numpy(np.float64)
        wrong = ~(np.isfinite(values) & (values > 0))
        if name == "cost":
            wrong &= ~np.isnan(values)
        problems += [
            f"candidates, row {number}: {name} is {values[number - 1]:g}; valid: a positive number"
            for number in np.flatnonzero(wrong)[:_ROOM] + 1
        ]
    if problems:
        raise InputError(problems)


def _require_new(fit: Fit, rows: pd.DataFrame, logged: pd.Series) -> None:
    problems = []
    known = fit.rows.drop_duplicates("run_id").set_index("run_id")
    known.index = known.index.astype(str)
    measured = set(
        zip(fit.rows["run_id"].astype(str), fit.rows["bits_post"], fit.rows["method_post"], strict=True)
    )
    for row, number in zip(rows[logged].to_dict("records"), np.flatnonzero(logged) + 1, strict=True):
        name = row["run_id"]
        if name not in known.index:
            continue
        own: Mapping[str, Any] = known.loc[name].to_dict()
        if pd.isna(row["bits_post"]) or (name, row["bits_post"], row["method_post"]) in measured:
            problems.append(
                f'candidates, row {number}: run "{name}" is logged already; valid: a run_id of its own for a repeat, '
                "or bits_post that were not measured"
            )
        elif any(not np.isclose(row[size], own[size]) for size in ("n_params", "tokens")):
            sizes = f"{format_count(own['n_params'])} parameters and {format_count(own['tokens'])} tokens"
            problems.append(f'candidates, row {number}: run "{name}" is logged with {sizes}, not these')
    if problems:
        raise InputError(problems[:_ROOM])
