"""One training precision on offer: what it costs, what it loses, and how likely it is the best."""

from dataclasses import dataclass
from typing import Any

from bitlaw.decisions.assumed_speed import AssumedSpeed
from bitlaw.decisions.intervals import json_value
from bitlaw.decisions.logged import Diverged
from bitlaw.decisions.on_offer import Key, key_text
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import Interval, format_probability


@dataclass(frozen=True)
class PrecisionOption:
    """One training precision on offer.

    Parameters
    ----------
    bits
        Joint training bits, or effective bits of a format: of its widest operand.
    format
        Name of the format; None for joint bits.
    cost
        Cost of a FLOP in it, relative to one at 16 bits; one over its speed-up.
    runs_in
        The chip's own name of the format it is multiplied in; None where the cost is of no chip.
    speed_measured
        Whether that cost rests on measured speeds; None where it is of no chip.
    assumed
        The speed that it is assumed to have where the cost is of no chip; None at 16 bits, and on a chip.
    probability_best
        Share of draws in which it has the lowest loss of the options that may be recommended; where
        parameters and tokens are fixed, in which it is the cheapest of them within tolerance. Of a refused
        option, in which it would beat all of them.
    probability_error
        Monte Carlo error of that share.
    probability_within
        Where parameters and tokens are fixed: probability that the law's loss is within tolerance
        of that at 16 bits; else None.
    expected_regret
        Mean over draws of the law's loss above that of the draw's best option that may be recommended,
        nats/token; of a refused option it may be negative.
    loss
        The law's mean loss, nats/token.
    n_params, tokens
        Optimal, or fixed, parameters and tokens; NaN where no draw has capacity at these bits.
    break_even
        The speed-up over 16 bits from which it pays: the factor by which compute must grow to reach
        the loss of 16 bits, parameters and tokens re-optimised where they are free, else with more
        tokens; f(16)/f(P) for effective parameters. inf where no compute does.
    probability_pays
        Share of draws in which that is below the speed-up it has, 1/cost; None at 16 bits.
    gpu_hours, money, wall_clock
        What the training takes, the last in hours; None where the chip, its price, or how many of it train at
        once, is not known.
    saved
        Where parameters and tokens are fixed, share of the cost at 16 bits that it saves; else None.
    probability_no_capacity
        Share of draws in which no effective parameters or tokens are left.
    diverged
        Logged training runs in this precision, and how many diverged.
    measured
        Whether the bits lie within those of the fitted runs, for every tensor kind; for a format,
        whether a fitted run was trained in it.
    drift
        What structural error beyond the data adds: standard deviation of its part in the logarithm of the
        loss; 0 inside, None where drift is left out.
    refused
        Whether it may not be recommended: nothing measured supports it, or any answer to the question.
    """

    bits: float
    format: str | None
    cost: float
    runs_in: str | None
    speed_measured: bool | None
    assumed: AssumedSpeed | None
    probability_best: float
    probability_error: float
    probability_within: float | None
    expected_regret: float
    loss: Interval
    n_params: Interval
    tokens: Interval
    break_even: Interval
    probability_pays: float | None
    gpu_hours: float | None
    money: float | None
    wall_clock: float | None
    saved: float | None
    probability_no_capacity: float
    diverged: Diverged
    measured: bool
    drift: float | None
    refused: bool

    @property
    def key(self) -> Key:
        """What it is called: its bits, or the name of its format."""
        return self.bits if self.format is None else self.format

    @property
    def called(self) -> str:
        """What it is called in words, with the chip's format where bits leave that open.

        Where a chip runs 8 bits as FP8, that reads "8 bits (fp8-e4m3)".
        """
        text = key_text(self.key)
        said = self.format is not None or self.runs_in is None or self.bits >= UNQUANTIZED_BITS
        return text if said else f"{text} ({self.runs_in})"

    def speed_text(self, whose: str = "the speed of 16 bits") -> str:
        """How fast it trains, as a multiple of another's speed; that this is assumed where no chip is named."""
        if self.assumed is None:
            return f"{1 / self.cost:.3g}x {whose}"
        return self.assumed.text(self.called, whose)

    def pays_text(self, subject: str) -> str:
        """Whether it pays, as a sentence about a subject; empty at 16 bits."""
        if self.probability_pays is None:
            return ""
        return (
            f"{subject} pays with probability {format_probability(self.probability_pays)} "
            f"at {self.speed_text()}."
        )

    def to_dict(self) -> dict[str, Any]:
        """The option as plain JSON types: with ``bits``, or with ``format`` and ``effective_bits``."""
        numbers = {name: value for name, value in vars(self).items() if name not in ("bits", "format")}
        called = (
            {"bits": self.bits}
            if self.format is None
            else {"format": self.format, "effective_bits": self.bits}
        )
        assumed = None if self.assumed is None else vars(self.assumed)
        return json_value(called | numbers | {"assumed": assumed, "diverged": str(self.diverged)})
