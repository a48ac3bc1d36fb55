"""A finding: one check's verdict, with the number behind it and what to do about it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What a check found. NOT_RUN is never a PASS: the check had nothing to look at."""

    PASS = "PASS"
    NOT_RUN = "NOT_RUN"
    WARN = "WARN"
    FAIL = "FAIL"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class Finding:
    """One check's verdict.

    Parameters
    ----------
    code
        Stable identifier, ``room.check`` (for example ``convergence.rhat``).
    status
        PASS, WARN, FAIL or NOT_RUN; REFUSED of an answer. Only convergence findings can FAIL.
    value, threshold
        The number the verdict rests on and the limit it was held against; None where there is none.
    message
        One sentence that can be read on its own.
    advice
        What to do about it; empty for a PASS.
    """

    code: str
    status: Status
    value: float | None
    threshold: float | None
    message: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain JSON types."""
        return asdict(self) | {"status": str(self.status)}


def overall_status(findings: Iterable[Finding]) -> Status:
    """FAIL if any finding FAILed, else REFUSED if an answer is, else WARN if any warned, else PASS.

    Examples
    --------
    >>> overall_status([Finding("a.b", Status.NOT_RUN, None, None, "nothing to check")]).value
    'PASS'
    """
    statuses = {finding.status for finding in findings}
    for status in (Status.FAIL, Status.REFUSED, Status.WARN):
        if status in statuses:
            return status
    return Status.PASS
