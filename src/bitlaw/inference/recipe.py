"""What a worker needs to compile a law, and the laws that this process has compiled so far."""

import hashlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bitlaw.inference.compiled import CompiledLaw, compile_law, learn_coordinates, settings_for
from bitlaw.laws.law import Law
from bitlaw.laws.spec import parse_law

_MOST_KEPT = 4
_kept: OrderedDict[str, CompiledLaw] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Recipe:
    """A law and its rows in a form that can be sent to another process; a compiled model cannot.

    Parameters
    ----------
    toml
        The complete text of the law's spec, ties included.
    frame
        Rows it can explain, canonical columns.
    pool
        Columns to pool over.
    seed
        Seed of the pilot that learns coordinates.
    """

    toml: str
    frame: pd.DataFrame
    pool: tuple[str, ...]
    seed: int

    @property
    def key(self) -> str:
        """SHA-256 of everything that the compiled law depends on."""
        columns = {str(name): column.tolist() for name, column in self.frame.items()}
        return hashlib.sha256(pickle.dumps((self.toml, columns, self.pool, self.seed))).hexdigest()

    def compiled(self) -> CompiledLaw:
        """The law compiled for the rows, in coordinates that suit them; at most once per process."""
        key = self.key
        with _lock:  # threads of one worker wait for the first to compile
            if key not in _kept:
                compiled = compile_law(parse_law(self.toml, "the law sent along"), self.frame, self.pool)
                _keep(key, learn_coordinates(compiled, settings_for(compiled, self.seed)))
            _kept.move_to_end(key)
            return _kept[key]


def recipe_of(law: Law, frame: pd.DataFrame, pool: Sequence[str], seed: int) -> Recipe:
    """The recipe of a law and usable rows.

    Parameters
    ----------
    law
        The law, with its ties.
    frame, pool
        As for ``compile_law``.
    seed
        Seed of the pilot.
    """
    return Recipe(law.toml, frame, tuple(pool), seed)


def keep(recipe: Recipe, compiled: CompiledLaw) -> None:
    """Keep what this process has compiled, in its learned coordinates, for tasks that run here."""
    with _lock:
        _keep(recipe.key, compiled)


def _keep(key: str, compiled: CompiledLaw) -> None:
    _kept[key] = compiled
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
