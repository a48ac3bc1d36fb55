"""Laws compared: by runs left out one at a time, and by the largest runs left out together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.common_rows import CommonRows
from bitlaw.criticism.comparison_findings import comparison_findings
from bitlaw.criticism.differences import Differences, law_differences
from bitlaw.criticism.law_scores import (
    PROB,
    HeldOutRuns,
    HeldOutScore,
    LawComparison,
    Score,
    held_out_runs,
    held_out_score,
    indistinguishable,
    interval,
    scores,
)
from bitlaw.criticism.stacking import elpd_by_run, require_comparable
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.inference.refit import ExactScores, Refit

_NOISE = ("sigma", "kappa_train", "kappa")


@dataclass(frozen=True)
class Comparison:
    """Laws compared on the rows that all of them can use.

    Parameters
    ----------
    laws
        Best first.
    not_applicable
        By law that was not compared, why.
    held_out
        The runs behind the scores beyond the data; None where none could be held out.
    runs, rows
        How many were compared on.
    source
        Name of the run table.
    differences
        What differs between the laws, in words and numbers.
    findings
        What to bear in mind.
    """

    laws: tuple[LawComparison, ...]
    not_applicable: Mapping[str, str]
    held_out: HeldOutRuns | None
    runs: int
    rows: int
    source: str
    differences: Differences
    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    @property
    def leading(self) -> str:
        """The law with the most weight in the stack."""
        return max(self.laws, key=lambda law: law.one_out.weight).law

    def sentence(self) -> str:
        """Which law the data support, by how much, within the data and beyond."""
        best, *others = self.laws
        on = f"On {self.runs} runs ({self.rows} rows of {self.source})"
        if not others:
            return (
                f"{on} only one law applies: {best.law}, with an expected log predictive density (elpd) of "
                + (f"{best.one_out.elpd:.1f} nats.{self._beyond()}")
            )
        second = others[0]
        verdict = (
            f"{best.law} predicts left-out runs best: its elpd is {-second.one_out.difference:.1f} nats "
            f"(SE {second.one_out.difference_se:.1f}) above that of {second.law}"
        )
        tied = [law.law for law in others if indistinguishable(law.one_out)]
        apart = f" The data do not tell it apart from {', '.join(tied)}." if tied else ""
        weights = ", ".join(f"{law.law} {law.one_out.weight:.2f}" for law in self.laws)
        return f"{on} {verdict}.{apart} Stacking weights: {weights}.{self._beyond()}"

    def _beyond(self) -> str:
        scored = [(law.law, law.held_out) for law in self.laws if law.held_out is not None]
        if self.held_out is None or not scored:
            return ""
        name, best = max(scored, key=lambda item: item[1].elpd)
        return (
            f" Of the {len(self.held_out.run_ids)} largest runs, predicted from the other {self.held_out.kept} "
            f"(up to {self.held_out.ratio:.3g}x in compute), {name} expects most: 90 % intervals hold "
            f"{100 * best.coverage:.0f} % of the losses, mean absolute error of log loss "
            f"{best.mean_absolute_error:.2g}."
        )

    def table(self) -> pd.DataFrame:
        """One row per law, best first."""
        return pd.DataFrame([_table_row(law) for law in self.laws])

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain JSON types."""
        return {
            "status": str(self.status),
            "findings": [finding.to_dict() for finding in self.findings],
            "best": self.laws[0].law,
            "laws": [_law_dict(law) for law in self.laws],
            "not_applicable": dict(self.not_applicable),
            "held_out": _held_out_dict(self.held_out),
            "runs": self.runs,
            "rows": self.rows,
            "source": self.source,
            "differences": self.differences.to_dict(),
            "unit": "nats",
            "prob": PROB,
            "kind": "ETI",
        }


def compare_laws(
    common: CommonRows,
    scored: Sequence[ExactScores],
    held_out: np.ndarray,
    refits: Sequence[Refit],
    seed: int = 0,
) -> Comparison:
    """Put fits of several laws to the same rows side by side.

    Parameters
    ----------
    common
        The rows they were fitted to.
    scored
        One fit per law, with exact scores where importance sampling is not reliable.
    held_out
        Indices of the runs held out together; may be empty.
    refits
        Of each law, without those runs; empty where none are held out. Their reference scales are those
        of the whole table: they say where the priors are stated, and nothing of the losses.
    seed
        Seed of the noise in predicted losses.

    Raises
    ------
    InputError
        If the fits are not of the same rows, or a score is not finite.
    """
    fits = [item.fit for item in scored]
    require_comparable(fits)
    one_out = scores(elpd_by_run(fits))
    beyond: list[HeldOutScore | None] = [None] * len(fits)
    if refits:
        together = scores(np.stack([refit.log_density for refit in refits], axis=1))
        beyond = [
            held_out_score(score, fit, refit, held_out, seed)
            for score, fit, refit in zip(together, fits, refits, strict=True)
        ]
    laws = [
        LawComparison(
            law=item.fit.law.name,
            status=item.fit.status,
            one_out=score,
            refits=len(item.refitted),
            unreliable=len(item.unreliable),
            worst_k=float(item.fit.runs["pareto_k"].max()),
            held_out=far,
            noise={name: interval(item.fit.draws(name)) for name in _noise_scales(item.fit)},
        )
        for item, score, far in zip(scored, one_out, beyond, strict=True)
    ]
    laws.sort(key=lambda law: -law.one_out.elpd)
    runs = held_out_runs(common.table.frame, held_out) if refits else None
    comparison = Comparison(
        laws=tuple(laws),
        not_applicable=common.not_applicable,
        held_out=runs,
        runs=int(common.table.frame["run_id"].nunique()),
        rows=len(common.table.frame),
        source=common.table.source,
        differences=law_differences(fits),
        findings=(),
    )
    found = comparison_findings(comparison.laws, scored, refits)
    return replace(comparison, findings=(*common.table.findings, *found))


def _noise_scales(fit: Fit) -> list[str]:
    """Noise scales to show: not what only rows quantized after training inform where there are none."""
    informed = _NOISE if fit.rows["bits_post"].notna().any() else _NOISE[:2]
    return [name for name in informed if name in fit.posterior]


def _table_row(law: LawComparison) -> dict[str, Any]:
    row = {"law": law.law} | _score_columns("", law.one_out)
    row |= {"refits": str(law.refits), "worst k": f"{law.worst_k:.2f}"}
    if law.held_out is not None:
        row |= _score_columns("beyond ", law.held_out)
        row |= {
            "beyond coverage": f"{100 * law.held_out.coverage:.0f} %",
            "beyond error of log loss": f"{law.held_out.mean_absolute_error:.2g}",
        }
    row |= {name.replace("_", " "): f"{value.median:.2g}" for name, value in law.noise.items()}
    return row | {"fit": str(law.status)}


def _score_columns(prefix: str, score: Score) -> dict[str, str]:
    difference = f"{score.difference:.1f} (SE {score.difference_se:.1f})" if score.difference else "best"
    return {
        f"{prefix}elpd": f"{score.elpd:.1f}",
        f"{prefix}difference": difference,
        f"{prefix}weight": f"{score.weight:.2f}",
    }


def _law_dict(law: LawComparison) -> dict[str, Any]:
    return vars(law.one_out) | {
        "law": law.law,
        "status": str(law.status),
        "refits": law.refits,
        "unreliable": law.unreliable,
        "worst_k": law.worst_k,
        "held_out": None if law.held_out is None else vars(law.held_out),
        "noise": {name: value.to_dict() for name, value in law.noise.items()},
    }


def _held_out_dict(held_out: HeldOutRuns | None) -> dict[str, Any] | None:
    if held_out is None:
        return None
    return vars(held_out) | {"run_ids": list(held_out.run_ids), "ratio": held_out.ratio, "flop_unit": "FLOP"}
