"""Run columns as the arrays that terms read."""

import numpy as np
import pytest

from bitlaw.inference.columns import backward_schemes, law_columns, schemes
from bitlaw.inference.draws import points_frame
from bitlaw.laws.library import TRAINING_TERMS

LABELS = {"scheme", "scheme_backward"}


def point(**columns: object) -> dict[str, np.ndarray]:
    """Law columns of one run."""
    return law_columns(points_frame(n_params=1e8, tokens=1e9, **columns))


def test_every_column_a_term_reads_is_made() -> None:
    read = {column for term in TRAINING_TERMS.values() for column in term.columns}
    assert read - LABELS <= set(point())


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({}, ""),
        ({"format": "bf16"}, ""),
        ({"bits_weights": 4.0}, "int w4"),
        ({"bits_weights": 4.0, "bits_activations": 4.0, "format": "INT4"}, "int w4a4"),
        ({"bits_kv": 3.5}, "int kv3.5"),
        ({"format": "mxfp4"}, "mxfp4"),
        ({"format": "fp4", "bits_weights": 4.0, "bits_activations": 8.0}, "fp4 w4a8"),
        ({"format": "int8"}, ""),
        ({"format": "bf16", "bits_weights": 32.0}, ""),
        ({"bits_gradients": 8.0}, ""),
    ],
)
def test_a_forward_scheme_is_the_format_with_the_bits_below_16(columns: dict, name: str) -> None:
    frame = points_frame(n_params=1e8, tokens=1e9, **columns)
    assert schemes(frame).tolist() == [name]
    assert point(**columns)["is_quantized"].tolist() == [name != ""]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({}, ""), ({"bits_gradients": 8.0}, "g8"), ({"format_backward": "mxfp4"}, "mxfp4"),
        ({"format_backward": "bf16"}, ""), ({"format_backward": "bf16", "bits_gradients": 6.0}, "g6"),
        ({"bits_weights": 4.0}, ""),
    ],
)  # fmt: skip
def test_a_backward_scheme_is_the_format_or_the_bits_of_the_gradients(columns: dict, name: str) -> None:
    frame = points_frame(n_params=1e8, tokens=1e9, **columns)
    assert backward_schemes(frame).tolist() == [name]
    assert point(**columns)["is_quantized_backward"].tolist() == [name != ""]


@pytest.mark.parametrize(
    ("columns", "floating", "exponent", "mantissa", "block"),
    [
        ({"format": "nvfp4"}, True, 2, 1, 16), ({"format": "mxfp8"}, True, 4, 3, 32),
        ({"format": "mxfp4", "group_size": 64.0}, True, 2, 1, 64),
        ({"format": "e5m2", "group_size": 128.0}, True, 5, 2, 128),
        ({"format": "int4", "group_size": 128.0}, False, 2, 1, 128), ({"format": "fp16"}, False, 2, 1, 128),
        ({}, False, 2, 1, 128),
    ],
)  # fmt: skip
def test_floating_formats_have_their_bits_and_their_own_block_unless_given(
    columns: dict, floating: bool, exponent: int, mantissa: int, block: int
) -> None:
    found = point(**columns)
    made = [found[name][0] for name in ("is_floating", "exponent_bits", "mantissa_bits", "block_size")]
    assert made == [floating, exponent, mantissa, block]


def test_the_ceiling_is_the_loss_of_guessing_or_unknown() -> None:
    assert point(vocab_size=256.0)["ceiling"] == pytest.approx(np.log(256))
    assert np.isinf(point()["ceiling"]).all()


@pytest.mark.parametrize(
    ("method", "symmetric"), [("rtn", True), ("RTN", True), ("gptq", False), ("", False)]
)
def test_round_to_nearest_has_a_symmetric_grid(method: str, symmetric: bool) -> None:
    assert point(method_post=method)["post_symmetric"].tolist() == [symmetric]
