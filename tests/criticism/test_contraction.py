import numpy as np
import pytest

from bitlaw.criticism.contraction import contraction_findings, contraction_table
from bitlaw.criticism.prior_sensitivity import prior_sensitivity
from bitlaw.finding import Status
from bitlaw.laws.registry import law_names, load_law
from bitlaw.laws.spec import with_ties


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


def test_a_tied_constant_is_listed_once_with_what_it_equals(make_fit):
    law = with_ties(load_law("bitlaw-default"), {"k_a": "k_w", "c_a": "c_w"})
    fit = make_fit(law, from_prior=("k_w",))
    table = contraction_table(fit).set_index("name")
    assert not {"k_a", "c_a"} & set(table.index)
    assert table.loc["k_w", "meaning"].endswith("; equal to k_a")
    message = contraction_findings(fit)[0].message
    assert "k_w, penalty of 4-bit weights" in message
    assert "k_a, " not in message


def test_a_constant_that_is_fixed_is_not_decided_by_its_prior(make_fit):
    """Kaplan's law has no floor: E = 0 in prior and posterior."""
    fit = make_fit("kaplan")
    table = contraction_table(fit)
    assert "E" not in list(table["name"])
    assert np.isfinite(table["contraction"]).all()
    assert contraction_findings(fit)[0].status == Status.PASS
    assert "E" not in list(prior_sensitivity(fit)["name"])


def test_a_posterior_without_width_is_decided_by_the_data(make_fit):
    table = contraction_table(make_fit("coupled", spread=0.0)).set_index("name")
    assert table.loc["g", "contraction"] == pytest.approx(1.0)


def test_what_differs_between_formats_is_listed_with_its_common_value(make_fit):
    names = list(contraction_table(make_fit("quartet2025"))["name"])
    assert [name for name in names if name.startswith("eff")] == ["eff_N", "eff_D"]


@pytest.mark.parametrize("name", law_names())
def test_every_constant_of_every_law_has_a_row(make_fit, name):
    fit = make_fit(name)
    table = contraction_table(fit)
    wanted = {parameter.name for parameter in (*fit.law.parameters, *fit.law.noise)} - {"E"}
    assert wanted <= set(table["name"])
    assert not table["name"].duplicated().any()
    assert (table["contraction"] <= 1.0).all()
