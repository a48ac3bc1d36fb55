from dataclasses import replace

import numpy as np
import pytest

from bitlaw.criticism.extrapolation import extrapolation_findings
from bitlaw.finding import Status
from bitlaw.inference.draws import loss_draws, points_frame
from fits import collapsed_fit

CONSTANTS = {"mean_loss": 2.5, "floor_share": 0.5, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.07, "g": 0.6}
INSIDE = {"n_params": 1e8, "tokens": 1e10}


def pooled(groups=("books", "code", "web")):
    by_group = {name: {"mean_loss": 2.4 + 0.1 * i} for i, name in enumerate(groups)}
    return collapsed_fit("coupled", CONSTANTS, pool="corpus", groups=by_group)


def check(fit, **point):
    findings = extrapolation_findings(fit, points_frame(**(INSIDE | point)))
    return {finding.code: finding for finding in findings}


def test_a_measured_group_is_inside():
    assert list(check(pooled(), corpus="code")) == ["extrapolation.inside"]


def test_a_new_group_is_drawn_from_the_spread_between_the_measured_ones():
    found = check(pooled(), corpus=["code", "new"])
    finding = found["groups.new"]
    assert list(found) == ["groups.new"]
    assert (finding.status, finding.value, finding.threshold) == (Status.WARN, 3.0, 5.0)
    assert finding.message.startswith('Corpus "new" was never measured: its constants (mean_loss, ')
    assert "drawn from the spread between 3 groups (books, code, web), so few that" in finding.message
    assert finding.advice


def test_many_groups_are_not_few():
    finding = check(pooled(("a", "b", "c", "d", "e")), corpus="new")["groups.new"]
    assert finding.message.endswith("drawn from the spread between 5 groups (a, b, c, d, e).")


def test_a_group_that_is_called_new_was_measured():
    assert "groups.new" not in check(pooled(("new", "web")), corpus="new")


@pytest.mark.parametrize(
    ("column", "says"), [("format", 'Format "new"'), ("format_backward", 'Backward format "new"')]
)
def test_a_new_format(make_fit, column, says):
    fit = make_fit("quartet2025", samples=8)
    finding = extrapolation_findings(fit, points_frame(n_params=1e5, tokens=3e6, **{column: "new"}))[-1]
    assert finding.code == "groups.new"
    assert finding.message.startswith(f"{says} was never measured: its constants (eff_")


def test_a_new_method_where_one_was_measured(make_fit):
    fit = make_fit("bitlaw-default", samples=8)
    point = points_frame(n_params=1e5, tokens=3e6, bits_post=4.0, method_post="new")
    (finding,) = extrapolation_findings(fit, point)
    assert (
        "(C, gamma_post) are drawn from the prior of a spread, for 1 post-training method was"
        in finding.message
    )
    assert np.isfinite(loss_draws(fit, point).mean).all()
    (inside,) = extrapolation_findings(fit, point.assign(bits_post=np.nan))
    assert inside.status == Status.PASS


def test_laws_without_such_constants_have_no_new_groups(make_fit):
    fit = replace(make_fit("chinchilla", samples=8), pool=())
    point = points_frame(n_params=1e5, tokens=3e6, corpus="new", format="new", method_post="new")
    (finding,) = extrapolation_findings(fit, point)
    assert finding.status == Status.PASS


def test_exponent_and_mantissa_bits_beyond_the_fitted(make_fit):
    fit = make_fit("sun2025", samples=8)
    found = {
        finding.code: finding
        for finding in extrapolation_findings(
            fit, points_frame(n_params=1e5, tokens=3e6, format=["fp4", "e8m7"], group_size=32.0)
        )
    }
    assert set(found) == {"extrapolation.exponent_bits", "extrapolation.mantissa_bits"}
    assert found["extrapolation.mantissa_bits"].value == 4.0
    assert found["extrapolation.exponent_bits"].message.startswith(
        "8 bits for the exponent of the format is 3 above"
    )


def test_bits_at_which_runs_only_diverged_were_not_measured(make_fit):
    fit = make_fit("bitlaw-default", samples=8)
    status = np.where(fit.rows["bits_weights"] == 3, "diverged", "ok")
    point = points_frame(n_params=1e5, tokens=3e6, bits_weights=3.0)
    assert extrapolation_findings(fit, point)[0].code == "extrapolation.inside"
    (finding,) = extrapolation_findings(replace(fit, rows=fit.rows.assign(status=status)), point)
    assert (finding.code, finding.value) == ("extrapolation.bits_weights", 1.0)
