"""The header: required columns that are missing, and columns that look like a slip for a known one."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches

from bitlaw.finding import Finding, Status
from bitlaw.runs.columns import BY_NAME, COLUMNS, TRAINING_BITS
from bitlaw.runs.raw import RawTable, is_empty

SURE_TYPO = 0.85
"""Similarity (difflib ratio) from which an unknown column is an error: defaults would poison the fit."""

LIKELY_TYPO = 0.8
"""Similarity from which an unknown column is a warning."""

_PRECISION_WORDS = {"bit", "bits", "wbits", "abits", "kvbits", "precision"}


def missing_columns(table: RawTable) -> list[str]:
    """Names of the required columns a table lacks; ``flops`` stands in for ``tokens``."""
    present = set(table.columns) | ({"tokens"} if "flops" in table.columns else set())
    return [column.name for column in COLUMNS if column.required and column.name not in present]


def header_problems(table: RawTable) -> list[str]:
    """Missing required columns, and unknown columns that are almost surely a known one misspelt.

    Parameters
    ----------
    table
        Cells under canonical names where a mapping gave them.
    """
    missing = missing_columns(table)
    problems = [_missing_problem(name, table) for name in missing]
    for name in unknown_columns(table):
        near, similarity = nearest_column(name)
        if similarity >= SURE_TYPO and near not in missing and _takes_the_place_of(name, near, table):
            problems.append(
                f'{table.source}: column "{name}" is unknown but close to "{near}", whose cells would be '
                f'read as absent; rename it, or write in a mapping file: {near} = "{name}"'
            )
    return problems


def header_findings(table: RawTable) -> tuple[Finding, ...]:
    """A warning for each unknown column that may be a known one, and a note of the other ignored ones."""
    warned: list[Finding] = []
    ignored: list[str] = []
    for name in unknown_columns(table):
        near, similarity = nearest_column(name)
        likely = similarity >= LIKELY_TYPO and near not in table.columns
        if likely and _takes_the_place_of(name, near, table):
            warned.append(_unknown_column(name, f'close to "{near}", which is absent', near))
        elif _looks_like_precision(name) and (absent := _absent_bits(table)):
            reason = f"named like a precision, and {', '.join(absent)} are absent and read as unquantized"
            warned.append(_unknown_column(name, reason, absent[0]))
        else:
            ignored.append(name)
    if ignored:
        text = f"Columns that bitlaw does not use are kept and ignored: {', '.join(ignored)}."
        warned.append(Finding("runs.ignored_columns", Status.PASS, float(len(ignored)), None, text))
    return tuple(warned)


def unknown_columns(table: RawTable) -> list[str]:
    """Names of the columns that are not canonical, in the order of the table."""
    return [name for name in table.columns if name not in BY_NAME]


def nearest_column(name: str) -> tuple[str, float]:
    """The canonical column most similar to a name, and the similarity from 0 to 1.

    Examples
    --------
    >>> nearest_column("Bits weights")
    ('bits_weights', 1.0)
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    scores = {known: SequenceMatcher(None, plain, known).ratio() for known in BY_NAME}
    near = max(scores, key=lambda known: scores[known])
    return near, scores[near]


def _takes_the_place_of(name: str, near: str, table: RawTable) -> bool:
    if near == "flops" and "tokens" in table.columns:
        return False
    if near not in table.columns:
        return True
    # In JSONL one row may misspell what the others spell right.
    pairs = zip(table.columns[name], table.columns[near], strict=True)
    return any(not is_empty(cell) and is_empty(known) for cell, known in pairs)


def _missing_problem(name: str, table: RawTable) -> str:
    column = BY_NAME[name]
    unknown = unknown_columns(table)
    instead = " (and so is flops, which could stand in for it)" if name == "tokens" else ""
    like = _similar(name, unknown)
    has = f'has "{like}"; rename it' if like else f"has: {', '.join(table.columns)}; name it so"
    meaning = column.meaning.rstrip(".")
    return (
        f'{table.source}: column "{name}" is missing{instead}: {meaning}; the table {has}, '
        f'or write in a mapping file: {name} = "{like or "your column"}"'
    )


def _similar(name: str, unknown: Sequence[str]) -> str:
    nearest = {other: nearest_column(other) for other in unknown}
    free = [other for other, (near, score) in nearest.items() if near == name or score < LIKELY_TYPO]
    by_lower = {other.lower(): other for other in free}
    close = get_close_matches(name, list(by_lower), n=1, cutoff=0.5)
    contained = [lower for lower in by_lower if name in lower or (len(lower) > 2 and lower in name)]
    best = close or contained
    return by_lower[best[0]] if best else ""


def _looks_like_precision(name: str) -> bool:
    return bool(_PRECISION_WORDS & set(re.split(r"[^a-z]+", name.lower())))


def _absent_bits(table: RawTable) -> list[str]:
    return [name for name in (*TRAINING_BITS, "bits_post") if name not in table.columns]


def _unknown_column(name: str, reason: str, near: str) -> Finding:
    return Finding(
        "runs.unknown_column",
        Status.WARN,
        None,
        None,
        f'Column "{name}" is ignored although it is {reason}.',
        f'If it is the same quantity, write in a mapping file: {near} = "{name}"',
    )
