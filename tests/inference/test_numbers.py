"""The vector of a model's replaceable numbers: each in its place, none of another shape."""

import numpy as np
import pymc as pm
import pytest

from bitlaw.inference.numbers import VECTOR, Numbers

NUMBERS = Numbers({"weight": np.arange(3.0), "scale": np.array(7.0), "estimate": np.array([5.0])})


def test_every_number_is_found_in_the_vector() -> None:
    with pm.Model() as model:
        tensors = NUMBERS.in_model()
    for name, value in NUMBERS.values.items():
        assert tensors[name].type.shape == value.shape
        np.testing.assert_array_equal(tensors[name].eval(), value)
    changed = NUMBERS.replaced(estimate=[9.0], scale=1.0)
    with model:
        pm.set_data({VECTOR: changed.vector})
    for name, value in changed.values.items():
        np.testing.assert_array_equal(tensors[name].eval(), value)


def test_replacing_leaves_the_rest_and_the_original() -> None:
    changed = NUMBERS.replaced(weight=np.zeros(3))
    np.testing.assert_array_equal(changed.vector, [0.0, 0.0, 0.0, 7.0, 5.0])
    np.testing.assert_array_equal(NUMBERS.vector, [0.0, 1.0, 2.0, 7.0, 5.0])


def test_another_shape_or_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weight has shape \(3,\) and cannot take \(2,\)"):
        NUMBERS.replaced(weight=np.ones(2))
    with pytest.raises(KeyError, match="losses"):
        NUMBERS.replaced(losses=1.0)
