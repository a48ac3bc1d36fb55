"""Public tables of post-training quantization: slope in bits, and what they cannot say about tokens."""

import tomllib
from typing import Any

import numpy as np
import tomli_w
from numbers_of import compared_laws, constants, eti
from section import Section
from store import Store

from bitlaw import Fit, RunTable, load_law
from bitlaw.inference.levels import level_names
from bitlaw.laws.law import Law
from bitlaw.laws.spec import parse_law
from bitlaw.reporting.shrinkage import shrinkage_table
from bitlaw.workflow import preparing

EXPONENTIAL, POWER = "ptq-gap", "ptq-gap-power"
FEWEST_ROWS = 8
"""Rows of a method from which its own slope is shown."""

_NOISE = ("tau", "kappa", "sigma_gap", "nu_gap", "gamma_D", "gamma_N")
_WIDE = 5.0


def section(table: RunTable, store: Store) -> Section:
    """Compare the two shapes in bits, then let families differ freely and look at γ_D again."""
    compared = store.compare("ptq tables", table, [EXPONENTIAL, POWER], pool=("family",))
    pooled = compared.fits[EXPONENTIAL]
    free = store.fit("ptq tables, free families", table, free_levels(None), pool=("family",))
    wide = store.fit("ptq tables, free and wide", table, free_levels(_WIDE), pool=("family",))
    growth = {"pooled": pooled, "free": free.fit, "wide": wide.fit}
    numbers = {
        "rows": len(pooled.rows),
        "fewest_rows": FEWEST_ROWS,
        "runs": len(pooled.runs),
        "excluded": _left_out(table),
        "decisive": _decisive(pooled, compared.fits[POWER]),
        "few_draws": [
            found["message"]
            for found in compared.numbers["findings"]
            if found["code"] == "comparison.few_draws"
        ],
        "laws": [
            row | {"constants": constants(compared.fits[row["law"]], _NOISE)}
            for row in compared_laws(compared)
        ],
        "methods": [
            *_slopes(pooled, "gamma_post"),
            *_slopes(compared.fits[POWER], "gamma_P"),
        ],
        "families": _families(pooled),
        "spread_of_C": {
            "pooled": eti(pooled.draws("C_sd_family")),
            "scale": load_law(EXPONENTIAL).prior("C").group_sd,
            "free": load_law(EXPONENTIAL).prior("C").arguments[1],
            "wide": _WIDE,
            "factor": float(np.exp(2 * 1.645 * load_law(EXPONENTIAL).prior("C").arguments[1])),
        },
        "token_ratio": float(pooled.rows["tokens"].max() / pooled.rows["tokens"].min()),
        "gamma_D": {"prior": _growth(pooled, prior=True)}
        | {name: _growth(fit, prior=False) for name, fit in growth.items()},
        "gamma_N": {"prior": eti(pooled.draws("gamma_N", prior=True))}
        | {name: eti(fit.draws("gamma_N")) for name, fit in growth.items()},
    }
    draws = {"prior": pooled.draws("gamma_D", prior=True)}
    draws |= {name: fit.draws("gamma_D") for name, fit in growth.items()}
    return Section(numbers, {"gamma_D": draws}, (*compared.fitted, free, wide), (compared,))


def free_levels(sigma: float | None) -> Law:
    """The exponential law whose level at 4 bits every family has to itself, with a prior as wide as sigma."""
    raw = tomllib.loads(load_law(EXPONENTIAL).toml)
    level = raw["priors"]["C"]
    del level["group_sd"]
    level |= {"groups": "free", "reason": "nothing is said about how alike families are"}
    if sigma is not None:
        level["sigma"] = sigma
    raw["name"] = "ptq-gap-free" if sigma is None else "ptq-gap-free-wide"
    return parse_law(tomli_w.dumps(raw), raw["name"])


def _left_out(table: RunTable) -> dict[str, int]:
    """Rows that cannot be used, by reason."""
    reasons = preparing.prepare(table, EXPONENTIAL).table.excluded["reason"]
    return {str(reason): int(count) for reason, count in reasons.value_counts().items()}


def _decisive(exponential: Fit, power: Fit) -> dict[str, Any]:
    """The checkpoint that moves the difference of elpd most, and what the others say."""
    own, other = (fit.runs.set_index("run_id")["elpd"] for fit in (exponential, power))
    difference = own - other.reindex(own.index)
    run = difference.abs().idxmax()
    rest = difference.drop(run)
    return {
        "run": str(run),
        "rows": int((exponential.rows["run_id"] == run).sum()),
        "difference": float(difference[run]),
        "others": float(rest.sum()),
        "others_se": float(np.sqrt(len(rest)) * rest.std(ddof=1)),
    }


def _growth(fit: Fit, prior: bool) -> dict[str, float]:
    draws = fit.draws("gamma_D", prior=prior)
    return eti(draws) | {"sd": float(draws.std()), "positive": float((draws > 0).mean())}


def _slopes(fit: Fit, name: str) -> list[dict[str, Any]]:
    """Slope in bits of each method with enough rows, and of one that was never measured."""
    table = shrinkage_table(fit)
    own = table[(table["column"] == "method_post") & (table["name"] == name) & (table["rows"] >= FEWEST_ROWS)]
    own = own.sort_values(["rows", "group"], ascending=[False, True])
    methods = level_names(fit.rows, "method_post")
    found = [
        {"law": fit.law.name, "constant": name, "method": row["group"], "rows": int(row["rows"])}
        | {"bits": sorted(set(fit.rows.loc[methods == row["group"], "bits_post"].tolist()))}
        | {"median": row["median"], "lo": row["lo"], "hi": row["hi"]}
        for row in own.to_dict("records")
    ]
    first = own.iloc[0]
    new = {
        "law": fit.law.name,
        "constant": name,
        "method": "common value",
        "rows": len(methods[methods != ""]),
    }
    return [
        *found,
        new | {"bits": [], "median": first["common"], "lo": first["common_lo"], "hi": first["common_hi"]},
    ]


def _families(fit: Fit) -> list[dict[str, Any]]:
    """Tokens of each family, which are all there is to learn γ_D from."""
    rows = fit.rows
    return [
        {
            "family": str(name),
            "runs": int(own["run_id"].nunique()),
            "rows": int(own["bits_post"].notna().sum()),
            "tokens": sorted(float(value) for value in np.unique(own["tokens"])),
        }
        for name, own in rows.groupby("family")
    ]
