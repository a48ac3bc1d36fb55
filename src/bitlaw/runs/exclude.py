"""The rows left out before any law is chosen, each with its reason."""

from dataclasses import replace

import numpy as np
import pandas as pd

from bitlaw.finding import Finding, Status
from bitlaw.runs.table import RunTable

DIVERGED = "diverged"
WORSE_THAN_GUESSING = "worse than guessing after post-training quantization: loss >= ln(vocab_size)"

_MOST_NAMED = 5
_ADVICE = {
    DIVERGED: "The law describes runs that train; it says nothing about the risk that a run diverges.",
    WORSE_THAN_GUESSING: "The law has no say where quantization destroys the model.",
}
_ADVICE_OWN_REASON = (
    "Leave rows out for how they were trained, never for the loss they reached: that biases the fit."
)


def exclude_rows(table: RunTable) -> RunTable:
    """Leave out diverged runs, rows with a reason in ``exclude``, and PTQ rows worse than guessing.

    Parameters
    ----------
    table
        All rows of a source, validated.

    Returns
    -------
    RunTable
        The usable rows; the others under ``excluded`` with their reason; and one WARN finding
        ``runs.excluded`` per reason, whose value is the number of rows.
    """
    n_training = len(table.training)
    kept = table.without(table.frame["status"] == "diverged", DIVERGED)
    for reason in kept.frame["exclude"].unique():
        if reason:
            kept = kept.without(kept.frame["exclude"] == reason, reason)
    kept = kept.without(_worse_than_guessing(kept.frame), WORSE_THAN_GUESSING)
    groups = kept.excluded.groupby("reason", sort=False)
    findings = tuple(_finding(str(reason), rows, n_training) for reason, rows in groups)
    return replace(kept, findings=table.findings + findings)


def include_diverged(table: RunTable) -> RunTable:
    """Take diverged runs that logged a loss back into the table, to bound the law's loss from below.

    Parameters
    ----------
    table
        A table as read.

    Returns
    -------
    RunTable
        With those rows in ``frame``, ``status`` still ``diverged``, and a WARN ``runs.bounds`` whose
        value is their number. Diverged runs without a loss stay excluded.
    """
    gone = table.excluded
    back = (gone["reason"] == DIVERGED) & gone["loss"].notna() & gone["bits_post"].isna()
    if not back.any():
        message = "No diverged run has a loss, so none can bound the law from below."
        return replace(
            table, findings=(*table.findings, Finding("runs.bounds", Status.NOT_RUN, 0.0, None, message))
        )
    rows = gone[back]
    finding = Finding(
        "runs.bounds",
        Status.WARN,
        float(len(rows)),
        None,
        f"{len(rows)} diverged runs enter as bounds: the law's loss there is at least what they logged.",
        "The loss of a diverged run depends on when it was stopped; compare with a fit that leaves them out.",
    )
    frame = pd.concat([table.frame, rows.drop(columns="reason")]).sort_index()
    return replace(table, frame=frame, excluded=gone[~back], findings=(*table.findings, finding))


def _worse_than_guessing(frame: pd.DataFrame) -> pd.Series:
    return frame["bits_post"].notna() & (frame["loss"] >= np.log(frame["vocab_size"]))


def _finding(reason: str, rows: pd.DataFrame, n_training: int) -> Finding:
    count = len(rows)
    if reason == DIVERGED:
        trained = int(rows["bits_post"].isna().sum())
        what = f"{trained} of {n_training} training runs diverged"
        what += f", and {count - trained} PTQ rows" if count > trained else ""
    else:
        what = f'{count} {"row is" if count == 1 else "rows are"} left out as "{reason}"'
    advice = _ADVICE.get(reason, _ADVICE_OWN_REASON)
    return Finding("runs.excluded", Status.WARN, float(count), None, f"{what}: {_named(rows)}.", advice)


def _named(rows: pd.DataFrame) -> str:
    names = list(dict.fromkeys(rows["run_id"]))
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
