"""Columns read from the names of runs: a regular expression whose named groups are columns."""

import re
from dataclasses import dataclass

from bitlaw.errors import InputError, did_you_mean
from bitlaw.importers.text import printable
from bitlaw.runs.columns import BY_NAME


@dataclass(frozen=True)
class NamePattern:
    """What runs' names say.

    Parameters
    ----------
    expression
        Compiled, with a named group per column.
    """

    expression: re.Pattern[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(self.expression.groupindex)

    def read(self, name: str) -> dict[str, str] | None:
        r"""Columns and their texts; None where the name does not fit.

        Examples
        --------
        >>> name_pattern(r"n(?P<n_params>\w+)-w(?P<bits_weights>\d+)").read("n125M-w4")
        {'n_params': '125M', 'bits_weights': '4'}
        """
        found = self.expression.search(name)
        return None if found is None else {key: text or "" for key, text in found.groupdict().items()}


def name_pattern(text: str) -> NamePattern:
    """A pattern from its text.

    Raises
    ------
    InputError
        If it is no regular expression, has no named group, or one that is no column or the loss.
    """
    example = r"for example n(?P<n_params>\w+)-w(?P<bits_weights>\d+)"
    try:
        expression = re.compile(text)
    except re.error as error:
        raise InputError(f"pattern {printable(text)}: no regular expression: {error}; {example}") from error
    groups = tuple(expression.groupindex)
    problems = [
        f"pattern {printable(text)}: group {name}: unknown column; {did_you_mean(name, list(BY_NAME))}"
        for name in groups
        if name not in BY_NAME
    ]
    if "loss" in groups:
        problems.append(f"pattern {printable(text)}: group loss: a loss is measured, not part of a name")
    if not groups:
        problems.append(f"pattern {printable(text)}: no named group says which column is read; {example}")
    if problems:
        raise InputError(problems)
    return NamePattern(expression)
