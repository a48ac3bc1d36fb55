"""What a source has logged: runs as flat fields, and what of it could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bitlaw.finding import Finding


@dataclass(frozen=True)
class LoggedRun:
    """One run as its tracker knows it, or one evaluation of it after training.

    Parameters
    ----------
    name
        Name a person would call it by.
    key
        What tells it from every other run of the source: an id, or a path.
    fields
        Settings and the last value of every metric, by flat names such as ``config.model.n_params``;
        numbers, text or None.
    evaluations
        The last values of metrics that may be the loss, oldest first, where more than the last was
        asked for.
    unfinished
        The tracker's word for a run that did not end well; empty for one that did, or where the
        source does not say.
    """

    name: str
    key: str
    fields: Mapping[str, object]
    evaluations: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    unfinished: str = ""


@dataclass(frozen=True)
class Skipped:
    """Something that was not imported.

    Parameters
    ----------
    what
        Run, file, or line of a file.
    why
        The reason, and where there is one, the remedy.
    """

    what: str
    why: str

    def to_dict(self) -> dict[str, str]:
        """As plain JSON types."""
        return {"what": self.what, "why": self.why}


@dataclass(frozen=True)
class Log:
    """Everything a source holds.

    Parameters
    ----------
    runs
        In the order of the source.
    skipped
        What could not be read.
    prefixes
        What field names may begin with that says where they were logged, for example ``config.``.
    defaults
        Run-table column to the source's own field for it, where the source defines what it means.
    origins
        By field that was computed, how; recorded with the table.
    loss_unit
        Unit of the losses: nats or bits per token, or perplexity.
    loss_rule
        How the loss came about, where it is neither a final value nor a mean of evaluations.
    names_are_models
        Whether names are those of models, repeated by every evaluation of one.
    findings
        What to bear in mind with numbers from this source.
    """

    runs: tuple[LoggedRun, ...]
    skipped: tuple[Skipped, ...] = ()
    prefixes: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    loss_unit: str = "nats"
    loss_rule: str = ""
    names_are_models: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What is asked of a reader.

    Parameters
    ----------
    last
        How many evaluations the loss is averaged over; 1 for the final value.
    loss
        The user's name of the loss; empty to find it by well-known names.
    run
        The user's name of the field that names runs; empty for the source's own.
    """

    last: int = 1
    loss: str = ""
    run: str = ""
