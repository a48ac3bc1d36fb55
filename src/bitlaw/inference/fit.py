"""The Fit: everything that is known after sampling, one frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.levels import factor
from bitlaw.laws.law import Law, Reference

FORMAT_VERSION = 3


@dataclass(frozen=True)
class Provenance:
    """Where a fit comes from.

    Parameters
    ----------
    source, table_hash
        Name of the run table and SHA-256 of the rows used.
    seed
        Seed of sampling, prior draws and predictions.
    attempts
        1, or 2 where the automatic retry was needed.
    settings
        Sampler settings of the attempt that was kept.
    versions
        Versions of bitlaw and of the libraries that sampled.
    """

    source: str
    table_hash: str
    seed: int
    attempts: int
    settings: Mapping[str, float | str]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Fit:
    """A law fitted to a run table.

    Parameters
    ----------
    law, reference
        The law, and the scales its constants are stated at.
    posterior
        Draws, dimensions ``chain`` and ``draw``: the law's constants by their names (E, a, b, alpha,
        beta, g, gamma_w, P0_w, …, C, gamma_D, gamma_N, gamma_post, C_w), the sampled quantities
        and noise scales, common to all groups; ``NAME_by_COLUMN`` with dimension ``COLUMN``, what each
        level adds on the log, logit or plain scale, and ``NAME_sd_COLUMN``, the spread of that.
    prior
        Draws of the same names from the prior, one chain.
    drift
        Draws of the law's structural error, dimension ``sample``, as many as of the posterior and of the
        prior (see ``drift_draws``).
    sample_stats
        Sampler statistics as nutpie names them.
    rows
        Rows used, canonical run-table columns.
    excluded
        Rows left out, with ``reason``.
    runs
        One row per training run: ``run_id``, ``elpd`` and ``pareto_k`` of leaving out the whole run.
    weights
        Power-scaling weights of the draws, dimensions ``component`` (prior, likelihood), ``power``
        and ``sample`` (chain-major); each row sums to 1.
    pool
        Columns pooled over, those with two groups or more; empty without pooling.
    hull
        Vertices of the convex hull of the fitted (log10 N, log10 D), shape (vertices, 2).
    findings
        What criticism found.
    provenance
        Where the fit comes from.
    backtest
        How well the law predicted runs it was not fitted to, as plain JSON types; None if not tried.
    """

    law: Law
    reference: Reference
    posterior: xr.Dataset
    prior: xr.Dataset
    drift: xr.Dataset
    sample_stats: xr.Dataset
    rows: pd.DataFrame
    excluded: pd.DataFrame
    runs: pd.DataFrame
    weights: xr.Dataset
    pool: tuple[str, ...]
    hull: np.ndarray
    findings: tuple[Finding, ...]
    provenance: Provenance
    backtest: Mapping[str, Any] | None = None

    @property
    def status(self) -> Status:
        """FAIL where convergence failed, else WARN or PASS."""
        return overall_status(self.findings)

    def samples(self, prior: bool = False) -> int:
        """Number of draws of the posterior or the prior."""
        sizes = (self.prior if prior else self.posterior).sizes
        return int(sizes["chain"] * sizes["draw"])

    def levels(self, column: str) -> tuple[str, ...]:
        """Fitted levels of a column: groups, formats (``scheme``) or post-training methods."""
        return factor(self.rows, column).names

    @property
    def ceiling(self) -> float:
        """H = ln of the vocabulary, nats/token; inf where the table does not say or has several."""
        vocabulary = self.rows["vocab_size"].unique()
        known = len(vocabulary) == 1 and not np.isnan(vocabulary[0])
        return float(np.log(vocabulary[0])) if known else float("inf")

    def draws(self, name: str, prior: bool = False) -> np.ndarray:
        """Draws of one scalar quantity, all chains in one array of shape (samples,)."""
        return (self.prior if prior else self.posterior)[name].to_numpy().reshape(-1)

    def largest_run(self) -> Mapping[str, Any]:
        """The run with the most compute as trained: canonical run-table values."""
        as_trained = self.rows[self.rows["status"] != "diverged"].sort_values(
            "bits_post", na_position="first", kind="stable"
        )
        runs = as_trained.drop_duplicates("run_id")
        compute = (runs["n_params"] * runs["tokens"]).to_numpy()
        largest = {str(name): value for name, value in runs.iloc[int(compute.argmax())].items()}
        return largest | {"bits_post": float("nan"), "method_post": ""}
