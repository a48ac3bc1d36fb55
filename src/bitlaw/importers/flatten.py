"""Nested settings and metrics as flat names."""

from collections.abc import Mapping


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
    flat: dict[str, object] = {}
    waiting = [(prefix, iter(nested.items()))]  # not recursion: JSON may be nested deeper than Python's stack
    while waiting:
        before, items = waiting[-1]
        for name, value in items:
            if isinstance(value, Mapping):
                waiting.append((f"{before}{name}.", iter(value.items())))
                break
            if value is None or isinstance(value, str | int | float):
                flat[f"{before}{name}"] = value
        else:
            waiting.pop()
    return flat
