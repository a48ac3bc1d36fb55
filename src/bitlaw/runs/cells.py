"""One cell: read it by its column's spec, or say what is wrong with it and what would be valid."""

import math
from dataclasses import dataclass

from bitlaw.errors import did_you_mean
from bitlaw.runs.columns import Column
from bitlaw.runs.raw import is_empty

_NOT_A_REASON = ("false", "0", "no")
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Cell:
    """What a cell holds.

    Parameters
    ----------
    value
        The number in the column's unit or the text; None where the cell is empty or invalid.
    problem
        What is wrong and what would be valid; empty for a valid or empty cell.
    """

    value: float | str | None
    problem: str = ""


def read_cell(column: Column, raw: object) -> Cell:
    """Read one cell.

    Parameters
    ----------
    column
        Spec of the column it stands in.
    raw
        The cell as found: text, a number, or anything JSON and Parquet can hold.

    Examples
    --------
    >>> from bitlaw.runs.columns import BY_NAME
    >>> read_cell(BY_NAME["bits_kv"], "4")
    Cell(value=4.0, problem='')
    >>> read_cell(BY_NAME["bits_kv"], "64").problem
    '"64" is out of range; valid: a number from 1 to 32 (bits)'
    """
    if is_empty(raw):
        return Cell(None)
    return _read_text(column, raw) if column.kind == "text" else _read_number(column, raw)


def valid_values(column: Column) -> str:
    """What a column may hold, as a phrase.

    Examples
    --------
    >>> from bitlaw.runs.columns import BY_NAME
    >>> valid_values(BY_NAME["tokens"]), valid_values(BY_NAME["status"])
    ('a number above 0 (tokens)', 'ok or diverged')
    """
    if column.kind == "text":
        return " or ".join(column.choices) or "text"
    phrase = "a whole number" if column.kind == "whole" else "a number"
    if column.low is not None and column.high is not None:
        phrase += f" from {column.low:g} to {column.high:g}"
    elif column.low is not None:
        phrase += f" above {column.low:g}" if column.positive else f" of at least {column.low:g}"
    return f"{phrase} ({column.unit})" if column.unit else phrase


def show_cell(raw: object) -> str:
    """A cell as found, shortened, for a message."""
    text = raw if isinstance(raw, str) else str(raw)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f'"{text}"' if isinstance(raw, str) else text


def _read_text(column: Column, raw: object) -> Cell:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return Cell(None, f"{show_cell(raw)} is not text; valid: {valid_values(column)}")
    if isinstance(raw, float) and not math.isfinite(raw):
        return Cell(None, f"{show_cell(raw)} is not text; leave the cell empty where there is no value")
    whole = isinstance(raw, float) and raw.is_integer()
    text = f"{raw:.0f}" if whole else str(raw).strip()
    if column.choices and text not in column.choices:
        return Cell(None, f"{show_cell(raw)} is unknown; {did_you_mean(text, column.choices)}")
    if column.name == "exclude" and text.lower() in _NOT_A_REASON:
        return Cell(
            None, f"{show_cell(raw)} is not a reason; valid: a reason in words, or empty to keep the row"
        )
    return Cell(text)


def _read_number(column: Column, raw: object) -> Cell:
    valid = f"valid: {valid_values(column)}"
    value = _as_float(raw)
    if value is None:
        return Cell(None, f"{show_cell(raw)} is not a number; {valid}")
    if not math.isfinite(value):
        empty = "" if column.required else ", or empty where there is no value"
        return Cell(None, f"{show_cell(raw)} is not finite; {valid}{empty}")
    if column.kind == "whole" and not value.is_integer():
        return Cell(None, f"{show_cell(raw)} is not whole; {valid}")
    too_low = column.low is not None and (value < column.low or (column.positive and value == column.low))
    if too_low or (column.high is not None and value > column.high):
        return Cell(None, f"{show_cell(raw)} is out of range; {valid}")
    return Cell(value)


def _as_float(raw: object) -> float | None:
    # float() takes "1_000" and True; in a table of measurements both are slips.
    if isinstance(raw, bool) or (isinstance(raw, str) and "_" in raw):
        return None
    try:
        return float(raw)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None
