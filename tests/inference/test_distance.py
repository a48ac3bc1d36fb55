"""How far points lie beyond the data, kind by kind."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bitlaw.inference.distance import (
    beyond_post,
    beyond_sizes,
    beyond_training,
    bits_values,
    post_bits_excess,
    training_bits,
)
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from fits import collapsed_fit, kumar_constants


@pytest.fixture(scope="module")
def fit() -> Fit:
    """Sizes 2.5e7 … 4e8, tokens 2.5e9 … 4e10, 16 to 4 bits in training, 6 to 3 after it."""
    return collapsed_fit("kumar2024", kumar_constants(), samples=4)


def points(**columns: object) -> pd.DataFrame:
    return points_frame(**({"n_params": 1e8, "tokens": 1e10} | columns))


def training(fit: Fit, asked: pd.DataFrame) -> np.ndarray:
    return beyond_training(fit, asked, asked["n_params"].to_numpy(), asked["tokens"].to_numpy())


def post(fit: Fit, asked: pd.DataFrame) -> np.ndarray:
    return beyond_post(fit, asked, asked["n_params"].to_numpy(), asked["tokens"].to_numpy())


def test_sizes_of_any_shape_and_number() -> None:
    square = np.array([[8.0, 10.0], [9.0, 10.0], [9.0, 11.0], [8.0, 11.0]])
    n_params = np.logspace(7, 10, 9000)[:, None]
    of_n, of_d = beyond_sizes(square, n_params, np.array([[3e10, 1e12]]))
    assert of_n.shape == of_d.shape == (9000, 2)
    log_n = np.log10(n_params[:, 0])
    np.testing.assert_allclose(of_n[:, 0], np.minimum(log_n - 8, 0) + np.maximum(log_n - 9, 0), atol=1e-9)
    np.testing.assert_array_equal(of_d[:, 0], 0.0)
    np.testing.assert_allclose(of_d[:, 1], 1.0)


def test_the_penalty_of_training_adds_size_and_bits_of_every_kind(fit: Fit) -> None:
    asked = points(tokens=[1e10, 1e10, 4e13], bits_weights=[8.0, 3.0, 2.0], bits_kv=[16.0, 3.5, 16.0])
    np.testing.assert_allclose(training(fit, asked), [0.0, 1.5, 3.0 + 2.0])


def test_size_is_that_of_the_rows_that_show_the_penalty(fit: Fit) -> None:
    low = fit.rows["bits_weights"] < 16.0
    small = replace(fit, rows=fit.rows[~low | (fit.rows["n_params"] < 5e7)])
    asked = points(n_params=[2.5e7, 2.5e8, 2.5e9], tokens=[1e10, 1e10, 1e11], bits_weights=4.0)
    assert small.rows["n_params"].max() == 4e8
    np.testing.assert_allclose(training(small, asked), [0.0, 1.0, np.hypot(2.0, np.log10(1e11 / 4e10))])


def test_one_row_that_shows_the_penalty_is_enough(fit: Fit) -> None:
    first = fit.rows.index[fit.rows["bits_post"] == 4.0][0]
    one = replace(fit, rows=fit.rows[fit.rows["bits_post"].isna() | (fit.rows.index == first)])
    own = fit.rows.loc[[first], ["n_params", "tokens"]].iloc[0]
    asked = points(
        n_params=own["n_params"] * np.array([1.0, 10.0]), tokens=own["tokens"], bits_post=4.0,
        method_post=fit.rows.loc[first, "method_post"],
    )  # fmt: skip
    np.testing.assert_allclose(post(one, asked), [0.0, 1.0], atol=1e-9)


def test_a_kind_never_quantized_is_the_priors(fit: Fit) -> None:
    weights_only = replace(fit, rows=fit.rows.assign(bits_activations=16.0, bits_kv=16.0))
    assert training(weights_only, points(bits_kv=4.0))[0] == 0.0
    assert training(weights_only, points(bits_weights=3.0))[0] == 1.0
    never = replace(fit, rows=fit.rows[fit.rows["bits_weights"] == 16.0])
    np.testing.assert_array_equal(training(never, points(bits_weights=2.0, tokens=[1e10, 1e15])), 0.0)


def test_a_law_without_training_terms_has_no_penalty() -> None:
    constants = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
    plain = collapsed_fit("chinchilla", constants, samples=4)
    assert training(plain, points(tokens=1e15))[0] == post(plain, points(tokens=1e15))[0] == 0.0


def test_bits_between_fitted_ones_and_16_are_inside_but_not_above_the_fitted(fit: Fit) -> None:
    assert training(fit, points(bits_weights=12.0))[0] == 0.0
    low_only = replace(fit, rows=fit.rows[fit.rows["bits_weights"] <= 8.0])
    assert training(low_only, points(bits_weights=12.0, bits_activations=8.0, bits_kv=8.0))[0] == 4.0


def test_after_training_counts_rows_quantized_after_it(fit: Fit) -> None:
    low = fit.rows["bits_post"].notna() & (fit.rows["tokens"] / fit.rows["n_params"] > 100.0)
    fewer = replace(fit, rows=fit.rows[~low])
    asked = points(tokens=1e11, bits_post=[np.nan, 4.0, 2.0, 8.0])
    np.testing.assert_allclose(post(fewer, asked), [0.0, *(np.sqrt(0.5) + np.arange(3))])
    never = replace(fit, rows=fit.rows[fit.rows["bits_post"].isna()])
    np.testing.assert_array_equal(post(never, asked), 0.0)


def test_bits_after_training_are_those_of_the_method(fit: Fit) -> None:
    awq = fit.rows[fit.rows["bits_post"] == 6.0].assign(method_post="awq")
    rows = pd.concat([fit.rows, awq], ignore_index=True)
    asked = points(bits_post=2.0, method_post=["gptq", "awq", "new"])
    np.testing.assert_array_equal(post_bits_excess(replace(fit, rows=rows), asked), [1.0, 4.0, 1.0])


def test_what_diverged_was_not_measured(fit: Fit) -> None:
    status = np.where(fit.rows["bits_weights"] == 4.0, "diverged", "ok")
    diverged = replace(fit, rows=fit.rows.assign(status=status))
    assert training_bits(diverged)["bits_weights"].lo == 6.0


def test_parts_of_formats_are_known_of_floating_point_only() -> None:
    frame = points(format=["", "fp8_e4m3", "mxfp4"])
    assert np.isnan(bits_values(frame, "mantissa_bits")[0])
    np.testing.assert_array_equal(bits_values(frame, "mantissa_bits")[2], 1.0)
