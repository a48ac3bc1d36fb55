"""The sampled model against the NumPy code that everything after the fit uses."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr

from bitlaw.inference.model import build_model
from bitlaw.inference.pointwise import run_log_likelihood
from bitlaw.inference.prior import frozen, log_prior, prior_draws
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.inference.simulate import simulate_losses
from bitlaw.laws.registry import load_law
from designs import precision_design

LAW = load_law("kumar2024-coupled")
DRAWS = 6


def simulated(pool: bool = False, unpaired: bool = True) -> pd.DataFrame:
    design = precision_design()
    if unpaired:
        orphans = design[(design["bits_post"] == 4) & (design["run_id"].str.endswith("s1"))]
        design = pd.concat([design, orphans.assign(run_id=orphans["run_id"] + "_orphan", seed=7)])
    if pool:
        design["corpus"] = np.where(design["seed"] == 0, "web", "code")
    constants = {
        name: float(np.median(values))
        for name, values in prior_draws(LAW, reference_scales(design), 500, 0).items()
    }
    return simulate_losses(
        LAW, constants | {"gamma_D": 0.5, "gamma_N": 0.3}, design.reset_index(drop=True), seed=2
    )


@pytest.mark.parametrize("pool", [None, "corpus"])
def test_numpy_log_likelihood_is_the_models(pool: str | None) -> None:
    frame = simulated(pool=pool is not None)
    rows, reference = arrange(frame, pool), reference_scales(frame)
    assert len(rows.paired.run)
    assert len(rows.unpaired.run)
    assert rows.cells
    model = build_model(LAW, rows, reference)
    names = [variable.name for variable in model.free_RVs]
    draws = dict(zip(names, pm.draw(model.free_RVs, draws=DRAWS, random_seed=4), strict=True))
    log_densities = [pm.logp(rv, model.rvs_to_values[rv]).sum() for rv in model.observed_RVs]
    evaluate = pytensor.function(
        model.free_RVs, [*model.deterministics, *log_densities], mode="FAST_COMPILE", on_unused_input="ignore"
    )
    n_deterministic = len(model.deterministics)
    expected, posterior = [], {name: [] for name in [*names, *(v.name for v in model.deterministics)]}
    for index in range(DRAWS):
        free = [draws[name][index] for name in names]
        outputs = evaluate(*free)
        expected.append(float(sum(outputs[n_deterministic:])))
        for name, value in zip(posterior, [*free, *outputs[:n_deterministic]], strict=True):
            posterior[name].append(value)
    dataset = xr.Dataset(
        {
            name: (
                ("chain", "draw", *(f"{name}_{axis}" for axis in range(np.ndim(value[0])))),
                np.array(value)[None],
            )
            for name, value in posterior.items()
        }
    )
    found = run_log_likelihood(LAW, rows, reference, dataset)
    np.testing.assert_allclose(found.total, expected, rtol=1e-9)
    assert found.by_run.shape == (DRAWS, len(rows.run_ids))


def test_priors_are_the_models() -> None:
    frame = simulated()
    rows, reference = arrange(frame), reference_scales(frame)
    model = build_model(LAW, rows, reference)
    top = [rv for rv in model.free_RVs if rv.name not in ("run_effect", "cell_level")]
    outputs = [pm.logp(rv, rv).sum() for rv in top] + [*model.deterministics]
    evaluate = pytensor.function(top, outputs, mode="FAST_COMPILE", on_unused_input="ignore")
    free = pm.draw(top, draws=4, random_seed=8)
    for index in range(4):
        values = {rv.name: value[index] for rv, value in zip(top, free, strict=True)}
        found = evaluate(*values.values())
        values |= {rv.name: value for rv, value in zip(model.deterministics, found[len(top) :], strict=True)}
        # Densities of shares and steps, as densities of the floors and sensitivities they stand for.
        jacobian = 0.0
        for kind, column in (("w", "bits_weights"), ("a", "bits_activations"), ("kv", "bits_kv")):
            smallest = reference.smallest_bits[column]
            steps, gamma = values[f"gamma_{kind}_steps"], values[f"gamma_{kind}"]
            jacobian += np.log(steps / gamma) - np.log(smallest)
        at = {name: np.array([value]) for name, value in values.items() if np.ndim(value) == 0}
        expected = log_prior(LAW, reference, at)[0]
        assert sum(float(value) for value in found[: len(top)]) + jacobian == pytest.approx(
            expected, rel=1e-9
        )


def test_prior_draws_match_their_distribution_and_seed() -> None:
    reference = reference_scales(simulated())
    first, second = (prior_draws(LAW, reference, 4000, seed=9) for _ in range(2))
    for prior in LAW.priors:
        np.testing.assert_array_equal(first[prior.name], second[prior.name])
        middle = frozen(prior, reference).cdf(first[prior.name]).mean()
        assert middle == pytest.approx(0.5, abs=0.03)
    assert (first["P0_w"] < reference.smallest_bits["bits_weights"]).all()


def at_effects(constants: dict[str, float], effects: np.ndarray, cells: int) -> xr.Dataset:
    """A posterior with fixed constants and given run effects of shape (draws, runs)."""
    scalars = {
        name: (("chain", "draw"), np.full((1, len(effects)), value)) for name, value in constants.items()
    }
    return xr.Dataset(
        scalars
        | {
            "run_effect": (("chain", "draw", "run"), effects[None]),
            "cell_effect": (("chain", "draw", "cell"), np.zeros((1, len(effects), cells))),
        }
    )


def test_integrating_out_a_run_effect_matches_brute_force() -> None:
    frame = simulated(unpaired=False)
    reference = reference_scales(frame)
    draws = prior_draws(LAW, reference, 500, 0)
    constants = {name: float(np.median(values)) for name, values in draws.items()}
    constants |= {"gamma_D": 0.5, "gamma_N": 0.3, "tau": 0.3, "kappa": 0.2}
    grid = np.linspace(-3, 3, 4001)
    density = np.exp(-0.5 * (grid / 0.3) ** 2) / (0.3 * np.sqrt(2 * np.pi))
    for run_id in ("n40000000_d2000000000_w16_a16_kv16_s0", "n10000000_d400000000_w5_a16_kv16_s1"):
        alone = arrange(frame[frame["run_id"] == run_id])
        assert len(alone.paired.run) >= 3
        total = run_log_likelihood(LAW, alone, reference, at_effects(constants, grid[:, None], 0)).total
        weight = np.exp(total - total.max()) * density
        brute = np.log(np.trapezoid(weight, grid)) + total.max()
        centre = np.average(grid, weights=weight)
        spread = np.sqrt(np.average((grid - centre) ** 2, weights=weight))
        seen = np.random.default_rng(0).normal(centre, spread, (400, 1))
        found = run_log_likelihood(LAW, alone, reference, at_effects(constants, seen, 0)).by_run
        np.testing.assert_allclose(found, brute, atol=2e-3)


def test_one_group_falls_back_to_no_pooling() -> None:
    frame = simulated(unpaired=False).assign(corpus="only")
    rows = arrange(frame, "corpus")
    model = build_model(LAW, rows, reference_scales(frame))
    assert rows.group_names == ()
    assert not [rv.name for rv in model.free_RVs if rv.name.endswith("_group_sd")]


def test_pooling_is_non_centred_and_only_where_the_prior_declares_it() -> None:
    frame = simulated(pool=True)
    model = build_model(LAW, arrange(frame, "corpus"), reference_scales(frame))
    pooled = {rv.name.removesuffix("_group_sd") for rv in model.free_RVs if rv.name.endswith("_group_sd")}
    assert {f"{name}_offset" for name in pooled} <= {rv.name for rv in model.free_RVs}
    assert pooled == {prior.name for prior in LAW.priors if prior.group_sd}
    assert {"E_group", "alpha_group", "gamma_w_group"} <= {variable.name for variable in model.deterministics}
