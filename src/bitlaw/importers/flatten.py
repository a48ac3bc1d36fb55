"""Nested settings and metrics as flat names."""

from collections.abc import Iterator, Mapping


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


def _pairs(nested: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, str | int | float):
            yield f"{prefix}{name}", value
