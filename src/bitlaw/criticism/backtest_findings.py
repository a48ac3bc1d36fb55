"""What to bear in mind with a backtest: how often its intervals held, and which folds do not count."""

from collections.abc import Iterator, Sequence

from bitlaw.criticism.fold_scores import PROB, Scores
from bitlaw.criticism.fold_task import FoldRecord
from bitlaw.criticism.risk_limits import LOWEST_COVERAGE
from bitlaw.finding import Finding, Status
from bitlaw.inference.folds import DroppedFold
from bitlaw.inference.refit_limits import HIGHEST_RHAT


def too_few_runs(runs: int, needed: int) -> Finding:
    """No backtest, for the table is too small."""
    return Finding(
        "backtest.runs",
        Status.NOT_RUN,
        float(runs),
        float(needed),
        f"No backtest: {runs} usable runs, and {needed} are needed to leave some out.",
        "Nothing says how well this law predicts larger runs; log more of them.",
    )


def switched_off() -> Finding:
    """No backtest, for it was not asked for."""
    return Finding(
        "backtest.runs",
        Status.NOT_RUN,
        None,
        None,
        "No backtest was run with this fit.",
        "Nothing says how well this law predicts larger runs: bitlaw backtest does, or fit without --no-backtest.",
    )


def not_leading(leading: str) -> Finding:
    """No backtest, for another of several laws has more weight."""
    return Finding(
        "backtest.runs",
        Status.NOT_RUN,
        None,
        None,
        f"No backtest was run with this fit: of the laws compared only {leading} was tested, which has the most "
        "weight.",
        "bitlaw backtest RUNS --law … tests any of them.",
    )


def backtest_findings(
    folds: Sequence[FoldRecord], dropped: Sequence[DroppedFold], scores: Scores | None
) -> tuple[Finding, ...]:
    """Coverage, convergence of the folds, and folds that were dropped.

    Parameters
    ----------
    folds
        Those that were fitted.
    dropped
        Those that were not.
    scores
        Over the folds that converged; None without any.
    """
    return (_coverage(scores), *_convergence(folds), *_dropped(dropped), *_unpredicted(folds))


def _coverage(scores: Scores | None) -> Finding:
    code = "backtest.coverage"
    if scores is None:
        message = "No fold could be scored, so nothing says how well the law predicts runs it has not seen."
        return Finding(code, Status.NOT_RUN, None, LOWEST_COVERAGE, message)
    share = scores.coverage[PROB]
    message = f"In the backtest {100 * share:.0f} % of the left-out losses lie in their 90 % intervals"
    if share >= LOWEST_COVERAGE:
        return Finding(code, Status.PASS, share, LOWEST_COVERAGE, f"{message}.")
    return Finding(
        code,
        Status.WARN,
        share,
        LOWEST_COVERAGE,
        f"{message}: beyond the data they are too narrow.",
        "Take intervals of larger runs as lower bounds; compare laws, and log runs nearer to those you ask about.",
    )


def _convergence(folds: Sequence[FoldRecord]) -> Iterator[Finding]:
    if not folds:
        return
    code, failed = "backtest.convergence", [fold for fold in folds if not fold.converged]
    worst = max(fold.rhat for fold in folds)
    diverged = f"up to {100 * max(fold.divergences for fold in folds):.2g} % of a fold's draws diverged"
    if not failed:
        message = f"Every fold converged: the largest R-hat is {worst:.3f}, and {diverged}."
        yield Finding(code, Status.PASS, worst, HIGHEST_RHAT, message)
        return
    yield Finding(
        code,
        Status.WARN,
        worst,
        HIGHEST_RHAT,
        f"{len(failed)} of {len(folds)} folds did not converge (R-hat up to {worst:.2f}) and are in no average: "
        f"{'; '.join(fold.name for fold in failed)}; {diverged}.",
        "The runs of those folds do not pin the law down; a law with fewer terms may fit them.",
    )


def _dropped(dropped: Sequence[DroppedFold]) -> Iterator[Finding]:
    if dropped:
        reasons = "; ".join(f"{fold.name}: {fold.reason}" for fold in dropped)
        yield Finding(
            "backtest.dropped",
            Status.WARN,
            float(len(dropped)),
            0.0,
            f"{len(dropped)} folds were dropped ({reasons}).",
            "Log more runs, or choose a law with fewer constants.",
        )


def _unpredicted(folds: Sequence[FoldRecord]) -> Iterator[Finding]:
    rows = sum(fold.unpredicted for fold in folds)
    if rows:
        yield Finding(
            "backtest.unpredicted",
            Status.WARN,
            float(rows),
            0.0,
            f"{rows} held-out rows were not predicted: no row fitted has their format or post-training method.",
            "Log each format and method in small runs, too.",
        )
