"""Numbers a study reports: intervals, residuals, scores by group of runs, and convergence."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from store import Compared, Fitted

from bitlaw import Fit
from bitlaw.criticism.contraction import LEAST_CONTRACTION, contraction_table
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.rows import arrange

PROB = 0.9
TAILS = (0.5, 0.5 - PROB / 2, 0.5 + PROB / 2)
_ROBUST = 1.4826


def eti(draws: np.ndarray) -> dict[str, float]:
    """Median and 90 % equal-tailed interval."""
    return dict(zip(("median", "lo", "hi"), (float(x) for x in np.quantile(draws, TAILS)), strict=True))


def constants(fit: Fit, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Interval of each of the named quantities that the fit has."""
    return {name: eti(fit.draws(name)) for name in names if name in fit.posterior}


def robust_sd(values: np.ndarray) -> float:
    """1.4826 times the median absolute deviation from the median."""
    return float(_ROBUST * np.median(np.abs(values - np.median(values))))


def law_residuals(fit: Fit) -> pd.DataFrame:
    """Log residuals of losses as trained: of the law's mean alone, and with the effect of the run's cell.

    Returns
    -------
    pandas.DataFrame
        The rows as trained, with ``of_law`` and ``in_cell``, ln(measured / posterior median).
    """
    rows = arrange(fit.law, fit.rows, fit.pool)
    frame = rows.frame.iloc[rows.trained.row]
    of_law = np.log(frame["loss"].to_numpy(float)) - np.median(
        np.log(loss_draws(fit, frame, drift=False).trained), axis=0
    )
    shared = np.zeros(rows.cells + 1)
    if rows.cells:
        shared[:-1] = fit.posterior["cell_effect"].median(("chain", "draw")).to_numpy()
    return frame.assign(of_law=of_law, in_cell=of_law - shared[rows.trained.cell])


def prediction_scores(fit: Fit, points: pd.DataFrame) -> dict[str, float]:
    """How well new runs are predicted at points whose loss was measured.

    Returns
    -------
    dict
        ``rows``; ``error`` and ``bias``, mean absolute and mean signed ln(measured / the law's median);
        ``coverage`` of 90 % ETI of new runs and their median ``width`` in log loss.
    """
    draws = loss_draws(fit, points, drift=False)
    measured = np.log(points["loss"].to_numpy(float))
    error = measured - np.median(np.log(draws.mean), axis=0)
    _, lo, hi = np.quantile(np.log(draws.new_run), TAILS, axis=0)
    return {
        "rows": len(points),
        "error": float(np.abs(error).mean()),
        "bias": float(error.mean()),
        "coverage": float(((lo <= measured) & (measured <= hi)).mean()),
        "width": float(np.median(hi - lo)),
    }


def elpd_by_group(best: Fit, other: Fit, group: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Difference of elpd, best less other, summed over the runs of each group, and over all.

    Parameters
    ----------
    best, other
        Fits to the same rows.
    group
        Group of each run, by ``run_id``.
    """
    own = best.runs.set_index("run_id")["elpd"]
    difference = own - other.runs.set_index("run_id")["elpd"].reindex(own.index)
    labels = pd.Series([group.get(run) for run in difference.index], difference.index, dtype=object)
    found = {str(name): _summed(values) for name, values in difference.groupby(labels)}
    return {**found, "all": _summed(difference)}


def _summed(difference: pd.Series) -> dict[str, float]:
    count = len(difference)
    error = float(np.sqrt(count) * difference.std(ddof=1)) if count > 1 else float("nan")
    return {"runs": count, "difference": float(difference.sum()), "se": error}


def compared_laws(compared: Compared) -> list[dict[str, Any]]:
    """Score of each law of a comparison, best first."""
    wanted = ("law", "elpd", "difference", "difference_se", "weight", "refits", "unreliable", "worst_k")
    return [{name: law[name] for name in wanted} for law in compared.numbers["laws"]]


def _prior_decides(fit: Fit) -> list[str]:
    """Constants that the data hardly narrowed."""
    table = contraction_table(fit)
    return table.loc[
        (table["kind"] != "noise") & ~(table["contraction"] >= LEAST_CONTRACTION), "name"
    ].tolist()


def _diverged_at(fit: Fit) -> str:
    """The quantity whose values are the most extreme where draws diverged; empty where none did."""
    where = fit.sample_stats["diverging"].to_numpy().astype(bool).reshape(-1)
    if not where.any():
        return ""
    scalars = [
        str(name) for name, draws in fit.posterior.data_vars.items() if draws.dims == ("chain", "draw")
    ]
    ranks = {name: fit.draws(name).argsort().argsort()[where] / len(where) for name in scalars}
    return max(ranks, key=lambda name: float(np.abs(2.0 * ranks[name] - 1.0).mean()))


def convergence(fitted: Fitted) -> dict[str, Any]:
    """What the sampler did in one fit, and whether it is good enough."""
    found = {finding.code: finding for finding in fitted.fit.findings}
    rhat, bulk, tail = (found[f"convergence.{name}"] for name in ("rhat", "ess_bulk", "ess_tail"))
    divergences = int(fitted.fit.sample_stats["diverging"].sum())
    return {
        "label": fitted.label,
        "rows": len(fitted.fit.rows),
        "runs": len(fitted.fit.runs),
        "rhat": rhat.value,
        "ess_bulk": bulk.value,
        "ess_tail": tail.value,
        "divergences": divergences,
        "attempts": fitted.fit.provenance.attempts,
        "draws": fitted.fit.samples(),
        "seconds": fitted.seconds,
        "passed": bool(rhat.value <= 1.01 and min(bulk.value, tail.value) >= 400 and divergences == 0),
        "diverged_at": _diverged_at(fitted.fit),
        "prior_decides": _prior_decides(fitted.fit),
        "worst": f"{rhat.message} {bulk.message} {tail.message}",
    }
