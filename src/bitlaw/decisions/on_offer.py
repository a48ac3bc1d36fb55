"""The training precisions on offer: joint bit-widths, number formats by name, formats as they were logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from bitlaw.decisions.costs import effective_bits
from bitlaw.decisions.pricing import Pricing
from bitlaw.decisions.question import TENSORS, PrecisionQuestion
from bitlaw.inference.columns import backward_schemes, schemes
from bitlaw.inference.fit import Fit
from bitlaw.laws.formats import bits_say_all, floating_point, is_unquantized
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import format_bits

DEFAULT_BITS: tuple[float, ...] = (16.0, 8.0, 6.0, 5.0, 4.0, 3.0)

NO_SIZE: Mapping[str, float] = MappingProxyType({})

Key = float | str
"""What an option is called: its bits, or the name of its format."""


@dataclass(frozen=True)
class OnOffer:
    """A training precision on offer.

    Parameters
    ----------
    bits
        Joint training bits, or effective bits of a format.
    format
        Name of the format, as logged or as asked for; None for joint bits.
    columns
        Run-table columns that say what is trained in what.
    cost
        Cost of a FLOP in it, relative to one at 16 bits.
    runs_in
        The chip's own name of the format it is multiplied in; None where the cost is of no chip.
    speed_measured
        Whether that cost rests on measured speeds; None where it is of no chip.
    """

    bits: float
    format: str | None
    columns: Mapping[str, Any]
    cost: float
    runs_in: str | None = None
    speed_measured: bool | None = None

    @property
    def key(self) -> Key:
        """What it is called."""
        return self.bits if self.format is None else self.format


UNQUANTIZED = OnOffer(UNQUANTIZED_BITS, None, {}, 1.0)


def key_text(key: Key) -> str:
    """An option in words.

    Examples
    --------
    >>> key_text(8.0), key_text("mxfp4")
    ('8 bits', 'mxfp4')
    """
    return key if isinstance(key, str) else f"{format_bits(key)} bits"


def default_offer(fits: Sequence[Fit]) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Bits and formats on offer where the question names none.

    Bit-widths where every law reads bits; where one knows formats only, the fitted ones and 16 bits; where
    no law has a term for training precision, 16 bits alone.
    """
    if not any(fit.law.training for fit in fits):
        return (UNQUANTIZED_BITS,), ()
    if not any(knows_formats_only(fit.law) for fit in fits):
        return DEFAULT_BITS, ()
    return (UNQUANTIZED_BITS,), tuple(logged_formats(fits[0], with_backward(fits)))


def default_tensors(fits: Sequence[Fit]) -> tuple[str, ...]:
    """Tensor kinds of the forward pass that some fitted run quantizes; all of them where none does."""
    rows, forward = fits[0].rows, [name for name, column in TENSORS.items() if column in TRAINING_BITS[:3]]
    logged = tuple(name for name in forward if (rows[TENSORS[name]] < UNQUANTIZED_BITS).any())
    return logged or tuple(forward)


def on_offer(question: PrecisionQuestion, fits: Sequence[Fit]) -> tuple[OnOffer, ...]:
    """The options of a question, most bits first.

    Parameters
    ----------
    question
        The question.
    fits
        Fits to the same rows. A format of that name in the table is offered as it was logged.

    Raises
    ------
    InputError
        If the cost of a format is not known, or the chip of the question does not run it.
    """
    logged = logged_formats(fits[0], with_backward(fits))
    size = scale_size(question.group_size, fits)
    columns = [TENSORS[name] for name in question.tensors]
    pricing = question.pricing
    options = [priced(bits, None, dict.fromkeys(columns, bits) | size, pricing) for bits in question.bits]
    options += [
        format_option(name, pricing, question.tensors, size, logged.get(name))
        for name in dict.fromkeys(question.formats)
    ]
    return tuple(sorted(options, key=lambda option: -option.bits))


def scale_size(asked: float | None, fits: Sequence[Fit]) -> dict[str, float]:
    """Elements that share one scale, as columns: what is asked, else what all quantized rows share, if they do."""
    return _agreed_size(fits[0].rows) if asked is None else {"group_size": asked}


def logged_formats(fit: Fit, with_backward: bool = False) -> dict[str, dict[str, Any]]:
    """What the quantized runs of a fit were trained in: run-table columns by label.

    Parameters
    ----------
    fit
        The fit.
    with_backward
        Whether formats of the backward pass are told apart too; a label then is
        ``forward / backward``.
    """
    runs = fit.rows.drop_duplicates("run_id")
    labels, read = schemes(runs), ["format", *TRAINING_BITS[:3]]
    if with_backward:
        backward = backward_schemes(runs)
        both = labels.mask(labels == "", "bf16").str.cat(" / " + backward)
        labels, read = labels.where(backward == "", both), [*read, "format_backward", "bits_gradients"]
    return {
        str(label): {name: rows[name].iloc[0] for name in read} | _agreed_size(rows)
        for label, rows in runs[labels != ""].groupby(labels[labels != ""])
    }


def format_option(
    name: str,
    pricing: Pricing,
    tensors: Sequence[str],
    size: Mapping[str, float] = NO_SIZE,
    logged: Mapping[str, Any] | None = None,
) -> OnOffer:
    """A format on offer: as it was logged under that name, else with elements of its name's bits.

    Parameters
    ----------
    name
        Its name, or its label in the table.
    pricing
        What training costs.
    tensors
        What integers quantize; a format that floats is taken to cover all.
    size
        Elements that share one scale, where the format does not say.
    logged
        Run-table columns of the runs trained in it.

    Raises
    ------
    InputError
        If its cost is not known, or the chip does not run it.
    """
    if is_unquantized(name):
        return priced(UNQUANTIZED_BITS, name, {}, pricing)
    known = floating_point(name)
    size = {} if known and known.block_size else size
    if logged is not None:
        return priced(widest(logged), name, {**size, **logged}, pricing)
    bits = effective_bits(name)
    says_all = dict.fromkeys((TENSORS[tensor] for tensor in tensors), bits) if bits_say_all(name) else {}
    return priced(bits, name, {"format": name, **says_all, **size}, pricing)


def priced(bits: float, name: str | None, columns: Mapping[str, Any], pricing: Pricing) -> OnOffer:
    """An option with what it costs.

    Parameters
    ----------
    bits, name, columns
        As of ``OnOffer``.
    pricing
        What training costs.

    Raises
    ------
    InputError
        If the chip does not run it.
    """
    if pricing.chip is None:
        return OnOffer(bits, name, columns, pricing.cost(bits))
    wider, element = operands(bits, name, columns)
    own = pricing.format_for(wider, element)
    return OnOffer(
        bits, name, columns, pricing.cost(wider, element), own, pricing.is_measured(wider, element)
    )


def operands(bits: float, name: str | None, columns: Mapping[str, Any]) -> tuple[float, str | None]:
    """What a chip multiplies in: bits of the wider of weights and activations, and the format's name.

    A format that floats holds both; other options quantize what their columns say.

    Parameters
    ----------
    bits, name, columns
        As of ``OnOffer``.
    """
    logged = str(columns.get("format", ""))
    if floating_point(logged) and not is_unquantized(logged):
        return bits, logged
    wider = max(float(columns.get(column, UNQUANTIZED_BITS)) for column in TRAINING_BITS[:2])
    if wider >= UNQUANTIZED_BITS and not (logged and not bits_say_all(logged)):
        return UNQUANTIZED_BITS, None
    integers = name is not None and bits_say_all(logged)
    return bits, (f"int{wider:g}" if integers else logged or None)


def widest(columns: Mapping[str, Any], tensors: Sequence[str] = ("weights", "activations")) -> float:
    """Bits that a multiplication costs: those of the wider of its operands, in a format its effective bits.

    Parameters
    ----------
    columns
        Run-table columns of a training run.
    tensors
        The tensor kinds that are multiplied.

    Examples
    --------
    >>> run = {"format": "", "bits_weights": 4.0, "bits_activations": 8.0, "bits_kv": 16.0}
    >>> widest(run), widest(run, ["weights"]), widest(run | {"format": "mxfp8"})
    (8.0, 4.0, 8.25)
    """
    name = str(columns["format"])
    if min(float(columns[column]) for column in TRAINING_BITS[:3]) >= UNQUANTIZED_BITS:
        return effective_bits(name)
    operands = min(UNQUANTIZED_BITS, max(float(columns[TENSORS[tensor]]) for tensor in tensors))
    return effective_bits(name) if floating_point(name) and operands < UNQUANTIZED_BITS else operands


def knows_formats_only(law: Law) -> bool:
    """Whether a law tells formats apart by name, so that bits alone do not say what an option does."""
    reads = law.training_columns
    as_levels = bool(reads & {"scheme", "scheme_backward"})
    return as_levels or ("is_floating" in reads and not reads & set(TRAINING_BITS))


def with_backward(fits: Sequence[Fit]) -> bool:
    """Whether a law tells formats of the backward pass apart."""
    return any("scheme_backward" in fit.law.training_columns for fit in fits)


def _agreed_size(rows: pd.DataFrame) -> dict[str, float]:
    """The group size that all quantized rows share, if they do."""
    sizes = rows.loc[schemes(rows) != "", "group_size"].unique()
    return {"group_size": float(sizes[0])} if len(sizes) == 1 and not pd.isna(sizes[0]) else {}
