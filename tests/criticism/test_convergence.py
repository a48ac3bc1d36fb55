import numpy as np
import pytest
import xarray as xr

from bitlaw.criticism.convergence import convergence_findings
from bitlaw.finding import Status

CHAINS, DRAWS = 4, 1000
DIMS = ("chain", "draw")
EMPTY = xr.Dataset()


def noise(*extra: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((CHAINS, DRAWS, *extra))


def nutpie_statistics(**changes: np.ndarray) -> xr.Dataset:
    statistics = {
        "diverging": np.zeros((CHAINS, DRAWS), bool),
        "maxdepth_reached": np.zeros((CHAINS, DRAWS), bool),
        "depth": np.full((CHAINS, DRAWS), 4, np.uint64),
        "energy": noise(),
    }
    return xr.Dataset({name: (DIMS, values) for name, values in (statistics | changes).items()})


def check(posterior=None, stats=None, reported=EMPTY, max_depth=10):
    posterior = xr.Dataset({"x": (DIMS, noise())}) if posterior is None else posterior
    stats = nutpie_statistics() if stats is None else stats
    findings = convergence_findings(posterior, stats, reported, max_depth)
    return {finding.code.removeprefix("convergence."): finding for finding in findings}


def first_share(share: float) -> np.ndarray:
    values = np.zeros(CHAINS * DRAWS, bool)
    values[: int(share * values.size)] = True
    return values.reshape(CHAINS, DRAWS)


def test_good_draws_pass_every_check():
    found = check()
    assert list(found) == ["rhat", "ess_bulk", "ess_tail", "divergences", "tree_depth", "energy"]
    assert {finding.status for finding in found.values()} == {Status.PASS}
    assert not any(finding.advice for finding in found.values())


def test_chains_at_different_places_fail_and_the_worst_is_named():
    apart = noise() + 3 * np.arange(CHAINS)[:, None]
    found = check(xr.Dataset({"x": (DIMS, noise()), "alpha": (DIMS, apart)}))
    for name in ("rhat", "ess_bulk"):
        assert found[name].status == Status.FAIL
        assert "(alpha)" in found[name].message
        assert found[name].advice
    assert found["rhat"].value > 1.5
    assert found["ess_bulk"].value < 50


def test_slow_chains_fail_on_effective_draws():
    found = check(xr.Dataset({"x": (DIMS, np.repeat(noise()[:, ::20], 20, axis=1))}))
    assert found["ess_bulk"].status == found["ess_tail"].status == Status.FAIL


def test_the_worst_of_a_group_and_of_reported_quantities_is_named():
    grouped = noise(2)
    grouped[..., 1] += 3 * np.arange(CHAINS)[:, None]
    dataset = xr.Dataset({"alpha_group": ((*DIMS, "group"), grouped)}, {"group": ["web", "code"]})
    assert "(alpha_group[code])" in check(dataset)["rhat"].message
    reported = xr.Dataset({"loss": (DIMS, grouped[..., 1])})
    assert "(loss)" in check(reported=reported)["rhat"].message


@pytest.mark.parametrize("name", ["run_effect", "cell_effect", "cell_level"])
def test_latent_effects_are_not_looked_at(name):
    bad = np.broadcast_to(np.arange(CHAINS)[:, None], (CHAINS, DRAWS))
    assert check(xr.Dataset({"x": (DIMS, noise()), name: (DIMS, bad)}))["rhat"].status == Status.PASS


def test_constant_quantities_are_no_failure():
    constant = xr.Dataset({"x": (DIMS, noise()), "one": (DIMS, np.ones((CHAINS, DRAWS)))})
    found = check(constant)
    assert found["rhat"].status == found["ess_tail"].status == Status.PASS
    assert "1 quantities" in found["rhat"].message


def test_a_fixed_floor_and_ties_are_no_failure():
    draws = {
        "k_w": noise(),
        "k_a": noise(),
        "E": np.zeros((CHAINS, DRAWS)),
        "top": np.full((CHAINS, DRAWS), np.inf),
    }
    found = check(xr.Dataset({name: (DIMS, values) for name, values in draws.items()}))
    assert found["rhat"].status == found["ess_bulk"].status == Status.PASS
    assert "2 quantities" in found["rhat"].message


def test_what_is_never_a_number_fails():
    never = xr.Dataset({"x": (DIMS, noise()), "alpha": (DIMS, np.full((CHAINS, DRAWS), np.nan))})
    assert check(never)["rhat"].status == Status.FAIL
    assert "(alpha)" in check(never)["rhat"].message


def test_one_chain_that_never_moves_fails():
    values = noise()
    values[1] = 0.3
    assert check(xr.Dataset({"x": (DIMS, values)}))["rhat"].status == Status.FAIL


def test_shifts_of_levels_and_their_spread_are_looked_at_by_label():
    shifts = noise(2)
    shifts[..., 0] += 3 * np.arange(CHAINS)[:, None]
    variables = {"eff_N_by_scheme": ((*DIMS, "scheme"), shifts), "eff_N_sd_scheme": (DIMS, np.exp(noise()))}
    found = check(xr.Dataset(variables, {"scheme": ["fp4 w4a4", "mxfp4"]}))
    assert "(eff_N_by_scheme[fp4 w4a4])" in found["rhat"].message
    assert "3 quantities" in found["rhat"].message


def test_infinite_draws_are_ranked_like_large_ones():
    found = check(
        xr.Dataset({"tokens_beyond_which_more_hurts": (DIMS, np.where(noise() > 1, np.inf, noise()))})
    )
    assert found["rhat"].status == found["ess_bulk"].status == found["ess_tail"].status == Status.PASS


def test_draws_that_are_not_numbers_fail():
    values = noise()
    values[0, 0] = np.nan
    found = check(xr.Dataset({"x": (DIMS, values)}))
    assert found["rhat"].status == found["ess_bulk"].status == Status.FAIL
    assert found["rhat"].value is None
    assert "not a number" in found["rhat"].message


def test_chains_that_never_move_fail():
    stuck = np.broadcast_to(np.arange(CHAINS)[:, None], (CHAINS, DRAWS)).astype(float)
    assert check(xr.Dataset({"x": (DIMS, stuck)}))["rhat"].status == Status.FAIL


def test_too_few_chains_draws_or_quantities_are_not_run():
    one_chain = check(xr.Dataset({"x": (DIMS, noise()[:1])}))
    assert one_chain["rhat"].status == Status.NOT_RUN
    assert one_chain["ess_bulk"].status == Status.PASS
    assert check(xr.Dataset({"x": (DIMS, noise()[:, :3])}))["ess_bulk"].status == Status.NOT_RUN
    assert check(EMPTY)["rhat"].status == check(EMPTY)["ess_tail"].status == Status.NOT_RUN


@pytest.mark.parametrize(
    ("share", "status"), [(0.0, Status.PASS), (0.001, Status.WARN), (0.00125, Status.FAIL)]
)
def test_divergences(share, status):
    finding = check(stats=nutpie_statistics(diverging=first_share(share)))["divergences"]
    assert (finding.status, finding.value) == (status, share)


@pytest.mark.parametrize(("share", "status"), [(0.01, Status.PASS), (0.02, Status.WARN)])
@pytest.mark.parametrize("name", ["maxdepth_reached", "reached_max_treedepth"])
def test_tree_depth_flags(name, share, status):
    stats = xr.Dataset({name: (DIMS, first_share(share))})
    assert check(stats=stats)["tree_depth"].status == status


@pytest.mark.parametrize("name", ["depth", "tree_depth"])
def test_tree_depth_from_depths(name):
    stats = xr.Dataset({name: (DIMS, np.full((CHAINS, DRAWS), 8))})
    assert check(stats=stats, max_depth=10)["tree_depth"].status == Status.PASS
    assert check(stats=stats, max_depth=8)["tree_depth"].status == Status.WARN


def test_slow_energy_warns_for_one_chain_alone():
    energy = noise()
    energy[2] = np.cumsum(energy[2])
    finding = check(stats=nutpie_statistics(energy=energy))["energy"]
    assert finding.status == Status.WARN
    assert finding.value < 0.3
    assert "1 fall short" in finding.message


def test_constant_energy_warns():
    finding = check(stats=nutpie_statistics(energy=np.ones((CHAINS, DRAWS))))["energy"]
    assert (finding.status, finding.value) == (Status.WARN, None)


def test_missing_statistics_are_not_run():
    found = check(stats=EMPTY)
    assert {found[name].status for name in ("divergences", "tree_depth", "energy")} == {Status.NOT_RUN}
