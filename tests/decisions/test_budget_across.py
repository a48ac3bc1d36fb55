"""One budget under several laws: each law's plan, and the stack's."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.across_laws import DISAGREEMENT
from bitlaw.decisions.budget import budget
from bitlaw.decisions.budget_across import budget_across
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.inference.draws import points_frame
from fits import collapsed_fit, kumar_constants

FLOPS = 6e18
COUPLED = {"mean_loss": 3.3, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08, "g": 0.5}


@pytest.fixture(scope="module")
def kumar():
    return collapsed_fit("kumar2024", kumar_constants(), samples=200, jitter=0.05, vocab_size=50000)


@pytest.fixture(scope="module")
def coupled():
    constants = kumar_constants() | COUPLED
    return collapsed_fit("kumar2024-coupled", constants, samples=100, jitter=0.05, vocab_size=50000)


def weighing(monkeypatch: pytest.MonkeyPatch, *weights: float) -> None:
    monkeypatch.setattr("bitlaw.decisions.budget_across.law_weights", lambda fits: np.array(weights))


def test_one_law_is_its_own_stack(kumar):
    across = budget_across([kumar], flops=FLOPS)
    assert across.stack == budget(kumar, flops=FLOPS)
    assert {finding.code: finding.status for finding in across.findings}[DISAGREEMENT] is Status.NOT_RUN


def test_a_law_with_all_the_weight_is_the_stack(kumar, coupled, monkeypatch):
    weighing(monkeypatch, 1.0, 0.0)
    plans = points_frame(n_params=1e8, tokens=1e10).assign(name="own")
    across = budget_across([kumar, coupled], flops=FLOPS, plans=plans)
    alone = budget(kumar, flops=FLOPS, plans=plans)
    assert across.stack.options == alone.options
    assert across.stack.more == alone.more
    assert across.stack.under_prior.options == alone.under_prior.options
    own, single = across.stack.plans[0], alone.plans[0]
    assert own.loss == single.loss
    assert own.risk.disagreement == 0.0
    assert single.risk.disagreement is None


def test_the_stack_s_plan_is_between_the_laws_and_drawn_from_both(kumar, coupled, monkeypatch):
    weighing(monkeypatch, 0.5, 0.5)
    across = budget_across([kumar, coupled], flops=FLOPS, bits=(8,))
    sizes = sorted(answer.options[0].n_params for answer in across.by_law.values())
    assert sizes[0] < across.stack.options[0].n_params < sizes[1]
    assert across.stack.draws == 200
    assert across.by_law["kumar2024"].options == budget(kumar, flops=FLOPS, bits=(8,)).options
    for answer in across.by_law.values():
        assert across.stack.options[0].expected_regret > answer.options[0].expected_regret


def test_disagreement_is_said(kumar, coupled, monkeypatch):
    weighing(monkeypatch, 0.5, 0.5)
    across = budget_across([kumar, coupled], flops=FLOPS)
    found = next(finding for finding in across.findings if finding.code == DISAGREEMENT)
    assert found.status is Status.WARN
    assert "parameters on" in found.message
    assert found.message in across.sentence()
    assert across.sentence().startswith("Under the stack, ")
    twin = replace(kumar, law=replace(kumar.law, name="twin"))
    alike = budget_across([kumar, twin], flops=FLOPS).findings[-1]
    assert (alike.code, alike.status) == (DISAGREEMENT, Status.PASS)


def test_json_is_the_stack_with_every_law(kumar, coupled):
    content = json.loads(json.dumps(budget_across([kumar, coupled], flops=FLOPS).to_dict(), allow_nan=False))
    assert content["law"] == "the stack"
    assert list(content["laws"]) == ["kumar2024", "kumar2024-coupled"]
    assert all("options" in law and "laws" not in law for law in content["laws"].values())
    assert set(budget(kumar, flops=FLOPS).to_dict()) == set(content)


def test_a_refused_stack(kumar, coupled):
    across = budget_across([kumar, coupled], flops=1e27)
    assert across.status is Status.REFUSED
    assert across.stack.refused
    assert across.stack.risk.refused


def test_a_law_without_precision_limits_the_stack_to_16_bits(kumar):
    base = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
    chinchilla = collapsed_fit("chinchilla", base, samples=20, rows=kumar.rows)
    with pytest.raises(InputError, match="chinchilla has no term for bits_weights"):
        budget_across([kumar, chinchilla], flops=FLOPS)
    assert budget_across([kumar, chinchilla], flops=FLOPS, bits=(16,)).stack.best == 16.0
