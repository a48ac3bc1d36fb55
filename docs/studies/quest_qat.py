"""Quantization-aware training: which structure explains what training in few bits costs."""

import tomllib

import pandas as pd
import tomli_w
from numbers_of import compared_laws, constants, elpd_by_group, law_residuals, prediction_scores, robust_sd
from section import Section
from store import Compared, Store

from bitlaw import RunTable, load_law
from bitlaw.inference.columns import schemes
from bitlaw.laws.law import Law
from bitlaw.laws.spec import parse_law

LAWS = ("bitlaw-default", "kumar2024-coupled", "kumar2024", "frantar2025", "quartet2025")
METHODS = ("quest_wa", "weight_only_quest", "bf16")
LARGEST_FITTED = 150e6
PENALTY, SHARE, FORMATS = "bitlaw-default", "kumar2024-coupled", "frantar2025"
OUTLIER = "W1A1"
_NOISE = ("sigma", "nu", "kappa_train", "sigma_cell", "gamma_D_train", "gamma_N_train")
EARLIER = {
    "penalty_elpd": 306.0,
    "share_elpd": 225.0,
    "penalty_sd": 0.0009,
    "share_sd": 0.007,
    "gamma_D": 0.14,
    "gamma_N": 0.19,
}
"""What an independent calculation found on these runs, with Student-t noise of one scale."""

_STRICT = {
    "sigma": (0.003, 0.6),
    "kappa_train": (1e-4, 0.01),
    "sigma_cell": (1e-5, 0.01),
    "nu": (4.0, 0.02),
}
"""Medians and log SDs; with ν free, or σ free to vanish, a few rows are fitted exactly: a second mode."""


def section(table: RunTable, store: Store) -> Section:
    """Fit the runs up to 150M parameters, predict the larger ones."""
    of_method = table.without(~table.frame["method"].isin(METHODS), "another method")
    is_large = of_method.frame["n_params"] > LARGEST_FITTED
    small, large = of_method.without(is_large, "held out"), of_method.frame[is_large]
    compared = store.compare("quest_qat", small, [*LAWS, on_coupled_base(FORMATS)])
    strict = store.compare("quest_qat, strict noise", small, [strict_noise(PENALTY), strict_noise(SHARE)])
    is_outlier = scheme_labels(small.frame) == OUTLIER
    without = store.compare(
        f"quest_qat without {OUTLIER}",
        small.without(is_outlier, "outlier"),
        [PENALTY, SHARE, on_coupled_base(FORMATS)],
    )
    residuals = {name: law_residuals(fit) for name, fit in compared.fits.items()}
    numbers = {
        "rows": len(small.frame),
        "held_out_rows": len(large),
        "without_rows": int((~is_outlier).sum()),
        "largest_fitted": float(small.frame["n_params"].max()),
        "smallest_held_out": float(large["n_params"].min()),
        "largest_held_out": float(large["n_params"].max()),
        "compute_ratio": _compute(large) / _compute(small.frame),
        "not_applicable": compared.numbers["not_applicable"],
        "laws": [
            row | _details(compared, row["law"], residuals[row["law"]], large)
            for row in compared_laws(compared)
        ],
        "strict": [
            row | {"constants": constants(strict.fits[row["law"]], _NOISE)} for row in compared_laws(strict)
        ],
        "without_outlier": [
            row | {"constants": constants(without.fits[row["law"]], _NOISE)} for row in compared_laws(without)
        ],
        "penalty_less": {
            "all": {name: _difference(compared, PENALTY, name) for name in (SHARE, f"{FORMATS}-coupled")},
            "without_outlier": {
                name: _difference(without, PENALTY, name) for name in (SHARE, f"{FORMATS}-coupled")
            },
            "strict": _difference(strict, f"{PENALTY}-strict", f"{SHARE}-strict"),
        },
        "earlier": EARLIER,
        "by_scheme": _by_scheme(compared, residuals),
    }
    shown = {"residuals": residuals, "schemes": scheme_labels(residuals[PENALTY])}
    return Section(
        numbers, shown, (*compared.fitted, *without.fitted, *strict.fitted), (compared, without, strict)
    )


def on_coupled_base(name: str) -> Law:
    """A law of the library with the coupled base in place of its own."""
    raw = tomllib.loads(load_law(name).toml)
    raw["terms"]["base"] = "coupled"
    own = {parameter.name for term in load_law(name).training for parameter in term.parameters}
    raw["priors"] = {key: prior for key, prior in raw["priors"].items() if key in own}
    raw["name"] = f"{name}-coupled"
    return parse_law(tomli_w.dumps(raw), raw["name"])


def strict_noise(name: str) -> Law:
    """A law of the library without error in proportion to the penalty and effects of cells, ν about 4."""
    raw = tomllib.loads(load_law(name).toml)
    for scale, (median, sigma) in _STRICT.items():
        raw["priors"][scale] |= {"median": median, "sigma": sigma, "reason": "strict noise"}
    raw["name"] = f"{name}-strict"
    return parse_law(tomli_w.dumps(raw), raw["name"])


def scheme_labels(frame: pd.DataFrame) -> pd.Series:
    """Such as ``W4A4`` or ``W4A16``; ``16 bits`` where nothing is quantized."""
    labels = (
        "W" + frame["bits_weights"].map("{:g}".format) + "A" + frame["bits_activations"].map("{:g}".format)
    )
    return labels.where(schemes(frame) != "", "16 bits")


def _compute(frame: pd.DataFrame) -> float:
    return float((6.0 * frame["n_params"] * frame["tokens"]).max())


def _difference(compared: Compared, name: str, other: str) -> dict[str, float]:
    """Elpd of one law less that of another."""
    return elpd_by_group(compared.fits[name], compared.fits[other], {})["all"]


def _details(
    compared: Compared, name: str, residuals: pd.DataFrame, large: pd.DataFrame
) -> dict[str, object]:
    fit = compared.fits[name]
    quantized = schemes(large) != ""
    return {
        "constants": constants(fit, _NOISE),
        "robust_sd": robust_sd(residuals["of_law"].to_numpy()),
        "robust_sd_in_cell": robust_sd(residuals["in_cell"].to_numpy()),
        "held_out": prediction_scores(fit, large),
        "held_out_quantized": prediction_scores(fit, large[quantized]),
        "status": str(fit.status),
    }


def _by_scheme(compared: Compared, residuals: dict[str, pd.DataFrame]) -> list[dict[str, object]]:
    """Mean log residual of each scheme under each law, and where the difference in elpd comes from."""
    frame = residuals[PENALTY]
    labels = scheme_labels(frame)
    of_run = dict(zip(frame["run_id"], labels, strict=True))
    split = {
        name: elpd_by_group(compared.fits[PENALTY], compared.fits[name], of_run)
        for name in (SHARE, f"{FORMATS}-coupled")
    }
    return [
        {
            "scheme": scheme,
            "rows": int((labels == scheme).sum()),
            "residual": {
                name: float(own["of_law"][scheme_labels(own) == scheme].mean())
                for name, own in residuals.items()
            },
            "elpd": {name: found[scheme] for name, found in split.items()},
        }
        for scheme in sorted(
            labels.unique(), key=lambda name: (name.startswith("W"), name.endswith("A16"), name)
        )
    ]
