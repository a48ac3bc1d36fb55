"""Tensor kinds that are always quantized together: tied, and said so."""

import numpy as np
import pytest

from bitlaw.inference.draws import points_frame
from bitlaw.inference.prior import prior_draws
from bitlaw.inference.rows import reference_scales
from bitlaw.inference.ties import tied_kinds
from bitlaw.laws.registry import load_law
from bitlaw.laws.spec import with_ties


def runs(weights: list[float], activations: list[float], kv: list[float] | float = 16.0):
    return points_frame(
        n_params=1e8, tokens=1e9, bits_weights=weights, bits_activations=activations, bits_kv=kv
    )


def test_weights_and_activations_with_the_same_bits_everywhere_are_tied():
    ties = tied_kinds(load_law("bitlaw-default"), runs([16, 4, 2], [16, 4, 2]))
    assert ties == {"k_a": "k_w", "c_a": "c_w"}


def test_all_three_kinds_follow_the_weights():
    ties = tied_kinds(load_law("kumar2024"), runs([16, 4], [16, 4], [16, 4]))
    assert ties == {"gamma_a": "gamma_w", "P0_a": "P0_w", "gamma_kv": "gamma_w", "P0_kv": "P0_w"}


@pytest.mark.parametrize(
    "frame", [runs([16, 4, 4], [16, 4, 16]), runs([16, 4], [16, 16]), runs([16, 32], [32, 16])]
)
def test_kinds_that_differ_in_some_row_or_are_never_quantized_stay_apart(frame):
    assert tied_kinds(load_law("kumar2024"), frame) == {}


def test_laws_without_constants_of_their_own_for_the_kinds_have_nothing_to_tie():
    assert tied_kinds(load_law("frantar2025"), runs([16, 4], [16, 4])) == {}


def test_a_tied_constant_equals_its_source_in_every_draw():
    frame = runs([16, 4], [16, 4])
    law = with_ties(load_law("kumar2024"), tied_kinds(load_law("kumar2024"), frame))
    draws = prior_draws(law, reference_scales(frame), 20, seed=0)
    np.testing.assert_array_equal(draws["gamma_a"], draws["gamma_w"])
    np.testing.assert_array_equal(draws["P0_a"], draws["P0_w"])
    assert not {"gamma_a", "P0_a"} & {prior.name for prior in law.priors}
