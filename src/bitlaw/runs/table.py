"""The run table: validated rows, and the rows left out with their reasons."""

import hashlib
from dataclasses import dataclass, replace

import pandas as pd

from bitlaw.finding import Finding
from bitlaw.runs.columns import BY_NAME


@dataclass(frozen=True)
class RunTable:
    """Logged runs, validated.

    Parameters
    ----------
    frame
        Usable rows, one per evaluated loss, canonical columns first (all of ``COLUMNS`` but
        ``flops`` are present; ``bits_post``, ``group_size``, ``loss_se`` and ``vocab_size`` are NaN
        where absent; absent text is ""). Its index is the row number in the source, 1 for the first
        row of data.
    excluded
        Rows left out, with the same columns, plus ``reason``; their loss is NaN where the source had
        no valid one.
    source
        Where the table came from, as a name to show.
    findings
        What reading noticed (exclusions, unknown columns).
    """

    frame: pd.DataFrame
    excluded: pd.DataFrame
    source: str
    findings: tuple[Finding, ...] = ()

    @property
    def training(self) -> pd.DataFrame:
        """Usable rows evaluated as trained: those without ``bits_post``."""
        return self.frame[self.frame["bits_post"].isna()]

    @property
    def post(self) -> pd.DataFrame:
        """Usable rows evaluated after post-training quantization: those with ``bits_post``."""
        return self.frame[self.frame["bits_post"].notna()]

    def without(self, rows: pd.Series, reason: str) -> "RunTable":
        """A table in which the rows marked True are excluded with this reason.

        Parameters
        ----------
        rows
            Boolean series on the index of ``frame``.
        reason
            Recorded with each row.
        """
        if not rows.any():
            return self
        gone = self.frame[rows].assign(reason=reason)
        excluded = gone if self.excluded.empty else pd.concat([self.excluded, gone]).sort_index()
        return replace(self, frame=self.frame[~rows], excluded=excluded)

    def content_hash(self) -> str:
        """SHA-256 of the usable rows' canonical columns: fits are comparable when it is equal."""
        known = sorted(set(self.frame.columns) & set(BY_NAME))
        text = self.frame[known].to_csv(index=False, float_format="%.12g")
        return hashlib.sha256(text.encode()).hexdigest()
