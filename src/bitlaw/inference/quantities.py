"""Every quantity of a model from what its sampler draws: by NumPy, for all draws at once, without compiling."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pytensor.compile.mode import Mode
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.traversal import graph_inputs

_BY_NUMPY = Mode(linker="py", optimizer=None)


@dataclass(frozen=True)
class Quantities:
    """A function of unconstrained draws and the model's data.

    Parameters
    ----------
    names
        The quantities.
    dims
        As in the model, of those that have dimensions.
    sampled, data
        Names of the unconstrained variables and of the data that it reads.
    function
        From those, in that order, with draws along the first axis of each variable, to the quantities.
    """

    names: tuple[str, ...]
    dims: Mapping[str, tuple[str, ...]]
    sampled: tuple[str, ...]
    data: tuple[str, ...]
    function: Callable[..., list[np.ndarray]]

    def at(self, drawn: xr.Dataset, data: Mapping[str, np.ndarray]) -> xr.Dataset:
        """The quantities at draws.

        Parameters
        ----------
        drawn
            Unconstrained variables with dimensions ``chain`` and ``draw``.
        data
            Values of the model's data by name.
        """
        by_draw = (drawn.sizes["chain"], drawn.sizes["draw"])
        values = [drawn[name].to_numpy() for name in self.sampled]
        merged = [value.reshape(-1, *value.shape[2:]) for value in values]
        computed = self.function(*merged, *(data[name] for name in self.data))
        found: dict[str, Any] = {}
        for name, value in zip(self.names, computed, strict=True):
            dims = self.dims.get(name, ())
            shape = value.shape[value.ndim - len(dims) :]
            every = np.broadcast_to(value, (by_draw[0] * by_draw[1], *shape))  # some are alike in all draws
            found[name] = (("chain", "draw", *dims), every.reshape(*by_draw, *shape))
        return xr.Dataset(found, coords={"chain": drawn["chain"], "draw": drawn["draw"]})


def quantities_of(model: pm.Model, left_out: Collection[str] = ()) -> Quantities:
    """Constrained variables and deterministic quantities of a model.

    Parameters
    ----------
    model
        The model.
    left_out
        Names of quantities that are not wanted.
    """
    values = [model.rvs_to_values[variable] for variable in model.free_RVs]
    wanted = [
        variable
        for variable in model.unobserved_value_vars
        if variable not in values and variable.name not in left_out
    ]
    shared = [
        variable for variable in graph_inputs(wanted) if isinstance(variable, pytensor.compile.SharedVariable)
    ]
    data = [variable.type(name=variable.name) for variable in shared]
    many = [pt.tensor(value.name, dtype=value.dtype, shape=(None, *value.type.shape)) for value in values]
    graph = clone_replace(wanted, dict(zip(shared, data, strict=True)))
    batched = vectorize_graph(graph, dict(zip(values, many, strict=True)))
    return Quantities(
        names=tuple(variable.name for variable in wanted),
        dims={name: tuple(dims) for name, dims in model.named_vars_to_dims.items()},
        sampled=tuple(value.name for value in values),
        data=tuple(variable.name for variable in shared),
        function=pytensor.function([*many, *data], batched, mode=_BY_NUMPY, on_unused_input="ignore"),
    )
