"""Groups of pooled fits and post-training methods: seen, never measured, and unknown."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.criticism.risk import Grade
from bitlaw.decisions.groups import fitted_method, group_columns, level_of_method, place_in_group
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.errors import InputError
from bitlaw.inference.draws import points_frame
from bitlaw.inference.parameters import shift_name, spread_name
from fits import collapsed_fit, kumar_constants

SPREAD_OF_E = 0.1
POINT = {"run_id": "x", "n_params": 1e8, "tokens": 1e10}


def with_spreads(fit, column, levels, **spreads):
    """The fit with known spreads between the levels of a column, 0 where none is given."""
    shape, posterior = (2, fit.samples() // 2), fit.posterior.assign_coords({column: levels})
    for prior in fit.law.priors:
        if shift_name(prior.name, column) not in posterior:
            no_shift = np.zeros((*shape, len(levels)))
            posterior[shift_name(prior.name, column)] = (("chain", "draw", column), no_shift)
        spread = np.full(shape, spreads.get(prior.name, 0.0))
        posterior[spread_name(prior.name, column)] = (("chain", "draw"), spread)
    return replace(fit, posterior=posterior)


@pytest.fixture(scope="module")
def fit():
    groups = {"web": {"E": 2.5}, "code": {"E": 2.9}}
    plain = collapsed_fit("kumar2024", kumar_constants(), samples=4000, pool="corpus", groups=groups)
    return with_spreads(plain, "corpus", ["web", "code"], E=SPREAD_OF_E)


@pytest.fixture(scope="module")
def two_columns(fit):
    rows = fit.rows.assign(family=np.where(fit.rows["n_params"] > 1e8, "llama", "olmo"), vocab_size=32000.0)
    rows.loc[rows["corpus"] == "code", "vocab_size"] = 50000.0
    posterior = fit.posterior.assign_coords(family=["llama", "olmo"])
    shifts = np.broadcast_to([0.2, -0.2], (2, fit.samples() // 2, 2))
    posterior[shift_name("E", "family")] = (("chain", "draw", "family"), shifts)
    pooled = replace(fit, rows=rows, posterior=posterior, pool=("corpus", "family"))
    return with_spreads(pooled, "family", ["llama", "olmo"])


def law_mean(fit, **group):
    return predict(fit, points_frame(**POINT, **group)).points[0].law_mean


def test_a_new_group_has_the_spread_between_groups(fit):
    seen, new = law_mean(fit, corpus="web"), law_mean(fit, corpus="new")
    reducible = seen.median - 2.5
    assert seen.lo == pytest.approx(seen.hi)
    floor = kumar_constants()["E"]
    assert new.median - reducible == pytest.approx(floor, rel=0.01)
    assert new.lo - reducible == pytest.approx(floor * math.exp(-1.645 * SPREAD_OF_E), rel=0.01)
    assert new.hi - reducible == pytest.approx(floor * math.exp(1.645 * SPREAD_OF_E), rel=0.01)
    assert new == law_mean(fit, corpus="new")


def test_a_group_by_its_name_is_the_group_in_the_column(fit):
    points = points_frame(**POINT)
    for name in ("web", "new"):
        assert predict(fit, points, group=name).points[0].law_mean == law_mean(fit, corpus=name)
    assert place_in_group(fit, points.assign(corpus="web"), None)["corpus"].tolist() == ["web"]


def test_a_group_is_needed_and_known(fit):
    with pytest.raises(InputError, match='pooled over corpus.*valid: code, web, or "new"'):
        predict(fit, points_frame(**POINT))
    with pytest.raises(InputError, match='corpus "wed" is not a fitted group; did you mean "web".*or "new"'):
        group_columns(fit, "wed")
    with pytest.raises(InputError, match='did you mean "web".*or "new"'):
        predict(fit, points_frame(**POINT, corpus="wed"))
    with pytest.raises(InputError, match="not pooled"):
        group_columns(collapsed_fit("kumar2024", kumar_constants(), samples=2), "web")


def test_two_columns_take_one_group_of_each(two_columns):
    assert group_columns(two_columns, "web, llama") == {
        "corpus": "web",
        "family": "llama",
        "vocab_size": 32000.0,
    }
    by_name = [
        predict(two_columns, points_frame(**POINT), group=group).points[0].mean
        for group in ("web,llama", "web,olmo", "code,llama")
    ]
    base = 2.5 * math.exp(0.2)
    expected = [base, 2.5 * math.exp(-0.2), 2.9 * math.exp(0.2)]
    np.testing.assert_allclose(np.subtract(by_name, by_name[0]), np.subtract(expected, base), atol=1e-6)
    for group in (None, "web", "web,llama,x"):
        with pytest.raises(InputError, match="a group of each is needed, as in code,llama"):
            ptq(two_columns, 1e8, 1e10, group=group)
    with pytest.raises(InputError, match='family "lama".*did you mean "llama"'):
        group_columns(two_columns, "web,lama")


def test_two_columns_new_in_one_or_both(two_columns):
    points = points_frame(**POINT)
    seen, new_corpus, all_new = (
        predict(two_columns, points, group=group).points[0].law_mean
        for group in ("web,llama", "new,llama", "new,new")
    )
    assert new_corpus.hi - new_corpus.lo > 0.5 > seen.hi - seen.lo
    reducible = seen.median - 2.5 * math.exp(0.2)
    assert new_corpus.median - reducible == pytest.approx(kumar_constants()["E"] * math.exp(0.2), rel=0.01)
    assert all_new.median < new_corpus.median
    assert "vocab_size" not in group_columns(two_columns, "new,llama")
    assert group_columns(two_columns, "code,new")["vocab_size"] == 50000.0


def test_points_keep_the_vocabulary_they_state(two_columns):
    points = points_frame(n_params=1e8, tokens=[1e10, 2e10], vocab_size=[256.0, np.nan])
    placed = place_in_group(two_columns, points, "code,llama")
    assert placed["vocab_size"].tolist() == [256.0, 50000.0]


def test_methods_seen_new_and_unknown():
    plain = collapsed_fit("kumar2024", kumar_constants(), samples=2000)
    fit = with_spreads(plain, "method_post", ["gptq"], C=0.5)
    assert fitted_method(fit, None) == fitted_method(fit, "gptq") == "gptq"
    for slip in ("GPTQ", "gtpq", "gptq-4"):
        with pytest.raises(InputError, match=f'"{slip}" was not seen by the fit; valid: "gptq", or "new"'):
            fitted_method(fit, slip)
    assert fitted_method(fit, "awq") == "awq"
    assert (level_of_method(fit, "awq"), level_of_method(fit, "gptq")) == ("new", "gptq")
    seen, new, again = (ptq(fit, 1e9, 2e10, method_post=name) for name in ("gptq", "new", "new"))
    assert new.to_dict() == again.to_dict()
    assert seen.option(4).within_measured
    assert not new.option(4).within_measured
    mean = new.option(4).degradation_mean
    typical = seen.option(4).degradation_mean.median
    assert mean.median == pytest.approx(typical, rel=0.05)
    assert mean.hi == pytest.approx(typical * math.exp(1.645 * 0.5), rel=0.07)
    assert mean.lo == pytest.approx(typical * math.exp(-1.645 * 0.5), rel=0.07)


def test_an_unseen_method_has_the_spread_of_methods_and_high_risk():
    plain = collapsed_fit("kumar2024", kumar_constants(), samples=2000)
    fit = with_spreads(plain, "method_post", ["gptq"], C=0.5)
    named, new = (ptq(fit, 1e8, 1e10, method_post=name) for name in ("awq", "new"))
    assert named.method_post == "awq"
    assert "quantized after training by awq " in named.sentence()
    assert [option.degradation for option in named.options] == [option.degradation for option in new.options]
    for decision in (named, new):
        assert decision.risk.grade is Grade.HIGH
        assert 'Post-training method "new" was never measured' in decision.risk.sentence()
    seen = ptq(fit, 1e8, 1e10, method_post="gptq")
    assert seen.risk.grade.rank < Grade.HIGH.rank
    assert named.option(4).probability_safe < 1.0


def test_a_new_method_among_several():
    rows = collapsed_fit("kumar2024", kumar_constants(), samples=2).rows
    rows.loc[rows["bits_post"] == 3, "method_post"] = "rtn"
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=400, rows=rows)
    with pytest.raises(InputError, match='several; valid: "gptq", "rtn", or "new"'):
        ptq(fit, 1e9, 2e10)
    seen, new = (ptq(fit, 1e9, 2e10, method_post=name).option(4).degradation_mean for name in ("gptq", "new"))
    assert new.hi - new.lo > 2 * (seen.hi - seen.lo)
