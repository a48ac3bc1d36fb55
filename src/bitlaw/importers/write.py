"""Table and mapping file on disk, written whole or not at all."""

import csv
import io
import os
from pathlib import Path

from bitlaw.errors import InputError
from bitlaw.importers.imported import Imported
from bitlaw.importers.text import printable

SUFFIX = ".csv"
MAP_SUFFIX = ".map.toml"


def mapping_path(out: Path) -> Path:
    """Where the mapping file of a table is written.

    Examples
    --------
    >>> mapping_path(Path("tables/runs.csv")).name
    'runs.map.toml'
    """
    return out.with_suffix(MAP_SUFFIX)


def require_table_path(out: Path, mapping: str | Path | None = None) -> None:
    """Check that a table and its mapping file can be written here, without writing.

    Parameters
    ----------
    out
        Path of the table.
    mapping
        The user's own mapping file, which must not be overwritten.

    Raises
    ------
    InputError
        For another suffix, a folder of that name, or a mapping file that is in the way.
    """
    if out.suffix.lower() != SUFFIX:
        raise InputError(f"--out {out}: valid: a file name that ends in {SUFFIX}")
    if out.is_dir():
        raise InputError(f"--out {out}: this is a folder; valid: the path of a file")
    if mapping is not None and Path(mapping).resolve() == mapping_path(out).resolve():
        raise InputError(
            f"--out {out}: its mapping file would overwrite {mapping}, which is read; choose another name"
        )


def write_imported(imported: Imported, out: Path) -> Imported:
    """Write a table and, beside it, its mapping file.

    Parameters
    ----------
    imported
        What was imported.
    out
        Path of the table; ends in .csv.

    Raises
    ------
    InputError
        If the files cannot be written.
    """
    mapping = mapping_path(out)
    texts = {out: table_text(imported), mapping: mapping_text(imported, out.name)}
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in texts}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            beside[path].write_text(text, encoding="utf-8", newline="")
        for path, part in beside.items():
            part.replace(path)
    except OSError as error:
        raise InputError(f"{error.filename or out}: cannot be written: {error.strerror}") from error
    finally:
        for part in beside.values():
            part.unlink(missing_ok=True)
    return imported.saved_as(str(out), str(mapping))


def table_text(imported: Imported) -> str:
    """The table as CSV."""
    frame = imported.frame
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # rows end in CR LF, and so a lone CR or LF in a cell is quoted
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def mapping_text(imported: Imported, table: str) -> str:
    """The mapping file: every column by its name, with its origin; and the columns that could take over."""
    others = [str(name) for name in imported.frame if name not in imported.origins]
    ours = printable(mapping_path(Path(table)).name)
    lines = [
        f"# Where the columns of {printable(table)} come from: {imported.kind}, {printable(imported.source)}.",
        "# The table can be read without this file. To use another of its columns, change the name on the",
        f"# right and pass this file: bitlaw check {printable(table)} --map {ours}",
        'loss_unit = "nats"',
        "",
        "[columns]",
        *(f'{name} = "{name}"  # {printable(origin)}' for name, origin in imported.origins.items()),
        "",
        f"# Other columns of the table: {', '.join(printable(name) for name in others)}",
        *(f"# Not imported: {printable(item.what)}: {printable(item.why)}" for item in imported.skipped),
    ]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return "" if value is None else value
