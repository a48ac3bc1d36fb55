"""The training precisions on offer: joint bit-widths, number formats by name, formats as they were logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bitlaw.decisions.costs import cost_in_bits, effective_bits
from bitlaw.decisions.question import TENSORS, PrecisionQuestion
from bitlaw.inference.columns import backward_schemes, schemes
from bitlaw.inference.fit import Fit
from bitlaw.laws.formats import bits_say_all, floating_point, is_unquantized
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.units import format_bits

DEFAULT_BITS: tuple[float, ...] = (16.0, 8.0, 6.0, 5.0, 4.0, 3.0)

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
    """

    bits: float
    format: str | None
    columns: Mapping[str, Any]
    cost: float

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
    if not any(_by_format(fit.law) for fit in fits):
        return DEFAULT_BITS, ()
    return (UNQUANTIZED_BITS,), tuple(logged_formats(fits[0], _with_backward(fits)))


def default_tensors(fits: Sequence[Fit]) -> tuple[str, ...]:
    """Tensor kinds of the forward pass that some fitted run quantizes; all of them where none does."""
    rows, forward = fits[0].rows, [name for name, column in TENSORS.items() if column in TRAINING_BITS[:3]]
    logged = tuple(name for name in forward if (rows[TENSORS[name]] < UNQUANTIZED_BITS).any())
    return logged or tuple(forward)


def on_offer(question: PrecisionQuestion, fits: Sequence[Fit]) -> tuple[OnOffer, ...]:
    """The options of a question, in the order of what they cost, dearest first.

    Parameters
    ----------
    question
        The question.
    fits
        Fits to the same rows. A format of that name in the table is offered as it was logged.

    Raises
    ------
    InputError
        If the cost of a format is not known.
    """
    logged = logged_formats(fits[0], _with_backward(fits))
    asked = {} if question.group_size is None else {"group_size": question.group_size}
    size = asked or _agreed_size(fits[0].rows)
    columns = [TENSORS[name] for name in question.tensors]
    options = [_option(bits, None, dict.fromkeys(columns, bits) | size) for bits in question.bits]
    options += [_format(name, question, logged.get(name), size) for name in dict.fromkeys(question.formats)]
    return tuple(sorted(options, key=lambda option: -option.bits))


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


def _format(
    name: str, question: PrecisionQuestion, logged: Mapping[str, Any] | None, size: Mapping[str, float]
) -> OnOffer:
    """A format: as it was logged under that name, else with elements of its name's bits."""
    if is_unquantized(name):
        return _option(UNQUANTIZED_BITS, name, {})
    known = floating_point(name)
    size = {} if known and known.block_size else size
    if logged is not None:
        return _option(widest(logged), name, {**size, **logged})
    bits = effective_bits(name)
    says_all = (
        dict.fromkeys((TENSORS[tensor] for tensor in question.tensors), bits) if bits_say_all(name) else {}
    )
    return _option(bits, name, {"format": name, **says_all, **size})


def _option(bits: float, name: str | None, columns: Mapping[str, Any]) -> OnOffer:
    return OnOffer(bits, name, columns, float(cost_in_bits(bits)))


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


def _by_format(law: Law) -> bool:
    """Whether a law tells formats apart by name, so that bits alone do not say what an option does."""
    reads = law.training_columns
    as_levels = bool(reads & {"scheme", "scheme_backward"})
    return as_levels or ("is_floating" in reads and not reads & set(TRAINING_BITS))


def _with_backward(fits: Sequence[Fit]) -> bool:
    return any("scheme_backward" in fit.law.training_columns for fit in fits)


def _agreed_size(rows: pd.DataFrame) -> dict[str, float]:
    """The group size that all quantized rows share, if they do."""
    sizes = rows.loc[schemes(rows) != "", "group_size"].unique()
    return {"group_size": float(sizes[0])} if len(sizes) == 1 and not pd.isna(sizes[0]) else {}
