"""The speed of a precision where no chip is named: assumed, and what listed chips reach at most."""

from dataclasses import dataclass

from bitlaw.decisions.hardware import REFERENCE_FORMAT, chip_names, load_chip
from bitlaw.decisions.on_offer import OnOffer, operands
from bitlaw.runs.columns import UNQUANTIZED_BITS

_AS_FAST = 0.99
"""Peaks in data sheets are rounded: a share of a speed-up that counts as reaching it."""


@dataclass(frozen=True)
class AssumedSpeed:
    """How fast a precision is taken to train where a FLOP costs in proportion to its bits.

    Parameters
    ----------
    speed_up
        Over 16 bits, as assumed.
    listed_peak
        The largest ratio of peaks among the chips of the hardware table that multiply in it; None where none does.
    """

    speed_up: float
    listed_peak: float | None

    def text(self, precision: str, whose: str = "the speed of 16 bits") -> str:
        """The speed in words, with what it rests on and whether a listed chip could reach it.

        Parameters
        ----------
        precision
            What the precision is called.
        whose
            Speed that it is a multiple of.

        Examples
        --------
        >>> AssumedSpeed(2.0, 2.0).text("8 bits")
        "an assumed 2x the speed of 16 bits (FLOP in proportion to bits; --hardware for a chip's own)"
        >>> AssumedSpeed(16 / 6, 2.0).text("6 bits", "their speed")
        'an assumed 2.67x their speed (FLOP in proportion to bits; listed chips peak at 2x in 6 bits: see --hardware)'
        >>> AssumedSpeed(3.2, None).text("5 bits", "their speed")
        'an assumed 3.2x their speed (FLOP in proportion to bits; no listed chip multiplies in 5 bits: see --hardware)'
        """
        return f"an assumed {self.speed_up:.3g}x {whose} (FLOP in proportion to bits; {self._on_chips(precision)})"

    def _on_chips(self, precision: str) -> str:
        if self.listed_peak is None:
            return f"no listed chip multiplies in {precision}: see --hardware"
        if self.listed_peak < _AS_FAST * self.speed_up:
            return f"listed chips peak at {self.listed_peak:.3g}x in {precision}: see --hardware"
        return "--hardware for a chip's own"


def assumed_speed(option: OnOffer) -> AssumedSpeed | None:
    """The speed that an option is assumed to have; None at 16 bits, and on a chip.

    Parameters
    ----------
    option
        The option. Where weights or activations stay at 16 bits no chip is faster with it.
    """
    if option.runs_in is not None or option.bits >= UNQUANTIZED_BITS:
        return None
    bits, element = operands(option.bits, option.format, option.columns)
    chips = [load_chip(name) for name in chip_names()]
    own = [(chip, chip.fastest(bits, element)) for chip in chips]
    peaks = [chip.peak[name] / chip.peak[REFERENCE_FORMAT] for chip, name in own if name is not None]
    return AssumedSpeed(1.0 / option.cost, max(peaks, default=None))
