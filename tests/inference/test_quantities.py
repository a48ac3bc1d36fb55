"""What follows from unconstrained draws, against the model itself, draw by draw."""

import numpy as np
import pymc as pm
import pytensor
import pytest
import xarray as xr

from bitlaw.inference.model import build_model
from bitlaw.inference.numbers import VECTOR, Numbers, model_numbers
from bitlaw.inference.quantities import quantities_of
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.registry import law_names, load_law
from designs import law_design, simulated

CHAINS, DRAWS = 2, 3


def model_of(name: str, pool: tuple[str, ...] = ()) -> tuple[pm.Model, Numbers]:
    law = load_law(name)
    frame = simulated(law, law_design(law))
    rows, reference = arrange(law, frame, pool), reference_scales(frame)
    return build_model(law, rows, reference), model_numbers(law, rows, reference)


def some_draws(model: pm.Model) -> xr.Dataset:
    rng = np.random.default_rng(0)
    point = model.initial_point(0)
    return xr.Dataset(
        {
            name: (
                ("chain", "draw", *(f"{name}_{axis}" for axis in range(np.ndim(value)))),
                value + rng.normal(0.0, 0.2, (CHAINS, DRAWS, *np.shape(value))),
            )
            for name, value in point.items()
        },
        coords={"chain": range(CHAINS), "draw": range(DRAWS)},
    )


@pytest.mark.parametrize(("name", "pool"), [(name, ()) for name in law_names()] + [("coupled", ("corpus",))])
def test_quantities_are_those_of_the_model(name: str, pool: tuple[str, ...]) -> None:
    model, _ = model_of(name, pool)
    drawn, quantities = some_draws(model), quantities_of(model)
    data = {item.name: item.get_value() for item in model.data_vars}
    found = quantities.at(drawn, data)
    transformed = {model.rvs_to_values[rv].name for rv in model.free_RVs if model.rvs_to_transforms[rv]}
    unconstrained = {model.rvs_to_values[rv].name for rv in model.free_RVs}
    assert set(found.data_vars) == {rv.name for rv in model.unobserved_RVs} - (unconstrained - transformed)
    wanted = [item for item in model.unobserved_value_vars if item.name in found]
    each = pytensor.function(
        [model.rvs_to_values[rv] for rv in model.free_RVs],
        wanted,
        mode="FAST_COMPILE",
        on_unused_input="ignore",
    )
    for chain in range(CHAINS):
        for draw in range(DRAWS):
            point = [drawn[model.rvs_to_values[rv].name].to_numpy()[chain, draw] for rv in model.free_RVs]
            for item, expected in zip(wanted, each(*point), strict=True):
                np.testing.assert_allclose(
                    found[item.name].to_numpy()[chain, draw], expected, rtol=1e-12, atol=1e-14
                )


def test_data_are_those_given_and_what_is_left_out_is_not_computed() -> None:
    model, numbers = model_of("kumar2024")
    drawn = some_draws(model)
    assert "cell_effect" in quantities_of(model).names
    quantities = quantities_of(model, left_out=("cell_effect",))
    assert "cell_effect" not in quantities.names
    floor = quantities.at(drawn, {VECTOR: numbers.vector})["P0_w"]
    more_bits = numbers.replaced(smallest_bits_weights=2 * numbers.values["smallest_bits_weights"])
    doubled = quantities.at(drawn, {VECTOR: more_bits.vector})["P0_w"]
    np.testing.assert_allclose(doubled, 2 * floor, rtol=1e-12)
