import numpy as np
import pytest

from bitlaw.criticism.design_confounded import bits_condition, confounding_findings
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from bitlaw.laws.registry import load_law

LAW = load_law("bitlaw-default")
SIZES = np.array([1e7, 2e7, 4e7, 8e7, 16e7, 32e7])


def runs(bits, sizes=SIZES):
    sizes = np.asarray(sizes, float)
    return points_frame(
        run_id=[f"r{i}" for i in range(len(sizes))],
        n_params=sizes,
        tokens=1e9 * np.resize([1, 3, 2, 5, 4], len(sizes)),
        bits_weights=np.resize(bits, len(sizes)).astype(float),
    )


def only(frame, law=LAW):
    (finding,) = confounding_findings(law, frame)
    return finding


def test_bits_crossed_with_size_vary_apart():
    crossed = runs([16, 4], np.repeat(SIZES, 2))
    crossed["tokens"] = 1e9 * np.tile(np.repeat([1.0, 2.0], 2), 3)
    finding = only(crossed)
    assert finding.status == Status.PASS
    assert finding.value == 1.0


def test_the_condition_number_is_that_of_the_multiple_correlation():
    rng = np.random.default_rng(0)
    frame = runs([16], np.exp(rng.normal(18, 1, 40))).assign(bits_weights=rng.uniform(2, 16, 40))
    frame["tokens"] = np.exp(rng.normal(21, 1, 40))
    sizes = np.column_stack([np.ones(40), np.log(frame["n_params"]), np.log(frame["tokens"])])
    fitted = sizes @ np.linalg.lstsq(sizes, frame["bits_weights"].to_numpy())[0]
    r = np.corrcoef(fitted, frame["bits_weights"])[0, 1]
    assert bits_condition(frame, "bits_weights") == pytest.approx(np.sqrt((1 + r) / (1 - r)), rel=1e-5)


def test_bits_that_follow_size_are_named_with_their_kind():
    frame = runs([0]).assign(bits_weights=16.0 - 2 * np.log2(SIZES / 1e7))
    finding = only(frame)
    assert finding.status == Status.WARN
    assert finding.value > 1000
    assert "the bits of the weights follow the size of the run" in finding.message
    assert "16 bits and in fewer" in finding.advice


def test_small_runs_in_few_bits_and_large_ones_in_16():
    finding = only(runs([4, 4, 4, 16, 16, 16]))
    assert finding.status == Status.WARN
    assert finding.value < 10
    assert finding.message == (
        "Runs below 16 bits have N 10M to 40M and those at 16 bits 80M to 320M: "
        "what fewer bits cost cannot be told from what size gains."
    )


def test_one_precision_has_nothing_to_confound():
    assert only(runs([16])).status == Status.NOT_RUN
    assert only(runs([4])).status == Status.NOT_RUN


def test_more_than_16_bits_is_16():
    assert only(runs([16, 32, 16])).status == Status.NOT_RUN


def test_a_law_without_precision_has_no_such_check():
    assert confounding_findings(load_law("coupled"), runs([16, 4])) == ()
