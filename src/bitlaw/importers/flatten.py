"""Nested settings as flat names, and text that is safe to keep and to show."""

from collections.abc import Iterator, Mapping

_LONGEST_SHOWN = 60
_LONGEST_STORED = 1000


def flatten(nested: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Scalars of a nested mapping by dotted names; lists and other things are left out.

    Parameters
    ----------
    nested
        Settings or metrics, for example from JSON.
    prefix
        What every name begins with.

    Examples
    --------
    >>> flatten({"model": {"n_params": 7e9, "layers": [1]}, "lr": 3e-4}, "config.")
    {'config.model.n_params': 7000000000.0, 'config.lr': 0.0003}
    """
    return dict(_pairs(nested, prefix))


def printable(text: str) -> str:
    r"""Text on one line: what would move the cursor, hide or reverse text is escaped.

    Examples
    --------
    >>> print(printable("run\n\u202e1 ✓"))
    run\n\u202e1 ✓
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def shown(text: str) -> str:
    """Text on one line, shortened, in quotes.

    Examples
    --------
    >>> shown("a" * 80) == '"' + "a" * 60 + '…"'
    True
    """
    line = printable(text)
    return f'"{line}"' if len(line) <= _LONGEST_SHOWN else f'"{line[:_LONGEST_SHOWN]}…"'


def storable(text: str) -> str:
    """Text that a table can hold: halves of surrogate pairs are escaped, and very long text is cut."""
    cut = text if len(text) <= _LONGEST_STORED else f"{text[:_LONGEST_STORED]}…"
    return cut.encode("utf-8", "backslashreplace").decode("utf-8")


def _pairs(nested: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, str | int | float):
            yield f"{prefix}{name}", value
