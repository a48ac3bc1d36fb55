"""What a user may spend: FLOP, GPU-hours or money, and on which chip; contradictions are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bitlaw.decisions.hardware import Chip, load_chip, load_speeds, read_speeds
from bitlaw.decisions.pricing import FLOP_BITS, Pricing
from bitlaw.errors import InputError
from bitlaw.units import format_amount, format_duration

Price = float | Mapping[str, float]
"""Money per GPU-hour, of the chip in question or of each by its name."""


@dataclass(frozen=True)
class Budget:
    """A budget, as it was given.

    Parameters
    ----------
    flops
        What it comes to, FLOP at 16 bits.
    gpu_hours, money
        What was given in place of FLOP; None where it was not.
    """

    flops: float
    gpu_hours: float | None = None
    money: float | None = None

    @property
    def unit(self) -> str:
        """What it was given in: ``FLOP``, ``GPU-hours`` or ``money``."""
        return "money" if self.money is not None else "GPU-hours" if self.gpu_hours is not None else "FLOP"

    def amount(self, flops: float) -> float:
        """What some FLOP at 16 bits cost, in that unit.

        Examples
        --------
        >>> Budget(1e21, gpu_hours=700.0).amount(5e20)
        350.0
        """
        given = self.flops if self.unit == "FLOP" else (self.money or self.gpu_hours or 0.0)
        return given * flops / self.flops

    def amount_text(self, flops: float) -> str:
        """The same in words.

        Examples
        --------
        >>> Budget(1e21).amount_text(5e20), Budget(1e21, money=7000.0).amount_text(5e20)
        ('5e+20 FLOP', '3,500')
        """
        if self.unit == "FLOP":
            return f"{flops:.3g} FLOP"
        return f"{format_amount(self.amount(flops))}{' GPU-hours' if self.unit == 'GPU-hours' else ''}"

    def text(self, pricing: Pricing) -> str:
        """The budget in words.

        Examples
        --------
        >>> Budget(1e21).text(FLOP_BITS)
        'a budget of 1e+21 FLOP (6/16 N D P)'
        >>> Budget(1e21).text(pricing_of("h100"))
        'a budget of 1e+21 FLOP at 16 bits on h100 (702 GPU-hours)'
        >>> Budget(1e21).text(pricing_of("h100", gpus=256))
        'a budget of 1e+21 FLOP at 16 bits on 256 h100 for 2.74 hours (702 GPU-hours)'
        """
        flop = f"{self.flops:.3g} FLOP"
        if pricing.chip is None:
            return f"a budget of {flop} (6/16 N D P)"
        gpu_hours = pricing.gpu_hours(self.flops) or 0.0
        clock = pricing.wall_clock(gpu_hours)
        hours = f"{format_amount(gpu_hours)} GPU-hours"
        on = pricing.name if clock is None else f"{pricing.gpus} {pricing.name} for {format_duration(clock)}"
        if self.money is not None:
            given = f"{format_amount(self.money)} at {pricing.price:g} per GPU-hour"
            return f"a budget of {given} on {on} ({hours}, {flop} at 16 bits)"
        if self.gpu_hours is not None:
            return f"a budget of {hours} on {on} ({flop} at 16 bits)"
        return f"a budget of {flop} at 16 bits on {on} ({hours})"


def pricing_of(
    hardware: str | None = None,
    speeds: str | Path | Mapping[str, Mapping[str, float]] | None = None,
    price: Price | None = None,
    gpus: int | None = None,
) -> Pricing:
    """What training costs on a chip, or in proportion to bits where none is named.

    Parameters
    ----------
    hardware
        Name of a chip of the hardware table (``chip_names``).
    speeds
        Measured end-to-end speeds of any chips: a TOML file, or a mapping (``load_speeds``).
    price
        Money per GPU-hour; or of every chip its own, by its name.
    gpus
        How many of the chip train at once.

    Raises
    ------
    InputError
        For an unknown chip, speeds, a price or a number without one, speeds that are not valid, a price or a
        number that is not positive, and prices without that of the chip.

    Examples
    --------
    >>> pricing_of("h100", {"h100": {"bf16": 400, "fp8": 476}}).cost(8.0)
    0.8403361344537815
    >>> pricing_of("b200", price={"h100": 2.0, "B200": 3.5}).price
    3.5
    """
    if hardware is None:
        if speeds is not None:
            raise InputError("speeds are those of chips, and none is named; valid: speeds and hardware")
        if isinstance(price, Mapping):
            raise InputError("prices are those of chips, and none is named; valid: price and hardware")
        return FLOP_BITS if price is None and gpus is None else Pricing(price=price, gpus=gpus)
    chip = load_chip(hardware)
    known = read_speeds(speeds) if isinstance(speeds, Mapping) else load_speeds(speeds) if speeds else {}
    return Pricing(chip, known.get(chip.name, {}), _price_of(chip, price), gpus)


def _price_of(chip: Chip, price: Price | None) -> float | None:
    """What an hour of a chip costs.

    Raises
    ------
    InputError
        For prices of unknown chips, or without that of the chip.
    """
    if not isinstance(price, Mapping):
        return price
    prices = {load_chip(name).name: own for name, own in price.items()}
    if chip.name not in prices:
        raise InputError(f"price is of {', '.join(prices) or 'no chip'}; valid: also of {chip.name}")
    return prices[chip.name]


def budget_of(
    pricing: Pricing,
    flops: float | None = None,
    gpu_hours: float | None = None,
    money: float | None = None,
) -> Budget | None:
    """A budget in FLOP at 16 bits from what was given; None where nothing was.

    Parameters
    ----------
    pricing
        What training costs.
    flops, gpu_hours, money
        One of them, or none.

    Raises
    ------
    InputError
        For several at once, GPU-hours without a chip, money without a price, and what is not positive.

    Examples
    --------
    >>> budget_of(pricing_of("h100", price=2), money=1404.3).flops > 9.99e20
    True
    """
    given = {"flops": flops, "gpu_hours": gpu_hours, "money": money}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise InputError(f"{' and '.join(named)} are budgets both; valid: one of flops, gpu_hours and money")
    if flops is not None:
        return Budget(flops)
    return Budget(pricing.flops(gpu_hours, money), gpu_hours, money) if named else None
