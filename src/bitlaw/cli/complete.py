"""What the shell offers after Tab: names of laws, chips, columns and executors, without a heavy import."""

from collections.abc import Iterable

from bitlaw.runs.columns import COLUMNS

KINDS = ("compute", "bits", "groups")
"""What a backtest predicts; the folds have the same, behind imports that completion would wait for."""

TENSORS = ("weights", "activations", "kv", "gradients")

_NOT_GROUPS = ("run_id", "status", "exclude")
GROUPS = tuple(column.name for column in COLUMNS if column.kind == "text" and column.name not in _NOT_GROUPS)
"""Columns that constants may be pooled over."""


def laws(incomplete: str) -> list[str]:
    """Laws of the library.

    Examples
    --------
    >>> laws("kumar")
    ['kumar2024', 'kumar2024-coupled']
    """
    from bitlaw.laws.registry import law_names

    return _starting(law_names(), incomplete)


def chips(incomplete: str) -> list[str]:
    """Chips of the hardware table.

    Examples
    --------
    >>> chips("h")
    ['h100', 'h200']
    """
    import tomllib
    from importlib.resources import files

    table = tomllib.loads(files("bitlaw.data").joinpath("hardware.toml").read_text(encoding="utf-8"))
    return _starting(table, incomplete)


def executors(incomplete: str) -> list[str]:
    """Where refits run.

    Examples
    --------
    >>> executors("")
    ['serial', 'processes', 'dask']
    """
    from bitlaw.inference.executors import NAMES

    return _starting(NAMES, incomplete)


def groups(incomplete: str) -> list[str]:
    """Columns to pool over, also after a comma.

    Examples
    --------
    >>> groups("family,cor")
    ['family,corpus']
    """
    return _listed(GROUPS, incomplete)


def kinds(incomplete: str) -> list[str]:
    """What a backtest predicts, also after a comma.

    Examples
    --------
    >>> kinds("compute,b")
    ['compute,bits']
    """
    return _listed(KINDS, incomplete)


def tensors(incomplete: str) -> list[str]:
    """What is trained at few bits, also after a comma.

    Examples
    --------
    >>> tensors("w")
    ['weights']
    """
    return _listed(TENSORS, incomplete)


def law_list(incomplete: str) -> list[str]:
    """Laws of the library, also after a comma.

    Examples
    --------
    >>> law_list("coupled,chinch")
    ['coupled,chinchilla']
    """
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in laws(last)]


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _listed(names: Iterable[str], incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    used = before.split(",")
    return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in used]
