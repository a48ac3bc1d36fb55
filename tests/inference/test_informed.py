"""Quantities that no row informs have their prior for a posterior, and are not sampled."""

import numpy as np
import pytest
from scipy import stats

from bitlaw.inference.compiled import compile_law, sample_law
from bitlaw.inference.draws import points_frame
from bitlaw.inference.informed import uninformed
from bitlaw.inference.prior import frozen
from bitlaw.inference.rows import arrange, reference_scales
from bitlaw.inference.sample import SamplerSettings
from bitlaw.laws.registry import load_law
from bitlaw.laws.spec import with_ties
from designs import base_design

POST = {"C", "gamma_D", "gamma_N", "gamma_post", "C_w", "kappa", "tau", "sigma_gap", "nu_gap"}


def found(law_name: str, **columns: object) -> set[str]:
    sizes, tokens = np.meshgrid([1e7, 1e8], [1e9, 1e10])
    frame = points_frame(n_params=sizes.ravel(), tokens=tokens.ravel(), **columns)
    frame = frame.assign(run_id=[f"run{index}" for index in range(4)], loss=3.0)
    law = load_law(law_name)
    return set(uninformed(law, arrange(law, frame), reference_scales(frame)))


def test_a_table_without_low_precision_informs_the_base_and_its_noise_alone() -> None:
    penalty = {f"{name}_{kind}" for name in ("k", "c") for kind in ("w", "a", "kv")}
    expected = POST | penalty | {"gamma_D_train", "gamma_N_train", "kappa_train"}
    assert found("bitlaw-default") == expected
    assert found("chinchilla") == set()


def test_only_the_tensor_kinds_that_were_quantized_are_informed() -> None:
    left = found("bitlaw-default", bits_weights=[16.0, 16.0, 4.0, 4.0])
    assert left == POST | {"k_a", "c_a", "k_kv", "c_kv"}
    left = found("kumar2024-coupled", bits_weights=[16.0, 4.0, 16.0, 4.0], bits_activations=8.0)
    assert left == POST | {"gamma_kv", "P0_kv"}


def test_rounding_informs_nothing() -> None:
    """Shares that cancel at 16 bits leave their rounding behind, at some sizes and not at others."""
    design = base_design(tuple(np.geomspace(2e7, 1e9, 5)), tuple(np.geomspace(5e8, 5e10, 5)))
    frame = design.assign(bits_weights=[16.0, 8.0, 4.0, 4.0, 3.0] * 5, bits_activations=4.0, loss=3.0)
    law = load_law("kumar2024-coupled")
    assert set(uninformed(law, arrange(law, frame), reference_scales(frame))) == POST | {"gamma_kv", "P0_kv"}


def test_as_printed_an_unquantized_kind_still_moves_the_loss() -> None:
    assert not {"gamma_kv", "P0_kv"} & found("kumar2024", bits_weights=[16.0, 16.0, 4.0, 4.0])


@pytest.mark.parametrize("paired", [True, False])
def test_rows_quantized_after_training_inform_their_term(paired: bool) -> None:
    columns = {"bits_post": [np.nan, 4.0, 3.0, 4.0], "method_post": ["", "rtn", "rtn", "rtn"]}
    frame = points_frame(n_params=[1e7, 1e7, 1e8, 1e8], tokens=[1e9, 1e9, 1e9, 1e10], **columns)
    ids = ["a", "a", "b", "c"] if paired else ["a", "d", "b", "c"]
    frame = frame.assign(run_id=ids, loss=[3.0, 3.1, 2.9, 2.8])
    law = load_law("bitlaw-default")
    left = POST & set(uninformed(law, arrange(law, frame), reference_scales(frame)))
    assert left == (set() if paired else {"sigma_gap", "nu_gap"})


def test_what_no_row_informs_is_drawn_from_its_prior() -> None:
    design = base_design((1e7, 1e8, 1e9), (1e9, 1e10, 1e11))
    frame = design.assign(loss=2.0 + 0.3 * (design["n_params"] / 1e8) ** -0.3)
    law = with_ties(load_law("bitlaw-default"), {"k_a": "k_w"})
    compiled = compile_law(law, frame)
    posterior = sample_law(compiled, SamplerSettings(draws=200, tune=300, seed=1))["posterior"].to_dataset()
    assert {prior.name for prior in law.priors} - set(posterior) == {"sigma_cell"}
    for name in ("k_w", "C", "tau"):
        draws = posterior[name].to_numpy().reshape(-1)
        assert stats.kstest(draws, frozen(law.prior(name), compiled.reference).cdf).pvalue > 0.001
    np.testing.assert_array_equal(posterior["k_a"], posterior["k_w"])
