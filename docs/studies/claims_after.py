"""Claim 4: over-trained models suffer most from quantization after training, up to where more data hurts."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from claims_evidence import Evidence
from claims_known import REFERENCE, kumar, ouyang
from claims_numbers import interval

from bitlaw.decisions.critical_tokens import by_search, critical_tokens, no_critical_tokens
from bitlaw.inference.draws import points_frame
from bitlaw.laws.registry import load_law

BITS = (4.0, 3.0)
OVER_TRAINED = 1875.0
"""Tokens per parameter of Llama 3 8B: 15T."""

PUBLISHED_SIZES = (3e7, 8e9)


def after_training(evidence: Evidence) -> dict[str, Any]:
    """A fitted law: whether the degradation grows with tokens, and whether D_crit is in reach."""
    fit = evidence.fit
    growth = fit.draws("gamma_D")
    found: dict[str, Any] = {
        "law": evidence.law,
        "source": evidence.source,
        "published": False,
        "draws": len(growth),
        "grows": float((growth > 0).mean()),
        "gamma_D": interval(growth),
        "gamma_N": interval(fit.draws("gamma_N")),
        "prior_sd": float(fit.draws("gamma_D", prior=True).std()),
        "sd": float(growth.std()),
        "critical": [],
    }
    if no_critical_tokens(fit.law):
        return found | {"silent": "it takes the loss as trained as data, so it has no D_crit"}
    n_params = float(fit.largest_run()["n_params"])
    method = str(fit.rows.loc[fit.rows["bits_post"].notna(), "method_post"].iloc[0])
    points = points_frame(
        run_id="asked",
        n_params=n_params,
        tokens=1.0,
        bits_post=list(BITS),
        method_post=method,
        vocab_size=float(fit.rows["vocab_size"].iloc[0]),
    )
    tokens = critical_tokens(fit, points)
    return found | {
        "silent": "",
        "critical": [
            _critical(bits, n_params, own / n_params) for bits, own in zip(BITS, tokens.T, strict=True)
        ],
    }


def _critical(bits: float, n_params: float, ratio: np.ndarray) -> dict[str, Any]:
    return {
        "bits": bits,
        "n_params": n_params,
        "ratio": interval(ratio),
        "in_reach": float((ratio < OVER_TRAINED).mean()),
    }


def published_after() -> list[dict[str, Any]]:
    """The same at published constants, for two sizes."""
    return [
        _at_constants(name, constants, n_params)
        for name, constants in (("kumar2024", kumar()), ("ouyang2024", ouyang()))
        for n_params in PUBLISHED_SIZES
    ]


def _at_constants(name: str, constants: Mapping[str, float], n_params: float) -> dict[str, Any]:
    law = load_law(name)
    values = {key: np.full((1, 1), value) for key, value in constants.items()}
    columns = {key: np.full(len(BITS), 16.0) for key in ("bits_weights", "bits_activations", "bits_kv")}
    columns |= {"n_params": np.full(len(BITS), n_params), "ceiling": np.full(len(BITS), np.inf)}
    columns |= {"bits_post": np.array(BITS), "post_symmetric": np.zeros(len(BITS), bool)}
    fit = SimpleNamespace(law=law, reference=REFERENCE)
    tokens = by_search(fit, values, columns)
    return {
        "law": name,
        "source": f"published constants, {n_params:.0e} parameters".replace("e+0", "e"),
        "published": True,
        "draws": 1,
        "grows": float(constants["gamma_D"] > 0),
        "gamma_D": interval(np.array([constants["gamma_D"]])),
        "gamma_N": interval(np.array([constants["gamma_N"]])),
        "prior_sd": None,
        "sd": None,
        "silent": "",
        "critical": [
            _critical(bits, n_params, own / n_params) for bits, own in zip(BITS, tokens.T, strict=True)
        ],
    }


def measured_turns(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """No law: how often more tokens raised the measured loss after quantization, of 16-bit runs of one size.

    Returns
    -------
    list of dict
        Per bit-width: of ``steps`` from one number of tokens to the next (means over seeds), ``higher`` raised
        the loss; and ``sizes`` of ``of`` at which the longest runs were worse than some shorter ones.
    """
    whole = rows[(rows[["bits_weights", "bits_activations", "bits_kv"]] >= 16).all(axis=1)]
    found = []
    for bits in (None, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0):
        own = whole[whole["bits_post"].isna() if bits is None else whole["bits_post"] == bits]
        means = own.groupby(["n_params", "tokens"])["loss"].mean()
        lines = [line.to_numpy() for _, line in means.groupby("n_params")]
        steps = np.concatenate([np.diff(line) for line in lines])
        found.append(
            {
                "bits": bits,
                "steps": len(steps),
                "higher": int((steps > 0).sum()),
                "sizes": sum(bool(line[-1] > line.min()) for line in lines),
                "of": len(lines),
            }
        )
    return found
