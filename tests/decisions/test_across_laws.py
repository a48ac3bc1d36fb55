"""One precision question under several laws: each law's answer, and the stack's."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.across_laws import DISAGREEMENT, optimum_across, shared_findings
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.pooling import stack_rows
from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from fits import collapsed_fit, kumar_constants

COUPLED = {"mean_loss": 2.6, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}
ADDITIVE = {
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.005, "c_kv": 1.1,
    "gamma_D_train": 0.1, "gamma_N_train": 0.2,
}  # fmt: skip
BASE = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}


@pytest.fixture(scope="module")
def kumar():
    return collapsed_fit("kumar2024", kumar_constants(), samples=200, jitter=0.1, vocab_size=50000)


@pytest.fixture(scope="module")
def additive():
    constants = kumar_constants() | COUPLED | ADDITIVE
    return collapsed_fit("bitlaw-default", constants, samples=100, jitter=0.1, vocab_size=50000)


def weighing(monkeypatch: pytest.MonkeyPatch, *weights: float) -> None:
    monkeypatch.setattr("bitlaw.decisions.across_laws.law_weights", lambda fits: np.array(weights))


def without_findings(decision):
    content = decision.to_dict()
    return {name: value for name, value in content.items() if name not in ("findings", "status", "law")}


def test_one_law_is_its_own_stack(kumar):
    across = optimum_across([kumar], flops=1e21)
    assert across.weights == {"kumar2024": 1.0}
    assert across.stack == optimum(kumar, flops=1e21)
    assert across.status is across.stack.status
    assert {finding.code: finding.status for finding in across.findings}[DISAGREEMENT] is Status.NOT_RUN


@pytest.mark.parametrize("question", [{"flops": 1e21}, {"n_params": 1e9, "tokens": 1e10, "tolerance": 0.02}])
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_a_law_with_all_the_weight_is_the_stack(kumar, additive, weights, question, monkeypatch):
    weighing(monkeypatch, *weights)
    across = optimum_across([kumar, additive], **question)
    chosen = across.by_law["kumar2024" if weights[0] else "bitlaw-default"]
    stack, alone = without_findings(across.stack), without_findings(chosen)
    assert stack.pop("risk")["disagreement"] == 0.0
    assert alone.pop("risk")["disagreement"] is None
    stack["under_prior"].pop("law")
    alone["under_prior"].pop("law")
    assert stack == alone


def test_stack_is_the_mixture(kumar, additive, monkeypatch):
    weighing(monkeypatch, 0.75, 0.25)
    across = optimum_across([kumar, additive], flops=1e21)
    assert across.stack.draws == 267
    for option in across.stack.options:
        share = {name: answer.option(option.bits).probability_best for name, answer in across.by_law.items()}
        mixed = 0.75 * share["kumar2024"] + 0.25 * share["bitlaw-default"]
        assert option.probability_best == pytest.approx(mixed, abs=0.02)
    assert across.by_law["kumar2024"].options == optimum(kumar, flops=1e21).options


def test_disagreement_is_said(kumar, additive, monkeypatch):
    weighing(monkeypatch, 0.5, 0.5)
    across = optimum_across([kumar, additive], flops=1e21)
    found = next(finding for finding in across.findings if finding.code == DISAGREEMENT)
    assert found.status is Status.WARN
    assert "kumar2024 (weight 50 %) 8 bits; bitlaw-default (weight 50 %) 5 bits" in found.message
    assert across.sentence().startswith("Under the stack, ")
    assert found.message in across.sentence()
    table = across.table()
    assert table["law"].unique().tolist() == ["the stack", "kumar2024 (50 %)", "bitlaw-default (50 %)"]
    assert len(table) == 18


def test_agreement_passes(kumar, monkeypatch):
    weighing(monkeypatch, 0.5, 0.5)
    twin = replace(kumar, law=replace(kumar.law, name="twin"))
    found = optimum_across([kumar, twin], flops=1e21).findings[-1]
    assert (found.code, found.status, found.value) == (DISAGREEMENT, Status.PASS, 1.0)
    assert "Near-optimal under every law: 8 bits" in found.message


def test_json_is_the_stack_with_every_law(kumar, additive):
    across = optimum_across([kumar, additive], flops=1e21, bits=(16, 8))
    content = json.loads(json.dumps(across.to_dict(), allow_nan=False))
    assert content["law"] == "the stack"
    assert list(content["laws"]) == ["kumar2024", "bitlaw-default"]
    assert sum(law["weight"] for law in content["laws"].values()) == pytest.approx(1.0)
    assert all("options" in law and "laws" not in law for law in content["laws"].values())
    assert set(optimum(kumar, flops=1e21).to_dict()) == set(content)


def test_laws_of_bits_and_of_formats_are_offered_what_was_logged(kumar):
    formats = collapsed_fit("frantar2025", BASE | {"eff_N": 0.8}, samples=4, rows=kumar.rows)
    across = optimum_across([kumar, formats], flops=1e21)
    keys = [option.key for option in across.stack.options]
    assert keys == [16.0, "int w8a8kv8", "int w6a6kv6", "int w4a4kv4"]
    by_bits = optimum(kumar, flops=1e21, bits=(8,)).option(8)
    assert across.by_law["kumar2024"].option("int w8a8kv8").loss == by_bits.loss


def test_fits_that_cannot_be_stacked(kumar, additive):
    with pytest.raises(InputError, match="occurs 2 times"):
        optimum_across([kumar, kumar], flops=1e21)
    other = replace(additive, provenance=replace(additive.provenance, table_hash="other"))
    with pytest.raises(InputError, match="other rows"):
        optimum_across([kumar, other], flops=1e21)
    with pytest.raises(InputError, match="chinchilla has no term for training precision"):
        optimum_across([kumar, collapsed_fit("chinchilla", BASE, rows=kumar.rows)], flops=1e21)
    with pytest.raises(TypeError, match="budget"):
        optimum_across([kumar], budget=1e21)


def test_rows_keep_the_proportions_and_repeat_nothing():
    rows = stack_rows(np.array([0.5, 0.3, 0.2]), [4000, 4000, 1000])
    assert [len(own) for own in rows] == [2500, 1500, 1000]
    assert all(len(set(own)) == len(own) for own in rows)
    np.testing.assert_array_equal(rows[2], np.arange(1000))
    assert rows[0].max() < 4000


def test_findings_of_some_laws_name_them(kumar, additive):
    shared = Finding("a.b", Status.WARN, 1.0, 0.0, "Shared.")
    own = Finding("c.d", Status.FAIL, 1.0, 0.0, "Own.")
    one, other = (optimum(fit, flops=1e21) for fit in (kumar, additive))
    found = shared_findings(
        {"one": replace(one, findings=(shared,)), "other": replace(other, findings=(shared, own))}
    )
    assert [finding.message for finding in found] == ["Shared.", "other: Own."]
