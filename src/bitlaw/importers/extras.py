"""Libraries of trackers: optional, and imported only where a source needs them."""

from importlib import import_module
from types import ModuleType

from bitlaw.errors import InputError


def need(module: str, extra: str, kind: str) -> ModuleType:
    """A tracker's own library.

    Parameters
    ----------
    module
        What to import.
    extra
        The extra of bitlaw that brings it.
    kind
        What it is needed for, to name in messages.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise missing(error, extra, kind) from error


def missing(error: ModuleNotFoundError, extra: str, kind: str) -> InputError:
    """What to tell the user about a library that is not there."""
    name = (error.name or extra).split(".")[0]
    return InputError(f"{kind}: {name} is not installed; pip install 'bitlaw[{extra}]' brings it")
