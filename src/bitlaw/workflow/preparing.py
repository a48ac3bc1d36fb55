"""A run table and a law made ready for each other, before any sampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bitlaw.finding import Finding
from bitlaw.laws.law import Law
from bitlaw.laws.registry import DEFAULT_LAW, load_law
from bitlaw.laws.spec import with_ties
from bitlaw.runs.exclude import include_diverged
from bitlaw.runs.groups import require_groups
from bitlaw.runs.read import read_runs
from bitlaw.runs.table import RunTable

if TYPE_CHECKING:
    pass


def as_table(runs: str | Path | RunTable, mapping: str | Path | None = None) -> RunTable:
    """A run table, read if a path is given."""
    return runs if isinstance(runs, RunTable) else read_runs(runs, mapping)


def as_columns(pool: str | Sequence[str] | None) -> tuple[str, ...]:
    """Columns to pool over, from names separated by commas, a sequence of them, or none.

    Examples
    --------
    >>> as_columns("corpus"), as_columns("family,method"), as_columns(None)
    (('corpus',), ('family', 'method'), ())
    """
    if pool is None:
        return ()
    return tuple(name.strip() for name in pool.split(",")) if isinstance(pool, str) else tuple(pool)


@dataclass(frozen=True)
class Prepared:
    """A law and the rows it can use, before any sampling: the law with its ties, and what was found."""

    law: Law
    table: RunTable
    pool: tuple[str, ...]
    findings: tuple[Finding, ...]


def prepare(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
    diverged_as_bounds: bool = False,
) -> Prepared:
    """Validate a table for a law, and say what it can and cannot identify.

    Tensor kinds with the same bits in every row are tied: only their joint effect is identified.

    Parameters
    ----------
    runs, law, mapping, pool, diverged_as_bounds
        As for ``fit``.

    Raises
    ------
    InputError
        For input that cannot be worked with.
    """
    from bitlaw.criticism.design import design_findings
    from bitlaw.inference.ties import tied_kinds
    from bitlaw.inference.usable import usable_rows

    law = law if isinstance(law, Law) else load_law(law)
    table, columns = as_table(runs, mapping), as_columns(pool)
    require_groups(table, columns)
    if diverged_as_bounds:
        table = include_diverged(table)
    usable, no_term = usable_rows(law, table)
    law = with_ties(law, tied_kinds(law, usable.frame))
    findings = (*table.findings, *no_term, *design_findings(law, usable.frame, columns))
    return Prepared(law, usable, columns, findings)


def check(
    runs: str | Path | RunTable,
    law: str | Path | Law = DEFAULT_LAW,
    mapping: str | Path | None = None,
    pool: str | Sequence[str] | None = None,
) -> tuple[RunTable, tuple[Finding, ...]]:
    """Validate a table and say what it can and cannot identify of a law, before any sampling.

    Parameters
    ----------
    runs, law, mapping, pool
        As for ``fit``.

    Returns
    -------
    RunTable, tuple of Finding
        The rows the law can use, and what was found.
    """
    prepared = prepare(runs, law, mapping, pool)
    return prepared.table, prepared.findings
