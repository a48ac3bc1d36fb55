"""Grades of risk: what each rule gives on its own, known shares of variance, and the record of a backtest."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests import kept_backtest
from bitlaw.criticism.backtest import Backtest
from bitlaw.criticism.backtest_findings import too_few_runs
from bitlaw.criticism.backtest_record import backtest_record
from bitlaw.criticism.beyond import Distance, distances
from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.criticism.fold_scores import PredictedRow, scores_of
from bitlaw.criticism.fold_task import FoldRecord
from bitlaw.criticism.prior_sensitivity import PriorPull, PriorScaling, prior_pull
from bitlaw.criticism.risk import Grade, assess
from bitlaw.criticism.variance_shares import SOURCES, prior_weight, robust_variance, variance_shares
from bitlaw.criticism.would_help import runs_that_would_help
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.hull import convex_hull
from fits import collapsed_fit, kumar_constants

INSIDE = Distance(0.0, 0.0, 0.0, 0.0, 0.0, (0.0, 0.0), {"bits_weights": 0.0})
MEASURED = {"prior": 0.05, "constants": 0.45, "drift": 0.0, "noise": 0.5}
NO_PULL = PriorPull(0.01, 0.02)
GOOD = backtest_record(kept_backtest(0.9), 0.0)


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=400, jitter=0.02)


def grade(**changed):
    asked = {"distance": INSIDE, "shares": MEASURED, "pull": NO_PULL, "backtest": GOOD} | changed
    return assess(**asked).grade


def far(code, value):
    return (Finding(f"extrapolation.{code}", Status.WARN, value, 0.0, "It is far."),)


def test_what_is_measured_and_backtested_is_low():
    risk = assess(INSIDE, MEASURED, NO_PULL, GOOD, would_help=("a run",))
    assert risk.grade is Grade.LOW
    assert risk.would_help == ()
    assert "90 % of 80 left-out losses" in risk.sentence()
    assert risk.finding() is None
    assert not risk.refused


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        ("HIGH", {"shares": MEASURED | {"prior": 0.6, "constants": 0.0, "noise": 0.4}}),
        ("HIGH", {"shares": MEASURED | {"drift": 0.6, "constants": 0.0, "noise": 0.35}}),
        ("HIGH", {"shares": MEASURED | {"drift": 0.3, "prior": 0.3, "noise": 0.2, "constants": 0.2}}),
        ("MODERATE", {"shares": MEASURED | {"prior": 0.3, "constants": 0.2}}),
        ("LOW", {"shares": MEASURED | {"prior": 0.15, "constants": 0.35}}),
        ("LOW", {"shares": None}),
        ("MODERATE", {"pull": PriorPull(0.06, 0.1)}),
        ("HIGH", {"pull": PriorPull(0.2, 0.6)}),
        ("MODERATE", {"pull": PriorPull(None, None)}),
        ("HIGH", {"disagreement": 0.3}),
        ("LOW", {"disagreement": 0.01}),
        ("MODERATE", {"backtest": backtest_record(None, 0.0)}),
        ("MODERATE", {"backtest": backtest_record(kept_backtest(rows=0, runs=11), 0.0)}),
        ("MODERATE", {"backtest": backtest_record(kept_backtest(converged=False), 0.0)}),
        ("MODERATE", {"backtest": backtest_record(kept_backtest(rows=3), 0.0)}),
        ("MODERATE", {"backtest": backtest_record(kept_backtest(0.75), 0.0)}),
        ("HIGH", {"backtest": backtest_record(kept_backtest(0.5), 0.0)}),
        ("MODERATE", {"distance": replace(INSIDE, hull=0.2, n_params=0.2), "beyond": far("size", 0.2)}),
        ("HIGH", {"distance": replace(INSIDE, hull=1.0, n_params=1.0), "beyond": far("size", 1.0)}),
        ("REFUSE", {"distance": replace(INSIDE, hull=3.0, tokens=3.0), "beyond": far("size", 3.0)}),
        ("REFUSE", {"distance": replace(INSIDE, hull=2.2, compute=3.1), "beyond": far("size", 2.2)}),
        ("MODERATE", {"distance": replace(INSIDE, bits={"bits_kv": -0.3}), "beyond": far("bits_kv", 0.3)}),
        ("HIGH", {"distance": replace(INSIDE, bits={"bits_kv": -0.5}), "beyond": far("bits_kv", 0.5)}),
        ("REFUSE", {"distance": replace(INSIDE, bits={"bits_kv": -1.0}), "beyond": far("bits_kv", 1.0)}),
        ("MODERATE", {"distance": replace(INSIDE, bits={"bits_post": 2.0}), "beyond": far("bits_post", 2.0)}),
        ("MODERATE", {"beyond": far("joint_bits", 0.0)}),
        ("HIGH", {"distance": replace(INSIDE, ratio=-1.2), "beyond": far("ratio_training", 1.2)}),
        ("HIGH", {"beyond": (Finding("groups.new", Status.WARN, 2.0, 5.0, "It is new."),)}),
    ],
)  # fmt: skip
def test_each_rule_on_its_own(expected, changed):
    assert grade(**changed) == expected


def test_the_worst_reason_comes_first_and_decides():
    risk = assess(
        replace(INSIDE, hull=3.5, n_params=3.5),
        MEASURED | {"prior": 0.3, "constants": 0.2},
        NO_PULL,
        backtest_record(kept_backtest(), 3.5),
        far("size", 3.5),
        would_help=("a run of 1B parameters",),
    )
    assert risk.reasons[0] == "It is far."
    assert risk.decisive == 1
    assert len(risk.reasons) == 3
    assert risk.refusal() == (
        "REFUSED: nothing measured supports an answer. It is far. "
        "Runs that would change it: a run of 1B parameters."
    )
    finding = risk.finding()
    assert (finding.code, finding.status) == ("risk.refused", Status.REFUSED)
    assert (finding.value, finding.threshold) == (3.5, 3.0)
    assert json.loads(json.dumps(risk.to_dict(), allow_nan=False))["grade"] == "REFUSE"


@given(
    st.floats(0.01, 2.0), st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.floats(0.01, 20.0), st.integers(0, 99)
)
def test_shares_are_a_partition(law, drift, noise, prior, seed):
    rng = np.random.default_rng(seed)
    drawn = law * rng.standard_normal(200)
    drifted = drawn + drift * rng.standard_normal(200)
    total = drifted + noise * rng.standard_normal(200)
    shares = variance_shares(drawn, drifted, total, prior * rng.standard_normal(200))
    assert tuple(shares) == SOURCES
    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(share >= 0.0 for share in shares.values())


def test_shares_of_known_variances():
    rng = np.random.default_rng(1)
    law, drift, noise = (sd * rng.standard_normal(100_000) for sd in (2.0, 1.0, 2.0))
    shares = variance_shares(law, law + drift, law + drift + noise, 4.0 * rng.standard_normal(100_000))
    expected = {"prior": 1 / 9, "constants": 3 / 9, "drift": 1 / 9, "noise": 4 / 9}
    assert shares == pytest.approx(expected, abs=0.01)
    same = np.ones(10)
    assert variance_shares(same, same, same, same) is None
    assert prior_weight(law, law) == 1.0
    assert prior_weight(law, same) == 1.0


def test_the_weight_of_the_prior_is_that_of_a_normal_model():
    prior_sd, data_sd = 2.0, 1.0
    posterior_sd = (prior_sd**-2 + data_sd**-2) ** -0.5
    rng = np.random.default_rng(0)
    found = prior_weight(posterior_sd * rng.standard_normal(200_000), prior_sd * rng.standard_normal(200_000))
    assert found == pytest.approx(data_sd**2 / (prior_sd**2 + data_sd**2), abs=0.01)


def test_heavy_tails_have_a_variance_too():
    noise = np.random.default_rng(0).standard_t(1.5, 100_000)
    assert robust_variance(noise) == pytest.approx((np.quantile(noise, 0.95) / 1.645) ** 2, rel=0.05)


def test_a_number_that_the_prior_moves():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal(8000)
    powers = np.array([0.8, 1.25])
    log_prior = -0.5 * (draws - 1.0) ** 2
    weights = np.exp((powers[:, None] - 1.0) * log_prior)
    scaling = PriorScaling(powers, weights / weights.sum(axis=1, keepdims=True))
    pull = prior_pull(draws, scaling)
    weaker, stronger = ((power - 1.0) / power for power in powers)  # means of normals with precision `power`
    assert pull.shift == pytest.approx(stronger - weaker, abs=0.03)
    assert pull.sensitivity > 0.1
    other = prior_pull(rng.standard_normal(8000), scaling)
    assert abs(other.shift) < 0.03
    assert prior_pull(draws, None) == PriorPull(None, None)
    assert prior_pull(draws[:50], PriorScaling(powers, np.full((2, 50), 0.02))) == PriorPull(None, None)


def test_the_record_is_of_losses_at_least_as_far():
    kept = kept_backtest(0.9, farthest=1.6)
    everywhere, half, beyond = (backtest_record(kept, decades) for decades in (0.0, 0.8, 1.7))
    assert (everywhere.n, half.n, beyond.n) == (80, 40, 0)
    assert everywhere.coverage == pytest.approx(0.9)
    assert everywhere.status is Status.PASS
    assert beyond.status is Status.NOT_RUN
    assert beyond.coverage is None
    assert beyond.farthest == pytest.approx(1.6)
    assert everywhere.mae_log == pytest.approx(0.9 * 0.01 + 0.1 * 0.99)


@pytest.mark.parametrize("seed", range(5))
def test_going_farther_never_looks_safer(seed):
    rng = np.random.default_rng(seed)
    rows = [
        {"decades": d, "log_loss": 1.0, "median": 1.0, "lo": 0.9, "hi": 1.1 if rng.random() < 0.8 else 0.95}
        for d in rng.uniform(0.0, 2.0, 60)
    ]
    kept = {"runs": 30, "dropped": [], "folds": [{"converged": True, "rows": rows}]}
    worst = [backtest_record(kept, decades).worst_coverage for decades in np.linspace(0.0, 2.5, 40)]
    assert worst == sorted(worst, reverse=True)
    assert worst[0] == pytest.approx(backtest_record(kept, 0.0).coverage)


def test_distances_have_a_sign(fit):
    asked = points_frame(
        n_params=[1e8, 4e10, 1e8, 1e8],
        tokens=[1e10, 1e10, 2.5e8, 1e10],
        bits_weights=[16.0, 16.0, 16.0, 3.0],
        bits_post=[np.nan, np.nan, 8.0, np.nan],
    )
    inside, larger, shorter, fewer = distances((fit,), asked)
    assert inside.decades == inside.hull == inside.bits_below == 0.0
    assert larger.n_params == pytest.approx(2.0)
    assert larger.hull == pytest.approx(2.0)
    assert shorter.tokens == pytest.approx(-1.0)
    assert shorter.ratio == pytest.approx(-np.log10(2.5))
    assert shorter.bits["bits_post"] == pytest.approx(2.0)
    assert fewer.bits["bits_weights"] == pytest.approx(-1.0)
    assert fewer.is_beyond_support
    assert not larger.is_beyond_support


def test_a_kind_that_was_never_quantized_is_counted_from_16_bits(fit):
    rows = fit.rows[(fit.rows["bits_weights"] >= 16) & fit.rows["bits_post"].isna()]
    alone = replace(fit, rows=rows)
    low = points_frame(n_params=1e8, tokens=1e10, bits_weights=[8.0, 16.0], bits_post=[np.nan, 6.0])
    trained, after = distances((alone,), low)
    assert trained.bits["bits_weights"] == pytest.approx(-8.0)
    assert after.bits["bits_post"] == pytest.approx(-10.0)
    assert trained.is_beyond_support
    assert after.is_beyond_support


def test_bits_that_never_met_are_said(fit):
    rows = fit.rows.copy()
    one = np.arange(len(rows)) % 2 == 0
    rows.loc[one, "bits_activations"] = 16.0
    rows.loc[~one, "bits_weights"] = 16.0
    apart = replace(fit, rows=rows)
    both = points_frame(n_params=1e8, tokens=1e10, bits_weights=6.0, bits_activations=6.0)
    codes = {finding.code: finding for finding in extrapolation_findings(apart, both)}
    assert "weights at 6, activations at 6" in codes["extrapolation.joint_bits"].message
    assert "extrapolation.joint_bits" not in {finding.code for finding in extrapolation_findings(fit, both)}
    alone = points_frame(n_params=1e8, tokens=1e10, bits_weights=6.0)
    assert "extrapolation.joint_bits" not in {item.code for item in extrapolation_findings(apart, alone)}


def helping(fit, point, record=GOOD):
    return runs_that_would_help(
        point, distances((fit,), point)[0], extrapolation_findings(fit, point), record
    )


def test_runs_that_would_help_are_concrete(fit):
    assert helping(fit, points_frame(n_params=1e8, tokens=1e10)) == ()
    far_off = helping(fit, points_frame(n_params=4e10, tokens=1e10))
    assert far_off == ("a run of 4B parameters on 10B tokens, half-way (in log) to the question",)
    farther = helping(fit, points_frame(n_params=4e13, tokens=1e10))
    assert farther == ("a run of 400B parameters on 10B tokens, two decades (in log) short of the question",)
    low = helping(fit, points_frame(n_params=1e8, tokens=1e10, bits_weights=3.0))
    assert low == ("runs with the weights at 3 bits",)
    after = helping(fit, points_frame(n_params=1e8, tokens=1e10, bits_post=1.0, method_post="gptq"))
    assert after == ("fitted runs quantized to 1 bit after training by gptq",)
    few = backtest_record(kept_backtest(rows=0, runs=9), 0.0)
    assert "12 usable runs or more" in helping(fit, points_frame(n_params=1e8, tokens=1e10), few)[0]


@pytest.mark.parametrize("n_params", [1e11, 1e13, 1e16])
def test_the_run_that_would_help_lifts_the_refusal(fit, n_params):
    point = points_frame(n_params=n_params, tokens=1e12)
    away = distances((fit,), point)[0]
    left = min(0.5, 2.0 / away.hull)
    logged = {
        "n_params": point["n_params"][0] / 10 ** (left * away.vector[0]),
        "tokens": point["tokens"][0] / 10 ** (left * away.vector[1]),
    }
    rows = fit.rows.iloc[[0]].assign(run_id="logged", **logged)
    every = pd.concat([fit.rows, rows], ignore_index=True)
    hull = convex_hull(np.log10(every[["n_params", "tokens"]].to_numpy()))
    assert distances((fit,), point)[0].is_beyond_support
    assert not distances((replace(fit, rows=every, hull=hull),), point)[0].is_beyond_support


def test_the_record_reads_what_a_backtest_keeps():
    rows = tuple(
        PredictedRow(
            row=row, run_id=f"r{row}", n_params=1e8, tokens=1e10, log10_ratio=0.1 * row, decades=0.05 * row,
            log_loss=1.0, median=1.0, lo=0.9, hi=1.1 if row % 4 else 0.95, pit=0.5, crps=0.01, log_density=1.0,
        )
        for row in range(20)
    )  # fmt: skip
    scores = scores_of(rows, np.ones((4, 20), dtype=bool))
    fold = FoldRecord(
        kind="compute", name="the larger", cut=0.5, n_train=20, n_test=20, unpredicted=0, max_ratio=80.0,
        scores=scores, without_drift=scores, rhat=1.0, divergences=0.0, attempts=1, converged=True, rows=rows,
    )  # fmt: skip
    kept = Backtest("coupled", "runs.csv", 30, (fold, replace(fold, converged=False)), (), ()).to_dict()
    record = backtest_record(json.loads(json.dumps(kept)), 0.5)
    assert (record.n, record.runs) == (10, 30)
    assert record.coverage == pytest.approx(0.8)  # rows 12 and 16 of 10 to 19 are outside
    assert record.worst_coverage == pytest.approx(0.75)  # of all rows
    assert record.status is Status.WARN
    few = Backtest("coupled", "runs.csv", 11, (), (), (too_few_runs(11, 12),)).to_dict()
    assert backtest_record(few, 0.0).message == "No backtest: 11 usable runs are too few to leave some out"
