"""The same law as a first version would be written: raw N and D, constants sampled as printed."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bitlaw.inference.columns import take
from bitlaw.inference.likelihood import degradation, gap_scale, trained_scale
from bitlaw.inference.rows import Rows
from bitlaw.laws.evaluate import log_post_degradation, train
from bitlaw.laws.law import Law, Reference

RAW = Reference(1.0, 1.0, {})
"""Scales of one parameter and one token: nothing is centred."""


def plain_model(law: Law, rows: Rows, centred: Reference) -> pm.Model:
    """The law with E, A, B, α, β, g, γ and P0 sampled directly, effects non-centred.

    Parameters
    ----------
    law
        ``kumar2024-coupled``.
    rows
        The arranged table.
    centred
        Its reference scales; only the prior medians of A, B and C are placed by them.
    """
    log_n, log_d = np.log(centred.n_params), np.log(centred.tokens)
    with pm.Model() as model:
        p = {
            "E": pm.LogNormal("E", np.log(1.5), 0.5),
            "a": pm.LogNormal("A", np.log(0.5) + 0.35 * log_n, 3.0),
            "b": pm.LogNormal("B", np.log(0.5) + 0.35 * log_d, 3.0),
            "alpha": pm.LogNormal("alpha", np.log(0.35), 0.5),
            "beta": pm.LogNormal("beta", np.log(0.35), 0.5),
            "g": pm.LogNormal("g", np.log(0.6), 0.5),
            "sigma": pm.LogNormal("sigma", np.log(0.005), 1.0),
            "nu": pm.LogNormal("nu", np.log(8.0), 0.8),
            "sigma_cell": pm.LogNormal("sigma_cell", np.log(0.005), 1.0),
            "kappa_train": pm.LogNormal("kappa_train", np.log(0.03), 1.0),
        }
        for kind, column in (("w", "bits_weights"), ("a", "bits_activations"), ("kv", "bits_kv")):
            p[f"gamma_{kind}"] = pm.LogNormal(f"gamma_{kind}", np.log(2.0), 0.6)
            share = pm.Beta(f"P0_{kind}_share", 2.0, 2.0)
            p[f"P0_{kind}"] = pm.Deterministic(f"P0_{kind}", centred.smallest_bits[column] * share)
        run = train(law, p, rows.run_columns, RAW, pt)
        cell = pt.zeros(1)
        if rows.cells:
            effect = p["sigma_cell"] * pm.Normal("cell_offset", shape=rows.cells)
            cell = pt.concatenate([effect, pt.zeros(1)])
        block = rows.trained
        location = pt.log(run.loss)[block.run] + cell[block.cell]
        scale = trained_scale(p, run, 0.0, pt)[block.run]
        pm.StudentT("log_loss", nu=p["nu"], mu=location, sigma=scale, observed=np.log(block.loss))
        if len(rows.paired.run):
            _post(law, p, rows, run.log_n, (log_n, log_d))
    return model


def _post(law: Law, p: dict, rows: Rows, n_eff: object, centre: tuple[float, float]) -> None:
    log_n, log_d = centre
    p |= {
        "C": pm.LogNormal("C_raw", np.log(0.02) + 0.3 * log_n - 0.5 * log_d, 6.0),
        "gamma_D": pm.Normal("gamma_D", 0.5, 0.5),
        "gamma_N": pm.Normal("gamma_N", 0.3, 0.5),
        "gamma_post": pm.LogNormal("gamma_post", np.log(0.65), 0.3),
        "C_w": pm.LogNormal("C_w", np.log(0.5), 0.8),
        "kappa": pm.LogNormal("kappa", np.log(0.2), 0.6),
        "tau": pm.LogNormal("tau", np.log(0.3), 0.6),
        "sigma_gap": pm.LogNormal("sigma_gap", np.log(0.0005), 1.0),
        "nu_gap": pm.LogNormal("nu_gap", np.log(8.0), 0.8),
    }
    block = rows.paired
    effect = p["tau"] * pm.Normal("run_offset", shape=len(rows.run_ids))
    columns = take(rows.columns, block.row)
    log_delta = log_post_degradation(law, p, columns, n_eff[block.run], RAW, pt) + effect[block.run]
    gap = degradation(log_delta, block.loss_trained, columns["ceiling"], pt)
    pm.StudentT("gap", nu=p["nu_gap"], mu=gap, sigma=gap_scale(p, gap, pt), observed=block.gap)
