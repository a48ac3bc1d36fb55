"""The card on the loss to expect."""

from bitlaw.decisions.intervals import interval_text
from bitlaw.decisions.prediction import PointPrediction, Prediction
from bitlaw.reporting.opening.card import Card, Fact, State, refused
from bitlaw.reporting.opening.would_change import other_runs
from bitlaw.reporting.several import SeveralLaws
from bitlaw.units import LOSS_UNIT, Interval, decimals_for, format_probability

_QUESTION, _SECTION = "The loss to expect in 16 bits", "loss"


def loss_card(prediction: Prediction, several: SeveralLaws | None) -> Card:
    """What loss a new run of the question would have.

    Parameters
    ----------
    prediction
        The answer.
    several
        Several laws beside each other, where there are.
    """
    name, point = "expect", prediction.points[0]
    if point.risk.refused:
        return refused(name, _QUESTION, _SECTION, point.risk, prediction.sentence())
    return Card(
        name,
        _QUESTION,
        f"A loss of {_median(point.new_run)} {LOSS_UNIT}",
        State.ANSWERED,
        _SECTION,
        (
            Fact("A new run", interval_text(point.new_run)),
            Fact("The law's mean", interval_text(point.law_mean)),
            *_structural(prediction, point),
        ),
        point.risk,
        (
            _another_law(several),
            *other_runs(point.risk),
            Fact("Without the data", f"the prior alone would say {interval_text(point.prior)}"),
        ),
        prediction.sentence(),
    )


def _median(interval: Interval) -> str:
    return f"{interval.median:.{min(4, decimals_for(interval.lo, interval.hi))}f}"


def _structural(prediction: Prediction, point: PointPrediction) -> tuple[Fact, ...]:
    if prediction.drift and point.drift:
        return (Fact("Structural error", f"{100 * point.drift:.2g} % of the loss (drift) is included"),)
    return ()


def _another_law(several: SeveralLaws | None) -> Fact:
    """The loss under every law, for losses of two laws are never quite the same."""
    label = "Another law"
    if several is None:
        return Fact(label, "not checked (NOT RUN): one law was fitted")
    said = (
        f"{name} (weight {format_probability(several.weights[name])}) says {interval_text(one.points[0].new_run)}"
        for name, one in several.prediction.by_law.items()
    )
    return Fact(label, "; ".join(said))
