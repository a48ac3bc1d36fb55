"""What training costs: FLOP in proportion to bits, or a chip's time by its speeds, and money for that time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bitlaw.decisions import costs
from bitlaw.decisions.hardware import REFERENCE_FORMAT, Chip
from bitlaw.errors import InputError
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits


@dataclass(frozen=True)
class Pricing:
    """What training costs: how dear a FLOP is in each precision, and what a FLOP at 16 bits takes.

    A budget is always FLOP at 16 bits on the chip in question; hardware changes only what the other
    precisions cost relative to that: the speed at 16 bits over theirs.

    Parameters
    ----------
    chip
        What it runs on; None where a FLOP costs in proportion to its bits (arXiv 2411.04330).
    measured
        Measured end-to-end speeds, TFLOP/s per chip, by the chip's name of the format; with bf16, or empty.
        They take precedence over peaks.
    price
        Money per GPU-hour, in any currency; None where it is not known.
    gpus
        How many of the chip train at once; None where it is not known, and with it the wall-clock time.
    """

    chip: Chip | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    price: float | None = None
    gpus: int | None = None

    def __post_init__(self) -> None:
        """Check the price and the number of chips.

        Raises
        ------
        InputError
            If one is not positive, or there is no chip whose it could be.
        """
        if self.gpus is not None:
            if not (math.isfinite(self.gpus) and self.gpus >= 1 and self.gpus == int(self.gpus)):
                raise InputError(f"gpus is {self.gpus:g}; valid: a whole number from 1")
            if self.chip is None:
                raise InputError("gpus are so many of a chip, and none is named; valid: gpus and hardware")
        if self.price is None:
            return
        if not (math.isfinite(self.price) and self.price > 0):
            raise InputError(f"price is {self.price:g}; valid: a positive number, money per GPU-hour")
        if self.chip is None:
            raise InputError("price is per GPU-hour of a chip, and none is named; valid: price and hardware")

    @property
    def name(self) -> str:
        """What it is called: the chip, or "FLOP x bits".

        Examples
        --------
        >>> FLOP_BITS.name
        'FLOP x bits'
        """
        return "FLOP x bits" if self.chip is None else self.chip.name

    def at_peaks(self) -> "Pricing":
        """The same without measured speeds."""
        return replace(self, measured={})

    def format_for(self, bits: float, format_name: str | None = None) -> str:
        """The chip's own name of the format that an option runs in.

        Parameters
        ----------
        bits
            Bits of the wider operand of a multiplication; 16 and more are not quantized.
        format_name
            Name of its number format; None for bits alone, which run in the fastest format of those bits:
            the fastest that was measured where one was.

        Raises
        ------
        InputError
            If the chip does not run it, or there is none.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> Pricing(load_chip("b200")).format_for(4.0), Pricing(load_chip("b200")).format_for(8.25, "mxfp8")
        ('mxfp4', 'mxfp8')
        """
        if self.chip is None:
            raise InputError("a cost in proportion to bits is of no chip; valid: hardware")
        if bits >= UNQUANTIZED_BITS:
            return REFERENCE_FORMAT
        if format_name is None:
            of_bits = self.chip.of_bits(bits)
            known = [own for own in of_bits if own in self.measured] or of_bits
            own = min(known, key=self.relative, default=None)
        else:
            own = self.chip.runs(format_name)
        if own is None:
            called = format_name or f"{format_bits(bits)} bits"
            raise InputError(f"{self.chip.name} does not multiply in {called}; {self.chip.listed()}")
        return own

    def cost(self, bits: float, format_name: str | None = None) -> float:
        """Cost of a FLOP relative to one at 16 bits.

        Parameters
        ----------
        bits, format_name
            As for ``format_for``.

        Raises
        ------
        InputError
            If the chip does not run it.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> FLOP_BITS.cost(4.25, "mxfp4")
        0.265625
        >>> Pricing(load_chip("h100"), {"bf16": 400.0, "fp8-e4m3": 476.0}).cost(8.0)  # +19 %
        0.8403361344537815
        """
        if self.chip is None:
            return float(costs.cost_in_bits(bits))
        return self.relative(self.format_for(bits, format_name))

    def is_measured(self, bits: float, format_name: str | None = None) -> bool:
        """Whether that cost rests on a measured speed; 16 bits, the reference, always does."""
        own = self.format_for(bits, format_name)
        return own == REFERENCE_FORMAT or own in self.measured

    @property
    def speed(self) -> float | None:
        """Training speed at 16 bits, TFLOP/s per chip: measured, else peak times utilisation; None without chip.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> round(Pricing(load_chip("a100")).speed, 1)
        124.8
        """
        if self.chip is None:
            return None
        peak = self.chip.peak[REFERENCE_FORMAT] * self.chip.utilisation
        return self.measured.get(REFERENCE_FORMAT, peak)

    def gpu_hours(self, flops: float) -> float | None:
        """GPU-hours of a budget in FLOP at 16 bits; None without a chip.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> round(Pricing(load_chip("h100")).gpu_hours(1e21))
        702
        """
        return None if self.speed is None else float(costs.gpu_hours(flops, self.speed))

    def wall_clock(self, gpu_hours: float | None) -> float | None:
        """Hours by the clock that GPU-hours take on ``gpus`` chips at once; None where that is not known.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> Pricing(load_chip("h100"), gpus=256).wall_clock(702.0)
        2.7421875
        """
        return None if gpu_hours is None or self.gpus is None else gpu_hours / self.gpus

    def money(self, flops: float) -> float | None:
        """Money for a budget in FLOP at 16 bits; None without a chip or a price."""
        hours = self.gpu_hours(flops)
        return None if hours is None or self.price is None else float(costs.money(hours, self.price))

    def flops(self, gpu_hours: float | None = None, money: float | None = None) -> float:
        """The FLOP at 16 bits that GPU-hours, or money, pay for.

        Parameters
        ----------
        gpu_hours, money
            One of the two.

        Raises
        ------
        InputError
            If not just one is given, it is not positive, or there is no chip, or no price for money.

        Examples
        --------
        >>> from bitlaw.decisions.hardware import load_chip
        >>> pricing = Pricing(load_chip("h100"), price=2.0)
        >>> f"{pricing.flops(gpu_hours=1000):.3g}", f"{pricing.flops(money=2000):.3g}"
        ('1.42e+21', '1.42e+21')
        """
        if (gpu_hours is None) == (money is None):
            raise InputError("a budget is in GPU-hours or in money; valid: one of gpu_hours and money")
        for name, value in (("gpu_hours", gpu_hours), ("money", money)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value:g}; valid: a positive number")
        if self.speed is None:
            given = "gpu_hours" if money is None else "money"
            raise InputError(f"{given} buys time on a chip, and none is named; valid: {given} and hardware")
        if money is not None:
            if self.price is None:
                raise InputError(
                    "money buys GPU-hours at a price, and none is given; valid: money, price and hardware"
                )
            gpu_hours = money / self.price
        return float(costs.flop_in(gpu_hours or math.nan, self.speed))

    def relative(self, own: str) -> float:
        """Speed at 16 bits over that of one of the chip's formats: both measured, else both peaks.

        Parameters
        ----------
        own
            The chip's own name of the format (``format_for``).
        """
        speeds = self.measured if own in self.measured else self.chip.peak if self.chip else {}
        return speeds[REFERENCE_FORMAT] / speeds[own]


FLOP_BITS = Pricing()
"""A FLOP at P bits costs P/16 of one at 16, whatever it runs on (arXiv 2411.04330)."""
