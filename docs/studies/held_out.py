"""Run tables of the study on extrapolation, and their splits: smaller runs fitted, larger ones predicted."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w
from quest_qat import METHODS

from bitlaw import RunTable, load_law, read_runs
from bitlaw.inference.columns import schemes
from bitlaw.laws.law import Law
from bitlaw.laws.spec import parse_law

SHARES = (0.5, 0.7)
"""Of the runs, the smallest by compute, that are fitted."""

_CELL = ["n_params", "tokens"]


@dataclass(frozen=True)
class Table:
    """A run table of the study.

    Parameters
    ----------
    name
        What it is called.
    source
        Which tables come from one set of runs.
    runs
        Rows as trained.
    coupled, chinchilla
        The law on the coupled base and the same law on Chinchilla's.
    """

    name: str
    source: str
    runs: RunTable
    coupled: Law
    chinchilla: Law

    @property
    def has_precision(self) -> bool:
        """Whether runs are quantized in training."""
        return bool(self.coupled.training)


@dataclass(frozen=True)
class Split:
    """A table cut by compute.

    Parameters
    ----------
    table
        The whole table.
    share
        Of the runs that are to be fitted.
    train
        The smaller runs.
    test
        The larger runs.
    """

    table: Table
    share: float
    train: RunTable
    test: pd.DataFrame

    @property
    def label(self) -> str:
        """Such as ``quest_qat 50 %``."""
        return f"{self.table.name} {100 * self.share:.0f} %"


def read_tables(data: Path, sweep: RunTable) -> tuple[Table, ...]:
    """Every table of the study.

    Parameters
    ----------
    data
        Folder of the public run tables.
    sweep
        The embedded sweep.
    """
    chinchilla = read_runs(data / "chinchilla_digitised.csv")
    noted = chinchilla.frame["note"].fillna("").astype(str) != ""
    gadre = read_runs(data / "gadre_overtraining.csv")
    quest = read_runs(data / "quest_qat.csv")
    quest = quest.without(~quest.frame["method"].isin(METHODS), "another method")
    sweep = sweep.without(sweep.frame["bits_post"].notna(), "quantized after training")
    base = (load_law("coupled"), load_law("chinchilla"))
    # Nothing here is quantized after training, so that term has nothing to say.
    precision = (trained_only("coupled"), trained_only("chinchilla"))
    corpora = [
        Table(corpus, "gadre", gadre.without(gadre.frame["corpus"] != corpus, "another corpus"), *base)
        for corpus in sorted(gadre.frame["corpus"].unique())
    ]
    return (
        Table("chinchilla", "chinchilla", chinchilla.without(noted, "noted by the replication"), *base),
        *corpora,
        Table("quest_bf16", "quest", _unquantized(quest), *base),
        Table("quest_qat", "quest", quest, *precision),
        Table("sweep_16", "sweep", _unquantized(sweep), *base),
        Table("sweep", "sweep", sweep, *precision),
    )


def trained_only(base: str) -> Law:
    """bitlaw-default on a base, without the term for quantization after training."""
    raw = tomllib.loads(load_law("bitlaw-default").toml)
    raw["terms"] = {"base": base, "training": raw["terms"]["training"]}
    raw["name"] = f"trained-{base}"
    own = {parameter.name for term in load_law("bitlaw-default").training for parameter in term.parameters}
    raw["priors"] = {key: prior for key, prior in raw.get("priors", {}).items() if key in own}
    return parse_law(tomli_w.dumps(raw), raw["name"])


def splits(table: Table) -> Iterator[Split]:
    """The table cut at each share; runs of one size and number of tokens stay together."""
    frame = table.runs.frame
    cell = frame.groupby(_CELL, sort=False).ngroup().to_numpy()
    compute = (frame["n_params"] * frame["tokens"]).to_numpy(np.float64)
    order = np.argsort(compute, kind="stable")
    for share in SHARES:
        cut = cell[order[round(share * len(frame)) - 1]]
        last = compute[cell == cut].max()
        is_large = pd.Series(compute > last, frame.index)
        yield Split(table, share, table.runs.without(is_large, "held out"), frame[is_large])


def _unquantized(table: RunTable) -> RunTable:
    return table.without(schemes(table.frame) != "", "quantized in training")
