"""What a chip offers where the question names no precision: what it runs and every law can speak of."""

from collections.abc import Mapping, Sequence

from bitlaw.decisions.hardware import REFERENCE_FORMAT, Chip, element_bits
from bitlaw.decisions.law_draws import points_of
from bitlaw.decisions.on_offer import (
    format_option,
    knows_formats_only,
    logged_formats,
    scale_size,
    with_backward,
)
from bitlaw.decisions.pricing import Pricing
from bitlaw.decisions.question import largest_first
from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit
from bitlaw.inference.usable import training_without_term
from bitlaw.runs.columns import UNQUANTIZED_BITS

Offer = tuple[tuple[float, ...], tuple[str, ...], tuple[tuple[str, str], ...]]


def chip_offer(
    fits: Sequence[Fit], pricing: Pricing, tensors: Sequence[str], group_size: float | None = None
) -> Offer:
    """Bits and formats on offer on a chip, and those left out with the reason.

    Where every law reads bits, the bit-widths that the chip runs, each in its fastest format of them; where
    one knows formats only, the chip's formats that all laws have a term for; where one has a constant per
    format, what the table was trained in and the chip runs.

    Parameters
    ----------
    fits
        One per law, to the same rows.
    pricing
        What training costs, on a chip.
    tensors
        What is trained in these bits.
    group_size
        Elements that share one scale; None = as logged.
    """
    chip = pricing.chip
    if chip is None:
        raise InputError("no chip is named; valid: hardware")
    if not any(knows_formats_only(fit.law) for fit in fits):
        return largest_first(element_bits(name) for name in chip.peak), (), ()
    by_level = any(fit.law.training_columns & {"scheme", "scheme_backward"} for fit in fits)
    size = scale_size(group_size, fits)
    found = _logged(fits, pricing, tensors) if by_level else _with_term(fits, chip, pricing, tensors, size)
    kept = tuple(name for name, reason in found.items() if reason is None)
    left_out = tuple((name, reason) for name, reason in found.items() if reason is not None)
    return (UNQUANTIZED_BITS,), kept, left_out


def _with_term(
    fits: Sequence[Fit], chip: Chip, pricing: Pricing, tensors: Sequence[str], size: Mapping[str, float]
) -> dict[str, str | None]:
    """The chip's formats below 16 bits, each with why a law cannot speak of it, if so."""
    found: dict[str, str | None] = {}
    for name in chip.peak:
        if name != REFERENCE_FORMAT:
            points = points_of([format_option(name, pricing, tensors, size)], [1.0], [1.0], {})
            reasons = [reason for fit in fits for _, reason in training_without_term(fit.law, points)]
            found[name] = reasons[0] if reasons else None
    return found


def _logged(fits: Sequence[Fit], pricing: Pricing, tensors: Sequence[str]) -> dict[str, str | None]:
    """What the table was trained in, each with why it is not on offer on the chip, if so."""
    found: dict[str, str | None] = {}
    for name, columns in logged_formats(fits[0], with_backward(fits)).items():
        try:
            format_option(name, pricing, tensors, logged=columns)
        except InputError as error:
            found[name] = error.problems[0]
        else:
            found[name] = None
    return found
