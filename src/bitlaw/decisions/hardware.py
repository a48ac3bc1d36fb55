"""The hardware table: chips, what each multiplies in and how fast, and speeds that a user measured."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bitlaw.decisions.costs import effective_bits
from bitlaw.errors import InputError, did_you_mean
from bitlaw.laws.formats import bits_say_all, floating_point, is_unquantized
from bitlaw.laws.spec import validation_problems
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.runs.files import decode_text, read_bytes

REFERENCE_FORMAT = "bf16"
"""The 16-bit format that the speed of every other is compared with."""

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Speeds = dict[str, dict[str, float]]
"""Measured speeds, TFLOP/s per chip, by chip and by the chip's own name of the format."""

_SPEEDS = TypeAdapter(dict[str, dict[str, _Positive]])


class _ChipSpec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    read: date
    memory_gb: _Positive
    utilisation: Annotated[float, Field(gt=0, le=1)]
    peak: dict[str, _Positive]


@dataclass(frozen=True)
class Chip:
    """A chip of the hardware table.

    Parameters
    ----------
    name, title
        What it is asked for by, and its full name.
    source, read
        Where its numbers are from, and the day that was read.
    memory_gb
        Memory, GB.
    utilisation
        Share of the peak that training is taken to reach where nothing was measured.
    peak
        Dense peak of every format it multiplies in, TFLOP/s.
    """

    name: str
    title: str
    source: str
    read: date
    memory_gb: float
    utilisation: float
    peak: Mapping[str, float]

    def runs(self, name: str) -> str | None:
        """The chip's own name of a number format; None where it does not multiply in it.

        Formats with the same bits per element and the same block run alike: ``fp8``, ``fp8-e5m2``.

        Examples
        --------
        >>> h100 = load_chip("h100")
        >>> h100.runs("fp8"), h100.runs("fp16"), h100.runs("int8-rtn"), h100.runs("nvfp4")
        ('fp8-e4m3', 'bf16', 'int8', None)
        """
        if is_unquantized(name):
            return REFERENCE_FORMAT
        kind = _kind(name)
        return next((own for own in self.peak if kind is not None and _kind(own) == kind), None)

    def of_bits(self, bits: float) -> tuple[str, ...]:
        """Its formats whose elements have these bits, scales of blocks left out, fastest first.

        Examples
        --------
        >>> load_chip("b200").of_bits(4), load_chip("h100").of_bits(4)
        (('mxfp4', 'nvfp4'), ())
        """
        same = [name for name in self.peak if element_bits(name) == bits]
        return tuple(sorted(same, key=lambda name: -self.peak[name]))

    def fastest(self, bits: float, name: str | None = None) -> str | None:
        """The fastest of its formats that an option runs in; None where it does not multiply in it.

        Parameters
        ----------
        bits
            Bits of the wider operand of a multiplication; 16 and more are not quantized.
        name
            Name of its number format; None for bits alone.

        Examples
        --------
        >>> b200 = load_chip("b200")
        >>> b200.fastest(6.0), b200.fastest(8.25, "mxfp8"), b200.fastest(5.0)
        ('mxfp6', 'mxfp8', None)
        """
        if bits >= UNQUANTIZED_BITS:
            return REFERENCE_FORMAT
        return next(iter(self.of_bits(bits)), None) if name is None else self.runs(name)

    def listed(self) -> str:
        """What it runs, in words.

        Examples
        --------
        >>> load_chip("h100").listed()
        'h100 runs bf16, fp8-e4m3, int8'
        """
        return f"{self.name} runs {', '.join(self.peak)}"


def chip_names() -> tuple[str, ...]:
    """Names of the chips in the table.

    Examples
    --------
    >>> chip_names()[:3]
    ('a100', 'h100', 'h200')
    """
    return tuple(_chips())


def load_chip(name: str) -> Chip:
    """A chip by its name, case ignored.

    Raises
    ------
    InputError
        If the table has no such chip; names those that are near.

    Examples
    --------
    >>> load_chip("H100").peak["bf16"]
    989.0
    """
    chips = _chips()
    if name.lower() not in chips:
        near = did_you_mean(name.lower(), list(chips))
        valid = "" if near.startswith("valid") else f" (valid: {', '.join(chips)})"
        raise InputError(f'unknown chip "{name}"; {near}{valid}')
    return chips[name.lower()]


def chips_named(hardware: Sequence[str]) -> tuple[str, ...]:
    """Names of chips in lower case.

    Raises
    ------
    InputError
        Where there is none, or one twice.

    Examples
    --------
    >>> chips_named(["H100", "b200"])
    ('h100', 'b200')
    """
    names = tuple(name.lower() for name in hardware)
    if not names or len(set(names)) < len(names):
        raise InputError(f"hardware is {', '.join(hardware) or 'empty'}; valid: one or more chips, each once")
    return names


def chips_called(hardware: str | Sequence[str]) -> tuple[Chip, ...]:
    """One chip or more by name.

    Raises
    ------
    InputError
        As for ``chips_named`` and ``load_chip``.
    """
    names = (hardware,) if isinstance(hardware, str) else hardware
    return tuple(load_chip(name) for name in chips_named(names))


def load_speeds(path: str | Path) -> Speeds:
    """End-to-end training speeds that were measured, by chip and by the chip's own name of the format.

    Parameters
    ----------
    path
        TOML, a table per chip: ``[h100]`` with ``bf16 = 410`` and ``fp8-e4m3 = 488``. The unit is
        TFLOP/s per chip: 6 N D of a training run over its wall-clock seconds and its chips. Every chip
        needs bf16, for the others are worth what they are relative to it.

    Raises
    ------
    InputError
        For a file that cannot be read, unknown chips, formats a chip does not run or names twice, speeds
        that are no positive numbers or above the peak, and chips without bf16. All problems together.
    """
    where = Path(path)
    return read_speeds(_parse(decode_text(where, read_bytes(where)), str(where)), str(where))


def read_speeds(raw: Mapping[str, Any], where: str = "speeds") -> Speeds:
    """The same from tables that were read already.

    Parameters
    ----------
    raw
        Chips, formats and speeds.
    where
        What to call it in messages.

    Raises
    ------
    InputError
        As for ``load_speeds``.

    Examples
    --------
    >>> read_speeds({"H100": {"bf16": 410, "fp8": 488}})
    {'h100': {'bf16': 410.0, 'fp8-e4m3': 488.0}}
    """
    try:
        given = _SPEEDS.validate_python(raw)
    except ValidationError as error:
        raise InputError(validation_problems(error, where, BaseModel)) from error
    if not given:
        raise InputError(f"{where}: no chip; valid: a table per chip, as [h100] with bf16 = 410")
    speeds: Speeds = {}
    problems = []
    for name, table in given.items():
        try:
            chip = load_chip(name)
        except InputError as error:
            problems += [f"{where}: {problem}" for problem in error.problems]
            continue
        problems += [f"{where}: {chip.name}.{problem}" for problem in _speed_problems(chip, table)]
        speeds[chip.name] = {chip.runs(own) or own: speed for own, speed in table.items()}
    if problems:
        raise InputError(problems)
    return speeds


def element_bits(name: str) -> float:
    """Bits of one element of a format, without its share of a block's scale.

    Examples
    --------
    >>> element_bits("mxfp4"), element_bits("nvfp4"), element_bits("int8")
    (4.0, 4.0, 8.0)
    """
    known = floating_point(name)
    return effective_bits(name) if known is None else 1.0 + known.exponent_bits + known.mantissa_bits


def _speed_problems(chip: Chip, table: Mapping[str, float]) -> list[str]:
    names = {name: chip.runs(name) for name in table}
    problems = [f"{name}: not run; {chip.listed()}" for name, own in names.items() if own is None]
    problems += [
        f"{name}: {speed:g} TFLOP/s is above the peak of {chip.peak[own]:g}; valid: 6 N D over seconds and chips"
        for name, speed in table.items()
        if (own := names[name]) is not None and speed > chip.peak[own]
    ]
    known = [own for own in names.values() if own is not None]
    problems += [f"{own}: given twice" for own in dict.fromkeys(known) if known.count(own) > 1]
    if REFERENCE_FORMAT not in known:
        problems.append(f"{REFERENCE_FORMAT}: missing; the other speeds are compared with it")
    return problems


def _kind(name: str) -> tuple[bool, float, int | None] | None:
    """What formats that run alike share: whether they float, bits of an element, and the block."""
    known = floating_point(name)
    if known is not None and element_bits(name) < UNQUANTIZED_BITS:
        return True, element_bits(name), known.block_size
    return (False, effective_bits(name), None) if bits_say_all(name) and not is_unquantized(name) else None


@cache
def _chips() -> dict[str, Chip]:
    text = files("bitlaw.data").joinpath("hardware.toml").read_text(encoding="utf-8")
    return parse_chips(text, "hardware.toml")


def parse_chips(text: str, where: str) -> dict[str, Chip]:
    """The hardware table from its TOML text.

    Parameters
    ----------
    text, where
        The TOML, and the file name for messages.

    Raises
    ------
    InputError
        For invalid TOML, unknown or missing keys, numbers out of range, formats whose bits are unknown, and
        chips without a 16-bit speed.
    """
    problems, chips = [], {}
    for name, raw in _parse(text, where).items():
        try:
            spec = _ChipSpec.model_validate(raw)
        except ValidationError as error:
            problems += validation_problems(error, f"{where}: {name}", _ChipSpec)
            continue
        problems += [
            f"{where}: {name}.peak.{own}: unknown format; valid: bf16, fp8-e4m3, mxfp4, int8 and the like"
            for own in spec.peak
            if own != REFERENCE_FORMAT and _kind(own) is None
        ]
        if REFERENCE_FORMAT not in spec.peak:
            problems.append(
                f"{where}: {name}.peak.{REFERENCE_FORMAT}: missing; other speeds are compared with it"
            )
        chips[name] = Chip(name, **dict(spec))
    if problems:
        raise InputError(problems)
    return chips


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from error
