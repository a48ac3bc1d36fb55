"""Which runs would change a risk: concrete sizes and bits, from the distances. NumPy only."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bitlaw.criticism.backtest_record import BacktestRecord
from bitlaw.criticism.beyond import Distance
from bitlaw.criticism.joint_bits import CODE as JOINT_BITS
from bitlaw.criticism.risk_limits import FEWEST_RUNS
from bitlaw.finding import Finding, Status
from bitlaw.inference.distance import BITS, PARTS
from bitlaw.runs.columns import UNQUANTIZED_BITS
from bitlaw.units import format_bits, format_count

_RATIOS = {"extrapolation.ratio_training", "extrapolation.ratio_post"}
"""Beyond the ratios of all runs a run nearer in size is what helps."""

_MOST_LEFT = 2.0
"""Decades that a run to log may stay short of the question: what it leaves is then not refused."""


def runs_that_would_help(
    point: pd.DataFrame, distance: Distance, beyond: Sequence[Finding], record: BacktestRecord
) -> tuple[str, ...]:
    """Runs to log, each as a clause, the most needed first; empty where nothing is missing.

    Parameters
    ----------
    point
        The question, one row in canonical columns.
    distance, beyond, record
        As for ``assess``.
    """
    codes = {finding.code for finding in beyond if finding.status is not Status.PASS}
    return (
        *_bits(point, distance),
        *_size(point, distance),
        *(_ratio(point) if codes & _RATIOS else ()),
        *(_together(point) if JOINT_BITS in codes else ()),
        *(("a few runs of the group, format or method that was never measured",) * ("groups.new" in codes)),
        *_backtest(record),
    )


def _bits(point: pd.DataFrame, distance: Distance) -> Iterator[str]:
    names = BITS | {column: f"{name} of the format" for column, name in PARTS.items()}
    for column, excess in sorted(distance.bits.items(), key=lambda item: item[1]):
        if excess >= 0:
            continue
        if column == "bits_post":
            bits, method = _bits_text(point[column].iloc[0]), point["method_post"].iloc[0]
            yield f"fitted runs quantized to {bits} after training{f' by {method}' if method else ''}"
        elif column in PARTS:
            yield f"runs in a format with as few {names[column].replace(' of the format', '')} bits"
        else:
            between = " and a width between" if excess <= -2.0 else ""
            yield f"runs with the {names[column]} at {_bits_text(point[column].iloc[0])}{between}"


def _bits_text(bits: float) -> str:
    return f"{format_bits(bits)} bit{'' if bits == 1 else 's'}"


def _size(point: pd.DataFrame, distance: Distance) -> Iterator[str]:
    if not distance.hull > 0:
        return
    left = min(0.5, _MOST_LEFT / distance.hull)
    asked = point[["n_params", "tokens"]].to_numpy(np.float64)[0]
    n_params, tokens = asked / 10 ** (left * np.array(distance.vector))
    where = (
        "half-way (in log) to the question" if left == 0.5 else "two decades (in log) short of the question"
    )
    low = any(point[column].iloc[0] < UNQUANTIZED_BITS for column in BITS if column in point)
    bits = ", in 16 bits and in the bits asked about" if low else ""
    yield f"a run of {format_count(n_params)} parameters on {format_count(tokens)} tokens, {where}{bits}"


def _ratio(point: pd.DataFrame) -> Iterator[str]:
    ratio = float(point["tokens"].iloc[0] / point["n_params"].iloc[0])
    after = pd.notna(point["bits_post"].iloc[0])
    low = any(point[column].iloc[0] < UNQUANTIZED_BITS for column in BITS if column in point)
    what = "quantized after training, " if after else "in low precision, " if low else ""
    yield f"runs {what}with about {ratio:.3g} tokens per parameter"


def _together(point: pd.DataFrame) -> Iterator[str]:
    named = [
        f"{name} at {format_bits(point[column].iloc[0])}"
        for column, name in (BITS | {"bits_post": "weights after training"}).items()
        if column in point and point[column].iloc[0] < UNQUANTIZED_BITS
    ]
    yield f"a run with {', '.join(named)} bits together"


def _backtest(record: BacktestRecord) -> Iterator[str]:
    if record.runs is not None and record.runs < FEWEST_RUNS:
        yield f"{FEWEST_RUNS} usable runs or more, so that a backtest can leave some out ({record.runs} now)"
