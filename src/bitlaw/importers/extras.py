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
        What it is needed for.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name.split(".")[0]):
            raise InputError(
                f"reading {kind} needs {error.name}, which is not installed: pip install 'bitlaw[{extra}]'"
            ) from error
        raise InputError(
            f"reading {kind} needs {extra}, which is not installed: pip install 'bitlaw[{extra}]'"
        ) from error
