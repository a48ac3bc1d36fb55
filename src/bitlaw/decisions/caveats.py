"""What to bear in mind with an answer: what criticism found in the fit, and how far the question is from its data."""

import pandas as pd

from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit


def caveats(fit: Fit, points: pd.DataFrame) -> tuple[Finding, ...]:
    """The fit's findings that are no PASS, then one WARN per way in which points leave the data.

    Parameters
    ----------
    fit
        The fit an answer rests on.
    points
        Points the answer is about, canonical columns.
    """
    own = tuple(finding for finding in fit.findings if finding.status is not Status.PASS)
    return own + extrapolation_findings(fit, points)
