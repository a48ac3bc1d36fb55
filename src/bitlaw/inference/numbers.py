"""The numbers of a compiled model that may be replaced without compiling it again, in one vector.

One, because every array that nutpie hands to compiled code takes another half a second to compile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from bitlaw.inference.effects import unknown_estimates
from bitlaw.inference.groups import estimates_of_levels
from bitlaw.inference.rows import Rows
from bitlaw.laws.law import Law, Reference

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


def model_numbers(law: Law, rows: Rows, reference: Reference, uninformed: Sequence[str] = ()) -> Numbers:
    """What may be replaced in a compiled model, as it is to begin with.

    ``weight`` has one number per row that multiplies its log likelihood: with 0 a row is left out. See
    ``observations``, ``scales`` and ``effects`` for the rest. Parameters are those of ``build_model``.
    """
    numbers = {"weight": np.ones(len(rows.frame)), **observations(law, rows), **scales(reference)}
    numbers |= estimates_of_levels(law, rows, uninformed)
    if has_degradation(law, rows):
        numbers |= unknown_estimates("run_effect", len(rows.run_ids))
    return Numbers({name: np.asarray(value, np.float64) for name, value in numbers.items()})


def observations(law: Law, rows: Rows) -> dict[str, np.ndarray]:
    """The measured losses of a table by the names of the model's numbers that hold them."""
    found = {} if law.base.is_observed else {"log_loss": np.log(rows.trained.loss)}
    if law.post is not None and len(rows.paired):
        found |= {"loss_trained": rows.paired.loss_trained, "gap": rows.paired.gap}
    if law.post is not None and len(rows.unpaired):
        found |= {"log_loss_unpaired": np.log(rows.unpaired.loss)}
    return found


def scales(reference: Reference) -> dict[str, float]:
    """The scales of a fit by the names of the model's numbers that hold them.

    Examples
    --------
    >>> scales(Reference(1e8, 1e10, {"bits_weights": 3.0}))
    {'scale_n_params': 100000000.0, 'scale_tokens': 10000000000.0, 'smallest_bits_weights': 3.0}
    """
    smallest = {f"smallest_{column}": bits for column, bits in reference.smallest_bits.items()}
    return {"scale_n_params": reference.n_params, "scale_tokens": reference.tokens, **smallest}


def has_degradation(law: Law, rows: Rows) -> bool:
    """Whether a law has a term for post-training quantization and a table has rows to fit it to."""
    return law.post is not None and len(rows.paired) + len(rows.unpaired) > 0
