"""Memory at serving: the weights, the keys and values of the tokens that are kept, and how many chips hold them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bitlaw.decisions.costs import kv_cache_memory
from bitlaw.decisions.hardware import Chip
from bitlaw.errors import InputError
from bitlaw.units import format_bits, format_count

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


@dataclass(frozen=True)
class Serving:
    """What a model takes of the memory of chips.

    Parameters
    ----------
    bits, weights_gb
        Bits of its weights, and their memory, GB.
    kv_bits
        Bits of a key or value.
    kv_cache
        What is kept of the tokens read; None where that was not asked.
    chips
        The chips it may be served on.
    """

    bits: float
    weights_gb: float
    kv_bits: float
    kv_cache: KvCache | None = None
    chips: tuple[Chip, ...] = ()

    @property
    def kv_cache_gb(self) -> float | None:
        """Memory of the keys and values, GB; None where that was not asked."""
        return None if self.kv_cache is None else self.kv_cache.gigabytes(self.kv_bits)

    @property
    def gigabytes(self) -> float:
        """Memory of the weights, and of the keys and values where they were asked about, GB."""
        return self.weights_gb + (self.kv_cache_gb or 0.0)

    def needed(self, chip: Chip) -> int:
        """How many of a chip hold that in their memories.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> Serving(8.0, 70.0, 16.0).needed(load_chip("h100")), Serving(16.0, 140.0, 16.0).needed(load_chip("h100"))
        (1, 2)
        """
        return max(1, math.ceil(self.gigabytes / chip.memory_gb))

    def cells(self) -> dict[str, float]:
        """What a table shows besides the weights: the cache, memory in all, chips needed; what was asked of it."""
        cache = self.kv_cache_gb
        memory = {} if cache is None else {"KV cache, GB": cache, "in all, GB": self.gigabytes}
        needed = {f"{chip.name} needed": self.needed(chip) for chip in self.chips}
        return {name: float(f"{value:.3g}") for name, value in memory.items()} | needed

    def to_dict(self) -> dict[str, Any]:
        """Memory and the chips that hold it, as plain JSON types."""
        chips = {chip.name: {"memory_gb": chip.memory_gb, "needed": self.needed(chip)} for chip in self.chips}
        return {"bits": self.bits, "gb": self.gigabytes, "chips": chips}

    def text(self) -> str:
        """Memory, and the chips that hold it, in sentences; empty where neither was asked about."""
        if self.kv_cache is None and not self.chips:
            return ""
        cache = ""
        if self.kv_cache is not None and self.kv_cache_gb is not None:
            cache = (
                f", and keys and values of {format_count(self.kv_cache.context)} tokens {self.kv_cache_gb:.3g} GB at "
                f"{format_bits(self.kv_bits)} bits: {self.gigabytes:.3g} GB in all"
            )
        chips = f" {self.chips_text()}" if self.chips else ""
        return f"At serving its weights take {self.weights_gb:.3g} GB at {format_bits(self.bits)} bits{cache}.{chips}"

    def chips_text(self) -> str:
        """How many of each chip hold it, and what was not counted, in a sentence.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> chips = load_chip("tpu-v5e"), load_chip("h100")
        >>> Serving(4.0, 35.0, 16.0, KvCache(32, 8, 128, 8192), chips).chips_text().partition(". ")[0]
        'That fits in the memory of 3 tpu-v5e (16 GB each) or one h100 (80 GB)'
        """
        said = " or ".join(
            f"one {chip.name} ({chip.memory_gb:g} GB)"
            if self.needed(chip) == 1
            else f"{self.needed(chip)} {chip.name} ({chip.memory_gb:g} GB each)"
            for chip in self.chips
        )
        cache = ", keys and values" if self.kv_cache is None else ""
        return f"That fits in the memory of {said}. Not counted: embeddings, scales, activations{cache}."


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
