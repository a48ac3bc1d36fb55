"""From a CSV, TSV, JSONL or Parquet file to a RawTable; nothing is guessed, converted or dropped."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bitlaw.errors import InputError
from bitlaw.runs.problems import first_problems
from bitlaw.runs.raw import RawTable


def read_file(path: Path) -> RawTable:
    """Read a table of unchecked cells, by the suffix of its file.

    Parameters
    ----------
    path
        A .csv, .tsv, .jsonl, .ndjson or .parquet file.

    Raises
    ------
    InputError
        For another suffix, a file that is missing, a folder, unreadable, empty, without rows or
        broken, and for repeated column names.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: unknown kind of file; valid suffixes: {', '.join(_READERS)}")
    content = read_bytes(path)
    if not content.strip():
        raise InputError(f"{path}: the file is empty; valid: a table with a row per evaluated loss")
    table = reader(path, content)
    if table.n_rows == 0:
        raise InputError(f"{path}: the table has no rows; valid: a row per evaluated loss")
    return table


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    InputError
        If it is missing, a folder, or not readable.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder; valid: the path of a file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def decode_text(path: Path, content: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    InputError
        If it is not UTF-8; names the first offending byte.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, position = error.object[error.start], error.start
        raise InputError(f"{path}: not UTF-8 text: byte 0x{byte:02x} at position {position}") from error


def _read_csv(path: Path, content: bytes) -> RawTable:
    return _read_delimited(path, content, ",")


def _read_tsv(path: Path, content: bytes) -> RawTable:
    return _read_delimited(path, content, "\t")


def _read_delimited(path: Path, content: bytes, delimiter: str) -> RawTable:
    records = _records(path, decode_text(path, content), delimiter)
    if not records:
        raise InputError(f"{path}: the file is empty; valid: a table with a row per evaluated loss")
    names = _column_names(path, records.pop(0)[1])
    if len(names) == 1:
        for other in (",", ";", "\t"):
            if other != delimiter and other in names[0]:
                raise InputError(
                    f"{path}: the cells are separated by {other!r}; valid in {path.suffix}: {delimiter!r}"
                )
    ragged = [
        f"{path}: row {row} (line {line}): {len(cells)} cells, but the header has {len(names)}"
        for row, (line, cells) in enumerate(records, start=1)
        if len(cells) != len(names)
    ]
    if ragged:
        raise InputError(first_problems(ragged, str(path)))
    columns = {name: [cells[at] for _, cells in records] for at, name in enumerate(names)}
    return RawTable(columns, str(path), tuple(line for line, _ in records))


def _records(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: malformed {path.suffix[1:]}: {error}") from error


def _read_jsonl(path: Path, content: bytes) -> RawTable:
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    problems: list[str] = []
    # Not splitlines(): JSON text may hold U+2028 and its kin unescaped.
    for line, text in enumerate(decode_text(path, content).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text, object_pairs_hook=_unique_keys)
        except ValueError as error:
            problems.append(f"{path}: line {line}: malformed JSON: {error}")
            continue
        if not isinstance(row, dict):
            problems.append(f"{path}: line {line}: not a JSON object; valid: one object per line")
            continue
        rows.append(row)
        lines.append(line)
    if problems:
        raise InputError(first_problems(problems, str(path)))
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {
        shown: [row.get(name) for row in rows]
        for shown, name in zip(_column_names(path, names), names, strict=True)
    }
    return RawTable(columns, str(path), tuple(lines))


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f'key "{repeated[0]}" is repeated')
    return dict(pairs)


def _read_parquet(path: Path, content: bytes) -> RawTable:
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.parquet  # type: ignore[import-untyped]

    try:
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: broken Parquet: {str(error).splitlines()[0]}") from error
    names = _column_names(path, table.column_names)
    columns = {name: cells.to_pylist() for name, cells in zip(names, table.columns, strict=True)}
    return RawTable(columns, str(path))


def _column_names(path: Path, header: Sequence[str]) -> list[str]:
    names = [name.strip() or f"column_{at}" for at, name in enumerate(header, start=1)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InputError([f'{path}: column "{name}" is repeated; valid: each name once' for name in repeated])
    return names


_READERS: dict[str, Callable[[Path, bytes], RawTable]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}
