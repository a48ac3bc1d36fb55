"""Fits and answers to report on, made without sampling."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.fold_scores import PredictedRow, scores_of
from bitlaw.criticism.fold_task import FoldRecord
from bitlaw.decisions.budget import budget
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.folds import DroppedFold
from bitlaw.inference.prior import frozen
from bitlaw.laws.registry import load_law
from bitlaw.reporting.answers import Answers
from designs import law_design
from fits import OBSERVED_LOSS, REFERENCE, collapsed_fit, kumar_constants

N_PARAMS, TOKENS = 1e8, 1e10
CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}


def make_answers(fit: Fit) -> Answers:
    """What reporting.answer gives, without the post-training decision where no row is quantized."""
    has_post = fit.law.post is not None and bool(fit.rows["bits_post"].notna().any())
    group = ",".join(fit.levels(column)[0] for column in fit.pool) or None
    point = points_frame(n_params=N_PARAMS, tokens=TOKENS)
    sizes = {"n_params": N_PARAMS, "tokens": TOKENS}
    measured = OBSERVED_LOSS if fit.law.base.is_observed else None
    size = 128.0 if {"group_size", "block_size"} & fit.law.training_columns else None
    trained = {"group": group, "group_size": size}
    return Answers(
        prediction=predict(fit, point, measured=measured, group=group),
        precision_fixed=optimum(fit, **sizes, **trained) if fit.law.training else None,
        precision_free=optimum(fit, flops=6 * N_PARAMS * TOKENS, **trained) if fit.law.training else None,
        post_training=ptq(fit, **sizes, group=group, loss=measured) if has_post else None,
        question="100M parameters and 10B tokens, the largest logged run",
        budget=None if fit.law.base.is_observed else budget(fit, flops=6 * N_PARAMS * TOKENS, **trained),
    )


def full_fit() -> Fit:
    fit = collapsed_fit("kumar2024", kumar_constants(), jitter=0.02, vocab_size=50257.0)
    findings = (
        Finding("convergence.rhat", Status.PASS, 1.001, 1.01, "The largest R-hat is 1.001."),
        Finding(
            "design.runs", Status.WARN, 9.0, 34.0, "9 runs for 17 constants: the priors decide.", "Log more."
        ),
        Finding("noise.student_t", Status.NOT_RUN, None, None, "Not checked: nothing to check."),
    )
    return replace(fit, findings=findings)


@pytest.fixture(scope="session")
def law_fit() -> Callable[[str], Fit]:
    """A fit of a library law, collapsed to the medians of its priors, on losses of its own.

    Its rows are those on which every term of the law has something to explain.
    """

    @cache
    def fit(name: str) -> Fit:
        law = load_law(name)
        rows = law_design(law, methods=("gptq",))
        medians = {prior.name: float(frozen(prior, REFERENCE).median()) for prior in law.priors}
        fitted = collapsed_fit(name, medians, jitter=0.02, rows=rows.fillna({"loss": OBSERVED_LOSS}))
        losses = np.median(loss_draws(fitted, fitted.rows).mean, axis=0)
        return replace(fitted, rows=fitted.rows.assign(loss=losses))

    return fit


@pytest.fixture(scope="session")
def fit() -> Fit:
    return full_fit()


@pytest.fixture(scope="session")
def answers(fit: Fit) -> Answers:
    return make_answers(fit)


@pytest.fixture(scope="session")
def answers_for() -> Callable[[Fit], Answers]:
    return make_answers


@pytest.fixture(scope="session")
def edge_fits() -> dict[str, Fit]:
    """Tables of other designs than the demo's."""
    full = full_fit()
    own = full.rows
    unquantized = (own[["bits_weights", "bits_activations", "bits_kv"]] >= 16).all(axis=1)
    rng = np.random.default_rng(0)
    only_sixteen = collapsed_fit("chinchilla", CHINCHILLA, jitter=0.02)
    many = np.repeat(own[unquantized & own["bits_post"].isna()].iloc[[0]].index, 60)
    sizes = own.loc[many].assign(n_params=np.geomspace(1e6, 1e10, 60), tokens=np.geomspace(1e8, 1e12, 60))
    sizes = sizes.assign(run_id=[f"run {i}" for i in range(60)], loss=rng.uniform(3.0, 4.0, 60)).reset_index(
        drop=True
    )
    return {
        "16 bits only": only_sixteen,
        "many sizes": replace(full, rows=sizes),
        "one size": replace(full, rows=own[own["n_params"] == own["n_params"].min()]),
        "one size, one length": replace(
            full,
            rows=own[(own["n_params"] == own["n_params"].min()) & (own["tokens"] == own["tokens"].min())],
        ),
        "no rows quantized after training": replace(full, rows=own[own["bits_post"].isna()]),
        "no 16-bit runs": replace(full, rows=own[~unquantized]),
        "rows after training only": replace(full, rows=own[own["bits_post"].notna()]),
        "pooled": collapsed_fit(
            "kumar2024", kumar_constants(), jitter=0.02, pool="corpus", groups={"web": {}, "code": {"E": 2.0}}
        ),
    }


WIDTHS = {0.5: 0.008, 0.8: 0.016, 0.9: 0.02, 0.95: 0.024}
"""Half-widths of the intervals of every predicted log loss, by probability; half of that without drift."""

ERRORS = (0.03, 0.005, 0.01, 0.001)
"""How far predictions of log loss are too low, row by row in turn."""


def make_fold(fit: Fit, limit: float, cut: float, rhat: float = 1.0) -> FoldRecord:
    """A fold that was fitted to the runs up to a compute, and off by known errors at the others."""
    frame, compute = fit.rows, 6.0 * fit.rows["n_params"] * fit.rows["tokens"]
    test = frame[compute > limit]
    rows = tuple(
        PredictedRow(
            row=int(index),
            run_id=one["run_id"],
            n_params=one["n_params"],
            tokens=one["tokens"],
            log10_ratio=math.log10(6.0 * one["n_params"] * one["tokens"] / compute[compute <= limit].max()),
            decades=0.6,
            log_loss=math.log(one["loss"]),
            median=math.log(one["loss"]) - ERRORS[place % 4],
            lo=math.log(one["loss"]) - ERRORS[place % 4] - WIDTHS[0.9],
            hi=math.log(one["loss"]) - ERRORS[place % 4] + WIDTHS[0.9],
            pit=0.5,
            crps=0.004,
            log_density=2.0,
        )
        for place, (index, one) in enumerate(test.iterrows())
    )
    errors = np.array([row.log_loss - row.median for row in rows])
    widths = np.array(list(WIDTHS.values()))[:, None]
    return FoldRecord(
        kind="compute",
        name=f"runs of more than {limit:.3g} FLOP",
        cut=cut,
        n_train=int((compute <= limit).sum()),
        n_test=len(rows),
        unpredicted=0,
        max_ratio=10 ** max(row.log10_ratio for row in rows),
        scores=scores_of(rows, errors <= widths),
        without_drift=scores_of(rows, errors <= widths / 2 - 1e-9),
        rhat=rhat,
        divergences=0.0,
        attempts=1,
        converged=rhat <= 1.05,
        rows=rows,
    )


@pytest.fixture(scope="session")
def backtest(fit: Fit) -> Backtest:
    """Two folds that count, one that did not converge, one that was dropped."""
    folds = (make_fold(fit, 1.5e18, 0.4), make_fold(fit, 2.4e18, 0.6, rhat=1.4), make_fold(fit, 6e18, 0.7))
    dropped = (DroppedFold("compute", "runs of more than 1e+20 FLOP", 0.85, "no row is left to predict"),)
    findings = (Finding("backtest.coverage", Status.PASS, 0.75, 0.8, "In the backtest 75 % lie inside."),)
    return Backtest(fit.law.name, "/home/somebody/runs.csv", 36, folds, dropped, findings)


@pytest.fixture(scope="session")
def backtested(fit: Fit, backtest: Backtest) -> Fit:
    """The fit with its backtest, and with structural error beyond its rows."""
    drift = drift_draws(fit.samples(), 0, fit.law.name)
    return replace(
        fit, drift=drift, backtest=backtest.to_dict(), findings=(*fit.findings, *backtest.findings)
    )
