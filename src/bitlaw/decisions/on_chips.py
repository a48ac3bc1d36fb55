"""One precision question on several chips, side by side: whether the answer turns with the chip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bitlaw.criticism.risk import REFUSED
from bitlaw.decisions.across_laws import AcrossLaws, optimum_across, shared_findings
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.precision_decision import PrecisionDecision
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.fit import Fit
from bitlaw.notebook import result_html

Answer = PrecisionDecision | AcrossLaws[PrecisionDecision]


@dataclass(frozen=True)
class OnChips:
    """Answers to one question on several chips.

    Parameters
    ----------
    by_chip
        The answer on each chip, by its name: of one law, or of several and their stack.
    """

    by_chip: dict[str, Answer]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all chips: once where all have it, else with the names of those that do."""
        refused = tuple(
            replace(finding, message=f"{name}: {finding.message}")
            for name, answer in self.by_chip.items()
            for finding in answer.findings
            if finding.code == REFUSED
        )
        return shared_findings(self.by_chip) + refused

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        return overall_status(self.findings)

    @property
    def turns(self) -> bool:
        """Whether the answer is not the same on every chip."""
        return len({_decided(answer).answer for answer in self.by_chip.values()}) > 1

    def turns_text(self) -> str:
        """Whether the answer turns with the chip, in one line."""
        said = [f"{_decided(answer).answer} on {name}" for name, answer in self.by_chip.items()]
        if self.turns:
            return f"The answer turns with the chip: {', '.join(said)}."
        answers = list(self.by_chip.values())
        return f"The answer is the same on every chip: {_decided(answers[0]).answer} on {', '.join(self.by_chip)}."

    def sentence(self) -> str:
        """Whether the answer turns with the chip, then the answer on each."""
        return "\n\n".join([self.turns_text(), *(answer.sentence() for answer in self.by_chip.values())])

    def table(self) -> pd.DataFrame:
        """The numbers on every chip, named in the first column."""
        tables = [answer.table().assign(hardware=name) for name, answer in self.by_chip.items()]
        every = pd.concat(tables, ignore_index=True)
        return every[["hardware", *(name for name in every if name != "hardware")]]

    def _repr_html_(self) -> str:
        return result_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The first chip's answer as plain JSON types, with every chip's under ``hardware``."""
        answers = {name: answer.to_dict() for name, answer in self.by_chip.items()}
        own = {
            "status": str(self.status),
            "findings": [finding.to_dict() for finding in self.findings],
            "turns": self.turns,
            "hardware": answers,
        }
        return next(iter(answers.values())) | own


def optimum_on_chips(
    fits: Fit | Sequence[Fit],
    hardware: Sequence[str],
    *,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    **question: Any,
) -> OnChips:
    """Decide on a training precision on several chips, under one law or several.

    Parameters
    ----------
    fits
        A fit, or one per law to the same rows.
    hardware
        Names of the chips.
    speeds
        Measured speeds of any of them; the others go by their peaks.
    **question
        As for ``optimum``. A budget in FLOP at 16 bits is the same on all; GPU-hours and money, at one price,
        are hours of each.

    Raises
    ------
    InputError
        As for ``optimum``; where no chip is named, or one twice.
    """
    names = [name.lower() for name in hardware]
    if not names or len(set(names)) < len(names):
        raise InputError(f"hardware is {', '.join(hardware) or 'empty'}; valid: one or more chips, each once")
    several = [fits] if isinstance(fits, Fit) else list(fits)

    def on(name: str) -> Answer:
        asked = {"hardware": name, "speeds": speeds, **question}
        return optimum(several[0], **asked) if len(several) == 1 else optimum_across(several, **asked)

    return OnChips({name: on(name) for name in names})


def _decided(answer: Answer) -> PrecisionDecision:
    return answer.stack if isinstance(answer, AcrossLaws) else answer
