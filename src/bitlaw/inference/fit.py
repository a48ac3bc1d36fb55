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
from bitlaw.notebook import result_html

FORMAT_VERSION = 3

_PROB = 0.9


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

    def sentence(self) -> str:
        """What was fitted to what, in words."""
        failed = self.status is Status.FAIL
        return (
            f"Law {self.law.name} fitted to {len(self.rows)} rows of {self.provenance.source}; "
            f"{len(self.excluded)} left out."
        ) + (" It did not converge: its numbers may be wrong." if failed else "")

    def table(self) -> pd.DataFrame:
        """The law's constants: posterior and prior (median and 90 % ETI), and what they mean."""
        return pd.DataFrame(
            [
                {
                    "constant": parameter.name,
                    "posterior": self._interval_text(parameter.name),
                    "prior": self._interval_text(parameter.name, prior=True),
                    "unit": parameter.unit,
                    "meaning": parameter.meaning,
                }
                for parameter in self.law.parameters
                if parameter.name in self.posterior and parameter.name in self.prior
            ]
        )

    def to_datatree(self) -> xr.DataTree:
        """The draws as ArviZ reads them: a plain DataTree, by its groups.

        Returns
        -------
        xarray.DataTree
            ``posterior``, ``prior`` and ``sample_stats`` with dimensions ``chain`` and ``draw``, and
            ``observed_data`` with the ``loss`` of every ``row`` used, nats/token.
        """
        loss = xr.Dataset(
            {"loss": ("row", self.rows["loss"].to_numpy())}, {"row": self.rows.index.to_numpy()}
        )
        return xr.DataTree.from_dict(
            {
                "posterior": self.posterior,
                "prior": self.prior,
                "sample_stats": self.sample_stats,
                "observed_data": loss,
            }
        )

    def _repr_html_(self) -> str:
        return result_html(self)

    def _interval_text(self, name: str, prior: bool = False) -> str:
        median, lo, hi = np.quantile(self.draws(name, prior), (0.5, 0.5 - _PROB / 2, 0.5 + _PROB / 2))
        return f"{median:.3g} ({100 * _PROB:g} % ETI {lo:.3g} to {hi:.3g})"

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
