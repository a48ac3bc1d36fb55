"""The whole way: from a table to a Fit file and a report, with real sampling."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bitlaw
from bitlaw.criticism.backtest import from_dict
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference import compiled
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from bitlaw.workflow.reporting import answer
from bitlaw.workflow.stages import COMPILING, JUDGING, PILOT, SHOWS_ITSELF
from designs import base_design, precision_design

SHARED = Path(__file__).parents[3] / "shared" / "data"
CHINCHILLA = {"E": 1.8, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37, "sigma": 0.003, "nu": 8.0}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    design = base_design(tuple(np.geomspace(1e7, 1e9, 5)), tuple(np.geomspace(4e8, 4e10, 6)))
    frame = simulate_losses(load_law("chinchilla"), CHINCHILLA, design, seed=3)
    path = tmp_path / "runs.csv"
    frame[["run_id", "n_params", "tokens", "loss", "vocab_size"]].to_csv(path, index=False)
    return path


def test_a_base_law_is_recovered_and_the_same_seed_gives_the_same_draws(table: Path) -> None:
    first, again = (bitlaw.fit(table, "chinchilla", seed=5, backtest_folds=folds) for folds in (2, 0))
    assert first.status is not Status.FAIL
    assert first.provenance.attempts == 1
    for name in ("E", "alpha", "beta"):
        draws = first.draws(name)
        assert abs(draws.mean() - CHINCHILLA[name]) < 3 * draws.std()
        np.testing.assert_array_equal(draws, again.draws(name))
    assert np.isfinite(first.runs["elpd"]).all()
    assert first.runs["pareto_k"].median() < 0.5
    np.testing.assert_allclose(first.weights["weight"].sum("sample"), 1.0)
    check_backtests(first, again)


def check_backtests(tried: bitlaw.Fit, not_tried: bitlaw.Fit) -> None:
    """The record of a backtest, made with the model the fit was sampled from, and that there is none."""
    kept = from_dict(tried.backtest)
    assert [(fold.cut, fold.n_train + fold.n_test, fold.converged) for fold in kept.folds] == [
        (0.4, 30, True),
        (0.85, 30, True),
    ]
    assert kept.coverage[0.95] > 0.7
    assert kept.scores.mae_log < 0.02
    assert set(kept.findings) < set(tried.findings)
    assert not_tried.backtest is None
    assert not_tried.findings[-1].status is Status.NOT_RUN
    assert not_tried.findings[-1].code == "backtest.runs"


def test_of_several_laws_the_one_with_most_weight_is_backtested(table: Path, tmp_path: Path) -> None:
    told: list[str] = []
    comparison, fits = bitlaw.compare(
        table, ["chinchilla", "coupled"], out=tmp_path, backtest_folds=1, on_stage=told.append
    )
    assert [stage for stage in told if COMPILING in stage] == ["chinchilla: compiling", "coupled: compiling"]
    assert told[-1] == SHOWS_ITSELF
    assert comparison.leading == max(comparison.laws, key=lambda law: law.one_out.weight).law
    for name in fits:
        saved = bitlaw.load_fit(tmp_path / f"{name}.nc")
        said = [finding for finding in saved.findings if finding.code.startswith("backtest.")]
        if name == comparison.leading:
            assert [fold.cut for fold in from_dict(saved.backtest).folds] == [0.625]
            assert "backtest.coverage" in [finding.code for finding in said]
        else:
            assert saved.backtest is None
            assert [finding.status for finding in said] == [Status.NOT_RUN]
            assert f"only {comparison.leading} was tested" in said[0].message


def test_a_table_too_small_for_a_backtest_says_so(table: Path) -> None:
    few = pd.read_csv(table).iloc[:11]
    few.to_csv(table, index=False)
    found = bitlaw.backtest(table, "chinchilla")
    assert found.status is Status.NOT_RUN
    assert found.runs == 11


def test_a_fit_that_does_not_converge_is_sampled_again_and_marked(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = SamplerSettings(draws=20, tune=60)
    monkeypatch.setattr(compiled, "default_settings", lambda _, seed, **__: replace(few, seed=seed))
    told: list[str] = []
    fit = bitlaw.fit(table, "chinchilla", backtest_folds=0, on_stage=told.append)
    assert told == [COMPILING, PILOT, *(SHOWS_ITSELF, JUDGING) * 2, SHOWS_ITSELF]
    assert fit.provenance.attempts == 2
    assert fit.provenance.settings["draws"] == 40
    assert fit.status is Status.FAIL
    attempts = next(finding for finding in fit.findings if finding.code == "convergence.attempts")
    assert attempts.status is Status.WARN
    prediction = bitlaw.predict(fit, bitlaw.points_frame(n_params=1e8, tokens=1e10))
    assert prediction.status is Status.FAIL
    _, page = bitlaw.report(fit, tmp_path / "report")
    assert json.loads((page.parent / "summary.json").read_text())["status"] == "FAIL"


def test_half_a_question_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="n_params and tokens together"):
        answer(None, n_params=1e8)  # type: ignore[arg-type]


def test_one_size_is_fitted_with_a_warning_that_names_what_the_priors_decide(table: Path) -> None:
    frame = pd.read_csv(table)
    one = table.with_name("one.csv")
    frame[frame["n_params"] == frame["n_params"].min()].to_csv(one, index=False)
    _, findings = bitlaw.check(one, "chinchilla")
    warning = next(finding for finding in findings if finding.code == "design.n_params")
    assert warning.status is Status.WARN
    assert "alpha" in warning.message


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the public run tables are not at {SHARED}")
def test_published_chinchilla_points_give_the_replication(tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('exclude = "note"\n')
    fit = bitlaw.fit(SHARED / "chinchilla_digitised.csv", "chinchilla", mapping, backtest_folds=0)
    assert len(fit.rows) == 240
    assert len(fit.excluded) == 5
    assert 1.78 <= fit.draws("E").mean() <= 1.84
    assert 0.33 <= fit.draws("alpha").mean() <= 0.37
    assert 0.34 <= fit.draws("beta").mean() <= 0.38
    assert fit.status is not Status.FAIL


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the public run tables are not at {SHARED}")
def test_pooling_over_corpora_converges() -> None:
    fit = bitlaw.fit(SHARED / "gadre_overtraining.csv", "coupled", pool="corpus", backtest_folds=0)
    assert fit.status is not Status.FAIL
    assert fit.levels("corpus") == tuple(sorted(set(fit.rows["corpus"])))
    assert fit.posterior["slope_n_by_corpus"].sizes["corpus"] == 3


@pytest.mark.slow
def test_the_full_law_is_recovered() -> None:
    law = load_law("kumar2024-coupled")
    design = precision_design()
    constants = {
        name: float(np.median(values))
        for name, values in prior_draws(law, reference_scales(design), 1000, seed=0).items()
    }
    constants |= {"sigma": 0.002, "kappa": 0.1, "tau": 0.2}
    frame = simulate_losses(law, constants, design, seed=4)
    fit = bitlaw.fit(
        bitlaw.RunTable(frame, frame.iloc[:0].assign(reason=""), "simulated"), law, backtest_folds=0
    )
    assert fit.status is not Status.FAIL
    for name in (
        "E",
        "alpha",
        "beta",
        "gamma_w",
        "gamma_a",
        "gamma_kv",
        "C",
        "gamma_D",
        "gamma_post",
    ):
        draws = fit.draws(name)
        assert abs(draws.mean() - constants[name]) < 3 * draws.std(), name
