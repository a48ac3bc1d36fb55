"""The library: every law by its name, or by the path of a user's own TOML file."""

from importlib.resources import files
from pathlib import Path

from bitlaw.errors import InputError, did_you_mean
from bitlaw.laws.law import Law
from bitlaw.laws.spec import DEFAULT_PRIORS, parse_law

DEFAULT_LAW = "bitlaw-default"
RIVAL_LAW = "kumar2024-coupled"
"""What a report compares the default law with: the same base, another structure for training precision."""


def law_names() -> tuple[str, ...]:
    """Names of the laws that come with bitlaw, sorted.

    Examples
    --------
    >>> law_names()[:4]
    ('bitlaw-default', 'chen2025', 'chinchilla', 'coupled')
    """
    names = [item.name for item in files("bitlaw.models").iterdir()]
    laws = [name for name in names if name.endswith(".toml") and name != DEFAULT_PRIORS]
    return tuple(sorted(name.removesuffix(".toml") for name in laws))


def load_law(name_or_path: str | Path) -> Law:
    """A law by its name in the library, or from a TOML file.

    Parameters
    ----------
    name_or_path
        A name from ``law_names()``, or a path that ends in ``.toml``.

    Raises
    ------
    InputError
        If there is no such law or file, or the file is not a valid spec.

    Examples
    --------
    >>> load_law("chinchilla").base.equation
    'L = E + a (N/N̄)^-α + b (D/D̄)^-β'
    """
    name = str(name_or_path)
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise InputError(f"{path}: no such law file")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 text: {error}") from error
        return parse_law(text, str(path))
    if name not in law_names():
        raise InputError(
            f'unknown law "{name}" ({did_you_mean(name, law_names())}); valid: a name that '
            "`bitlaw laws` lists, or the path of a .toml file"
        )
    return parse_law(
        files("bitlaw.models").joinpath(f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml"
    )
