"""The embedded sweep: which structure its own runs support for weights, activations and KV cache."""

import pandas as pd
from numbers_of import compared_laws, constants, elpd_by_group
from section import Section
from store import Compared, Store

from bitlaw import Fit, RunTable

LAWS = ("bitlaw-default", "kumar2024-coupled", "kumar2024")
PENALTY, SHARE = "bitlaw-default", "kumar2024-coupled"
KINDS = {"bits_weights": "weights", "bits_activations": "activations", "bits_kv": "KV cache"}
ORDER = ("weights", "activations", "KV cache", "several", "none", "all")
_CONSTANTS = ("k_w", "c_w", "k_a", "c_a", "k_kv", "c_kv", "gamma_D_train", "gamma_N_train")
_NOISE = ("sigma", "sigma_cell", "nu", "kappa_train")


def section(table: RunTable, store: Store) -> Section:
    """Compare on all rows, and on the rows as trained alone."""
    every = store.compare("tiny_sweep", table, LAWS)
    as_trained = table.without(table.frame["bits_post"].notna(), "as trained only")
    trained = store.compare("tiny_sweep, as trained", as_trained, LAWS)
    numbers = {
        "all": _compared(every),
        "as_trained": _compared(trained),
        "constants": constants(trained.fits[PENALTY], _CONSTANTS),
        "constants_all": constants(every.fits[PENALTY], _CONSTANTS),
    }
    return Section(numbers, {}, (*every.fitted, *trained.fitted), (every, trained))


def quantized_kind(frame: pd.DataFrame) -> dict[str, str]:
    """Which tensors each run quantizes in training: one of them, several, or none."""
    runs = frame.drop_duplicates("run_id").set_index("run_id")
    below = runs[list(KINDS)] < 16
    one = below.idxmax(axis=1).map(KINDS)
    labels = one.where(below.sum(axis=1) == 1, "several").where(below.any(axis=1), "none")
    return {str(run): str(label) for run, label in labels.items()}


def _compared(compared: Compared) -> dict[str, object]:
    fits = compared.fits
    return {
        "runs": compared.numbers["runs"],
        "rows": compared.numbers["rows"],
        "laws": [row | {"constants": constants(fits[row["law"]], _NOISE)} for row in compared_laws(compared)],
        "by_kind": {name: _split(fits[PENALTY], fits[name]) for name in LAWS if name != PENALTY},
    }


def _split(best: Fit, other: Fit) -> list[dict[str, object]]:
    found = elpd_by_group(best, other, quantized_kind(best.rows))
    return [
        {"kind": kind} | found[kind] | {"clear": abs(found[kind]["difference"]) > 2 * found[kind]["se"]}
        for kind in ORDER
        if kind in found
    ]
