"""Which rows of a run table a given law can explain; the rest are excluded with a reason."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.columns import is_symmetric, law_columns
from bitlaw.laws.formats import bits_say_all, floating_point
from bitlaw.laws.law import Law
from bitlaw.runs.columns import TRAINING_BITS, UNQUANTIZED_BITS
from bitlaw.runs.table import RunTable

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


def not_applicable(law: Law, table: RunTable) -> str | None:
    """Why a table says nothing about a law's own terms; None where it does.

    Parameters
    ----------
    law
        The law.
    table
        A validated run table.
    """
    runs = law_columns(table.training)
    has = {
        "group_size": bool(table.frame["group_size"].notna().any()),
        "is_floating": bool(runs["is_floating"].any()),
        "is_quantized": bool(runs["is_quantized"].any()),
        "is_quantized_backward": bool(runs["is_quantized_backward"].any()),
    }
    reasons = {
        "group_size": "no row has a group_size",
        "is_floating": "no run is trained in a floating-point format below 16 bits (column format)",
        "is_quantized": "no run is trained below 16 bits, so its training term has nothing to explain",
        "is_quantized_backward": "no run has a backward pass below 16 bits (format_backward, bits_gradients)",
    }
    needed = [column for column in has if column in law.training_columns]
    if law.training_columns & set(TRAINING_BITS[:3]):
        needed.append("is_quantized")
    if "bits_gradients" in law.training_columns:
        needed.append("is_quantized_backward")
    for column in needed:
        if not has[column]:
            return reasons[column]
    if law.base.is_observed and not _paired(table.frame).any():
        return "no row quantized after training comes with its run's own loss"
    return None


def _without_term(law: Law, frame: pd.DataFrame) -> Iterator[tuple[pd.Series, str]]:
    left = pd.Series(True, index=frame.index)
    for rows, reason in (*training_without_term(law, frame), *_post_without_term(law, frame)):
        yield rows & left, reason
        left &= ~rows
    if law.base.is_observed:
        paired = frame[left & frame["bits_post"].notna()]["run_id"]
        alone = left & ~frame["run_id"].isin(paired)
        yield alone, f"law {law.name} models degradations, and none of this run was measured"


def training_without_term(law: Law, frame: pd.DataFrame) -> Iterator[tuple[pd.Series, str]]:
    """Rows whose training precision a law has no term for, with the reason; only reasons that occur.

    Parameters
    ----------
    law
        The law.
    frame
        Canonical columns of rows or points.
    """
    found = () if law.base.is_observed else _precision_without_term(law, frame)
    yield from ((rows, reason) for rows, reason in found if rows.any())


def _precision_without_term(law: Law, frame: pd.DataFrame) -> Iterator[tuple[pd.Series, str]]:
    reads, columns = law.training_columns, law_columns(frame)
    floating = pd.Series(columns["is_floating"], frame.index)
    forward = pd.Series("scheme" in reads, frame.index) | (floating & ("is_floating" in reads))
    backward = pd.Series("scheme_backward" in reads, frame.index)
    for column in TRAINING_BITS:
        covered = backward if column == "bits_gradients" else forward
        if column not in reads:
            below = frame[column] < UNQUANTIZED_BITS
            yield below & ~covered, f"law {law.name} has no term for {column} below 16"
    named = ~frame["format"].astype(str).map(bits_say_all)
    for name in sorted(set(frame.loc[named & ~forward, "format"])):
        yield frame["format"] == name, f'law {law.name} has no term for format "{name}"'
    if reads & {"group_size", "block_size"}:
        own_block = floating & _own_block(frame).notna() & ("block_size" in reads)
        unknown = frame["group_size"].isna() & ~own_block
        quantized = pd.Series(columns["is_quantized"], frame.index)
        yield quantized & unknown, f"law {law.name} needs group_size, the elements that share one scale"


def _own_block(frame: pd.DataFrame) -> pd.Series:
    known = frame["format"].astype(str).map(floating_point)
    return known.map(lambda found: (found.block_size or np.nan) if found else np.nan).astype(float)


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
    if law.base.is_observed:
        yield (
            quantized_after & ~_paired(frame),
            "the loss of the run as trained is not in the table, so there is no degradation to model",
        )


def _paired(frame: pd.DataFrame) -> pd.Series:
    """Rows quantized after training whose run's own loss is in the table."""
    own = frame.loc[frame["bits_post"].isna(), "run_id"]
    return frame["bits_post"].notna() & frame["run_id"].isin(own)
