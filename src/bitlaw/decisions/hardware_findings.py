"""What to bear in mind with an answer on a chip: measured speeds or peaks, and formats that are not on offer."""

from collections.abc import Sequence

from bitlaw.decisions.hardware import REFERENCE_FORMAT
from bitlaw.decisions.on_offer import OnOffer
from bitlaw.decisions.pricing import Pricing
from bitlaw.decisions.question import TENSORS, PrecisionQuestion
from bitlaw.finding import Finding, Status
from bitlaw.runs.columns import TRAINING_BITS

SPEEDS = "hardware.speeds"
LEFT_OUT = "hardware.left_out"
OPERANDS = "hardware.operands"


def hardware_findings(question: PrecisionQuestion, offer: Sequence[OnOffer]) -> tuple[Finding, ...]:
    """The findings of a question about a chip; none where the cost is in proportion to bits.

    Parameters
    ----------
    question, offer
        What was asked, and the options.
    """
    if question.pricing.chip is None:
        return ()
    found = [speeds_finding(question.pricing, offer)]
    if question.left_out:
        found.append(_left_out(question))
    if _one_operand(question, offer):
        found.append(_operands(question))
    return tuple(found)


def speeds_finding(pricing: Pricing, offer: Sequence[OnOffer]) -> Finding:
    """By which speeds training was priced on a chip: PASS where all were measured, else WARN.

    Parameters
    ----------
    pricing
        What training costs, on a chip.
    offer
        The precisions that were priced.
    """
    chip = pricing.chip
    fast = {option.runs_in: option for option in offer if option.runs_in not in (None, REFERENCE_FORMAT)}
    said = {
        measured: ", ".join(
            f"{name} {1 / option.cost:.3g}x"
            for name, option in fast.items()
            if option.speed_measured is measured
        )
        for measured in (True, False)
    }
    parts = [f"are measured ({said[True]})"] if said[True] else []
    parts += [f"go by peaks ({said[False]})"] if said[False] else []
    relative = f"Speed-ups over 16 bits on {pricing.name} {' or '.join(parts)}. " if parts else ""
    hours = (
        f"GPU-hours go by the measured {pricing.speed:.3g} TFLOP/s at 16 bits."
        if REFERENCE_FORMAT in pricing.measured or chip is None
        else f"GPU-hours assume {100 * chip.utilisation:g} % of the peak at 16 bits, {chip.peak[REFERENCE_FORMAT]:g} "
        "TFLOP/s."
    )
    if not said[False] and REFERENCE_FORMAT in pricing.measured:
        return Finding(SPEEDS, Status.PASS, 0.0, 0.0, relative + hours)
    unmeasured = float(sum(not option.speed_measured for option in fast.values()))
    return Finding(
        SPEEDS,
        Status.WARN,
        unmeasured,
        0.0,
        relative + hours,
        "Realised gains are far below ratios of peaks: give speeds measured end to end (--speeds S.toml).",
    )


def _left_out(question: PrecisionQuestion) -> Finding:
    """NOT_RUN: formats that the answer says nothing about."""
    listed = "; ".join(f"{name}: {reason}" for name, reason in question.left_out)
    return Finding(
        LEFT_OUT,
        Status.NOT_RUN,
        float(len(question.left_out)),
        None,
        f"Not on offer on {question.pricing.name}: {listed}.",
        "A law that knows them, and runs trained in them, would put them on offer.",
    )


def _one_operand(question: PrecisionQuestion, offer: Sequence[OnOffer]) -> bool:
    """Whether bit-widths are on offer that leave weights or activations at 16 bits."""
    columns = {TENSORS[name] for name in question.tensors}
    return bool(question.bits) and len(offer) > 1 and not set(TRAINING_BITS[:2]) <= columns


def _operands(question: PrecisionQuestion) -> Finding:
    return Finding(
        OPERANDS,
        Status.WARN,
        None,
        None,
        f"Bits are those of {', '.join(question.tensors)} alone, so {question.pricing.name} multiplies in 16 bits and "
        "no bit-width is faster.",
        "Ask about weights and activations together (--tensors weights,activations), or about formats.",
    )
