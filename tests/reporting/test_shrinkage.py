"""Groups of a pooled fit beside their common values."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.inference.fit import Fit
from bitlaw.reporting import captions
from bitlaw.reporting.figures import shrinkage
from bitlaw.reporting.shrinkage import (
    APART,
    MOST_CONSTANTS,
    MOST_GROUPS,
    group_factors,
    most_group_dependent,
    shrinkage_table,
)
from bitlaw.reporting.style import Style
from fits import collapsed_fit

COARSE = Style(dpi=30)
CHINCHILLA = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}
GROUPS = {"books": {"E": 1.5, "alpha": 0.3}, "code": {"E": 1.2, "alpha": 0.35}, "web": {}}


@pytest.fixture(scope="module")
def pooled() -> Fit:
    return collapsed_fit("chinchilla", CHINCHILLA, jitter=0.05, pool="corpus", groups=GROUPS)


def test_groups_common_value_and_spread(pooled: Fit) -> None:
    table = shrinkage_table(pooled).set_index(["name", "group"])
    assert set(table.index.get_level_values("name")) == {"E", "alpha"}
    for group, constants in GROUPS.items():
        for name in ("E", "alpha"):
            row = table.loc[(name, group)]
            assert row["median"] == pytest.approx(constants.get(name, CHINCHILLA[name]), rel=0.05)
            assert row["lo"] < row["median"] < row["hi"]
            assert row["common"] == pytest.approx(CHINCHILLA[name], rel=0.05)
            assert row["new_lo"] < row["common"] < row["new_hi"]
            assert row["rows"] == 9
    expected = np.std(np.log([1.5, 1.2, 1.8]), ddof=1)
    assert table.loc[("E", "web"), "spread"] == pytest.approx(expected)


def test_constants_that_follow_from_sampled_ones_are_there() -> None:
    groups = {"a": {"slope_n": 0.05}, "b": {"mean_loss": 3.0}}
    fit = collapsed_fit("coupled", COUPLED, jitter=0.02, pool="family", groups=groups)
    table = shrinkage_table(fit)
    assert set(table["name"]) == {"E", "a", "b", "alpha", "mean_loss", "slope_n"}
    alpha = table[table["name"] == "alpha"].set_index("group")["median"]
    assert alpha["a"] / alpha["b"] == pytest.approx(0.05 / 0.06)


def test_nothing_without_groups() -> None:
    fit = collapsed_fit("chinchilla", CHINCHILLA)
    assert group_factors(fit) == ()
    assert shrinkage_table(fit).empty


def test_two_columns_are_looked_at_one_at_a_time(pooled: Fit) -> None:
    rows = pooled.rows.assign(family=["x", "y", "z"] * 9)
    posterior = pooled.posterior.assign_coords(family=["x", "y", "z"])
    shift = posterior["E_by_corpus"].rename(corpus="family").assign_coords(family=["x", "y", "z"])
    both = replace(
        pooled, rows=rows, pool=("corpus", "family"), posterior=posterior.assign(E_by_family=2.0 * shift)
    )
    table = shrinkage_table(both).set_index(["column", "name", "group"])
    assert table.loc[("corpus", "E", "web"), "median"] == pytest.approx(1.8, rel=0.05)
    assert table.loc[("family", "E", "y"), "median"] == pytest.approx(1.8 * (1.2 / 1.8) ** 2, rel=0.05)


def test_methods_with_constants_of_their_own(law_fit: Callable[[str], Fit]) -> None:
    fit = law_fit("ouyang2024")
    methods = ["gptq", "rtn"]
    after = fit.rows["bits_post"].notna()
    rows = fit.rows.assign(method_post=np.where(after, np.resize(methods, len(after)), ""))
    shift = fit.posterior["gamma_P"].expand_dims({"method_post": methods}, axis=-1) * 0.0 + [0.2, -0.2]
    fit = replace(fit, rows=rows, posterior=fit.posterior.assign(gamma_P_by_method_post=shift))
    assert group_factors(fit) == ("method_post",)
    table = shrinkage_table(fit).set_index(["name", "group"])
    ratio = table.loc[("gamma_P", "gptq"), "median"] / table.loc[("gamma_P", "rtn"), "median"]
    assert ratio == pytest.approx(np.exp(0.4))


def test_figure_holds_few_panels_and_groups() -> None:
    groups = {f"g{index:02d}": {"mean_loss": 2.0 + index / 50, "slope_n": 0.05} for index in range(30)}
    fit = collapsed_fit("coupled", COUPLED, jitter=0.02, pool="corpus", groups=groups)
    shown = most_group_dependent(shrinkage_table(fit), "corpus")
    assert shown["group"].nunique() == MOST_GROUPS
    assert shown["name"].nunique() <= MOST_CONSTANTS
    drawn = shrinkage.figure(shown, COARSE)
    assert len(drawn.axes) == shown["name"].nunique()
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert labels[0] == "common value"
    assert len(labels) == MOST_GROUPS + 1


def test_caption_says_what_differs(pooled: Fit) -> None:
    table = shrinkage_table(pooled)
    text = captions.shrinkage(table, "corpus")
    assert text.startswith("The data tell the 3 corpora apart in ")
    assert "E (spread " in text
    assert "90 % ETI" in text
    alike = captions.shrinkage(table.assign(separation=APART / 2), "corpus")
    assert alike.startswith("The data do not tell the 3 corpora apart")
