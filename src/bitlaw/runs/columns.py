"""The columns of a run table: one tuple that drives reading, validation, flags and documentation."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "whole"]


@dataclass(frozen=True)
class Column:
    """What one column of a run table means and may hold.

    Parameters
    ----------
    name
        Name in the table.
    kind
        ``text``, ``number`` or ``whole`` (a number without decimals).
    meaning
        One sentence for the documentation and ``--help``.
    unit
        Unit of the numbers; empty for text.
    required
        Whether every table must have it (``tokens`` may be given as ``flops`` instead).
    default
        Value where the column or cell is absent; None means absent stays absent.
    low, high
        Closed range of valid numbers.
    positive
        Whether ``low`` itself is invalid.
    choices
        The only texts a text column may hold; empty for any text.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    default: float | str | None = None
    low: float | None = None
    high: float | None = None
    positive: bool = False
    choices: tuple[str, ...] = ()


STATUSES: tuple[str, ...] = ("ok", "diverged")

COLUMNS: tuple[Column, ...] = (
    Column("run_id", "text", "Name of the training run; its PTQ rows repeat it.", required=True),
    Column(
        "n_params", "number", "Non-embedding parameters.", "parameters", required=True, low=0, positive=True
    ),
    Column("tokens", "number", "Training tokens.", "tokens", required=True, low=0, positive=True),
    Column("loss", "number", "Validation cross-entropy.", "nats/token", required=True, low=0, positive=True),
    Column(
        "flops",
        "number",
        "Training compute, 6 N D; gives tokens where those are absent.",
        "FLOP",
        low=0,
        positive=True,
    ),
    Column(
        "bits_weights",
        "number",
        "Training precision of the weights; 16 or more is unquantized.",
        "bits",
        default=16.0,
        low=1,
        high=32,
    ),
    Column(
        "bits_activations",
        "number",
        "Training precision of the activations.",
        "bits",
        default=16.0,
        low=1,
        high=32,
    ),
    Column("bits_kv", "number", "Training precision of the KV cache.", "bits", default=16.0, low=1, high=32),
    Column(
        "bits_gradients",
        "number",
        "Training precision of the gradients.",
        "bits",
        default=16.0,
        low=1,
        high=32,
    ),
    Column(
        "bits_post",
        "number",
        "Weight precision after post-training quantization; empty = not quantized.",
        "bits",
        low=1,
        high=32,
    ),
    Column("format", "text", "Number format of the forward pass.", default=""),
    Column("format_backward", "text", "Number format of the backward pass.", default=""),
    Column("method", "text", "Training method.", default=""),
    Column("method_post", "text", "Post-training quantization method, for example rtn or gptq.", default=""),
    Column("group_size", "number", "Elements that share one scale.", "elements", low=1),
    Column("corpus", "text", "Training corpus; a group to pool over.", default=""),
    Column("family", "text", "Model family; a group to pool over.", default=""),
    Column("seed", "whole", "Random seed.", default=0.0),
    Column("loss_se", "number", "Standard error of the loss.", "nats/token", low=0),
    Column("vocab_size", "number", "Vocabulary; its logarithm bounds every loss.", "tokens", low=2),
    Column("status", "text", "How training ended.", default="ok", choices=STATUSES),
    Column("exclude", "text", "Non-empty = left out; the text is the reason.", default=""),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}

TRAINING_BITS: tuple[str, ...] = ("bits_weights", "bits_activations", "bits_kv", "bits_gradients")
COUNTS: tuple[str, ...] = ("n_params", "tokens", "flops")
"""Columns that are also written with the suffixes k, M, B and T."""
UNQUANTIZED_BITS = 16.0
KEY: tuple[str, ...] = ("run_id", "bits_post", "method_post")
LOSS_UNITS: tuple[str, ...] = ("nats", "bits", "perplexity")
