"""The PyMC model of a law and an arranged run table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.cells import cell_effects
from bitlaw.inference.centre import centred_constants, is_centred
from bitlaw.inference.columns import take
from bitlaw.inference.distributions import arguments, sample_decay, sample_prior
from bitlaw.inference.effects import adaptive_effects
from bitlaw.inference.groups import level_shifts
from bitlaw.inference.levels import of_level
from bitlaw.inference.likelihood import degradation, gap_scale, trained_scale, unpaired_scale
from bitlaw.inference.numbers import has_degradation, model_numbers
from bitlaw.inference.parameters import at_levels
from bitlaw.inference.prior import frozen, scale_of
from bitlaw.inference.rows import Block, Rows
from bitlaw.laws.capacity import TENSOR_KINDS, UNQUANTIZED_BITS
from bitlaw.laws.evaluate import Trained, log_post_degradation, train
from bitlaw.laws.law import Law, Prior, Reference

_DECAYS = frozenset(f"c_{kind}" for kind, _, _ in TENSOR_KINDS)


def build_model(law: Law, rows: Rows, reference: Reference, uninformed: Sequence[str] = ()) -> pm.Model:
    """The model whose posterior a fit samples.

    Observed losses, weights and scales are data (see ``model_numbers``), so that one compiled model
    serves many tables of one design and all their folds.

    Parameters
    ----------
    law
        The law and its priors.
    rows
        The arranged run table.
    reference
        Scales the priors and the constants are stated at.
    uninformed
        Quantities that are not sampled, for no row moves with them (see ``uninformed``).
    """
    coords: dict[str, Any] = {"run": list(rows.run_ids), "cell": list(range(rows.cells))}
    coords |= {column: list(factor.names) for column, factor in rows.factors.items()}
    with pm.Model(coords=coords, check_bounds=False) as model:  # they hold by construction
        fixed = {name: np.float64(frozen(law.prior(name), reference).median()) for name in uninformed}
        numbers = model_numbers(law, rows, reference, uninformed).in_model()
        reference = Reference(
            numbers["scale_n_params"],
            numbers["scale_tokens"],
            {column: numbers[f"smallest_{column}"] for column in reference.smallest_bits},
        )
        common = _sample_all(law, rows, reference, fixed)
        _record(law.complete(common, pt), common)
        shifts = level_shifts(law, rows, common, numbers, uninformed)
        distinct, alike = rows.distinct_runs(law.base.is_observed)
        run = _at_rows(law, common, shifts, rows, rows.first[distinct])
        trained = train(law, run, take(rows.run_columns, distinct), reference, pt)
        cell_effect = pt.zeros(1)
        if not law.base.is_observed:
            cell_effect = _runs(trained, run, rows, alike, numbers)
        if has_degradation(law, rows):
            effects = adaptive_effects("run_effect", "run", numbers, common["tau"])
            run_effect = pm.Deterministic("run_effect", effects, dims="run")
            for block, add in ((rows.paired, _paired), (rows.unpaired, _unpaired)):
                if len(block):
                    p = _at_rows(law, common, shifts, rows, block.row)
                    log_n = trained.log_n[alike[block.run]]
                    columns = take(rows.columns, block.row)
                    log_delta = log_post_degradation(law, p, columns, log_n, reference, pt)
                    log_delta = log_delta + run_effect[block.run]
                    add(p, columns, block.at_distinct(alike), log_delta, trained, cell_effect, numbers)
    return model


def _at_rows(
    law: Law, common: dict[str, Any], shifts: dict[tuple[str, str], Any], rows: Rows, index: np.ndarray
) -> dict[str, Any]:
    """Parameters at rows of the frame: scalars, or vectors where they differ between levels.

    They are computed once per combination of levels, and spread from there.
    """
    codes = rows.codes(index)
    columns = list(dict.fromkeys(column for _, column in shifts))
    if not columns:
        return at_levels(law, common, {}, pt)
    combinations, which = np.unique(
        np.stack([codes[column] for column in columns], axis=1), axis=0, return_inverse=True
    )
    level = {column: combinations[:, number] for number, column in enumerate(columns)}
    summed: dict[str, Any] = {}
    for (name, column), shift in shifts.items():
        summed[name] = summed.get(name, 0.0) + of_level(shift, level[column])
    values = at_levels(law, common, summed, pt)
    return {name: value[which] if value.ndim else value for name, value in values.items()}


def _sample_all(law: Law, rows: Rows, reference: Reference, fixed: dict[str, Any]) -> dict[str, Any]:
    """Everything that has a prior, in the order of the law; floors before the sensitivities they anchor.

    Quantities that no row moves with are fixed, at the median of their prior.
    """
    wanted = [prior for prior in law.priors if prior.name != "sigma_cell" or rows.cells]
    sampled = fixed | {
        prior.name: _floor(prior, reference) for prior in wanted if prior.times and prior.name not in fixed
    }
    base = {parameter.name for parameter in law.base.sampled} if is_centred(law) else frozenset()
    for prior in wanted:
        if prior.name in sampled or prior.name in base:
            continue
        floor = f"P0_{prior.name.removeprefix('gamma_')}"
        if prior.name.startswith("gamma_") and floor in sampled and _is_measured(rows, law.prior(floor)):
            sampled[prior.name] = _sensitivity(prior, sampled[floor], scale_of(law.prior(floor), reference))
        elif prior.name in _DECAYS:
            sampled[prior.name] = sample_decay(prior)
        else:
            sampled[prior.name] = sample_prior(prior, prior.name)
    if base:
        sampled |= centred_constants(law, law.log_share_n_at_16(law.with_tied(sampled), pt))
    return {prior.name: sampled[prior.name] for prior in wanted}


def _is_measured(rows: Rows, floor: Prior) -> bool:
    """Whether any run is quantized in the tensor kind of a floor."""
    return bool((rows.columns[str(floor.times)] < UNQUANTIZED_BITS).any())


def _floor(prior: Prior, reference: Reference) -> Any:
    share = sample_prior(prior, f"{prior.name}_share")
    return pm.Deterministic(prior.name, scale_of(prior, reference) * share)


def _sensitivity(prior: Prior, floor: Any, smallest_bits: float) -> Any:
    """A sensitivity γ, sampled as the steps of γ from the floor to the smallest measured bits.

    The data see that number, the capacity left at the smallest bits; γ and P0 alone lie on a ridge.
    Given the floor, γ has exactly the prior of the law.
    """
    median, sigma = arguments(prior)
    room = smallest_bits - floor
    steps = pm.LogNormal(f"{prior.name}_steps", mu=pt.log(room / median), sigma=sigma)
    return pm.Deterministic(prior.name, room / steps)


def _record(values: dict[str, Any], sampled: dict[str, Any]) -> None:
    """Keep the constants that follow from what is sampled."""
    for name, value in values.items():
        if name not in sampled:
            pm.Deterministic(name, pt.as_tensor(value))


def _runs(
    trained: Trained, p: dict[str, Any], rows: Rows, alike: np.ndarray, numbers: Mapping[str, Any]
) -> Any:
    """The likelihood of the losses of runs as trained; the effects of their cells."""
    block = rows.trained.at_distinct(alike)
    weight, log_loss = numbers["weight"], numbers["log_loss"]
    expected, scale = _expected(trained, p, block)
    own = at_runs({name: p[name] for name in ("nu", "sigma_cell") if name in p}, block.run)
    cell_effect = pt.zeros(1)
    if rows.cells:
        cell_effect = cell_effects(rows, log_loss, expected, scale, own["sigma_cell"])
    location = expected + of_level(cell_effect, block.cell)
    density = pm.logp(pm.StudentT.dist(nu=own["nu"], mu=location, sigma=scale), log_loss)
    pm.Potential("trained", weight[block.row] * density)
    if len(rows.diverged):
        block = rows.diverged.at_distinct(alike)
        expected, scale = _expected(trained, p, block)
        above = (expected + of_level(cell_effect, block.cell) - np.log(block.loss)) / scale
        pm.Potential("diverged", weight[block.row] * pm.logcdf(pm.Normal.dist(0.0, 1.0), above))
    return cell_effect


def _expected(trained: Trained, p: dict[str, Any], block: Block) -> tuple[Any, Any]:
    """Log loss that the law expects of rows as trained, without the effects of cells, and its noise.

    Evaluated once per distinct run, and spread over the rows from there.
    """
    log_loss = pt.log(trained.loss)[block.run]
    if block.relative_error.any():
        here = _trained_at(trained, block.run)
        scale = trained_scale(at_runs(p, block.run), here, block.relative_error, pt)
    else:
        each = trained_scale(p, trained, 0.0, pt)
        scale = each[block.run] if each.ndim else each
    return log_loss, pt.broadcast_to(scale, (len(block),))


def at_runs(p: dict[str, Any], index: np.ndarray) -> dict[str, Any]:
    """Parameters of runs at the runs of some rows."""
    return {name: value[index] if value.ndim else value for name, value in p.items()}


def _trained_at(trained: Trained, index: np.ndarray) -> Trained:
    penalty = pt.as_tensor(trained.penalty)
    return Trained(
        trained.log_n[index], trained.unquantized[index], penalty[index] if penalty.ndim else penalty
    )


def _paired(
    p: dict[str, Any],
    columns: dict[str, np.ndarray],
    block: Block,
    log_delta: Any,
    trained: Trained,
    cell_effect: Any,
    numbers: Mapping[str, Any],
) -> None:
    gap = degradation(log_delta, numbers["loss_trained"], columns["ceiling"], pt)
    noise = pm.StudentT.dist(nu=p["nu_gap"], mu=gap, sigma=gap_scale(p, gap, pt))
    density = pm.logp(noise, numbers["gap"])
    pm.Potential("paired", numbers["weight"][block.row] * density)


def _unpaired(
    p: dict[str, Any],
    columns: dict[str, np.ndarray],
    block: Block,
    log_delta: Any,
    trained: Trained,
    cell_effect: Any,
    numbers: Mapping[str, Any],
) -> None:
    before = _trained_at(trained, block.run)
    gap = degradation(log_delta, before.loss, columns["ceiling"], pt)
    after = before.loss + gap
    scale = unpaired_scale(p, gap, after, trained_scale(p, before, block.relative_error, pt), pt)
    location = pt.log(after) + of_level(cell_effect, block.cell)
    noise = pm.StudentT.dist(nu=p["nu"], mu=location, sigma=scale)
    density = pm.logp(noise, numbers["log_loss_unpaired"])
    pm.Potential("unpaired", numbers["weight"][block.row] * density)
