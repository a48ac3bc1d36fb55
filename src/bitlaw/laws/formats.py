"""Number formats by name: which are unquantized, and the exponent, mantissa and block of the others."""

import re
from dataclasses import dataclass

UNQUANTIZED: tuple[str, ...] = (
    "", "bf16", "fp16", "fp32", "fp64", "tf32", "bfloat16", "float16", "float32", "float64",
)  # fmt: skip
"""Formats that count as 16 bits, in lower case."""


@dataclass(frozen=True)
class FloatingPoint:
    """A floating-point format: exponent and mantissa bits, and its block where the format fixes one."""

    exponent_bits: int
    mantissa_bits: int
    block_size: int | None = None


_NAMED: dict[str, FloatingPoint] = {
    "fp4": FloatingPoint(2, 1),
    "mxfp4": FloatingPoint(2, 1, 32),
    "nvfp4": FloatingPoint(2, 1, 16),
    "fp6": FloatingPoint(2, 3),
    "mxfp6": FloatingPoint(2, 3, 32),
    "fp8": FloatingPoint(4, 3),
    "mxfp8": FloatingPoint(4, 3, 32),
}
_EXPLICIT = re.compile(r"e(\d+)m(\d+)")


def floating_point(name: str) -> FloatingPoint | None:
    """Exponent and mantissa bits of a format; None where its name does not say.

    Parameters
    ----------
    name
        ``mxfp4``, ``nvfp4``, ``fp8`` …, or any name that holds ``e4m3`` and the like; case is ignored.

    Examples
    --------
    >>> floating_point("NVFP4")
    FloatingPoint(exponent_bits=2, mantissa_bits=1, block_size=16)
    >>> floating_point("fp8-e5m2").mantissa_bits
    2
    >>> floating_point("int4") is None
    True
    """
    lower = name.lower()
    explicit = _EXPLICIT.search(lower)
    named = next((_NAMED[known] for known in sorted(_NAMED, key=len, reverse=True) if known in lower), None)
    if explicit:
        block = named.block_size if named else None
        return FloatingPoint(int(explicit[1]), int(explicit[2]), block)
    return named


def is_unquantized(name: str) -> bool:
    """Whether a format counts as 16 bits."""
    return name.lower() in UNQUANTIZED


def bits_say_all(name: str) -> bool:
    """Whether bits alone say what a format does: integers, and formats that are not quantized.

    Examples
    --------
    >>> bits_say_all("INT4"), bits_say_all("bf16"), bits_say_all("mxfp4")
    (True, True, False)
    """
    return is_unquantized(name) or name.lower().startswith("int")
