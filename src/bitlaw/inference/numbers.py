"""The numbers of a compiled model that may be replaced without compiling it again, in one vector.

One, because every array that nutpie hands to compiled code takes another half a second to compile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

VECTOR = "numbers"
"""Name of the model's data that holds them all."""


@dataclass(frozen=True)
class Numbers:
    """Numbers by name, scalars or vectors.

    Parameters
    ----------
    values
        What each is. Their order and their shapes stay, for the model is compiled for them.
    """

    values: Mapping[str, np.ndarray]

    @property
    def vector(self) -> np.ndarray:
        """All of them, one after the other."""
        return np.concatenate([np.ravel(value) for value in self.values.values()])

    def replaced(self, **values: Any) -> "Numbers":
        """The same but for some.

        Raises
        ------
        KeyError
            If there is no number of that name.
        ValueError
            If its shape is another.

        Examples
        --------
        >>> Numbers({"weight": np.ones(2), "scale": np.array(3.0)}).replaced(scale=4.0).vector
        array([1., 1., 4.])
        """
        new = {name: np.asarray(value, np.float64) for name, value in values.items()}
        for name, value in new.items():
            if value.shape != self.values[name].shape:
                raise ValueError(f"{name} has shape {self.values[name].shape} and cannot take {value.shape}")
        return Numbers({**self.values, **new})

    def in_model(self) -> dict[str, Any]:
        """The same as tensors of the open model, parts of one vector."""
        vector = pm.Data(VECTOR, self.vector, shape=self.vector.shape)
        found, at = {}, 0
        for name, value in self.values.items():
            found[name] = vector[at : at + value.size] if value.ndim else vector[at]
            at += value.size
        return found
