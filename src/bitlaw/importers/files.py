"""Files and folders that hold logs: found, named, and read line by line."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bitlaw.errors import InputError
from bitlaw.importers.logged import Skipped
from bitlaw.importers.text import printable

_MOST_LINES_NAMED = 20


def find_files(source: str, suffixes: Sequence[str], what: str) -> list[Path]:
    """The file given, or all files below a folder with one of the suffixes, sorted.

    Parameters
    ----------
    source
        Path of a file or folder.
    suffixes
        Endings of file names, with any letters before.
    what
        What is looked for, to name in messages.

    Raises
    ------
    InputError
        If there is nothing at the path, or no such file below it.
    """
    path = Path(source)
    if not path.exists():
        raise InputError(f"{printable(source)}: there is no such file or folder")
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.name.endswith(tuple(suffixes)) and file.is_file())
    if not found:
        ends = ", ".join(suffixes)
        raise InputError(
            f"{printable(source)}: no runs in this folder; valid: {what} ({ends}) in it or below it"
        )
    return found


def name_below(path: Path, source: str) -> str:
    """The name of a file's or folder's run: its path below the source, without the file's suffix.

    Examples
    --------
    >>> name_below(Path("logs/a/b.jsonl"), "logs"), name_below(Path("logs/a.jsonl"), "logs/a.jsonl")
    ('a/b', 'a')
    """
    top = Path(source)
    inside = path.relative_to(top) if path != top else Path(path.name)
    return (inside.with_suffix("") if inside.suffix else inside).as_posix()


def json_lines(path: Path, skipped: list[Skipped]) -> Iterator[dict[str, object]]:
    """The objects of a JSON-lines file, one at a time; lines that are none are named and skipped.

    Parameters
    ----------
    path
        The file; UTF-8.
    skipped
        Takes what could not be read.
    """
    bad = 0
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                try:  # a million lines: no call but this one where nothing is wrong
                    row, end = _decode(line)
                    if type(row) is dict and (line[end:] == "\n" or end == len(line)):
                        yield row
                        continue
                except (ValueError, RecursionError):
                    pass
                row, why = _object(line)
                if row is not None:
                    yield row
                    continue
                if line.isspace():
                    continue
                bad += 1
                if bad <= _MOST_LINES_NAMED:
                    skipped.append(Skipped(f"{path}: line {number}", why))
    except UnicodeDecodeError as error:
        skipped.append(Skipped(str(path), f"not UTF-8 text: {error.reason}; what follows there is not read"))
    except OSError as error:
        skipped.append(Skipped(str(path), f"cannot be read: {error.strerror}"))
    if bad > _MOST_LINES_NAMED:
        skipped.append(
            Skipped(str(path), f"and {bad - _MOST_LINES_NAMED} more lines that are no JSON objects")
        )


_decode = json.JSONDecoder().raw_decode
"""A third faster than ``json.loads``, but takes no white space before the object."""


def _object(line: str) -> tuple[dict[str, object] | None, str]:
    """The object of a line, white space around it or not; or what is wrong with the line."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return None, f"malformed JSON: {error}"
    return (row, "") if isinstance(row, dict) else (None, "not a JSON object")
