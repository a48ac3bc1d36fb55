"""Memory at serving besides the weights: the keys and values of the tokens that are kept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bitlaw.decisions.costs import kv_cache_memory
from bitlaw.errors import InputError

BYTES_PER_GB = 1e9


@dataclass(frozen=True)
class KvCache:
    """What a model keeps of the tokens it has read.

    Parameters
    ----------
    layers, kv_heads, head_dim
        Layers, key-value heads of each, and their dimension.
    context
        Tokens kept, of all sequences that are served at once.
    """

    layers: int
    kv_heads: int
    head_dim: int
    context: float

    def gigabytes(self, bits: float) -> float:
        """Memory of the keys and values, GB.

        Parameters
        ----------
        bits
            Bits of a key or value.

        Examples
        --------
        >>> round(KvCache(32, 8, 128, 8192).gigabytes(16), 3)
        1.074
        """
        bytes_kept = kv_cache_memory(self.layers, self.kv_heads, self.head_dim, self.context, 1.0, bits)
        return bytes_kept / BYTES_PER_GB


def kv_cache_of(shape: Sequence[float] | None, context: float | None) -> KvCache | None:
    """The cache of a model; None where nothing was given.

    Parameters
    ----------
    shape
        Layers, key-value heads and their dimension.
    context
        Tokens kept, of all sequences that are served at once.

    Raises
    ------
    InputError
        If only one of the two is given, or a number is not valid.

    Examples
    --------
    >>> kv_cache_of((32, 8, 128), 8192)
    KvCache(layers=32, kv_heads=8, head_dim=128, context=8192)
    """
    if shape is None and context is None:
        return None
    if shape is None or context is None:
        raise InputError("give kv_cache and context together: the memory of keys and values is of both")
    said = "x".join(f"{value:g}" for value in shape)
    if len(shape) != 3 or not all(
        math.isfinite(value) and value >= 1 and value == int(value) for value in shape
    ):
        raise InputError(
            f"kv_cache is {said or 'empty'}; valid: whole numbers of layers, key-value heads and their dimension, "
            "as 32x8x128"
        )
    if not (math.isfinite(context) and context > 0):
        raise InputError(f"context is {context:g}; valid: a number of tokens above 0")
    layers, kv_heads, head_dim = (int(value) for value in shape)
    return KvCache(layers, kv_heads, head_dim, context)
