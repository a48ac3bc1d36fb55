"""The columns as rows of text, for ``check --help`` and the documentation."""

from bitlaw.runs.cells import valid_values
from bitlaw.runs.columns import COLUMNS, Column


def describe_columns() -> list[dict[str, str]]:
    """One row per column: name, required, valid, default and meaning, in the order of ``COLUMNS``.

    Examples
    --------
    >>> describe_columns()[2]["name"], describe_columns()[2]["required"]
    ('tokens', 'yes, or flops')
    """
    return [_describe(column) for column in COLUMNS]


def _describe(column: Column) -> dict[str, str]:
    required = "no"
    if column.required:
        required = "yes, or flops" if column.name == "tokens" else "yes"
    default = f"{column.default:g}" if isinstance(column.default, float) else column.default or ""
    return {
        "name": column.name,
        "required": required,
        "unit": column.unit,
        "valid": valid_values(column),
        "default": default,
        "meaning": column.meaning,
    }
