import numpy as np
import pytest

from bitlaw.criticism.contraction import contraction_findings, contraction_table
from bitlaw.finding import Status


def test_a_narrow_posterior_passes(make_fit):
    (finding,) = contraction_findings(make_fit())
    assert (finding.code, finding.status) == ("prior.decides", Status.PASS)


@pytest.mark.parametrize("name", ["gamma_w", "P0_kv", "gamma_D", "g"])
def test_a_constant_that_kept_its_prior_is_named(make_fit, name):
    fit = make_fit(from_prior=(name,))
    table = contraction_table(fit).set_index("name")
    assert table.loc[name, "contraction"] == pytest.approx(0.0, abs=1e-9)
    (finding,) = contraction_findings(fit)
    assert finding.status == Status.WARN
    assert f"{name}, " in finding.message
    assert "alpha," not in finding.message


def test_a_floor_whose_share_the_data_do_not_know_is_named(make_fit):
    """E narrows with the loss at the centre, and yet its share of it is the prior's."""
    fit = make_fit(from_prior=("floor_share",))
    table = contraction_table(fit).set_index("name")
    assert table.loc["E", "contraction"] > 0.3
    (finding,) = contraction_findings(fit)
    assert finding.status == Status.WARN
    assert "floor_share, E as a share of the loss at the centre (0.00)" in finding.message


def test_contraction_of_a_log_normal_is_known(make_fit):
    """Prior SD of ln γ_w is .6 and the posterior's .3: contraction .75."""
    fit = make_fit(samples=40000)
    rng = np.random.default_rng(0)
    draws = 2.0 * np.exp(0.3 * rng.standard_normal(40000)).reshape(4, -1)
    fit = make_fit_with(fit, "gamma_w", draws)
    row = contraction_table(fit).set_index("name").loc["gamma_w"]
    assert row["contraction"] == pytest.approx(0.75, abs=0.02)
    assert row["posterior_lo"] == pytest.approx(2.0 * np.exp(-1.645 * 0.3), rel=0.02)
    assert row["prior_hi"] == pytest.approx(2.0 * np.exp(1.645 * 0.6), rel=0.03)


def make_fit_with(fit, name, draws):
    from dataclasses import replace

    return replace(fit, posterior=fit.posterior.assign({name: (("chain", "draw"), draws)}))


def test_scales_that_were_not_sampled_have_no_row(make_fit):
    from dataclasses import replace

    fit = make_fit("chinchilla")
    names = list(contraction_table(fit)["name"])
    assert names == ["E", "a", "b", "alpha", "beta", "sigma", "nu", "sigma_cell"]
    without = replace(fit, posterior=fit.posterior.drop_vars("sigma_cell"))
    assert "sigma_cell" not in list(contraction_table(without)["name"])


def test_noise_scales_are_in_the_table_but_not_in_the_finding(make_fit):
    fit = make_fit(from_prior=("nu",))
    assert contraction_table(fit).set_index("name").loc["nu", "contraction"] < 0.1
    assert contraction_findings(fit)[0].status == Status.PASS
