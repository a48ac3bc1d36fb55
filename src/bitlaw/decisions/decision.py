"""The record that every decision keeps: where it comes from, what to bear in mind, whether to rely on it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bitlaw.criticism.risk import Risk
from bitlaw.decisions.intervals import json_value
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.notebook import result_html
from bitlaw.units import LOSS_UNIT


@dataclass(frozen=True, kw_only=True)
class Decision(ABC):
    """The record that all decisions share.

    Parameters
    ----------
    law
        Name of the law, or "the stack".
    prob
        Probability inside every interval.
    draws, seed
        Number of draws behind the probabilities, and the seed.
    findings
        What criticism found in the fit, and how far the answer is from its data.
    drift
        Whether losses include structural error beyond the data.
    risk
        Whether to rely on the answer; None in a decision under the prior.
    """

    law: str
    prob: float
    draws: int
    seed: int
    findings: tuple[Finding, ...] = ()
    drift: bool = True
    risk: Risk | None = None

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    @abstractmethod
    def sentence(self) -> str:
        """The answer in words, with its uncertainty."""

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """The numbers, for display."""

    def _repr_html_(self) -> str:
        return result_html(self)

    def record(self) -> dict[str, Any]:
        """What all decisions record, as plain JSON types."""
        return {
            "status": str(self.status),
            "findings": [json_value(finding.to_dict()) for finding in self.findings],
            "law": self.law,
            "risk": None if self.risk is None else self.risk.to_dict(),
            "prob": self.prob,
            "kind": "ETI",
            "unit": LOSS_UNIT,
            "drift": self.drift,
            "draws": self.draws,
            "seed": self.seed,
            "laws": None,
        }
