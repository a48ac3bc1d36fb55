"""The edges of the data as the explorer names them, and the limits that distance is graded by."""

from typing import Any

import numpy as np
import pandas as pd

from bitlaw.criticism.beyond import fitted_ratios
from bitlaw.criticism.new_groups import new_group_findings
from bitlaw.criticism.risk_limits import HIGH_BITS, HIGH_DECADES, REFUSE_BITS, REFUSE_DECADES
from bitlaw.inference.distance import BITS, PARTS, measured_rows, training_bits
from bitlaw.inference.fit import Fit
from bitlaw.reporting.explorer.formulas import graded_bits
from bitlaw.runs.columns import UNQUANTIZED_BITS


def edges_of(fit: Fit, point: pd.DataFrame) -> dict[str, Any]:
    """The fitted ranges, what was quantized together, and the limits, as plain JSON types.

    Parameters
    ----------
    fit
        The fit.
    point
        A point of the group asked about; what of its group was never measured holds for every point.
    """
    rows, ratios = fit.rows, fitted_ratios(fit)
    named = {column: f"{name} in training" for column, name in BITS.items()}
    named |= {column: f"{name} of the format" for column, name in PARTS.items()}
    bits = training_bits(fit)
    return {
        "n": [float(rows["n_params"].min()), float(rows["n_params"].max())],
        "d": [float(rows["tokens"].min()), float(rows["tokens"].max())],
        "ratios": {
            name: None if known is None else [known.lo, known.hi] for name, known in vars(ratios).items()
        },
        "graded": list(graded_bits(fit)),
        "bits": {
            column: {"name": named[column], "lo": bits[column].lo, "hi": bits[column].hi}
            for column in named
            if column in bits
        },
        "joint": _joint(fit),
        "new": [finding.message for finding in new_group_findings(fit, point)],
        "limits": {
            "refuse_decades": REFUSE_DECADES,
            "high_decades": HIGH_DECADES,
            "refuse_bits": REFUSE_BITS,
            "high_bits": HIGH_BITS,
        },
    }


def _joint(fit: Fit) -> dict[str, Any]:
    """Which bits were quantized together in a fitted row."""
    read = [column for column in BITS if column in fit.law.training_columns]
    read += ["bits_post"] if fit.law.post is not None else []
    rows = measured_rows(fit)[read].fillna(UNQUANTIZED_BITS).clip(upper=UNQUANTIZED_BITS).drop_duplicates()
    names = BITS | {"bits_post": "weights after training"}
    return {"columns": {column: names[column] for column in read}, "rows": rows.to_numpy(np.float64).tolist()}
