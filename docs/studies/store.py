"""Fits of a study, kept in a folder so that an interrupted run goes on where it stopped."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bitlaw import Fit, RunTable, load_fit, save_fit
from bitlaw.criticism.common_rows import common_rows, load_laws
from bitlaw.inference.drift import drift_draws
from bitlaw.laws.law import Law
from bitlaw.workflow import comparing, fitting, preparing


@dataclass(frozen=True)
class Fitted:
    """A fit of the study.

    Parameters
    ----------
    label
        What it is called in the table of all fits.
    fit
        The fit.
    seconds
        Wall time of compiling, sampling and checking; None where it was fitted in a comparison.
    """

    label: str
    fit: Fit
    seconds: float | None


@dataclass(frozen=True)
class Compared:
    """A comparison of laws.

    Parameters
    ----------
    label
        What it is called.
    numbers
        ``comparison.json``.
    fits
        By name of the law, best first.
    seconds
        Wall time of all fits and of the refits that replace unreliable scores.
    """

    label: str
    numbers: dict[str, Any]
    fits: dict[str, Fit]
    seconds: float

    @property
    def fitted(self) -> tuple[Fitted, ...]:
        """Its fits, for the table of all fits."""
        return tuple(Fitted(f"{self.label}, {name}", fit, None) for name, fit in self.fits.items())


@dataclass(frozen=True)
class Store:
    """Where fits are kept.

    Parameters
    ----------
    folder
        Folder of Fit files.
    fresh
        Fit again what is there.
    """

    folder: Path
    fresh: bool = False

    def fit(
        self,
        label: str,
        table: RunTable,
        law: str | Law,
        pool: Sequence[str] = (),
        seed: int = 0,
        folds: int = 0,
    ) -> Fitted:
        """A fit, taken from the folder where the same law was fitted to the same rows; no backtest by default.

        Drift is drawn anew from the prior of the package, which no fit depends on; a backtest does, and
        is done again where that prior is another.
        """
        path = self.folder / f"{_file_name(label)}.nc"
        record = path.with_suffix(".json")
        prepared = preparing.prepare(table, law, pool=pool)
        if not self.fresh and path.is_file() and record.is_file():
            kept = load_fit(path)
            drift = drift_draws(kept.samples(), kept.provenance.seed, kept.law.name)
            stale = folds > 0 and not drift.equals(kept.drift)
            if not stale and _is_same(kept, prepared.table.content_hash(), prepared.law, pool):
                return Fitted(label, replace(kept, drift=drift), json.loads(record.read_text())["seconds"])
        _say(f"fitting: {label}")
        start = time.perf_counter()
        fitted = fitting.fit(table, law, pool=pool, seed=seed, backtest_folds=folds)
        seconds = time.perf_counter() - start
        save_fit(fitted, path)
        record.write_text(json.dumps({"seconds": seconds}))
        return Fitted(label, fitted, seconds)

    def array(self, label: str, table: RunTable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """An array, taken from the folder where it was computed for the same rows.

        What computes it is not looked at: after changing that, ask for everything afresh.
        """
        path = self.folder / f"{_file_name(label)}.npz"
        if not self.fresh and path.is_file():
            with np.load(path) as kept:
                if str(kept["table_hash"]) == table.content_hash():
                    return np.asarray(kept["values"])
        _say(f"computing: {label}")
        values = compute()
        self.folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, values=values, table_hash=table.content_hash())
        return values

    def compare(
        self, label: str, table: RunTable, laws: Sequence[str | Law], pool: Sequence[str] = ()
    ) -> Compared:
        """A comparison, taken from the folder where the same laws were compared on the same rows."""
        folder = self.folder / _file_name(label)
        kept = None if self.fresh else _kept_comparison(label, folder, table, laws, pool)
        if kept is not None:
            return kept
        _say(f"comparing: {label}")
        unfinished = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        start = time.perf_counter()
        _, fits = comparing.compare(table, laws, pool=pool, out=unfinished)
        seconds = time.perf_counter() - start
        numbers = json.loads((unfinished / "comparison.json").read_text())
        (unfinished / "time.json").write_text(json.dumps({"seconds": seconds}))
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
        return Compared(label, numbers, fits, seconds)


def _kept_comparison(
    label: str, folder: Path, table: RunTable, laws: Sequence[str | Law], pool: Sequence[str]
) -> Compared | None:
    if not (folder / "comparison.json").is_file():
        return None
    numbers = json.loads((folder / "comparison.json").read_text())
    names = [law["law"] for law in numbers["laws"]]
    common = common_rows(load_laws(laws), table)
    if {law.name for law in common.laws} != set(names):
        return None
    fits = {name: load_fit(folder / f"{name}.nc") for name in names}
    for law in common.laws:
        prepared = preparing.prepare(common.table, law, pool=pool)
        if not _is_same(fits[law.name], prepared.table.content_hash(), prepared.law, pool):
            return None
    return Compared(label, numbers, fits, json.loads((folder / "time.json").read_text())["seconds"])


def _is_same(fit: Fit, table_hash: str, law: Law, pool: Sequence[str]) -> bool:
    same_rows = fit.provenance.table_hash == table_hash and fit.pool == tuple(pool)
    return same_rows and _content(fit.law) == _content(law)


def _content(law: Law) -> tuple[object, ...]:
    """What decides a fit, without the reasons given for it."""
    priors = tuple(replace(prior, reason="", source="") for prior in law.priors)
    return tuple(term.name for term in law.terms), law.ties, priors


def _file_name(label: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in label)


def _say(text: str) -> None:
    print(text, flush=True)
