"""Risk of one number: how much of it rests on what was measured, graded, with reasons and numbers. NumPy only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bitlaw.criticism.backtest_record import BacktestRecord
from bitlaw.criticism.beyond import Distance
from bitlaw.criticism.prior_sensitivity import MOST_SENSITIVE, PriorPull
from bitlaw.criticism.risk_limits import (
    HIGH_BITS,
    HIGH_DECADES,
    HIGH_SENSITIVITY,
    HIGH_STATED,
    LEAST_WEIGHT,
    LOWEST_COVERAGE,
    MODERATE_STATED,
    POOR_COVERAGE,
    REFUSE_BITS,
    REFUSE_DECADES,
)
from bitlaw.finding import Finding, Status
from bitlaw.units import format_probability

REFUSED = "risk.refused"
"""Code of the finding that an answer is refused."""

_ROUNDING = 1e-9
_WORTH_NAMING = 0.005
_SIZE = "extrapolation.size"


class Grade(StrEnum):
    """How much an answer risks, by what supports it."""

    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"
    REFUSE = "REFUSE"

    @property
    def rank(self) -> int:
        """0 for LOW to 3 for REFUSE."""
        return list(Grade).index(self)


@dataclass(frozen=True)
class Risk:
    """Whether to rely on one number.

    Parameters
    ----------
    grade
        LOW, MODERATE, HIGH, or REFUSE where nothing measured supports an answer.
    reasons
        Why it is no better, the worst first; of LOW, what supports it.
    decisive
        How many of the reasons are of the grade itself.
    distance
        How far beyond the fitted runs the question is.
    shares
        Shares of the number's variance (``variance_shares``); None where it does not vary.
    prior_pull
        How far the law's own number follows the prior.
    disagreement
        Stacking weight of the laws that answer otherwise than the one with the most; None of one law.
    backtest
        How predictions of left-out runs did that far beyond the data.
    would_help
        Runs that would change the grade, the most needed first.
    """

    grade: Grade
    reasons: tuple[str, ...]
    decisive: int
    distance: Distance
    shares: Mapping[str, float] | None
    prior_pull: PriorPull
    disagreement: float | None
    backtest: BacktestRecord
    would_help: tuple[str, ...]

    @property
    def refused(self) -> bool:
        """Whether nothing measured supports an answer."""
        return self.grade is Grade.REFUSE

    def sentence(self) -> str:
        """The grade with its reasons, and the runs that would change it."""
        return f"Risk {self.grade}: {' '.join(self.reasons)}{self._help()}"

    def refusal(self) -> str:
        """In place of an answer: that nothing measured supports one, why, and the runs that would change it."""
        return f"REFUSED: nothing measured supports an answer. {self._why_refused()}{self._help()}"

    def _why_refused(self) -> str:
        return " ".join(self.reasons[: self.decisive])

    def _help(self) -> str:
        return f" Runs that would change it: {'; '.join(self.would_help)}." if self.would_help else ""

    def finding(self) -> Finding | None:
        """REFUSED where it is; else None, for what was found is in findings of its own."""
        if not self.refused:
            return None
        value, threshold = max(
            (self.distance.decades, REFUSE_DECADES),
            (self.distance.bits_below, REFUSE_BITS),
            key=lambda pair: pair[0] / pair[1],
        )
        advice = f"Log {'; '.join(self.would_help)}." if self.would_help else ""
        message = f"Nothing measured supports an answer. {self._why_refused()}"
        return Finding(REFUSED, Status.REFUSED, value, threshold, message, advice)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON types."""
        return {
            "grade": str(self.grade),
            "reasons": list(self.reasons),
            "distance": self.distance.to_dict(),
            "shares": None if self.shares is None else dict(self.shares),
            "disagreement": self.disagreement,
            "backtest": self.backtest.to_dict(),
            "prior_sensitivity": vars(self.prior_pull),
            "would_help": list(self.would_help),
        }


@dataclass(frozen=True)
class _Reason:
    grade: Grade
    text: str


def assess(
    distance: Distance,
    shares: Mapping[str, float] | None,
    pull: PriorPull,
    backtest: BacktestRecord,
    beyond: Sequence[Finding] = (),
    disagreement: float | None = None,
    would_help: Sequence[str] = (),
) -> Risk:
    """Grade one number by the worst of what speaks against it.

    REFUSE 1000x beyond the fitted runs or a bit below every measured one; HIGH a decade beyond them, where
    the prior and drift make up most of the variance, the law's number follows the prior, the laws disagree,
    intervals failed in the backtest, or a group, format or method was never measured; MODERATE anywhere
    else outside, and without a backtest. The limits are in ``risk_limits``.

    Parameters
    ----------
    distance
        How far beyond the fitted runs.
    shares
        From ``variance_shares``.
    pull
        From ``prior_pull``, of the law's own number.
    backtest
        From ``backtest_record``, at that distance.
    beyond
        ``extrapolation_findings`` of the question, whose messages are the reasons.
    disagreement
        Stacking weight of the laws that answer otherwise; None of one law.
    would_help
        From ``runs_that_would_help``.
    """
    found = sorted(
        (
            *_of_distance(distance, beyond),
            *_of_laws(disagreement),
            *_of_shares(shares),
            *_of_prior(pull),
            *_of_backtest(backtest),
        ),
        key=lambda reason: -reason.grade.rank,
    )
    grade = found[0].grade if found else Grade.LOW
    reasons = tuple(reason.text for reason in found) or (_support(shares, backtest),)
    return Risk(
        grade,
        reasons,
        max(1, sum(reason.grade is grade for reason in found)),
        distance,
        shares,
        pull,
        disagreement,
        backtest,
        tuple(would_help) if grade is not Grade.LOW else (),
    )


def distance_reasons(distance: Distance, beyond: Sequence[Finding]) -> tuple[tuple[Grade, str], ...]:
    """The part of ``assess`` that distance decides: every reason with its grade, the worst first.

    Parameters
    ----------
    distance, beyond
        As for ``assess``.
    """
    found = sorted(_of_distance(distance, beyond), key=lambda reason: -reason.grade.rank)
    return tuple((reason.grade, reason.text) for reason in found)


def _of_distance(distance: Distance, beyond: Sequence[Finding]) -> Iterator[_Reason]:
    for finding in beyond:
        if finding.status is not Status.PASS:
            yield _Reason(_grade_beyond(finding, distance), finding.message)
    far_in_each = any(
        abs(value) >= REFUSE_DECADES - _ROUNDING for value in (distance.n_params, distance.tokens)
    )
    if abs(distance.compute) >= REFUSE_DECADES - _ROUNDING and not far_in_each:
        side = "above the largest" if distance.compute > 0 else "below the smallest"
        text = f"Its compute is a factor of {10 ** abs(distance.compute):.3g} {side} fitted run's."
        yield _Reason(Grade.REFUSE, text)


def _grade_beyond(finding: Finding, distance: Distance) -> Grade:
    what = finding.code.partition(".")[2]
    if finding.code == "groups.new":
        return Grade.HIGH
    if finding.code == _SIZE:
        farthest = max(abs(distance.n_params), abs(distance.tokens), abs(distance.compute))
        return _by_decades(farthest, distance.hull)
    if what.startswith("ratio"):
        return _by_decades(finding.value or 0.0, finding.value or 0.0)
    below = -distance.bits.get(what, 0.0)
    if below >= REFUSE_BITS - _ROUNDING:
        return Grade.REFUSE
    return Grade.HIGH if below >= HIGH_BITS - _ROUNDING else Grade.MODERATE


def _by_decades(farthest: float, decades: float) -> Grade:
    if farthest >= REFUSE_DECADES - _ROUNDING:
        return Grade.REFUSE
    return Grade.HIGH if decades >= HIGH_DECADES - _ROUNDING else Grade.MODERATE


def _of_laws(disagreement: float | None) -> Iterator[_Reason]:
    if disagreement is not None and disagreement >= LEAST_WEIGHT:
        yield _Reason(
            Grade.HIGH,
            f"The laws disagree: those that answer otherwise than the leading one weigh "
            f"{format_probability(disagreement)}.",
        )


def _of_shares(shares: Mapping[str, float] | None) -> Iterator[_Reason]:
    if shares is None:
        return
    stated = shares["prior"] + shares["drift"]
    if stated <= MODERATE_STATED:
        return
    parts = [
        f"{100 * shares[name]:.0f} % {text}"
        for name, text in (("drift", "drift"), ("prior", "the prior of the law's constants"))
        if shares[name] >= _WORTH_NAMING
    ]
    yield _Reason(
        Grade.HIGH if stated > HIGH_STATED else Grade.MODERATE,
        f"{100 * stated:.0f} % of its variance is assumed, not measured: {' and '.join(parts)}.",
    )


def _of_prior(pull: PriorPull) -> Iterator[_Reason]:
    if pull.sensitivity is None or pull.shift is None:
        text = (
            "Whether it follows the prior was not checked: too few draws carry the weight of a scaled prior."
        )
        yield _Reason(Grade.MODERATE, text)
    elif pull.sensitivity >= MOST_SENSITIVE:
        yield _Reason(
            Grade.HIGH if pull.sensitivity >= HIGH_SENSITIVITY else Grade.MODERATE,
            f"It follows the prior: sensitivity {pull.sensitivity:.2g} ({MOST_SENSITIVE:g} is informative), "
            f"{pull.shift:+.2g} SD as the prior's power goes from 0.8 to 1.25.",
        )


def _of_backtest(record: BacktestRecord) -> Iterator[_Reason]:
    worst = record.worst_coverage
    if worst is not None and worst < LOWEST_COVERAGE:
        grade = Grade.HIGH if worst < POOR_COVERAGE else Grade.MODERATE
        shown = (
            f"{record.message}."
            if record.n and record.coverage == worst
            else (
                f"{record.message}; nearer to the data only {100 * worst:.0f} % did."
                if record.n
                else f"{record.message}; nearer, only {100 * worst:.0f} % lay in their 90 % intervals."
            )
        )
        yield _Reason(grade, shown)
    elif record.status is not Status.PASS:
        yield _Reason(Grade.MODERATE, f"{record.message}.")


def _support(shares: Mapping[str, float] | None, record: BacktestRecord) -> str:
    stated = 0.0 if shares is None else shares["prior"] + shares["drift"]
    return (
        f"It lies inside what was fitted, and {100 * stated:.0f} % of its variance is from the prior. "
        f"{record.message}."
    )
