"""What to bear in mind with an answer: what criticism found in the fit, and what was never measured."""

from collections.abc import Iterable

import pandas as pd

from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.decisions.groups import group_columns
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import point_columns, points_frame
from bitlaw.inference.fit import Fit

_NO_BETTER = 0.999


def caveats(fit: Fit, points: pd.DataFrame) -> tuple[Finding, ...]:
    """The fit's findings that are no PASS, then those on how far points are from the data.

    Parameters
    ----------
    fit
        The fit an answer rests on.
    points
        Points the answer is about, canonical columns; may be empty.
    """
    own = tuple(finding for finding in fit.findings if finding.status is not Status.PASS)
    return own if points.empty else own + extrapolation_findings(fit, points)


def messages(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What findings say that are no PASS, a sentence each."""
    return tuple(finding.message for finding in findings if finding.status is not Status.PASS)


def is_beyond(findings: Iterable[Finding]) -> bool:
    """Whether findings say that an answer is beyond the data."""
    return any(
        finding.code.startswith("extrapolation.") and finding.status is not Status.PASS
        for finding in findings
    )


def guessing(fit: Fit, group: str | None, loss: float, decision: str) -> tuple[Finding, ...]:
    """A warning where nothing on offer beats guessing, so that the bound makes every option alike.

    Parameters
    ----------
    fit
        The fit.
    group
        Group of a pooled fit.
    loss
        The lowest loss on offer, nats/token.
    decision
        Which decision it is, the first part of the finding's code.
    """
    point = points_frame(n_params=1.0, tokens=1.0, **group_columns(fit, group))
    ceiling = float(point_columns(fit, point)["ceiling"][0])
    if loss < _NO_BETTER * ceiling:
        return ()
    message = (
        f"The lowest loss on offer, {loss:.4g} nats/token, is no better than guessing, {ceiling:.4g}: "
        "there the law does not tell precisions apart."
    )
    advice = "Ask about more parameters and tokens, or more bits."
    return (Finding(f"{decision}.guessing", Status.WARN, loss, ceiling, message, advice),)


def one_law_finding() -> Finding:
    """NOT_RUN: a single law has nothing to disagree with."""
    return Finding(
        "laws.disagreement",
        Status.NOT_RUN,
        None,
        None,
        "One law was fitted, so disagreement between laws was not checked.",
        "bitlaw compare RUNS --laws … fits several, and every answer takes several fits.",
    )
