"""What a figure can hold: few model sizes and few training precisions, told apart and named."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bitlaw.laws.capacity import TENSOR_KINDS
from bitlaw.laws.formats import bits_say_all, is_unquantized
from bitlaw.reporting.words import bits_text
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits, format_count

MOST_SIZES = 6
MOST_PANELS = 6


@dataclass(frozen=True)
class SizeGroup:
    """Runs drawn in one colour.

    Parameters
    ----------
    label
        The size, or the range of sizes.
    n_params
        Size the law is drawn at.
    lo, hi
        Smallest and largest size in the group.
    """

    label: str
    n_params: float
    lo: float
    hi: float

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of this group."""
        return frame[frame["n_params"].between(self.lo, self.hi)]


def size_groups(
    n_params: Sequence[float] | np.ndarray | pd.Series, most: int = MOST_SIZES
) -> tuple[SizeGroup, ...]:
    """Model sizes as at most ``most`` groups: each size its own, or equal ranges of ln N.

    Parameters
    ----------
    n_params
        Sizes in the table.
    most
        Most groups.

    Examples
    --------
    >>> [group.label for group in size_groups([2e6, 1e6, 1e6])]
    ['1M', '2M']
    >>> [group.label for group in size_groups([1e6, 1.1e6, 1e8, 1.2e8, 3e8], most=2)]
    ['1M–1.1M', '100M–300M']
    """
    sizes = np.unique(np.asarray(n_params, dtype=np.float64))
    if len(sizes) <= most:
        return tuple(SizeGroup(format_count(size), size, size, size) for size in map(float, sizes))
    edges = np.geomspace(sizes[0], sizes[-1], most + 1)
    which = np.clip(np.searchsorted(edges, sizes, side="right") - 1, 0, most - 1)
    groups = []
    for index in np.unique(which):
        members = sizes[which == index]
        lo, hi = float(members[0]), float(members[-1])
        label = format_count(lo) if lo == hi else f"{format_count(lo)}–{format_count(hi)}"
        groups.append(SizeGroup(label, float(np.exp(np.log(members).mean())), lo, hi))
    return tuple(groups)


@dataclass(frozen=True, order=True)
class Precision:
    """How a run is trained: bits of weights, activations and KV cache, capped at 16, and formats.

    Parameters
    ----------
    weights, activations, kv
        Bits.
    format
        Forward format where bits do not say all about it, or where a fit pools over it; else empty.
    gradients, format_backward
        Bits and format of the backward pass.
    method
        Training method where a fit pools over it; else empty.
    """

    weights: float
    activations: float
    kv: float
    format: str = ""
    gradients: float = UNQUANTIZED_BITS
    format_backward: str = ""
    method: str = ""

    @property
    def bits(self) -> tuple[float, float, float]:
        """Bits of weights, activations and KV cache."""
        return self.weights, self.activations, self.kv

    @property
    def columns(self) -> dict[str, float | str]:
        """As run-table columns."""
        bits: dict[str, float | str] = {
            column: bits for (_, column, _), bits in zip(TENSOR_KINDS, self.bits, strict=True)
        }
        return bits | {
            "bits_gradients": self.gradients,
            "format": self.format,
            "format_backward": self.format_backward,
            "method": self.method,
        }

    @property
    def is_unquantized(self) -> bool:
        """Whether it is training at 16 bits."""
        return not (self.quantized or _names_format(self.format) or self.backward)

    @property
    def unquantized(self) -> "Precision":
        """The same run without quantization."""
        return replace(SIXTEEN, format="" if _names_format(self.format) else self.format, method=self.method)

    @property
    def quantized(self) -> tuple[str, ...]:
        """Names of the tensor kinds below 16 bits."""
        return tuple(
            name
            for (_, _, name), bits in zip(TENSOR_KINDS, self.bits, strict=True)
            if bits < UNQUANTIZED_BITS
        )

    @property
    def backward(self) -> str:
        """The backward pass in words; empty where it is not quantized."""
        if not is_unquantized(self.format_backward):
            return f"backward {self.format_backward}"
        return f"gradients {bits_text(self.gradients)}" if self.gradients < UNQUANTIZED_BITS else ""

    @property
    def label(self) -> str:
        """In words.

        Examples
        --------
        >>> Precision(16, 16, 16).label, Precision(4, 16, 16).label, Precision(4, 4, 4).label
        ('16 bits', 'weights 4 bits', 'all 4 bits')
        >>> Precision(4, 8, 16).label, Precision(1, 1, 16).label, Precision(4, 4, 16, "mxfp4").label
        ('weights 4, activations 8 bits', 'weights and activations 1 bit', 'mxfp4 W4A4')
        """
        low = {
            kind: bits
            for (kind, _, _), bits in zip(TENSOR_KINDS, self.bits, strict=True)
            if bits < UNQUANTIZED_BITS
        }
        if _names_format(self.format):
            widths = "".join(f"{kind.upper()}{format_bits(bits)}" for kind, bits in low.items())
            forward = f"{self.format} {widths}".rstrip()
        else:
            forward = _bits_label(low) or ("" if self.backward else "16 bits")
        return ", ".join(part for part in (forward, self.backward, self.method) if part)

    def rows(self, frame: pd.DataFrame, pool: Sequence[str] = ()) -> pd.DataFrame:
        """The rows trained at this precision, told apart as in ``precision_of``."""
        return frame[[one == self for one in precision_of(frame, pool)]]


SIXTEEN = Precision(UNQUANTIZED_BITS, UNQUANTIZED_BITS, UNQUANTIZED_BITS)


def precision_of(frame: pd.DataFrame, pool: Sequence[str] = ()) -> list[Precision]:
    """Training precision of each row.

    Parameters
    ----------
    frame
        Rows, canonical columns.
    pool
        Columns a fit pools over; of these ``format`` and ``method`` then count as part of it.
    """
    bits = frame[[column for _, column, _ in TENSOR_KINDS]].clip(upper=UNQUANTIZED_BITS).to_numpy(np.float64)
    formats = frame["format"].astype(str)
    formats = formats if "format" in pool else formats.map(lambda name: name if _names_format(name) else "")
    methods = frame["method"].astype(str) if "method" in pool else pd.Series("", frame.index)
    backward = frame["format_backward"].astype(str).map(lambda name: "" if is_unquantized(name) else name)
    gradients = frame["bits_gradients"].clip(upper=UNQUANTIZED_BITS).astype(float)
    return [
        Precision(float(weights), float(activations), float(kv), name, gradient, behind, method)
        for (weights, activations, kv), name, gradient, behind, method in zip(
            bits, formats, gradients, backward, methods, strict=True
        )
    ]


def precisions(
    frame: pd.DataFrame, most: int = MOST_PANELS, pool: Sequence[str] = ()
) -> tuple[Precision, ...]:
    """At most ``most`` training precisions of a table: the fewest bits of each kind, the most logged.

    Parameters
    ----------
    frame
        Rows, canonical columns.
    most
        Most precisions.
    pool
        Columns a fit pools over.
    """
    found = Counter(precision_of(frame, pool))
    fewest: dict[tuple[object, ...], Precision] = {}
    for one in sorted(found, key=lambda p: (sum(p.bits), -found[p])):
        fewest.setdefault((one.quantized, one.format, one.backward), one)
    by_count = sorted(found, key=lambda p: (-found[p], sum(p.bits)))
    kinds = sorted(fewest.values(), key=lambda p: (len(p.quantized), -found[p]))
    chosen = list(dict.fromkeys([*kinds, *by_count]))[:most]
    return tuple(sorted(chosen, key=reading_order))


def reading_order(one: Precision) -> tuple[object, ...]:
    """Sort key: 16 bits, then weights, activations, KV cache, then several together; most bits first."""
    kinds = [name for _, _, name in TENSOR_KINDS]
    order = tuple(str(kinds.index(name)) for name in one.quantized)
    named = _names_format(one.format)
    return named, len(one.quantized), order, -sum(one.bits), one.format, one.backward, one.method


def _names_format(name: str) -> bool:
    """Whether a format says more than bits do."""
    return not bits_say_all(name)


def _bits_label(low: dict[str, float]) -> str:
    """Bits of the tensor kinds below 16, in words."""
    words = {kind: name for kind, _, name in TENSOR_KINDS}
    if len(set(low.values())) == 1:
        names = "all" if len(low) == len(TENSOR_KINDS) else " and ".join(words[kind] for kind in low)
        return f"{names} {bits_text(next(iter(low.values())))}"
    listed = ", ".join(f"{words[kind]} {format_bits(bits)}" for kind, bits in low.items())
    return f"{listed} bits" if listed else ""
