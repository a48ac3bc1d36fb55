"""The rows that every compared law can use, and why some laws cannot take part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.usable import not_applicable, usable_rows
from bitlaw.laws.law import Law
from bitlaw.laws.registry import law_names, load_law
from bitlaw.runs.table import RunTable

_FEWEST_KEPT = 0.9
"""Share of the rows usable by the law that can use most, below which a law is not compared."""

_NOT_COMMON = "not usable by every compared law"
_DEGRADATIONS_ONLY = (
    "models degradations only, so its score is of other data than that of the laws of whole losses"
)


@dataclass(frozen=True)
class CommonRows:
    """What laws are compared on.

    Parameters
    ----------
    laws
        The laws that can be compared.
    table
        The rows all of them can use; the others are excluded with a reason.
    not_applicable
        By law that cannot be compared, why.
    """

    laws: tuple[Law, ...]
    table: RunTable
    not_applicable: Mapping[str, str]


def load_laws(names: Sequence[str | Law] | None) -> tuple[Law, ...]:
    """Laws by name or file; the whole library for None.

    Raises
    ------
    InputError
        If one is unknown or its name cannot be that of a file, two have the same name, or there are none.
    """
    laws = [
        law if isinstance(law, Law) else load_law(law) for law in (law_names() if names is None else names)
    ]
    found = [law.name for law in laws]
    problems = [
        f"law {name} is named {found.count(name)} times; give each law once, and a copy a name of its own"
        for name in dict.fromkeys(found)
        if found.count(name) > 1
    ]
    problems += [
        f'law name "{name}": fits are saved by it, so valid: without / and \\, and not starting with a dot'
        for name in dict.fromkeys(found)
        if name.startswith(".") or set(name) & set("/\\")
    ]
    if not laws:
        problems.append(f"no law to compare; valid: {', '.join(law_names())}, or the path of a .toml file")
    if problems:
        raise InputError(problems)
    return tuple(laws)


def common_rows(laws: Sequence[Law], table: RunTable) -> CommonRows:
    """Laws that can answer for nearly the same rows, and the rows all of them can use.

    A law takes part where the table says something about its own terms, and it can use at least 90 %
    of the rows that the law with the most rows can use. Laws that take the loss as trained as data
    are compared among themselves only.

    Parameters
    ----------
    laws
        What was asked for; names differ.
    table
        A validated run table.

    Raises
    ------
    InputError
        If no law can be used; gives the reason of each.
    """
    reasons = _no_place(laws, table)
    kept: dict[str, RunTable] = {}
    for law in laws:
        if law.name not in reasons:
            try:
                kept[law.name] = usable_rows(law, table)[0]
            except InputError as error:
                reasons[law.name] = str(error)
    most = max((len(usable.frame) for usable in kept.values()), default=0)
    for name, usable in kept.items():
        if len(usable.frame) < _FEWEST_KEPT * most:
            reasons[name] = _too_few(name, usable, table)
    compared = [law for law in laws if law.name not in reasons]
    while compared:
        common = _intersection(compared, table)
        out = {law.name: why for law in compared if (why := not_applicable(law, common))}
        reasons |= {name: f"on the rows that every compared law can use, {why}" for name, why in out.items()}
        compared = [law for law in compared if law.name not in out]
        if not out:
            return CommonRows(tuple(compared), _noted(common, table), _in_order(reasons, laws))
    raise InputError(
        [f"{table.source}: none of the laws can be compared on this table"]
        + [f"law {name}: {why}" for name, why in _in_order(reasons, laws).items()]
    )


def _no_place(laws: Sequence[Law], table: RunTable) -> dict[str, str]:
    reasons = {law.name: why for law in laws if (why := not_applicable(law, table))}
    if not all(law.base.is_observed for law in laws):
        reasons |= {law.name: _DEGRADATIONS_ONLY for law in laws if law.base.is_observed}
    return reasons


def _too_few(name: str, usable: RunTable, table: RunTable) -> str:
    """The reasons for which a law leaves rows out, with the number of rows."""
    left_out = usable.excluded.loc[usable.excluded.index.isin(table.frame.index), "reason"]
    reasons = [
        f"{str(reason).removeprefix(f'law {name} ')} ({count} of {len(table.frame)} rows)"
        for reason, count in left_out.value_counts(sort=False).items()
    ]
    return f"{'; '.join(reasons)}; comparing on what is left would answer another question"


def _intersection(laws: Sequence[Law], table: RunTable) -> RunTable:
    """The rows all laws can use; a row left out for one law may take others' with it, so until none goes."""
    while True:
        usable = [usable_rows(law, table)[0].frame.index for law in laws]
        by_all = pd.Series(True, table.frame.index)
        for index in usable:
            by_all &= by_all.index.isin(index)
        if by_all.all():
            return table
        table = table.without(~by_all, _NOT_COMMON)


def _noted(common: RunTable, table: RunTable) -> RunTable:
    gone = len(table.frame) - len(common.frame)
    if not gone:
        return common
    finding = Finding(
        "comparison.rows",
        Status.WARN,
        float(gone),
        0.0,
        f"{gone} of {len(table.frame)} rows left out: {_NOT_COMMON}",
        "Name fewer laws with --laws to compare them on more rows.",
    )
    return replace(common, findings=(*common.findings, finding))


def _in_order(reasons: Mapping[str, str], laws: Sequence[Law]) -> dict[str, str]:
    return {law.name: reasons[law.name] for law in laws if law.name in reasons}
