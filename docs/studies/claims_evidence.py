"""What the claims are put to: every law of the library, fitted to runs or at its published constants."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from store import Fitted, Store

from bitlaw import Fit, RunTable, read_runs

TABLES = {"quest": "quest_qat.csv", "ptq tables": "ptq_perplexity_tables.csv"}
"""Public tables beside the embedded sweep, by the name they go by here."""

METHODS = ("quest_wa", "weight_only_quest", "bf16")
"""Of the runs of QuEST: those that train weights, or weights and activations, in few bits, and in 16."""

FITTED: dict[str, tuple[str, ...]] = {
    "tiny sweep": (
        "bitlaw-default",
        "kumar2024-coupled",
        "kumar2024",
        "frantar2025",
        "quartet2025",
        "ouyang2024",
        "ptq-gap",
        "ptq-gap-power",
    ),
    "quest": ("bitlaw-default", "kumar2024-coupled", "kumar2024", "frantar2025", "quartet2025"),
    "ptq tables": ("ptq-gap", "ptq-gap-power"),
}
"""Laws that can explain what each table varies."""

POOLED: dict[str, Sequence[str]] = {"ptq tables": ("family",)}


@dataclass(frozen=True)
class Evidence:
    """A law with what is known of its constants.

    Parameters
    ----------
    law, source
        Name of the law, and the table it was fitted to, or "published constants".
    fit
        Its posterior; at published constants all draws are alike.
    published
        Whether the constants are those of a paper.
    """

    law: str
    source: str
    fit: Fit
    published: bool = False


def fitted(data: Path, store: Store) -> list[tuple[Evidence, Fitted]]:
    """Every fit, taken from the store where it is kept."""
    return [
        (Evidence(law, name, found.fit), found)
        for name, table in tables(data).items()
        for law in FITTED[name]
        for found in [store.fit(f"claims, {name}, {law}", table, law, pool=POOLED.get(name, ()))]
    ]


def tables(data: Path) -> dict[str, RunTable]:
    """The tables, with the rows that the claims are about."""
    with as_file(files("bitlaw.data").joinpath("tiny_sweep.csv")) as path:
        found = {"tiny sweep": read_runs(path)}
    found |= {name: read_runs(data / file) for name, file in TABLES.items()}
    quest = found["quest"]
    return found | {"quest": quest.without(~quest.frame["method"].isin(METHODS), "another method")}
