"""The sampled model against the NumPy code that everything after the fit uses."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr
from scipy import stats

from bitlaw.inference.distributions import arguments
from bitlaw.inference.levels import spread_scale, varying
from bitlaw.inference.model import build_model
from bitlaw.inference.numbers import VECTOR, model_numbers
from bitlaw.inference.parameters import shift_name, spread_name
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.prior import frozen, natural
from bitlaw.inference.rows import Rows, arrange, reference_scales
from bitlaw.laws.law import Law, Prior
from bitlaw.laws.registry import load_law
from designs import law_design, precision_design, simulated
from laws.properties import composed

LIKELIHOOD = {"trained", "diverged", "paired", "unpaired"}
"""Names of the potentials that are densities of measured losses."""

POINTS = 2
STEP = 1e-5
SMALL = {"sizes": (1e7, 1.6e8), "tokens": (4e8, 1e10)}


def with_unpaired(frame: pd.DataFrame) -> pd.DataFrame:
    """Some rows quantized after training lose the row of their run as trained."""
    orphans = frame[(frame["bits_post"] == 4) & (frame["run_id"].str.endswith("s1"))]
    return pd.concat([frame, orphans.assign(run_id=orphans["run_id"] + "_orphan", seed=7)])


def with_awkward_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Standard errors for every other loss, and three runs that diverged."""
    runs = frame["run_id"].drop_duplicates().iloc[[1, 4, 7]]
    diverged = frame["run_id"].isin(runs) & frame["bits_post"].isna()
    error = np.where(np.arange(len(frame)) % 2, 0.02, np.nan)
    return frame.assign(status=np.where(diverged, "diverged", "ok"), loss_se=error)


def with_free(law: Law, name: str) -> Law:
    """The law with one quantity that has its prior to itself in every group."""
    priors = tuple(
        replace(prior, groups="free", group_sd=None) if prior.name == name else prior for prior in law.priors
    )
    return replace(law, priors=priors)


@dataclass(frozen=True)
class Case:
    """A law, the table it is built on, and the columns pooled over."""

    law: Law
    frame: Callable[[Law], pd.DataFrame]
    pool: tuple[str, ...] = ()


def precision(law: Law) -> pd.DataFrame:
    return simulated(law, with_unpaired(precision_design()))


def small(law: Law) -> pd.DataFrame:
    return simulated(law, law_design(law, **SMALL))


def awkward(law: Law) -> pd.DataFrame:
    return with_awkward_rows(small(law))


CASES = {
    "cells, paired and unpaired": Case(load_law("kumar2024-coupled"), precision),
    "one column pooled": Case(load_law("kumar2024-coupled"), precision, ("corpus",)),
    "two columns pooled": Case(load_law("bitlaw-default"), precision, ("corpus", "family")),
    "base alone": Case(load_law("chinchilla"), lambda law: simulated(law, law_design(law))),
    "base alone, pooled": Case(
        load_law("chinchilla"), lambda law: simulated(law, law_design(law)), ("corpus",)
    ),
    "equal exponents": Case(composed("chinchilla", equal=True), lambda law: simulated(law, law_design(law))),
    "free between groups": Case(with_free(load_law("coupled"), "floor_share"), small, ("corpus",)),
    "exponents free between groups": Case(with_free(load_law("chinchilla"), "alpha"), small, ("corpus",)),
    "formats forward and backward": Case(load_law("quartet2025"), small),
    "formats in groups": Case(load_law("frantar2025"), small, ("corpus",)),
    "methods on measured losses": Case(load_law("ptq-gap"), small),
    "power of bits, pooled": Case(load_law("ptq-gap-power"), small, ("family",)),
    "methods, groups of scales": Case(load_law("ouyang2024"), small, ("corpus",)),
    "penalty with group sizes": Case(load_law("chen2025"), small),
    "floating point": Case(load_law("sun2025"), small),
    "diverged runs and standard errors": Case(load_law("bitlaw-default"), awkward),
    "diverged runs in groups": Case(load_law("frantar2025"), awkward, ("corpus",)),
}


def quantities(law: Law, rows: Rows, model: pm.Model) -> list[str]:
    """What the law says has a prior: sampled quantities, spreads and shifts, effects of runs and cells."""
    names = [prior.name for prior in law.priors]
    for name, columns in varying(law, rows.pool, rows.factors).items():
        names += [made(name, column) for column in columns for made in (spread_name, shift_name)]
    return [name for name in (*names, "run_effect", "cell_effect") if name in model.named_vars]


def log_density(law: Law, rows: Rows, value: dict[str, np.ndarray]) -> float:
    """Log of what the law says is the prior of those quantities, at one point."""
    reference = reference_scales(rows.frame)
    total = sum(
        float(frozen(prior, reference).logpdf(value[prior.name]))
        for prior in law.priors
        if prior.name in value
    )
    for name, columns in varying(law, rows.pool, rows.factors).items():
        for column in columns:
            shift, scale = value[shift_name(name, column)], spread_scale(law, name, column)
            if scale is None:
                centre = natural(law.prior(name), value[name], np)
                total += natural_density(law.prior(name), centre + shift).sum()
            else:
                spread = value[spread_name(name, column)]
                total += (
                    stats.halfnorm.logpdf(spread, scale=scale) + stats.norm.logpdf(shift, 0, spread).sum()
                )
    for effect, spread in (("run_effect", "tau"), ("cell_effect", "sigma_cell")):
        if effect in value:
            total += stats.norm.logpdf(value[effect], 0.0, value[spread]).sum()
    return float(total)


def natural_density(prior: Prior, at: np.ndarray) -> np.ndarray:
    """Log density of a quantity on the log, logit or plain scale."""
    first, second = arguments(prior)
    if prior.distribution == "Beta":
        share = 1.0 / (1.0 + np.exp(-at))
        return stats.beta.logpdf(share, first, second) + np.log(share * (1.0 - share))
    return stats.norm.logpdf(at, np.log(first) if prior.distribution == "LogNormal" else first, second)


def log_determinant(
    value: Callable[..., list[np.ndarray]], names: list[str], coordinates: list[str], at: list[np.ndarray]
) -> float:
    """ln |det| of the derivative of the quantities by the coordinates the sampler moves, by differences.

    The derivative is block triangular: no scalar quantity follows from a vector of effects or shifts,
    and a vector follows, element by element, from one vector of coordinates.
    """
    scalar = [number for number, part in enumerate(at) if not part.ndim]

    def move(number: int, by: np.ndarray | float) -> dict[str, np.ndarray]:
        moved = [part + by if index == number else part for index, part in enumerate(at)]
        return dict(zip(names, value(*moved), strict=True))

    def slope(number: int, direction: np.ndarray | float = 1.0) -> dict[str, np.ndarray]:
        above, below = move(number, STEP * direction), move(number, -STEP * direction)
        return {name: (above[name] - below[name]) / (2 * STEP) for name in names}

    rows = [[change for change in slope(number).values() if not np.ndim(change)] for number in scalar]
    total = float(np.linalg.slogdet(np.array(rows))[1])
    for number, name in enumerate(coordinates):
        if number in scalar:
            continue
        first = slope(number, np.arange(len(at[number])) == 0)
        own = next(
            known for known in names if name.startswith(known.removesuffix("effect")) and first[known].ndim
        )
        assert not any(np.any(change) for change in first.values() if not np.ndim(change))
        assert not np.any(first[own][1:])
        total += float(np.log(np.abs(slope(number)[own])).sum())
    return total


def compiled(inputs: list, outputs: list) -> Callable[..., list[np.ndarray]]:
    """A function of many numbers, one output each: Python mode takes no sum of more than 32 terms."""
    return pytensor.function(inputs, outputs, mode="FAST_COMPILE", on_unused_input="ignore")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_models_density_is_the_laws_priors_and_likelihood(case: Case) -> None:
    """Whatever coordinates the sampler moves in, and wherever they are placed."""
    law, frame = case.law, case.frame(case.law)
    rows, reference = arrange(law, frame, case.pool), reference_scales(frame)
    assert set(rows.pool) == set(case.pool)
    model = build_model(law, rows, reference)
    rng = np.random.default_rng(5)
    numbers = model_numbers(law, rows, reference)
    for name, values in numbers.values.items():
        if name.endswith("_estimate"):
            numbers = numbers.replaced(**{name: rng.normal(size=values.shape)})
        if name.endswith("_error"):
            numbers = numbers.replaced(**{name: rng.uniform(0.2, 2.0, size=values.shape)})
    with model:
        pm.set_data({VECTOR: numbers.vector})
    names = quantities(law, rows, model)
    wanted = model.replace_rvs_by_values([model[name] for name in names])
    measured = model.replace_rvs_by_values([item for item in model.potentials if item.name in LIKELIHOOD])
    density = compiled(model.value_vars, [*model.logp(sum=False), *measured])
    value = compiled(model.value_vars, wanted)
    coordinates = [variable.name for variable in model.value_vars]
    initial = model.initial_point()
    start = [np.asarray(initial[name]) for name in coordinates]
    points = [[part + 0.3 * rng.standard_normal(part.shape) for part in start] for _ in range(POINTS)]
    found = [[float(np.sum(item)) for item in density(*point)] for point in points]
    likelihood_of = [sum(items[-len(measured) :]) for items in found]
    prior_of = [sum(items) - 2 * of for items, of in zip(found, likelihood_of, strict=True)]
    values = [value(*point) for point in points]
    draws = {
        name: (("chain", "draw", *(f"{name}_{axis}" for axis in range(np.ndim(draw[0])))), np.array([draw]))
        for name, draw in zip(names, zip(*values, strict=True), strict=True)
    }
    if "cell_level" in coordinates:
        levels = np.array([[point[coordinates.index("cell_level")] for point in points]])
        draws |= {"cell_level": (("chain", "draw", "cell"), levels)}
    likelihood = run_log_likelihood(law, rows, reference, xr.Dataset(draws))
    np.testing.assert_allclose(likelihood.total, likelihood_of, rtol=1e-9)
    assert likelihood.by_run.shape == (POINTS, len(rows.run_ids))
    for point, at, prior in zip(points, values, prior_of, strict=True):
        expected = log_density(law, rows, dict(zip(names, at, strict=True)))
        expected += log_determinant(value, names, coordinates, point)
        assert prior == pytest.approx(expected, abs=1e-4, rel=1e-6)


def test_one_group_falls_back_to_no_pooling() -> None:
    law = load_law("kumar2024-coupled")
    frame = simulated(law, precision_design()).assign(corpus="only")
    rows = arrange(law, frame, ("corpus",))
    assert rows.pool == ()
    model = build_model(law, rows, reference_scales(frame))
    assert quantities(law, rows, model) == quantities(law, arrange(law, frame), model)


def test_only_what_the_priors_declare_differs_between_groups() -> None:
    law = load_law("kumar2024-coupled")
    frame = simulated(law, precision_design())
    rows = arrange(law, frame, ("corpus", "family"))
    model = build_model(law, rows, reference_scales(frame))
    pooled = {prior.name for prior in law.priors if prior.group_sd}
    assert pooled < {prior.name for prior in law.priors}
    for column in ("corpus", "family"):
        spreads = {prior.name for prior in law.priors if spread_name(prior.name, column) in model.named_vars}
        assert spreads == pooled
        assert model.named_vars_to_dims[shift_name("alpha" if "alpha" in pooled else "slope_n", column)] == (
            column,
        )
