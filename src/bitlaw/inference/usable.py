"""Which rows of a run table a given law can explain; the rest are excluded with a reason."""

from collections.abc import Iterator

import pandas as pd

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import is_symmetric
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.runs.table import RunTable

UNQUANTIZED_FORMATS: tuple[str, ...] = ("", "bf16", "fp16", "fp32", "tf32", "float16", "bfloat16", "float32")
_FEWEST_SYMMETRIC_BITS = 2.0
_FEWEST_ROWS = 2


def usable_rows(law: Law, table: RunTable) -> tuple[RunTable, tuple[Finding, ...]]:
    """Leave out the rows a law has no term for.

    Parameters
    ----------
    law
        The law to be fitted.
    table
        A validated run table.

    Returns
    -------
    RunTable, tuple of Finding
        The table with further exclusions, and one WARN per reason.

    Raises
    ------
    InputError
        If fewer than two training losses remain.
    """
    findings = []
    for rows, reason in _without_term(law, table.frame):
        rows = rows.reindex(table.frame.index)
        if not rows.any():
            continue
        table = table.without(rows, reason)
        findings.append(
            Finding(
                "rows.no_term",
                Status.WARN,
                float(rows.sum()),
                0.0,
                f"{int(rows.sum())} rows left out: {reason}",
                "Choose a law with such a term, or accept that these rows say nothing here.",
            )
        )
    if len(table.frame) < _FEWEST_ROWS:
        raise InputError(
            f"{table.source}: law {law.name} can use {len(table.frame)} of "
            f"{len(table.frame) + len(table.excluded)} rows; at least {_FEWEST_ROWS} are needed"
        )
    return table, tuple(findings)


def _without_term(law: Law, frame: pd.DataFrame) -> Iterator[tuple[pd.Series, str]]:
    explained = law.capacity.columns if law.capacity else ()
    left = pd.Series(True, index=frame.index)
    for rows, reason in (
        *(
            (frame[column] < UNQUANTIZED_BITS, f"law {law.name} has no term for {column} below 16")
            for column in TRAINING_BITS
            if column not in explained
        ),
        (
            ~frame["format"].map(is_explained_format),
            f"law {law.name} has no term for this format",
        ),
        *_post_without_term(law, frame),
    ):
        yield rows & left, reason
        left &= ~rows


def _post_without_term(law: Law, frame: pd.DataFrame) -> Iterator[tuple[pd.Series, str]]:
    quantized_after = frame["bits_post"].notna()
    if law.post is None:
        yield quantized_after, f"law {law.name} has no term for post-training quantization"
        return
    yield (
        frame["bits_post"] >= frame["bits_weights"],
        "bits_post is not below bits_weights, so nothing was lost after training",
    )
    yield (
        quantized_after & is_symmetric(frame["method_post"]) & (frame["bits_post"] < _FEWEST_SYMMETRIC_BITS),
        "symmetric round-to-nearest has no levels below 2 bits",
    )


def is_explained_format(name: str) -> bool:
    """Whether bits alone say what a format does: integers, and formats that are not quantized."""
    return name.lower() in UNQUANTIZED_FORMATS or name.lower().startswith("int")
