"""The backtest as a report shows it: coverage and errors as tables of numbers, and the folds as text."""

import numpy as np
import pandas as pd
from scipy.stats import binom

from bitlaw.criticism.backtest import Backtest, from_dict
from bitlaw.criticism.fold_scores import PROB, PROBS, Scores
from bitlaw.criticism.fold_task import FoldRecord
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.reporting.tables import Table


def backtest_of(fit: Fit) -> Backtest | None:
    """The backtest kept with a fit; None where there is none, or where it could score nothing."""
    found = from_dict(fit.backtest) if fit.backtest is not None else None
    return found if found is not None and found.converged else None


def why_no_backtest(fit: Fit) -> Finding:
    """What says that a fit has no backtest to speak of.

    Parameters
    ----------
    fit
        A fit for which ``backtest_of`` is None.
    """
    own = [finding for finding in fit.findings if finding.code.startswith("backtest.")]
    said = next((finding for finding in own if finding.status is Status.NOT_RUN), None)
    return said or Finding("backtest.runs", Status.NOT_RUN, None, None, "No backtest is kept with this fit.")


def rows_predicted(backtest: Backtest) -> int:
    """Number of losses behind a backtest's scores."""
    return sum(fold.n_test for fold in backtest.converged)


def coverage_table(backtest: Backtest) -> pd.DataFrame:
    """How many of the losses held out lie in intervals of each probability.

    Parameters
    ----------
    backtest
        One with scores.

    Returns
    -------
    pandas.DataFrame
        ``prob``; ``with_drift`` and ``without_drift``, the shares observed; ``lo`` and ``hi``, between which
        the share of as many independent rows would lie with 90 % probability if intervals held ``prob``.
    """
    rows, found, plain = rows_predicted(backtest), backtest.scores, backtest.without_drift
    if found is None or plain is None:
        raise ValueError("this backtest has no scores")
    lo, hi = (np.array(ends) / rows for ends in binom.interval(PROB, rows, np.array(PROBS)))
    return pd.DataFrame(
        {
            "prob": PROBS,
            "with_drift": [found.coverage[prob] for prob in PROBS],
            "without_drift": [plain.coverage[prob] for prob in PROBS],
            "lo": lo,
            "hi": hi,
        }
    )


def error_table(backtest: Backtest) -> pd.DataFrame:
    """Every loss held out: how far beyond the fitted runs it was, and how far off its prediction.

    Parameters
    ----------
    backtest
        The backtest; folds that did not converge are left out.

    Returns
    -------
    pandas.DataFrame
        ``fold``, its place among the folds, and ``fitted``, the rows it was fitted to; ``ratio`` of the
        row's compute to that of the largest run fitted; ``error``, absolute, and ``half_width``, of the
        90 % interval, both of log loss.
    """
    return pd.DataFrame(
        [
            (
                place,
                fold.n_train,
                10.0**row.log10_ratio,
                abs(row.log_loss - row.median),
                (row.hi - row.lo) / 2,
            )
            for place, fold in enumerate(backtest.converged)
            for row in fold.rows
        ],
        columns=["fold", "fitted", "ratio", "error", "half_width"],
    )


def nearer_and_farther(errors: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The half of the rows nearest to what was fitted, by compute, and the other half.

    Parameters
    ----------
    errors
        As ``error_table`` gives it.
    """
    ordered = errors.sort_values("ratio", kind="stable")
    half = (len(ordered) + 1) // 2
    return ordered.iloc[:half], ordered.iloc[half:]


def folds_table(backtest: Backtest) -> Table:
    """One row per fold, those that were dropped last, and all that count together."""
    rows = [_fold_row(fold) for fold in backtest.folds]
    rows += [(fold.name, *["–"] * (len(_HEAD) - 2), f"dropped: {fold.reason}") for fold in backtest.dropped]
    found, plain = backtest.scores, backtest.without_drift
    marked: tuple[int, ...] = ()
    if found is not None and plain is not None and len(backtest.converged) > 1:
        farthest = max(fold.max_ratio for fold in backtest.converged)
        rows.append(
            (
                "together",
                "–",
                str(rows_predicted(backtest)),
                f"{farthest:.3g}x",
                *_score_cells(found, plain),
                "",
            )
        )
        marked = (len(rows) - 1,)
    return Table(
        "Each fold is fitted to the smaller runs and predicts all larger ones. Compute: that of the largest "
        "run predicted over that of the largest fitted. Shares of the losses that lie in their intervals "
        "(ETI of a new run, with drift unless it says otherwise). Error: mean of the absolute difference of "
        "measured and predicted log loss; width: of the 90 % interval of log loss; CRPS: continuous ranked "
        "probability score of log loss, smaller is better.",
        _HEAD,
        tuple(rows),
        marked,
    )


_HEAD = (
    "predicted",
    "rows fitted",
    "rows predicted",
    "compute",
    "in 90 %",
    "in 50 %",
    "in 90 %, without drift",
    "error",
    "width",
    "CRPS",
    "note",
)


def _fold_row(fold: FoldRecord) -> tuple[str, ...]:
    notes = [] if fold.converged else [f"did not converge (R-hat {fold.rhat:.2f}), in no average"]
    notes += [f"{fold.unpredicted} rows not predicted"] if fold.unpredicted else []
    return (
        fold.name,
        str(fold.n_train),
        str(fold.n_test),
        f"{fold.max_ratio:.3g}x",
        *_score_cells(fold.scores, fold.without_drift),
        "; ".join(notes),
    )


def _score_cells(found: Scores, plain: Scores) -> tuple[str, ...]:
    shares = (found.coverage[PROB], found.coverage[0.5], plain.coverage[PROB])
    return (
        *(f"{100 * share:.0f}\N{NO-BREAK SPACE}%" for share in shares),
        *(f"{value:.2g}" for value in (found.mae_log, found.width, found.crps)),
    )
