"""What supports a precision decision: which options may be recommended, and the risk of the one that is."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bitlaw.criticism.beyond import Distance, distances
from bitlaw.criticism.risk import Risk
from bitlaw.decisions.groups import group_columns
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.decisions.precision_draws import PrecisionDraws
from bitlaw.decisions.question import PrecisionQuestion
from bitlaw.decisions.risk import Evidence, NumberDraws, risk_of, safe_log
from bitlaw.inference.fit import Fit
from bitlaw.runs.columns import UNQUANTIZED_BITS


def supported_options(
    fits: Sequence[Fit], question: PrecisionQuestion, offer: Sequence[OnOffer], draws: PrecisionDraws
) -> np.ndarray:
    """Whether each option may be recommended, shape (options,).

    None may where quantized options are on offer and nothing measured supports any of them: that 16 bits
    are left would be no answer to which precision to train in.

    Parameters
    ----------
    fits
        One per law, to the same rows.
    question, offer
        What was asked, and the options.
    draws
        Their posterior draws, whose median sizes are looked at.
    """
    return supported_at(fits, offer, _points(fits[0], question, offer, draws))


def supported_at(fits: Sequence[Fit], offer: Sequence[OnOffer], points: pd.DataFrame) -> np.ndarray:
    """The same of options at sizes of their own.

    Parameters
    ----------
    fits, offer
        As for ``supported_options``.
    points
        The options with their sizes, one row each.
    """
    supported = np.array([not distance.is_beyond_support for distance in distances(fits, points)])
    quantized = np.array([option.bits < UNQUANTIZED_BITS for option in offer])
    if quantized.any() and not (supported & quantized).any():
        return np.zeros(len(offer), dtype=bool)
    return supported


def precision_risk(
    evidence: Evidence,
    decision: PrecisionDecision,
    offer: Sequence[OnOffer],
    posterior: PrecisionDraws,
    prior: PrecisionDraws,
    disagreement: float | None = None,
) -> Risk:
    """Risk of the recommended option, or of the one that would come closest.

    The number it rests on is how far the option's log loss is from that of the next best by expected
    regret: a choice is wrong where that difference is. Of a single option it is the log loss itself.

    Parameters
    ----------
    evidence
        What was fitted.
    decision, offer
        The decision, and its options as they were offered.
    posterior, prior
        Their draws.
    disagreement
        Stacking weight of the laws that answer otherwise; None of one law.
    """
    points = _points(evidence.fits[0], decision.question, offer, posterior)
    away = distances(evidence.fits, points)
    leader, *others = _by_regret(decision, away)
    ahead = [_ahead(draws, leader, others[0] if others else None) for draws in (posterior, prior)]
    (undrifted, drifted), (of_prior, _) = ahead
    number = NumberDraws(undrifted, drifted, drifted, of_prior)
    return risk_of(evidence, points.iloc[[leader]], number, disagreement, distance=away[leader])


def _by_regret(decision: PrecisionDecision, away: Sequence[Distance]) -> list[int]:
    """Options that may be recommended, the recommended one first, then by expected regret.

    Where none may, all of them, those first that are too far themselves: why the answer is refused.
    """
    options = decision.options
    allowed = [index for index, option in enumerate(options) if not option.refused] or range(len(options))

    def place(index: int) -> tuple[bool, bool, float]:
        option = options[index]
        return (
            option.key != decision.best,
            option.refused and not away[index].is_beyond_support,
            option.expected_regret,
        )

    return sorted(allowed, key=place)


def _ahead(draws: PrecisionDraws, leader: int, other: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Log loss of one option less that of another, under the law alone and with structural error."""
    drifted = safe_log(draws.loss)
    undrifted = drifted if draws.drift is None else drifted - draws.drift
    if other is None:
        return undrifted[:, leader], drifted[:, leader]
    return undrifted[:, leader] - undrifted[:, other], drifted[:, leader] - drifted[:, other]


def _points(
    fit: Fit, question: PrecisionQuestion, offer: Sequence[OnOffer], draws: PrecisionDraws
) -> pd.DataFrame:
    """The options as points at their median sizes; at the fit's own where no draw has capacity."""
    n_params, tokens = (
        [_median(values[:, index], instead) for index in range(len(offer))]
        for values, instead in (
            (draws.n_params, fit.reference.n_params),
            (draws.tokens, fit.reference.tokens),
        )
    )
    return points_of(offer, n_params, tokens, group_columns(fit, question.group))


def _median(values: np.ndarray, instead: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else instead
