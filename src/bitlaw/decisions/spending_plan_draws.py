"""What plans of fixed sizes lose: draws under one law or several, and the risk of relying on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.criticism.beyond import distances
from bitlaw.criticism.risk import Risk
from bitlaw.decisions.pooling import pooled
from bitlaw.decisions.precision_draws import log_ratio
from bitlaw.decisions.risk import NumberDraws, evidence_of, pooled_evidence, risk_of, safe_log
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.drift import structural_error
from bitlaw.inference.fit import Fit


@dataclass(frozen=True)
class PlanDraws:
    """Draws of what plans lose, nats/token, shape (samples, plans).

    Parameters
    ----------
    undrifted, law_mean
        The law's mean loss by the law alone, and with structural error where that is asked for.
    new_run
        Loss of a new run.
    """

    undrifted: np.ndarray
    law_mean: np.ndarray
    new_run: np.ndarray

    @property
    def drift(self) -> np.ndarray:
        """What structural error adds to the log loss."""
        return log_ratio(self.law_mean, self.undrifted)

    def only(self, plans: slice | Sequence[int]) -> "PlanDraws":
        """The same of some plans."""
        return PlanDraws(self.undrifted[:, plans], self.law_mean[:, plans], self.new_run[:, plans])


def plan_draws(fit: Fit, points: pd.DataFrame, seed: int, drift: bool, prior: bool = False) -> PlanDraws:
    """Losses of plans under one law; all share effects and noise, so that their differences carry none.

    Parameters
    ----------
    fit
        The fit.
    points
        The plans, canonical run-table columns, without ``run_id``.
    seed
        Seed of effects and noise.
    drift
        Include the law's structural error beyond the data.
    prior
        Use draws of the prior in place of the posterior.
    """
    drawn = plain = loss_draws(fit, points, prior, seed, drift=drift)
    if drift and structural_error(fit, points) is not None:
        plain = loss_draws(fit, points, prior, seed, drift=False)
    return PlanDraws(plain.mean, drawn.mean, drawn.new_run)


def pooled_plans(by_law: Sequence[PlanDraws], weights: np.ndarray) -> PlanDraws:
    """Losses under several laws as one, each law's in proportion to its weight."""
    parts = zip(*(vars(own).values() for own in by_law), strict=True)
    return PlanDraws(*(pooled(list(part), weights) for part in parts))


def plan_risks(
    fits: Sequence[Fit],
    weights: np.ndarray,
    points: pd.DataFrame,
    drawn: PlanDraws,
    disagreement: np.ndarray | None,
    seed: int,
) -> list[Risk]:
    """Risk of the loss of each plan.

    Parameters
    ----------
    fits, weights
        One fit per law, and the laws' weights.
    points, drawn
        The plans, and draws of their losses.
    disagreement
        For each the weight of the laws that answer otherwise; None of one law.
    seed
        As for ``plan_draws``.
    """
    evidence = evidence_of(fits[0]) if len(fits) == 1 else pooled_evidence(fits, weights)
    prior = pooled([loss_draws(fit, points, True, seed, drift=False).mean for fit in fits], weights)
    numbers = zip(drawn.undrifted.T, drawn.law_mean.T, drawn.new_run.T, prior.T, strict=True)
    away = distances(fits, points)
    return [
        risk_of(
            evidence,
            points.iloc[[row]],
            NumberDraws(*map(safe_log, parts)),
            None if disagreement is None else float(disagreement[row]),
            distance=away[row],
        )
        for row, parts in enumerate(numbers)
    ]
