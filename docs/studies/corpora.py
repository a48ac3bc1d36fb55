"""Three training corpora: how alike their laws are, and how well a corpus never seen is predicted."""

from typing import Any

import numpy as np
import pandas as pd
from numbers_of import TAILS, eti, law_residuals, prediction_scores, robust_sd
from section import Section
from store import Store

from bitlaw import Fit, RunTable, load_law
from bitlaw.inference.draws import loss_draws
from bitlaw.inference.levels import NEW_LEVEL
from bitlaw.inference.parameters import spread_name
from bitlaw.reporting.shrinkage import APART, most_group_dependent, shrinkage_table

LAW = "coupled"
CONSTANTS = ("alpha", "beta", "g", "E", "mean_loss", "slope_n", "slope_d")
FEW_TOKENS = 10.0
"""Tokens per parameter below which a run is called little trained."""

_LEVEL = "mean_loss"


def section(table: RunTable, store: Store) -> Section:
    """Fit all corpora pooled, then leave each of them out and predict it as a new one."""
    pooled = store.fit("gadre", table, LAW, pool=("corpus",))
    corpora = pooled.fit.levels("corpus")
    left_out = {
        corpus: store.fit(
            f"gadre without {corpus}",
            table.without(table.frame["corpus"] == corpus, "held-out corpus"),
            LAW,
            pool=("corpus",),
        )
        for corpus in corpora
    }
    shrinkage = shrinkage_table(pooled.fit)
    predicted = {
        corpus: _predictions(pooled.fit, fitted.fit, pooled.fit.rows, corpus)
        for corpus, fitted in left_out.items()
    }
    numbers = {
        "rows": len(pooled.fit.rows),
        "nu": eti(pooled.fit.draws("nu")),
        "least_trained": _least_trained(pooled.fit),
        "level_spread": {
            "scale": load_law(LAW).prior(_LEVEL).group_sd,
            "all": eti(pooled.fit.draws(spread_name(_LEVEL, "corpus"))),
        },
        "constants": [_constant(shrinkage, name) for name in CONSTANTS],
        "held_out": [
            {"corpus": corpus} | _scores(pooled.fit, fitted.fit, corpus)
            for corpus, fitted in left_out.items()
        ],
    }
    shown = {"shrinkage": most_group_dependent(shrinkage, "corpus"), "predicted": predicted}
    return Section(numbers, shown, (pooled, *left_out.values()))


def _least_trained(fit: Fit) -> dict[str, float]:
    """Residuals of the runs with the fewest tokens per parameter, and of the others."""
    residuals = law_residuals(fit)
    few = residuals["tokens"] / residuals["n_params"] < FEW_TOKENS
    return {
        "below": FEW_TOKENS,
        "runs": int(few.sum()),
        "residual": float(residuals.loc[few, "of_law"].mean()),
        "others": robust_sd(residuals.loc[~few, "of_law"].to_numpy()),
    }


def _constant(table: pd.DataFrame, name: str) -> dict[str, Any]:
    own = table[table["name"] == name]
    first = own.iloc[0]
    return {
        "name": name,
        "scale": first["scale"],
        "common": {"median": first["common"], "lo": first["common_lo"], "hi": first["common_hi"]},
        "spread": {"median": first["spread"], "lo": first["spread_lo"], "hi": first["spread_hi"]},
        "separation": float(first["separation"]),
        "apart": bool(first["separation"] > APART),
        "groups": {
            row["group"]: {part: row[part] for part in ("median", "lo", "hi")}
            for row in own.to_dict("records")
        },
    }


def _scores(seen: Fit, unseen: Fit, corpus: str) -> dict[str, Any]:
    own = seen.rows[seen.rows["corpus"] == corpus]
    return {
        "level_spread": eti(unseen.draws(spread_name(_LEVEL, "corpus"))),
        "new": prediction_scores(unseen, own.assign(corpus=NEW_LEVEL)),
        "seen": prediction_scores(seen, own),
    }


def _predictions(seen: Fit, unseen: Fit, rows: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """Measured log loss and 90 % intervals of a new run of one corpus, as a seen and as a new corpus."""
    own = rows[rows["corpus"] == corpus]
    found = own.assign(compute=6.0 * own["n_params"] * own["tokens"])
    for name, fit, points in (("seen", seen, own), ("new", unseen, own.assign(corpus=NEW_LEVEL))):
        median, lo, hi = np.quantile(np.log(loss_draws(fit, points, drift=False).new_run), TAILS, axis=0)
        found = found.assign(**{f"{name}_median": median, f"{name}_lo": lo, f"{name}_hi": hi})
    return found.sort_values("compute")
