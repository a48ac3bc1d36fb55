"""What each row adds to the likelihood: weights, bounds, standard errors, and run effects integrated out."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr

from bitlaw.inference.likelihood import trained_scale
from bitlaw.inference.model import build_model
from bitlaw.inference.numbers import VECTOR, model_numbers
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.prior import frozen, prior_draws
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.laws.law import Law
from bitlaw.laws.registry import load_law
from designs import law_design, precision_design, simulated, typical

LIKELIHOOD = {"trained", "diverged", "paired", "unpaired"}
"""Names of the potentials that are densities of measured losses."""


def log_likelihood(law: Law, frame: pd.DataFrame, weight: np.ndarray | None = None) -> float:
    """Sum of the densities of measured losses at the model's initial point, where cells have no effect."""
    rows, reference = arrange(law, frame), reference_scales(frame)
    model = build_model(law, rows, reference)
    if rows.cells:
        model = pm.do(model, {"cell_effect": np.zeros(rows.cells)})
    if weight is not None:
        with model:
            pm.set_data({VECTOR: model_numbers(law, rows, reference).replaced(weight=weight).vector})
    measured = model.replace_rvs_by_values([item for item in model.potentials if item.name in LIKELIHOOD])
    initial = model.initial_point()
    density = pytensor.function(model.value_vars, measured, mode="FAST_COMPILE", on_unused_input="ignore")
    return float(sum(np.sum(value) for value in density(*(initial[item.name] for item in model.value_vars))))


def test_a_run_of_weight_zero_is_left_out() -> None:
    law = load_law("bitlaw-default")
    frame = simulated(law, law_design(law, sizes=(1e7, 1.6e8), tokens=(4e8, 1e10)))
    weight = np.where(frame["run_id"].isin(frame["run_id"].unique()[[0, 3]]), 0.0, 1.0)
    of_nothing = frame["run_id"].isin(frame["run_id"].unique()[[0, 3]]) & frame["bits_post"].isna()
    changed = frame.assign(loss=frame["loss"].where(~of_nothing, frame["loss"] + 0.5))
    # A changed loss moves the gap of its own rows quantized after training, which weigh nothing too.
    assert log_likelihood(law, changed, weight) == pytest.approx(
        log_likelihood(law, frame, weight), rel=1e-12
    )
    assert log_likelihood(law, changed) != pytest.approx(log_likelihood(law, frame), rel=1e-3)
    assert log_likelihood(law, frame, 0.0 * weight) == 0.0


def test_a_diverged_run_bounds_the_law_from_below() -> None:
    """A loss far below the law's is no evidence against it; one far above is strong evidence."""
    law = load_law("chinchilla")
    frame = simulated(law, law_design(law))
    last = frame.index[-1]

    def at(loss: float) -> float:
        status = np.where(frame.index == last, "diverged", "ok")
        losses = frame["loss"].where(frame.index != last, loss)
        return log_likelihood(law, frame.assign(status=status, loss=losses))

    rows = arrange(law, frame.assign(status=np.where(frame.index == last, "diverged", "ok")))
    assert (len(rows.trained), len(rows.diverged)) == (len(frame) - 1, 1)
    far_below, further_below, above, far_above = (at(loss) for loss in (1e-4, 1e-6, 3.0, 1e4))
    assert far_below == pytest.approx(further_below, abs=1e-6)
    assert far_below > above > far_above + 50


def test_standard_errors_add_in_quadrature() -> None:
    law = load_law("chinchilla")
    frame = simulated(law, law_design(law))
    exact = log_likelihood(law, frame)
    assert log_likelihood(law, frame.assign(loss_se=0.0)) == exact
    assert log_likelihood(law, frame.assign(loss_se=1e-9)) == pytest.approx(exact, rel=1e-9)
    rows = arrange(law, frame.assign(loss_se=0.03 * frame["loss"]))
    np.testing.assert_allclose(rows.trained.relative_error, 0.03)
    p = {"sigma": np.float64(0.04)}
    assert trained_scale(p, None, 0.03, np) == pytest.approx(0.05)  # type: ignore[arg-type]


def test_prior_draws_match_their_distribution_and_seed() -> None:
    law = load_law("bitlaw-default")
    reference = reference_scales(precision_design())
    first, second = (prior_draws(law, reference, 4000, seed=9) for _ in range(2))
    for prior in law.priors:
        np.testing.assert_array_equal(first[prior.name], second[prior.name])
        assert frozen(prior, reference).cdf(first[prior.name]).mean() == pytest.approx(0.5, abs=0.03)
    coupled = load_law("kumar2024-coupled")
    floors = prior_draws(coupled, reference, 4000, seed=9)["P0_w"]
    assert (floors < reference.smallest_bits["bits_weights"]).all()


def at_effects(constants: dict[str, float], effects: np.ndarray, cells: int) -> xr.Dataset:
    """A posterior with fixed constants and given run effects of shape (draws, runs)."""
    scalars = {
        name: (("chain", "draw"), np.full((1, len(effects)), value)) for name, value in constants.items()
    }
    return xr.Dataset(
        scalars
        | {
            "run_effect": (("chain", "draw", "run"), effects[None]),
            "cell_level": (("chain", "draw", "cell"), np.zeros((1, len(effects), cells))),
        }
    )


@pytest.mark.parametrize("name", ["kumar2024-coupled", "bitlaw-default"])
def test_integrating_out_a_run_effect_matches_brute_force(name: str) -> None:
    law = load_law(name)
    frame = simulated(law, precision_design())
    reference = reference_scales(frame)
    constants = typical(law, frame) | {"tau": 0.3, "kappa": 0.2}
    grid = np.linspace(-3, 3, 4001)
    density = np.exp(-0.5 * (grid / 0.3) ** 2) / (0.3 * np.sqrt(2 * np.pi))
    for run_id in ("n40000000_d2000000000_w16_a16_kv16_s0", "n10000000_d400000000_w5_a16_kv16_s1"):
        alone = arrange(law, frame[frame["run_id"] == run_id])
        assert len(alone.paired) >= 3
        total = run_log_likelihood(law, alone, reference, at_effects(constants, grid[:, None], 0)).total
        weight = np.exp(total - total.max()) * density
        brute = np.log(np.trapezoid(weight, grid)) + total.max()
        centre = np.average(grid, weights=weight)
        spread = np.sqrt(np.average((grid - centre) ** 2, weights=weight))
        seen = np.random.default_rng(0).normal(centre, spread, (400, 1))
        found = run_log_likelihood(law, alone, reference, at_effects(constants, seen, 0)).by_run
        np.testing.assert_allclose(found, brute, atol=2e-3)
