"""The post-training decision: safety, methods, and what it refuses."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from bitlaw.decisions.ptq import ptq
from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.laws.law import Reference
from fits import NOISE, REFERENCE, collapsed_fit, kumar_constants

QUIET = {"tau": 1e-9, "kappa": 1e-9, "sigma_gap": 1e-11, "sigma": 1e-9, "sigma_cell": 1e-9}


@pytest.fixture(scope="module")
def fit():
    return collapsed_fit("kumar2024", kumar_constants(), samples=2000, vocab_size=50000)


def degradation(n_params, tokens, bits):
    """The paper's own form in raw counts, from a 16-bit run, with the effective N of its f(16)."""
    share = math.prod(
        1 - math.exp(-16 / gamma + n) for gamma, n in ((2.6745, 0.3037), (2.2102, 1.4072), (0.9578, 2.4185))
    )
    return 0.0598 * tokens**0.5068 / (share * n_params) ** 0.3439 * math.exp(-bits / 0.5907 + 1.1277)


def test_degradation_of_the_published_constants():
    fit = collapsed_fit("kumar2024", kumar_constants() | QUIET, samples=4)
    decision = ptq(fit, 1e9, 2e10)
    for option in decision.options:
        assert option.degradation.median == pytest.approx(degradation(1e9, 2e10, option.bits_post), rel=1e-5)
    assert decision.smallest_safe_bits == 5
    assert not decision.at_edge


def test_smallest_safe_bits_has_the_confidence_asked(fit):
    decision = ptq(fit, 1e9, 2e10)
    safe = [option.bits_post for option in decision.options if option.probability_safe >= 0.95]
    assert decision.smallest_safe_bits == min(safe)
    assert ptq(fit, 1e9, 2e10, confidence=0.999).smallest_safe_bits == 6
    probabilities = [option.probability_safe for option in decision.options]
    assert probabilities == sorted(probabilities, reverse=True)
    new_run, law_mean = decision.option(4).degradation, decision.option(4).degradation_mean
    assert new_run.hi - new_run.lo > law_mean.hi - law_mean.lo


def test_memory_of_the_weights_is_in_table_and_json(fit):
    decision = ptq(fit, 7e9, 2e10, bits=(8, 4))
    assert [option.weights_gb for option in decision.options] == [7.0, 3.5]
    assert decision.table()["weights, GB"].tolist() == [7.0, 3.5]
    assert decision.to_dict()["options"][1]["weights_gb"] == 3.5


def test_nothing_safe_and_edge(fit):
    nothing = ptq(fit, 1e9, 2e10, bits=(3, 2))
    assert nothing.smallest_safe_bits is None
    assert "not safe at any" in nothing.sentence()
    edge = ptq(fit, 1e9, 2e10, bits=(8, 6))
    assert edge.at_edge
    assert "smallest on offer" in edge.sentence()


def test_measured_loss_sets_the_room():
    fit = collapsed_fit("kumar2024", kumar_constants() | QUIET, samples=4, vocab_size=256)
    room = math.log(256) - 5.0
    delta = degradation(1e9, 2e10, 2)
    option = ptq(fit, 1e9, 2e10, loss=5.0).option(2)
    assert option.degradation.median == pytest.approx(room * -math.expm1(-delta / room), rel=1e-5)
    assert option.degradation_mean.median == pytest.approx(option.degradation.median, rel=1e-5)
    with pytest.raises(InputError, match="no better than guessing"):
        ptq(fit, 1e9, 2e10, loss=5.6)


def test_measured_loss_equal_to_the_laws_changes_nothing():
    fit = collapsed_fit("kumar2024", kumar_constants() | QUIET, samples=4, vocab_size=256)
    free = ptq(fit, 1e8, 1e10)
    loss = float(fit.rows.query("n_params == 1e8 and tokens == 1e10 and bits_weights == 16").iloc[0]["loss"])
    given = ptq(fit, 1e8, 1e10, loss=loss)
    for one, other in zip(free.options, given.options, strict=True):
        assert one.degradation.median == pytest.approx(other.degradation.median, rel=1e-5)


def test_only_bits_below_the_training_bits(fit):
    decision = ptq(fit, 1e9, 2e10, bits_weights=5, bits_activations=8)
    assert [option.bits_post for option in decision.options] == [4, 3, 2]
    with pytest.raises(InputError, match="below bits_weights 2"):
        ptq(fit, 1e9, 2e10, bits_weights=2)


def test_methods():
    constants = kumar_constants()
    fit = collapsed_fit("kumar2024", constants, samples=4)
    assert ptq(fit, 1e9, 2e10).method_post == "gptq"
    with pytest.raises(InputError, match='"gptq"'):
        ptq(fit, 1e9, 2e10, method_post="gtpq")
    rows = fit.rows.copy()
    rows.loc[rows["bits_post"] == 3, "method_post"] = "rtn"
    both = collapsed_fit("kumar2024", constants, samples=4, rows=rows)
    with pytest.raises(InputError, match='"gptq", "rtn"'):
        ptq(both, 1e9, 2e10)
    decision = ptq(both, 1e9, 2e10, method_post="rtn")
    assert decision.option(3).within_measured
    assert not decision.option(4).within_measured
    with pytest.raises(InputError, match="no levels below 2"):
        ptq(both, 1e9, 2e10, method_post="rtn", bits=(4, 1.5))
    none = collapsed_fit("kumar2024", constants, samples=4, rows=rows[rows["bits_post"].isna()])
    with pytest.raises(InputError, match="no rows quantized after training"):
        ptq(none, 1e9, 2e10)


def test_probability_that_tokens_hurt():
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=2)
    past, before = (ptq(fit, 3e7, tokens, bits=(3,)) for tokens in (1e10, 1e9))
    assert past.option(3).probability_past_critical == 1.0
    assert before.option(3).probability_past_critical == 0.0
    assert past.option(3).critical_tokens.median == before.option(3).critical_tokens.median
    assert past.probability_grows == 1.0
    shrinking = collapsed_fit("kumar2024", kumar_constants() | {"gamma_D": -0.1}, samples=2)
    decision = ptq(shrinking, 3e7, 1e10)
    assert decision.probability_grows == 0.0
    assert math.isinf(decision.option(3).critical_tokens.median)
    assert decision.to_dict()["options"][0]["critical_tokens"]["median"] is None


def test_json_prior_and_words(fit):
    decision = ptq(fit, 1e9, 2e10)
    envelope = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
    assert envelope["under_prior"]["under_prior"] is None
    assert envelope["options"][0]["bits_post"] == 8.0
    assert envelope["status"] in ("PASS", "WARN")
    assert decision.under_prior.option(8).probability_safe < 1.0
    for words in ("about 1 % of perplexity", "gptq", "90 % ETI", "More pretraining hurts", "prior alone"):
        assert words in decision.sentence()
    assert decision.table()["bits after training"].tolist() == [8, 6, 5, 4, 3, 2]


def test_same_seed_same_answer(fit):
    one, same, other = (ptq(fit, 1e9, 2e10, seed=seed) for seed in (1, 1, 2))
    assert one.to_dict() == same.to_dict()
    assert one.option(4).degradation != other.option(4).degradation


def test_pooled_fits_ask_for_a_group():
    groups = {"web": {"C": 0.04}, "code": {"C": 0.02}}
    fit = collapsed_fit("kumar2024", kumar_constants(), samples=4, pool="corpus", groups=groups)
    with pytest.raises(InputError, match="code, web"):
        ptq(fit, 1e9, 2e10)
    web, code = (ptq(fit, 1e9, 1e13, group=name).option(4).degradation_mean.median for name in groups)
    assert web > code


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_params": 0.0}, "n_params is 0"),
        ({"tokens": np.nan}, "tokens is nan"),
        ({"tolerance": -0.01}, "tolerance is -0.01"),
        ({"loss": -1.0}, "loss is -1"),
        ({"bits": ()}, "bits is empty"),
        ({"bits": (0.5,)}, "bits has 0.5"),
        ({"bits_weights": 64}, "bits_weights has 64"),
        ({"bits_kv": 0.1}, "bits_kv has 0.1"),
        ({"prob": 1.0}, "prob is 1"),
        ({"confidence": 95}, "confidence is 95"),
    ],
)
def test_bad_questions(fit, change, message):
    with pytest.raises(InputError, match=message):
        ptq(fit, **({"n_params": 1e9, "tokens": 2e10} | change))


def test_law_without_a_post_training_term():
    constants = {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37}
    fit = collapsed_fit("chinchilla", constants | NOISE)
    with pytest.raises(InputError, match="kumar2024"):
        ptq(fit, 1e9, 2e10)


OUYANG = {"gamma_D": 0.5251, "gamma_N": 0.2261, "gamma_P": 5.4967}
"""Exponents of arXiv 2411.17691, whose δ is .017 D^.5251 / (N^.2261 P^5.4967) in raw counts."""


def ouyang_constants(reference: Reference = REFERENCE) -> dict[str, float]:
    size = reference.tokens ** OUYANG["gamma_D"] / reference.n_params ** OUYANG["gamma_N"]
    return {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37} | OUYANG | {
        "C": 0.017 * size / 4.0 ** OUYANG["gamma_P"]
    }  # fmt: skip


def test_power_law_of_bits_says_50_nats_unless_bounded():
    free, bounded = (
        collapsed_fit("ouyang2024", ouyang_constants() | QUIET, samples=4, vocab_size=vocabulary)
        for vocabulary in (None, 32000)
    )
    assert ptq(free, 7e9, 1e14).option(2).degradation.median == pytest.approx(50.26, abs=0.01)
    decision = ptq(bounded, 7e9, 1e14, loss=1.9)
    assert decision.option(2).degradation.median < math.log(32000) - 1.9
    assert decision.option(2).degradation.median > 0.99 * (math.log(32000) - 1.9)
    assert decision.option(8).degradation.median < 0.2


GAP = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}


def test_measured_pairs_alone_need_the_checkpoints_loss():
    fit = collapsed_fit("ptq-gap", GAP | QUIET, samples=4, vocab_size=32000)
    with pytest.raises(InputError, match="checkpoint's loss"):
        ptq(fit, 1e8, 1e10)
    with pytest.raises(InputError, match="no better than guessing"):
        ptq(fit, 1e8, 1e10, loss=11.0)
    decision = ptq(fit, 1e8, 1e10, loss=2.5)
    room = math.log(32000) - 2.5
    assert decision.option(4).degradation.median == pytest.approx(-room * math.expm1(-0.02 / room), rel=1e-5)
    assert decision.probability_grows == 1.0


def test_measured_pairs_alone_say_nothing_about_critical_tokens():
    decision = ptq(collapsed_fit("ptq-gap-power", GAP | {"gamma_P": 5.0}, samples=40), 1e8, 1e10, loss=2.5)
    finding = next(found for found in decision.findings if found.code == "ptq.critical_tokens")
    assert finding.status is Status.NOT_RUN
    assert "takes the loss as trained as data" in finding.message
    assert decision.option(4).critical_tokens is None
    assert "More pretraining hurts" not in decision.sentence()
    assert decision.table()["critical tokens"].isna().all()
    options = json.loads(json.dumps(decision.to_dict(), allow_nan=False))["options"]
    assert options[0]["critical_tokens"] is options[0]["probability_past_critical"] is None


def test_one_law_says_that_disagreement_was_not_checked(fit):
    decision = ptq(fit, 1e9, 2e10)
    finding = next(found for found in decision.findings if found.code == "laws.disagreement")
    assert finding.status is Status.NOT_RUN
    assert decision.to_dict()["laws"] is None


def test_findings_travel(fit):
    decision = ptq(replace(fit, findings=()), 1e9, 2e11)
    assert str(decision.status) == "WARN"
