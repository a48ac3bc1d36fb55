"""The PyMC model of a law and an arranged run table."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.cells import cell_effects
from bitlaw.inference.columns import take
from bitlaw.inference.likelihood import degradation, gap_scale, unpaired_scale
from bitlaw.inference.prior import deviate, scale_of
from bitlaw.inference.rows import PostBlock, Rows
from bitlaw.laws.evaluate import log_effective_params, log_post_degradation, trained_loss
from bitlaw.laws.law import Law, Prior, Reference
from bitlaw.laws.noise import noise_parameters

NOISE_NAMES = frozenset(parameter.name for parameter in noise_parameters(has_post=True))
_DISTRIBUTIONS = {
    "LogNormal": lambda name, first, second: pm.LogNormal(name, mu=np.log(first), sigma=second),
    "Normal": lambda name, first, second: pm.Normal(name, mu=first, sigma=second),
    "Beta": lambda name, first, second: pm.Beta(name, alpha=first, beta=second),
}


def build_model(law: Law, rows: Rows, reference: Reference) -> pm.Model:
    """The model whose posterior a fit samples.

    Observed losses are ``pm.Data`` named ``log_loss``, ``gap``, ``loss_trained`` and
    ``log_loss_unpaired``, so that a compiled model can be refitted to new losses of one design.

    Parameters
    ----------
    law
        The law and its priors.
    rows
        The arranged run table.
    reference
        Scales the priors and the constants are stated at.
    """
    coords = {"run": list(rows.run_ids), "group": list(rows.group_names), "cell": list(range(rows.cells))}
    with pm.Model(coords=coords) as model:
        p = _parameters(law, rows, reference)
        run_params = _by_run(p, rows)
        log_loss = pm.Data("log_loss", np.log(rows.trained.loss))
        cell_effect = cell_effects(law, p, run_params, rows, reference, log_loss)
        log_n = log_effective_params(law, run_params, rows.run_columns, reference, pt)
        run_loss = trained_loss(law, run_params, rows.run_columns, log_n, reference, pt)
        _trained(p, rows, log_loss, run_loss, cell_effect)
        if law.post is not None and len(rows.paired.run) + len(rows.unpaired.run):
            run_effect = pm.Normal("run_effect", 0.0, p["tau"], dims="run")
            for block, add in ((rows.paired, _paired), (rows.unpaired, _unpaired)):
                if len(block.run):
                    log_delta = _log_delta(law, run_params, rows, block, log_n, run_effect, reference)
                    add(p, rows, block, log_delta, run_loss, cell_effect)
    return model


def _parameters(law: Law, rows: Rows, reference: Reference) -> dict[str, Any]:
    """Every parameter by name; those of groups replace the common ones where the law pools."""
    common = _sample_all(law, rows, reference)
    _record(law.base.constants(common, pt), common)
    if not rows.group_names:
        return common | law.base.constants(common, pt)
    grouped = dict(common)
    for prior in law.priors:
        if prior.group_sd is not None:
            spread = pm.HalfNormal(f"{prior.name}_group_sd", np.float64(prior.group_sd))
            offset = pm.Normal(f"{prior.name}_offset", dims="group")
            value = deviate(prior, common[prior.name], spread * offset, pt)
            grouped[prior.name] = pm.Deterministic(f"{prior.name}_group", value, dims="group")
    constants = law.base.constants(grouped, pt)
    for name, value in constants.items():
        if name not in grouped:
            pm.Deterministic(f"{name}_group", value, dims="group")
    return grouped | constants


def _sample_all(law: Law, rows: Rows, reference: Reference) -> dict[str, Any]:
    """Everything that has a prior, in the order of the law; floors before the sensitivities they anchor."""
    wanted = [prior for prior in law.priors if prior.name != "sigma_cell" or rows.cells]
    sampled = {prior.name: _floor(prior, reference) for prior in wanted if prior.times}
    for prior in wanted:
        floor = f"P0_{prior.name.removeprefix('gamma_')}"
        if prior.name.startswith("gamma_") and floor in sampled:
            sampled[prior.name] = _sensitivity(prior, sampled[floor], scale_of(law.prior(floor), reference))
        elif prior.times is None:
            sampled[prior.name] = _DISTRIBUTIONS[prior.distribution](prior.name, *_arguments(prior))
    return {prior.name: sampled[prior.name] for prior in wanted}


def _floor(prior: Prior, reference: Reference) -> Any:
    share = _DISTRIBUTIONS[prior.distribution](f"{prior.name}_share", *_arguments(prior))
    return pm.Deterministic(prior.name, scale_of(prior, reference) * share)


def _sensitivity(prior: Prior, floor: Any, smallest_bits: float) -> Any:
    """A sensitivity γ, sampled as the steps of γ from the floor to the smallest measured bits.

    The data see that number, the capacity left at the smallest bits; γ and P0 alone lie on a ridge.
    Given the floor, γ has exactly the prior of the law.
    """
    median, sigma = _arguments(prior)
    room = smallest_bits - floor
    steps = pm.LogNormal(f"{prior.name}_steps", mu=pt.log(room / median), sigma=sigma)
    return pm.Deterministic(prior.name, room / steps)


def _arguments(prior: Prior) -> tuple[np.float64, np.float64]:
    """The prior's two numbers in double precision: PyTensor reads a plain .5 as float32."""
    return np.float64(prior.arguments[0]), np.float64(prior.arguments[1])


def _record(constants: dict[str, Any], sampled: dict[str, Any]) -> None:
    for name, value in constants.items():
        if name not in sampled:
            pm.Deterministic(name, value)


def _by_run(p: dict[str, Any], rows: Rows) -> dict[str, Any]:
    return {
        name: value[rows.run_group] if value.ndim else value
        for name, value in p.items()
        if name not in NOISE_NAMES
    }


def _trained(p: dict[str, Any], rows: Rows, log_loss: Any, run_loss: Any, cell_effect: Any) -> None:
    block = rows.trained
    location = pt.log(run_loss)[block.run] + cell_effect[block.cell]
    pm.StudentT("log_loss_observed", nu=p["nu"], mu=location, sigma=p["sigma"], observed=log_loss)


def _log_delta(
    law: Law,
    run_params: dict[str, Any],
    rows: Rows,
    block: PostBlock,
    log_n: Any,
    run_effect: Any,
    reference: Reference,
) -> Any:
    params = {name: value[block.run] if value.ndim else value for name, value in run_params.items()}
    columns = take(rows.columns, block.row)
    return log_post_degradation(law, params, columns, log_n[block.run], reference, pt) + run_effect[block.run]


def _paired(
    p: dict[str, Any], rows: Rows, block: PostBlock, log_delta: Any, run_loss: Any, cell_effect: Any
) -> None:
    own = pm.Data("loss_trained", block.loss_trained)
    gap = degradation(log_delta, own, rows.columns["ceiling"][block.row], pt)
    pm.Normal("gap_observed", gap, gap_scale(p, gap, pt), observed=pm.Data("gap", block.gap))


def _unpaired(
    p: dict[str, Any], rows: Rows, block: PostBlock, log_delta: Any, run_loss: Any, cell_effect: Any
) -> None:
    before = run_loss[block.run]
    gap = degradation(log_delta, before, rows.columns["ceiling"][block.row], pt)
    after = before + gap
    pm.StudentT(
        "log_loss_unpaired_observed",
        nu=p["nu"],
        mu=pt.log(after) + cell_effect[block.cell],
        sigma=unpaired_scale(p, gap, after, pt),
        observed=pm.Data("log_loss_unpaired", np.log(block.loss)),
    )
