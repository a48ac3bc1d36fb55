"""Backtest: a law fitted to some runs and asked about others, larger, in fewer bits, or of another group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from bitlaw.criticism.backtest_findings import backtest_findings, too_few_runs
from bitlaw.criticism.fold_scores import PROB, PredictedRow, Scores, averaged, scores_from
from bitlaw.criticism.fold_task import FoldRecord, FoldTask, run_fold
from bitlaw.criticism.risk_limits import FEWEST_RUNS
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.executors import Executor, Progress
from bitlaw.inference.folds import DroppedFold, plan_folds
from bitlaw.laws.spec import parse_law

if TYPE_CHECKING:
    from bitlaw.inference.recipe import Recipe

_SCORES = ("mae_log", "signed_error", "width", "crps", "interval_score", "log_score")


@dataclass(frozen=True)
class Backtest:
    """Predictions of runs that were left out, and how well they did; errors are of log loss.

    Parameters
    ----------
    law, source
        Name of the law and of the run table.
    runs
        Usable runs.
    folds
        Every fold that was fitted; those that did not converge are in no average.
    dropped
        Folds that were not fitted, with the reason.
    findings
        What to bear in mind.
    """

    law: str
    source: str
    runs: int
    folds: tuple[FoldRecord, ...]
    dropped: tuple[DroppedFold, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst of the findings; NOT_RUN where nothing could be scored."""
        return overall_status(self.findings) if self.converged else Status.NOT_RUN

    @property
    def converged(self) -> tuple[FoldRecord, ...]:
        """The folds that count."""
        return tuple(fold for fold in self.folds if fold.converged)

    @property
    def scores(self) -> Scores | None:
        """Over every row predicted by the folds that converged; None without any."""
        return self._averaged([fold.scores for fold in self.converged])

    @property
    def without_drift(self) -> Scores | None:
        """The same without structural error beyond the data."""
        return self._averaged([fold.without_drift for fold in self.converged])

    def _averaged(self, scores: Sequence[Scores]) -> Scores | None:
        return averaged(scores, [fold.n_test for fold in self.converged]) if scores else None

    @property
    def coverage(self) -> Mapping[float, float]:
        """Share of the measurements inside their intervals, by probability; empty where nothing was scored."""
        return self.scores.coverage if self.scores else {}

    def sentence(self) -> str:
        """How well the law predicted runs it had not seen."""
        plain = self.without_drift
        if self.scores is None or plain is None:
            return f"No backtest of {self.law} on {self.source}: {self._why_none()}."
        folds = self.converged
        ratios = [fold.max_ratio for fold in folds if fold.kind == "compute"]
        far = f", up to {max(ratios):.3g}x the compute of those fitted" if ratios else ""
        found = self.scores
        side = "high" if found.signed_error < 0 else "low"
        return (
            f"Of {sum(fold.n_test for fold in folds)} losses that {self.law} was not fitted to ({len(folds)} "
            f"fold{'s' * (len(folds) > 1)}{far}), its 90 % intervals hold {100 * found.coverage[PROB]:.0f} % and its "
            f"50 % intervals {100 * found.coverage[0.5]:.0f} %; the mean absolute error of log loss is "
            f"{found.mae_log:.2g}, and predictions are {abs(found.signed_error):.2g} too {side} on average. "
            f"Without drift the 90 % intervals hold {100 * plain.coverage[PROB]:.0f} %."
        )

    def _why_none(self) -> str:
        if self.runs < FEWEST_RUNS:
            return f"{self.runs} usable runs, and {FEWEST_RUNS} are needed"
        if self.folds:
            return f"none of {len(self.folds)} folds converged"
        return "; ".join(f"{fold.name}: {fold.reason}" for fold in self.dropped)

    def table(self) -> pd.DataFrame:
        """One row per fold, those that were dropped last."""
        rows = [_table_row(fold) for fold in self.folds]
        rows += [{"predicted": fold.name, "note": f"dropped: {fold.reason}"} for fold in self.dropped]
        return pd.DataFrame(rows).fillna("")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types; ``from_dict`` reads it back."""
        found, plain = self.scores, self.without_drift
        return {
            "status": str(self.status),
            "findings": [finding.to_dict() for finding in self.findings],
            "law": self.law,
            "source": self.source,
            "runs": self.runs,
            "folds": [fold.to_dict() for fold in self.folds],
            "dropped": [asdict(fold) for fold in self.dropped],
            "coverage": {f"{prob:g}": share for prob, share in self.coverage.items()} or None,
            **{name: getattr(found, name) if found else None for name in _SCORES},
            "without_drift": plain.to_dict() if plain else None,
            "prob": PROB,
            "kind": "ETI",
        }


def without_rows(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a backtest, as ``to_dict`` gives it, without the rows that its folds predicted."""
    folds = [{name: value for name, value in fold.items() if name != "rows"} for fold in record["folds"]]
    return {**record, "folds": folds}


def from_dict(record: Mapping[str, Any]) -> Backtest:
    """A backtest from its ``to_dict``, as a Fit file keeps it.

    Parameters
    ----------
    record
        ``Fit.backtest``.
    """
    return Backtest(
        law=record["law"],
        source=record["source"],
        runs=record["runs"],
        folds=tuple(_fold(item) for item in record["folds"]),
        dropped=tuple(DroppedFold(**item) for item in record["dropped"]),
        findings=tuple(Finding(**item | {"status": Status(item["status"])}) for item in record["findings"]),
    )


def run_backtest(
    recipe: Recipe,
    source: str,
    executor: Executor,
    kinds: Sequence[str] = ("compute",),
    cuts: int = 4,
    progress: Progress | None = None,
) -> Backtest:
    """Fit and score every fold of a run table.

    Parameters
    ----------
    recipe
        The law, and the rows it can explain.
    source
        Name of the run table.
    executor
        Where the folds are fitted.
    kinds, cuts
        As for ``plan_folds``.
    progress
        Told how many folds are done.

    Raises
    ------
    InputError
        For kinds and cuts that cannot be, or an executor that cannot run.
    """
    law, frame = parse_law(recipe.toml, source), recipe.frame
    folds, dropped = plan_folds(law, frame, recipe.pool, kinds, cuts)
    runs = int(frame.loc[frame["status"] != "diverged", "run_id"].nunique())
    if runs < FEWEST_RUNS:
        return Backtest(law.name, source, runs, (), (), (too_few_runs(runs, FEWEST_RUNS),))
    cores = None if executor.is_local else 1
    tasks = [
        FoldTask(recipe, fold, recipe.seed + number, cores) for number, fold in enumerate(folds, start=1)
    ]
    records = dict(executor.run(run_fold, tasks, progress)) if tasks else {}
    found = Backtest(law.name, source, runs, tuple(records[i] for i in range(len(tasks))), dropped, ())
    return replace(found, findings=backtest_findings(found.folds, dropped, found.scores))


def _fold(item: Mapping[str, Any]) -> FoldRecord:
    nested = (*_SCORES, "coverage", "without_drift", "rows")
    own = {name: value for name, value in item.items() if name not in nested}
    return FoldRecord(
        **own,
        scores=scores_from(item),
        without_drift=scores_from(item["without_drift"]),
        rows=tuple(PredictedRow(**row) for row in item["rows"]),
    )


def _table_row(fold: FoldRecord) -> dict[str, str]:
    found = fold.scores
    notes = [] if fold.converged else [f"did not converge (R-hat {fold.rhat:.2f}), left out"]
    notes += [f"{fold.unpredicted} rows not predicted"] if fold.unpredicted else []
    return {
        "predicted": fold.name,
        "fitted": str(fold.n_train),
        "rows": str(fold.n_test),
        "compute": f"{fold.max_ratio:.3g}x",
        "in 90 %": f"{100 * found.coverage[PROB]:.0f} %",
        "in 50 %": f"{100 * found.coverage[0.5]:.0f} %",
        "error of log loss": f"{found.mae_log:.2g}",
        "signed": f"{found.signed_error:+.2g}",
        "width": f"{found.width:.2g}",
        "CRPS": f"{found.crps:.2g}",
        "log score": f"{found.log_score:.2f}",
        "note": "; ".join(notes),
    }
