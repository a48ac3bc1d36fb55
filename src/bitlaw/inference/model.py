"""The PyMC model of a law and an arranged run table."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

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
        cell_effect = _cell_effect(p, rows)
        run_params = _by_run(p, rows)
        log_n = log_effective_params(law, run_params, rows.run_columns, reference, pt)
        run_loss = trained_loss(law, run_params, rows.run_columns, log_n, reference, pt)
        _trained(p, rows, run_loss, cell_effect)
        if law.post is not None and len(rows.paired.run) + len(rows.unpaired.run):
            run_effect = pm.Normal("run_effect", 0.0, p["tau"], dims="run")
            for block, add in ((rows.paired, _paired), (rows.unpaired, _unpaired)):
                if len(block.run):
                    log_delta = _log_delta(law, run_params, rows, block, log_n, run_effect, reference)
                    add(p, rows, block, log_delta, run_loss, cell_effect)
    return model


def _parameters(law: Law, rows: Rows, reference: Reference) -> dict[str, Any]:
    """Every parameter by name; those of groups replace the common ones where the law pools."""
    common = {
        prior.name: _sample(prior, reference)
        for prior in law.priors
        if prior.name != "sigma_cell" or rows.cells
    }
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


def _sample(prior: Prior, reference: Reference) -> Any:
    build = _DISTRIBUTIONS[prior.distribution]
    arguments = [np.float64(value) for value in prior.arguments]
    if prior.times is None:
        return build(prior.name, *arguments)
    share = build(f"{prior.name}_share", *arguments)
    return pm.Deterministic(prior.name, scale_of(prior, reference) * share)


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


def _cell_effect(p: dict[str, Any], rows: Rows) -> Any:
    """Effect of each cell, with a zero in last place that index -1 picks for rows without one."""
    if not rows.cells:
        return pt.zeros(1)
    # Non-centred: with few cells, or noise above their spread, the centred form diverges.
    offset = pm.Normal("cell_offset", dims="cell")
    effect = pm.Deterministic("cell_effect", p["sigma_cell"] * offset, dims="cell")
    return pt.concatenate([effect, pt.zeros(1)])


def _trained(p: dict[str, Any], rows: Rows, run_loss: Any, cell_effect: Any) -> None:
    block = rows.trained
    observed = pm.Data("log_loss", np.log(block.loss))
    location = pt.log(run_loss)[block.run] + cell_effect[block.cell]
    pm.StudentT("log_loss_observed", nu=p["nu"], mu=location, sigma=p["sigma"], observed=observed)


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
