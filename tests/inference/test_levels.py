"""Levels that constants differ between: which there are, and what varies over them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.inference.draws import points_frame
from bitlaw.inference.levels import factor, level_names, spread_scale, varying
from bitlaw.inference.prior import deviate, natural
from bitlaw.inference.rows import arrange
from bitlaw.laws.law import Law, Prior
from bitlaw.laws.registry import load_law
from designs import law_design


def with_free(law: Law, name: str) -> Law:
    """The law with one quantity that has its prior to itself in every group."""
    priors = tuple(
        replace(prior, groups="free", group_sd=None) if prior.name == name else prior for prior in law.priors
    )
    return replace(law, priors=priors)


def grouped(law: Law, **options: object) -> pd.DataFrame:
    """A design in two corpora."""
    frame = law_design(law, **options).assign(loss=2.5)  # type: ignore[arg-type]
    return frame.assign(corpus=np.where(pd.factorize(frame["run_id"])[0] % 2, "web", "code"))


def test_levels_are_alphabetical_and_rows_without_one_have_code_minus_one() -> None:
    points = points_frame(
        n_params=1e8, tokens=1e9, bits_post=[np.nan, 4.0, 3.0], method_post=["gptq", "rtn", "gptq"],
        format=["mxfp4", "", "fp8"], format_backward=["", "mxfp8", ""], corpus=["web", "code", "web"],
    )  # fmt: skip
    found = factor(points, "corpus")
    assert (found.names, found.code.tolist()) == (("code", "web"), [1, 0, 1])
    # A method says nothing about a row that was not quantized after training.
    assert level_names(points, "method_post").tolist() == ["", "rtn", "gptq"]
    assert factor(points, "method_post").code.tolist() == [-1, 1, 0]
    assert factor(points, "scheme").names == ("fp8", "mxfp4")
    assert factor(points, "scheme_backward").code.tolist() == [-1, 0, -1]


def test_formats_and_methods_vary_whatever_is_pooled_over() -> None:
    quartet, gap = load_law("quartet2025"), load_law("ptq-gap")
    rows = arrange(quartet, grouped(quartet))
    assert varying(quartet, rows.pool, rows.factors) == {"eff_N": ("scheme",), "eff_D": ("scheme_backward",)}
    rows = arrange(gap, grouped(gap))
    assert varying(gap, rows.pool, rows.factors) == {"C": ("method_post",), "gamma_post": ("method_post",)}
    rows = arrange(gap, grouped(gap), ("corpus",))
    assert varying(gap, rows.pool, rows.factors)["C"] == ("corpus", "method_post")


def test_one_level_is_no_level() -> None:
    gap = load_law("ptq-gap")
    rows = arrange(gap, grouped(gap, methods=("rtn",)).assign(family="only"), ("family",))
    assert rows.pool == ()
    assert varying(gap, rows.pool, rows.factors) == {}


def test_free_quantities_are_free_over_the_first_column_alone() -> None:
    law = with_free(load_law("chinchilla"), "alpha")
    found = varying(law, ("corpus", "family"), {"corpus": None, "family": None})
    assert found["alpha"] == ("corpus",)
    assert found["beta"] == ("corpus", "family")
    assert "nu" not in found
    assert spread_scale(law, "alpha", "corpus") is None


def test_the_spread_over_a_column_of_its_own_is_by_sd() -> None:
    law = load_law("ptq-gap")
    prior = law.prior("gamma_post")
    assert spread_scale(law, "gamma_post", "method_post") == prior.by_sd
    assert spread_scale(law, "gamma_post", "corpus") == prior.group_sd


def test_pooling_over_a_parameters_own_column_counts_it_once() -> None:
    law = load_law("ptq-gap")
    found = varying(law, ("method_post",), {"method_post": None})
    assert found["C"] == ("method_post",)
    assert spread_scale(law, "C", "method_post") == law.prior("C").by_sd


@pytest.mark.parametrize("distribution", ["LogNormal", "Normal", "Beta"])
def test_a_shift_on_the_natural_scale_is_what_it_says(distribution: str) -> None:
    prior = Prior("x", distribution, (0.4, 0.7), "r", "s")
    value = np.array([0.2, 0.5, 0.9])
    moved = deviate(prior, value, 0.3, np)
    np.testing.assert_allclose(natural(prior, moved, np), natural(prior, value, np) + 0.3)
