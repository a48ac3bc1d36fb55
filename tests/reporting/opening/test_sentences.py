from dataclasses import replace

import pytest

from bitlaw.decisions.budget import budget
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.finding import Finding, Status, overall_status
from bitlaw.inference.draws import points_frame
from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.opening.after_training import post_training_sentence
from bitlaw.reporting.opening.agreement import laws_sentence
from bitlaw.reporting.opening.certainty import drift_sentence, prior_sentence, risk_sentence, sure_sentence
from bitlaw.reporting.opening.measured import range_sentence
from bitlaw.reporting.opening.paragraphs import paragraphs
from bitlaw.reporting.opening.spending import spending_sentence
from bitlaw.reporting.opening.training import training_sentence
from bitlaw.reporting.summary import all_findings
from bitlaw.reporting.words import gist


@pytest.mark.parametrize("tolerance", [1e-6, 1e-3, 0.05, 10.0])
def test_training_sentence_names_the_decision(fit: Fit, tolerance: float) -> None:
    decision = optimum(fit, n_params=1e8, tokens=1e10, tolerance=tolerance)
    text = training_sentence(decision, fit.law)
    assert f"{decision.best:g} bits" in text
    assert f"{tolerance:g} nats/token" in text
    assert ("smallest on offer that what was measured supports" in text) == (decision.best == 4)
    assert "3 bits" not in text


def test_training_sentence_without_an_answer(fit: Fit) -> None:
    decision = optimum(fit, n_params=1e8, tokens=1e10, tolerance=1e-9, bits=(4, 3))
    assert decision.best is None
    assert training_sentence(decision, fit.law).startswith("No precision on offer will do")


@pytest.mark.parametrize("tolerance", [1e-9, 0.01, 10.0])
def test_post_training_sentence_names_the_decision(fit: Fit, tolerance: float) -> None:
    decision = ptq(fit, 1e8, 1e10, tolerance=tolerance)
    text = post_training_sentence(decision, fit.law)
    if decision.smallest_safe_bits is None:
        assert text.startswith("Do not quantize")
    else:
        assert f"no fewer than {decision.smallest_safe_bits:g} bits" in text
    assert "gptq" in text


def test_every_failing_and_warning_check_is_named() -> None:
    findings = tuple(
        Finding(f"a.{status}", status, 1.0, 2.0, f"Check {status} says so: details.") for status in Status
    )
    text = sure_sentence(findings)
    assert "Check FAIL says so" in text
    assert "Check WARN says so" in text
    assert "details" not in text
    assert "do not use" in text


def test_all_passed_is_said() -> None:
    text = sure_sentence((Finding("a.b", Status.PASS, 1.0, 2.0, "Fine."),))
    assert "passed" in text


def test_range_is_the_tables(fit: Fit) -> None:
    assert "25M to 400M parameters" in range_sentence(fit)
    large = replace(fit, rows=fit.rows.assign(n_params=7e9, vocab_size=256.0))
    assert "7B parameters" in range_sentence(large)
    assert "not advice" not in range_sentence(large)
    assert "byte-level" in range_sentence(large)


def test_the_prior_alone_stands_beside(answers: Answers) -> None:
    text = prior_sentence(answers.precision_fixed, answers.precision_free, answers.post_training)
    assert text.startswith("Without the data")
    assert text.count("bits") + text.count("none on offer") == 3


def test_gist_of_a_long_message() -> None:
    finding = Finding("a.b", Status.WARN, None, None, "12 rows left out. More words; and more.")
    assert gist(finding) == "12 rows left out"


def test_extrapolation_of_the_compute_optimal_model_says_so(fit: Fit) -> None:
    decision = optimum(fit, flops=1e24)
    assert any(finding.code == "extrapolation.size" for finding in decision.findings)
    fixed = optimum(fit, n_params=1e8, tokens=1e10)
    prediction = predict(fit, points_frame(n_params=1e8, tokens=1e10))
    found = all_findings(fit, Answers(prediction, fixed, decision, None, "a question"))
    far = [finding for finding in found if finding.code == "extrapolation.size"]
    assert len(far) == 1
    assert far[0].message.startswith("With sizes chosen anew for the same compute, ")
    assert "With sizes chosen anew for the same compute, " in sure_sentence(found)


def test_findings_of_some_laws_keep_their_clause() -> None:
    finding = Finding("a.b", Status.WARN, None, None, "coupled, kaplan: 12 rows stray. More words.")
    text = sure_sentence((finding,), laws=("coupled", "kaplan", "chinchilla"))
    assert "12 rows stray (coupled, kaplan)" in text


def test_one_law_says_that_disagreement_was_not_checked(fit: Fit) -> None:
    assert "was not checked (NOT RUN)" in laws_sentence(fit.law, None)


def test_structural_error_is_said_where_there_is_any(fit: Fit) -> None:
    drifting = replace(fit, drift=drift_draws(fit.samples(), 0, fit.law.name))
    for flops, drift, said in (
        (1e22, True, "Structural error beyond the data is included"),
        (1e22, False, "Without structural error beyond the data"),
        (3e18, True, ""),
        (3e18, False, ""),
    ):
        free = optimum(drifting, flops=flops, bits=(8,), drift=drift)
        prediction = predict(drifting, points_frame(n_params=1e8, tokens=1e10), drift=drift)
        answers = Answers(prediction, None, free, None, "a question")
        text = drift_sentence(answers, all_findings(drifting, answers))
        assert text.startswith(said)
        assert bool(text) == bool(said)


def test_the_grade_of_every_answer_is_said_with_its_reason(fit: Fit, answers: Answers) -> None:
    text = risk_sentence(answers)
    assert text.startswith("Risk, by what was measured: ")
    assert "MODERATE for" in text
    assert "the predicted loss" in text
    assert text.count("(Whether it follows the prior was not checked)") == 1
    said = paragraphs(fit, answers, all_findings(fit, answers), None)
    assert text in next(one.text for one in said if one.head == "How sure")


def test_a_refused_question_gets_no_recommendation(fit: Fit) -> None:
    sizes = {"n_params": 1e13, "tokens": 1e15}
    answers = Answers(
        predict(fit, points_frame(**sizes)),
        optimum(fit, **sizes),
        optimum(fit, flops=6e28),
        ptq(fit, **sizes),
        "a question",
    )
    findings = all_findings(fit, answers)
    said = {one.head: one.text for one in paragraphs(fit, answers, findings, None)}
    assert said["Training precision"].count("REFUSED: nothing measured supports an answer") == 2
    assert said["After training"].startswith("REFUSED: nothing measured supports an answer")
    assert "Train weights" not in said["Training precision"]
    assert "REFUSE for" in said["How sure"]
    assert "the prior alone would say" not in said["How sure"]
    assert "risk.refused" in {finding.code for finding in findings}
    assert overall_status(findings) is Status.REFUSED


def test_the_plan_for_the_compute_is_said_and_graded(fit: Fit, answers: Answers) -> None:
    said = {one.head: one.text for one in paragraphs(fit, answers, all_findings(fit, answers), None)}
    decision = answers.budget
    assert decision is not None
    assert decision.option(decision.best).text() in said["Spending the compute"]
    assert "90 % ETI" in said["Spending the compute"]
    assert "the plan for the compute" in said["How sure"]
    without = replace(answers, budget=None)
    assert "Spending the compute" not in {
        one.head for one in paragraphs(fit, without, all_findings(fit, without), None)
    }


def test_a_refused_plan_is_refused_in_the_opening(fit: Fit) -> None:
    assert spending_sentence(budget(fit, flops=6e28)).startswith("For a budget of 6e+28 FLOP")
    assert "REFUSED" in spending_sentence(budget(fit, flops=6e28))
