"""Run columns as the arrays a law's terms take."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from bitlaw.laws.formats import bits_say_all, floating_point, is_unquantized
from bitlaw.laws.post import SYMMETRIC_METHODS
from bitlaw.runs.columns import UNQUANTIZED_BITS

_PLAIN = (
    "n_params",
    "tokens",
    "bits_weights",
    "bits_activations",
    "bits_kv",
    "bits_gradients",
    "bits_post",
)
FORWARD_BITS = {"bits_weights": "w", "bits_activations": "a", "bits_kv": "kv"}
_UNKNOWN_GROUP = 128.0
"""Stands where a run has no group size; rows for which that matters are left out before."""


def law_columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns a law is evaluated on, one value per row.

    Parameters
    ----------
    frame
        Canonical run-table columns.

    Returns
    -------
    dict
        The plain columns; ``ceiling`` (ln of the vocabulary in nats/token, inf where unknown);
        ``post_symmetric`` (whether the post-training grid is symmetric round-to-nearest);
        ``is_quantized`` and ``is_quantized_backward``; ``group_size``; and ``exponent_bits``,
        ``mantissa_bits`` and ``block_size`` of the forward format where it ``is_floating`` (those of FP4
        where it is not).
    """
    columns: dict[str, np.ndarray] = {name: frame[name].to_numpy(np.float64) for name in _PLAIN}
    vocabulary = frame["vocab_size"].to_numpy(np.float64)
    columns["ceiling"] = np.log(np.where(np.isnan(vocabulary), np.inf, vocabulary))
    columns["post_symmetric"] = is_symmetric(frame["method_post"])
    columns["is_quantized"] = np.array([label != "" for label in _schemes(frame)], bool)
    columns["is_quantized_backward"] = np.array([label != "" for label in _backward_schemes(frame)], bool)
    names = [str(name) for name in frame["format"].to_numpy()]
    by_name = {name: floating_point(name) for name in set(names)}
    formats = [by_name[name] for name in names]
    floats = {name for name, known in by_name.items() if known is not None and not is_unquantized(name)}
    columns["is_floating"] = np.array([name in floats for name in names], bool)
    given = frame["group_size"].to_numpy(np.float64)
    blocks = np.array([known.block_size or np.nan if known else np.nan for known in formats])
    columns["group_size"] = np.where(np.isnan(given), _UNKNOWN_GROUP, given)
    columns["block_size"] = np.where(np.isnan(given) & ~np.isnan(blocks), blocks, columns["group_size"])
    columns["exponent_bits"] = np.array([known.exponent_bits if known else 2.0 for known in formats])
    columns["mantissa_bits"] = np.array([known.mantissa_bits if known else 1.0 for known in formats])
    return columns


def schemes(frame: pd.DataFrame) -> pd.Series:
    """The forward format of each row with the bits of each tensor kind; "" where nothing is quantized.

    Examples
    --------
    >>> from bitlaw.inference.draws import points_frame
    >>> points = points_frame(n_params=1e8, tokens=1e9, bits_weights=[16, 4, 4], format=["", "", "fp4"])
    >>> schemes(points).tolist()
    ['', 'int w4', 'fp4 w4']
    """
    return pd.Series(_schemes(frame), frame.index, dtype=object)


def _schemes(frame: pd.DataFrame) -> list[str]:
    bits = frame[list(FORWARD_BITS)].to_numpy(np.float64).tolist()
    return [_scheme(str(name), *row) for name, row in zip(frame["format"].to_numpy(), bits, strict=True)]


@lru_cache(maxsize=4096)
def _scheme(name: str, *bits: float) -> str:
    kinds = zip(FORWARD_BITS.values(), bits, strict=True)
    below = "".join(f"{kind}{value:g}" for kind, value in kinds if value < UNQUANTIZED_BITS)
    known = ("int" if below else "") if bits_say_all(name) else name
    return f"{known} {below}" if below else known


def backward_schemes(frame: pd.DataFrame) -> pd.Series:
    """The backward format of each row, or its bits; "" where nothing is quantized."""
    return pd.Series(_backward_schemes(frame), frame.index, dtype=object)


def _backward_schemes(frame: pd.DataFrame) -> list[str]:
    bits = frame["bits_gradients"].to_numpy(np.float64).tolist()
    return [
        _backward_scheme(str(name), value)
        for name, value in zip(frame["format_backward"].to_numpy(), bits, strict=True)
    ]


@lru_cache(maxsize=4096)
def _backward_scheme(name: str, bits: float) -> str:
    if not is_unquantized(name):
        return name
    return f"g{bits:g}" if bits < UNQUANTIZED_BITS else ""


def is_symmetric(methods: pd.Series) -> np.ndarray:
    """Whether each post-training method rounds to nearest on a symmetric grid."""
    return methods.astype(str).str.lower().isin(SYMMETRIC_METHODS).to_numpy(bool)


def take(columns: Mapping[str, np.ndarray], index: np.ndarray) -> dict[str, np.ndarray]:
    """The same columns at selected rows."""
    return {name: values[index] for name, values in columns.items()}
