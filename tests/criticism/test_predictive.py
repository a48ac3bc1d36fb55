from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.criticism.predictive import post_groups, precision_groups, predictive_findings
from bitlaw.criticism.residuals import residual_table
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.laws.registry import law_names
from fits import zero_shifts

NARROW = 0.0005
CODES = ["predictive.bits", "predictive.coverage", "predictive.bits_post", "noise.student_t"]


def check(fit, seed=0):
    return {finding.code: finding for finding in predictive_findings(fit, seed)}


def test_the_true_law_passes(make_fit):
    found = check(make_fit(spread=NARROW))
    assert list(found) == CODES
    assert {finding.status for finding in found.values()} == {Status.PASS}


def test_a_wrong_capacity_names_the_bits_and_the_percent(make_fit):
    fit = make_fit(spread=NARROW)
    low = fit.rows["bits_kv"].eq(2) & fit.rows["bits_post"].isna()
    wrong = replace(fit, rows=fit.rows.assign(loss=fit.rows["loss"].where(~low, fit.rows["loss"] * 1.01)))
    finding = check(wrong)["predictive.bits"]
    assert finding.status == Status.WARN
    assert finding.value < 0.01
    assert "1 of 8 groups" in finding.message
    assert "W16 A16 KV2 (16 rows)" in finding.message
    assert "+0.9" in finding.message
    assert finding.advice


def test_what_a_cell_shares_is_no_misfit_in_bits(make_fit):
    fit = make_fit(spread=NARROW)
    shifted = fit.rows["loss"] * np.where(fit.rows["tokens"] > 3e6, 1.02, 1.0)
    assert check(replace(fit, rows=fit.rows.assign(loss=shifted)))["predictive.bits"].status == Status.PASS


def test_a_wrong_slope_after_training(make_fit):
    finding = check(make_fit(spread=NARROW, changes={"gamma_post": 0.9}))["predictive.bits_post"]
    assert finding.status == Status.WARN
    assert "of the degradation" in finding.message


def test_noise_that_is_too_small_is_seen_in_the_coverage(make_fit):
    fit = make_fit(spread=1e-5, changes={"sigma_cell": 5e-4, "sigma": 5e-4})
    finding = check(fit)["predictive.coverage"]
    assert finding.status == Status.WARN
    assert finding.value < finding.threshold


def test_heavy_tails_are_called_misfit(make_fit):
    finding = check(make_fit(spread=NARROW, changes={"nu": 1.5}))["noise.student_t"]
    assert (finding.status, finding.threshold) == (Status.WARN, 2.0)
    assert "misfit structure" in finding.message


def test_what_cannot_be_checked_is_not_run(make_fit):
    fit = make_fit(spread=NARROW)
    trained = check(replace(fit, rows=fit.rows[fit.rows["bits_post"].isna()]))
    assert trained["predictive.bits_post"].status == Status.NOT_RUN
    assert trained["predictive.bits"].status == Status.PASS
    post = check(replace(fit, rows=fit.rows[fit.rows["bits_post"].notna()]))
    assert {post[code].status for code in CODES[:3]} == {Status.NOT_RUN}
    no_noise = replace(fit, posterior=fit.posterior.rename(sigma="other"))
    with pytest.raises(KeyError):
        residual_table(no_noise)


def test_degradations_measured_below_zero_are_left_out_on_both_sides(make_fit):
    fit = make_fit(spread=NARROW, true_changes={"sigma_gap": 0.05})
    assert check(fit)["predictive.bits_post"].status == Status.PASS


def test_a_law_without_post_term_has_no_such_check(make_fit):
    fit = make_fit("chinchilla", spread=NARROW)
    assert "predictive.bits_post" not in check(fit)
    assert check(fit)["predictive.bits"].status == Status.PASS


def test_the_same_seed_gives_the_same_findings(make_fit):
    fit = make_fit(spread=NARROW)
    assert predictive_findings(fit, 3) == predictive_findings(fit, 3)


def test_residual_table(make_fit):
    fit = make_fit(spread=NARROW)
    fit = replace(fit, rows=fit.rows.set_index(fit.rows.index + 10))
    table = residual_table(fit)
    assert len(table) == len(fit.rows)
    assert table["row"].tolist() == fit.rows.index.tolist()
    assert table["run_id"].tolist() == fit.rows["run_id"].tolist()
    assert np.allclose(table["residual"], np.log(table["observed"] / table["predicted"]))
    assert (table["lo"] < table["predicted"]).all()
    trained = table["bits_post"].isna()
    assert table.loc[trained, "standardised"].std() == pytest.approx(1.0, abs=0.35)
    assert table.loc[~trained, "standardised"].isna().all()
    inside = (table["observed"] >= table["lo"]) & (table["observed"] <= table["hi"])
    assert 0.8 < inside.mean() < 0.99


@pytest.mark.parametrize("name", law_names())
def test_every_law_passes_on_its_own_losses(make_fit, name):
    fit = make_fit(name, spread=NARROW)
    found = check(fit)
    statuses = {code: finding.status for code, finding in found.items()}
    observed = fit.law.base.is_observed
    assert statuses["predictive.coverage"] == statuses["noise.student_t"]
    assert statuses["predictive.coverage"] == (Status.NOT_RUN if observed else Status.PASS)
    # One of many groups may fail by chance.
    assert found["predictive.bits"].message.startswith(("Not checked", "All", "1 of 22", "1 of 24"))
    assert statuses.get("predictive.bits_post", Status.PASS) == Status.PASS
    table = residual_table(fit)
    assert len(table) == (fit.rows["bits_post"].notna().sum() if observed else len(fit.rows))
    inside = (table["observed"] >= table["lo"]) & (table["observed"] <= table["hi"])
    assert 0.8 < inside.mean() <= 1.0


def test_losses_that_are_data_are_not_checked_and_the_reason_is_said(make_fit):
    found = check(make_fit("ptq-gap", spread=NARROW))
    for code in ("predictive.bits", "predictive.coverage"):
        assert found[code].message == "Not checked: law ptq-gap takes losses as trained as data."
    table = residual_table(make_fit("ptq-gap", spread=NARROW))
    assert table["standardised"].isna().all()
    assert table["residual"].abs().max() < 0.5


def test_the_scale_of_a_residual_is_that_of_its_row(make_fit):
    """√(.002² + .003² + .004²), and more where training in few bits costs much: κ_train Δ / L."""
    fit = make_fit("coupled", spread=0.0)
    measured = replace(fit, rows=fit.rows.assign(loss_se=0.003 * fit.rows["loss"]))
    ratio = residual_table(fit)["standardised"] / residual_table(measured)["standardised"]
    assert ratio.to_numpy() == pytest.approx(np.sqrt(29 / 20))
    quantized = make_fit("bitlaw-default", spread=0.0, changes={"kappa_train": 1.0})
    table = residual_table(quantized)
    table = table[table["bits_post"].isna()]
    scale = table["residual"] / table["standardised"]
    unquantized = table[["bits_weights", "bits_activations", "bits_kv"]].eq(16).all(axis=1)
    assert scale[unquantized].to_numpy() == pytest.approx(np.sqrt(20) * 1e-3)
    assert scale[table["bits_weights"] == 3].min() > 0.01


def test_noise_that_grows_with_the_penalty_is_replicated(make_fit, design):
    """Losses that scatter as κ_train says are covered, and are not where the fit has lost it."""
    frame = design[design["bits_post"].isna()].assign(seed=np.arange(128.0))
    fit = make_fit("bitlaw-default", frame, spread=1e-5, true_changes={"kappa_train": 0.4})
    assert check(fit)["predictive.coverage"].status == Status.PASS
    lost = replace(fit, posterior=fit.posterior.assign(kappa_train=0.0 * fit.posterior["kappa_train"]))
    assert check(lost)["predictive.coverage"].status == Status.WARN


def test_diverged_runs_have_no_residual(make_fit):
    fit = make_fit("coupled", spread=NARROW)
    status = np.where(np.arange(len(fit.rows)) == 3, "diverged", "ok")
    fit = replace(fit, rows=fit.rows.assign(status=status, loss=fit.rows["loss"].where(status == "ok", 9.0)))
    assert len(residual_table(fit)) == len(fit.rows) - 1
    found = check(fit)["predictive.coverage"]
    assert found.status == Status.PASS
    assert f"of {len(fit.rows) - 1} trained" in found.message


def test_formats_and_methods_are_groups_of_their_own():
    rows = points_frame(n_params=1e8, tokens=1e9, bits_weights=[4.0] * 5 + [16.0] * 5 + [4.0] * 5, format="")
    rows["format"] = ["int4"] * 5 + ["mxfp4"] * 10
    rows["bits_gradients"] = [16.0] * 10 + [8.0] * 5
    assert list(dict.fromkeys(precision_groups(rows))) == [
        "W4 A16 KV16",
        "mxfp4 W16 A16 KV16",
        "mxfp4 W4 A16 KV16, backward g8",
    ]
    after = points_frame(n_params=1e8, tokens=1e9, bits_post=3.0, method_post=["rtn", "gptq"] * 5)
    assert sorted(set(post_groups(after))) == ["3 bits gptq", "3 bits rtn"]
    assert set(post_groups(after[after["method_post"] == "rtn"])) == {"3 bits"}
    rare = after.assign(method_post=["rtn"] * 5 + list("abcde"))
    assert sorted(set(post_groups(rare))) == ["3 bits other methods", "3 bits rtn"]


def test_noise_scales_may_differ_between_groups(make_fit, design):
    """A pooled σ: the noisy corpus is covered because its own scale is used."""
    frame = design[design["bits_post"].isna()]
    frame = frame[frame[["bits_weights", "bits_activations", "bits_kv"]].eq(16).all(axis=1)]
    frame = pd.concat([frame] * 8, ignore_index=True)
    frame = frame.assign(seed=np.arange(float(len(frame))), run_id=[f"r{i}" for i in range(len(frame))])
    fit = make_fit("coupled", frame, spread=1e-5)
    noisy = np.arange(len(frame)) % 2 == 1
    error = 0.03 * np.random.default_rng(0).standard_normal(len(frame))
    rows = fit.rows.assign(
        corpus=np.where(noisy, "web", "books"), loss=fit.rows["loss"] * np.exp(np.where(noisy, error, 0.0))
    )
    shape = (*fit.posterior["sigma"].shape, 2)
    shifts = np.broadcast_to([0.0, np.log(15.0)], shape)
    dims = ("chain", "draw", "corpus")
    levels = ["books", "web"]
    same = fit.posterior.assign(zero_shifts(fit.law, "corpus", levels, fit.posterior["sigma"].shape))
    same = same.assign_coords(corpus=levels)
    alike = replace(fit, rows=rows, pool=("corpus",), posterior=same)
    assert check(alike)["predictive.coverage"].status == Status.WARN
    posterior = same.assign(sigma_by_corpus=(dims, shifts))
    assert check(replace(alike, posterior=posterior))["predictive.coverage"].status == Status.PASS
