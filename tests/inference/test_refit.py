from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.inference.assemble import assemble_fit
from bitlaw.inference.compiled import CompiledLaw, compile_law, sample_law
from bitlaw.inference.fit import Fit
from bitlaw.inference.recipe import keep, recipe_of
from bitlaw.inference.refit import exact_scores, refit_without
from bitlaw.inference.sample import SamplerSettings
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from bitlaw.runs.table import RunTable
from designs import base_design, precision_design

CHINCHILLA = {"E": 1.8, "a": 0.4, "b": 0.5, "alpha": 0.35, "beta": 0.37, "sigma": 0.003, "nu": 8.0}
GAP = {
    "C": 0.05, "gamma_D": 0.4, "gamma_N": 0.2, "gamma_post": 0.7, "C_w": 0.6,
    "kappa": 0.1, "tau": 0.3, "sigma_gap": 2e-4, "nu_gap": 8.0,
}  # fmt: skip


def fitted(law_name: str, frame: pd.DataFrame) -> tuple[CompiledLaw, Fit]:
    law, table = load_law(law_name), RunTable(frame, frame.iloc[:0].assign(reason=""), "simulated")
    compiled, settings = compile_law(law, frame), SamplerSettings(seed=1)
    sampled = sample_law(compiled, settings)
    fit = assemble_fit(law, table, compiled.rows, compiled.reference, sampled, settings, 1, 1)
    return compiled, fit


@pytest.fixture(scope="module")
def chinchilla() -> tuple[CompiledLaw, Fit]:
    design = base_design(tuple(np.geomspace(1e7, 1e9, 4)), tuple(np.geomspace(4e8, 4e10, 4)))
    return fitted("chinchilla", simulate_losses(load_law("chinchilla"), CHINCHILLA, design, seed=3))


def test_leaving_one_run_out_by_a_refit_agrees_with_importance_sampling(chinchilla):
    compiled, fit = chinchilla
    for run in fit.runs["pareto_k"].nsmallest(3).index:  # where the density rests on many draws
        refit = refit_without(compiled, fit, [run], seed=9, short=True)
        assert refit.log_density[0] == pytest.approx(fit.runs.loc[run, "elpd"], abs=0.1)
        assert refit.rhat < 1.05
        assert 100 < refit.effective[0] <= refit.posterior.sizes["chain"] * refit.posterior.sizes["draw"]


def test_only_the_runs_left_out_lose_their_say(chinchilla):
    compiled, fit = chinchilla
    all_but_two = list(range(2, len(fit.runs)))
    alone = refit_without(compiled, fit, all_but_two)
    assert alone.posterior["alpha"].std() > 4 * fit.posterior["alpha"].std()
    assert len(alone.log_density) == len(all_but_two)
    again = refit_without(compiled, fit, [])
    assert float(again.posterior["E"].mean()) == pytest.approx(
        fit.draws("E").mean(), abs=fit.draws("E").std()
    )


def test_the_worst_scores_are_replaced_and_the_rest_named(chinchilla):
    compiled, fit = chinchilla
    runs = fit.runs.assign(pareto_k=0.1)
    runs.loc[[2, 5, 7], "pareto_k"] = [0.8, float("nan"), 1.4]
    marked = replace(fit, runs=runs.assign(elpd=-99.0))
    recipe = recipe_of(compiled.law, compiled.rows.frame, (), 1)
    keep(recipe, compiled)
    told: list[tuple[int, int]] = []
    scored, together = exact_scores(
        recipe, marked, [0, 1, 2], most=2, progress=lambda *done: told.append(done)
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    again = refit_without(compiled, marked, [0, 1, 2])
    np.testing.assert_array_equal(together.log_density, again.log_density)
    names = fit.runs["run_id"]
    assert scored.refitted == (names[5], names[7])
    assert scored.unreliable == (names[2],)
    assert scored.fit.runs.index[scored.fit.runs["refitted"]].tolist() == [5, 7]
    np.testing.assert_allclose(scored.fit.runs.loc[[5, 7], "elpd"], fit.runs.loc[[5, 7], "elpd"], atol=0.5)
    assert (scored.fit.runs["elpd"].drop([5, 7]) == -99.0).all()
    assert 1.0 < scored.rhat < 1.05
    untouched, none = exact_scores(recipe, replace(fit, runs=fit.runs.assign(pareto_k=0.1)))
    assert none is None
    assert (untouched.refitted, untouched.unreliable, untouched.rhat) == ((), (), 1.0)


@pytest.mark.slow
def test_the_effect_of_a_run_left_out_is_integrated_out():
    design = precision_design(seeds=(0,))
    design = design[design["bits_weights"] == 16.0].reset_index(drop=True)
    compiled, fit = fitted(
        "ptq-gap", simulate_losses(load_law("ptq-gap"), GAP, design.assign(loss=2.5), seed=2)
    )
    reliable = fit.runs.index[fit.runs["pareto_k"] < 0.5][:3]
    for run in reliable:
        refit = refit_without(compiled, fit, [run], seed=4)
        assert refit.log_density[0] == pytest.approx(fit.runs.loc[run, "elpd"], abs=0.25)
