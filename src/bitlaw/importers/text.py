"""Text from outside, made safe to show on one line and to keep in a table."""

_LONGEST_SHOWN = 60
_LONGEST_STORED = 1000


def printable(text: str, keep: str = "") -> str:
    r"""Text in which nothing moves the cursor, hides or reverses text: such letters are escaped.

    Parameters
    ----------
    text
        Any text.
    keep
        Letters to leave as they are, for example a line break.

    Examples
    --------
    >>> print(printable("run\n\u202e1 ✓"))
    run\n\u202e1 ✓
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else letter.encode("unicode_escape").decode()
        for letter in text
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


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
