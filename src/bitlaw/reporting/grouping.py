"""What a figure can hold: few model sizes and few training precisions, told apart and named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bitlaw.laws.capacity import TENSOR_KINDS
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
    """Training precision of weights, activations and KV cache, capped at 16 bits."""

    weights: float
    activations: float
    kv: float

    @property
    def bits(self) -> tuple[float, float, float]:
        """Bits of weights, activations and KV cache."""
        return self.weights, self.activations, self.kv

    @property
    def columns(self) -> dict[str, float]:
        """As run-table columns."""
        return {column: bits for (_, column, _), bits in zip(TENSOR_KINDS, self.bits, strict=True)}

    @property
    def quantized(self) -> tuple[str, ...]:
        """Names of the tensor kinds below 16 bits."""
        return tuple(
            name
            for (_, _, name), bits in zip(TENSOR_KINDS, self.bits, strict=True)
            if bits < UNQUANTIZED_BITS
        )

    @property
    def label(self) -> str:
        """In words.

        Examples
        --------
        >>> Precision(16, 16, 16).label, Precision(4, 16, 16).label, Precision(4, 4, 4).label
        ('16 bits', 'weights 4 bits', 'all 4 bits')
        >>> Precision(4, 8, 16).label
        'weights 4, activations 8 bits'
        """
        low = {
            name: bits
            for (_, _, name), bits in zip(TENSOR_KINDS, self.bits, strict=True)
            if bits < UNQUANTIZED_BITS
        }
        if not low:
            return "16 bits"
        if len(set(low.values())) == 1:
            names = "all" if len(low) == len(TENSOR_KINDS) else " and ".join(low)
            return f"{names} {format_bits(next(iter(low.values())))} bits"
        return ", ".join(f"{name} {format_bits(bits)}" for name, bits in low.items()) + " bits"

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows trained at this precision."""
        keep = np.ones(len(frame), dtype=bool)
        for column, bits in self.columns.items():
            keep &= frame[column].clip(upper=UNQUANTIZED_BITS).to_numpy() == bits
        return frame[keep]


SIXTEEN = Precision(UNQUANTIZED_BITS, UNQUANTIZED_BITS, UNQUANTIZED_BITS)


def precisions(frame: pd.DataFrame, most: int = MOST_PANELS) -> tuple[Precision, ...]:
    """At most ``most`` training precisions of a table: the fewest bits of each kind, the most logged.

    Parameters
    ----------
    frame
        Rows, canonical columns.
    most
        Most precisions.
    """
    columns = [column for _, column, _ in TENSOR_KINDS]
    counts = frame[columns].clip(upper=UNQUANTIZED_BITS).value_counts()
    keys = counts.index.to_frame().to_numpy(np.float64)
    found = {Precision(*map(float, key)): int(count) for key, count in zip(keys, counts, strict=True)}
    fewest: dict[tuple[str, ...], Precision] = {}
    for one in sorted(found, key=lambda p: (sum(p.bits), -found[p])):
        fewest.setdefault(one.quantized, one)
    by_count = sorted(found, key=lambda p: (-found[p], sum(p.bits)))
    chosen = list(dict.fromkeys([*sorted(fewest.values(), key=lambda p: len(p.quantized)), *by_count]))[:most]
    return tuple(sorted(chosen, key=reading_order))


def reading_order(one: Precision) -> tuple[int, tuple[str, ...], float]:
    """Sort key: 16 bits, then weights, activations, KV cache, then several together; most bits first."""
    kinds = [name for _, _, name in TENSOR_KINDS]
    order = tuple(str(kinds.index(name)) for name in one.quantized)
    return len(one.quantized), order, -sum(one.bits)
