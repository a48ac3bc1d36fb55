from dataclasses import replace

import numpy as np
import pytest

from bitlaw.criticism.predictive import predictive_findings
from bitlaw.criticism.residuals import residual_table
from bitlaw.finding import Status

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
    no_noise = replace(fit, posterior=fit.posterior.rename(nu="other"))
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
