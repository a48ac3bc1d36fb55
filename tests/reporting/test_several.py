"""A report of several laws: the stack leads, and each law stands beside it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitlaw.criticism.law_scores import HeldOutScore
from bitlaw.decisions.across_laws import optimum_across
from bitlaw.decisions.budget_across import budget_across
from bitlaw.decisions.stacked import predict_across, ptq_across
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import stacked_answers
from bitlaw.reporting.opening.agreement import laws_sentence
from bitlaw.reporting.opening.cards import cards
from bitlaw.reporting.report import write_report
from bitlaw.reporting.several import SeveralLaws, laws_table, several_laws
from bitlaw.reporting.style import Style
from fits import collapsed_fit, kumar_constants
from pages import page_one

COARSE = Style(dpi=30)
SIZES = {"n_params": 1e8, "tokens": 1e10}
COUPLED = {"mean_loss": 3.5, "floor_share": 0.7, "n_share": 0.5, "slope_n": 0.05, "slope_d": 0.05, "g": 0.6}
ADDITIVE = {
    "k_w": 0.02, "c_w": 0.9, "k_a": 0.03, "c_a": 0.8, "k_kv": 0.01, "c_kv": 0.9,
    "gamma_D_train": 0.1, "gamma_N_train": 0.2,
}  # fmt: skip


@pytest.fixture(scope="module")
def fits() -> list[Fit]:
    constants = kumar_constants()
    kumar = collapsed_fit("kumar2024", constants, jitter=0.02, vocab_size=50257.0)
    default = collapsed_fit("bitlaw-default", constants | COUPLED | ADDITIVE, jitter=0.02, rows=kumar.rows)
    elpd = np.linspace(0.1, 0.9, len(kumar.runs))
    return [kumar, replace(default, runs=default.runs.assign(elpd=elpd))]


@pytest.fixture(scope="module")
def several(fits: list[Fit]) -> SeveralLaws:
    return several_laws(
        fits,
        prediction=predict_across(fits, points_frame(**SIZES)),
        precision_fixed=optimum_across(fits, **SIZES, tolerance=0.02),
        precision_free=optimum_across(fits, flops=6e18),
        post_training=ptq_across(fits, **SIZES),
        spending=budget_across(fits, flops=6e18),
    )


def test_table_has_every_law_and_the_stack(several: SeveralLaws) -> None:
    table = laws_table(several)
    assert [row[0] for row in table.rows] == ["bitlaw-default", "kumar2024", "the stack"]
    assert table.rows[0][1] == "best"
    assert table.rows[1][1].startswith("−")
    assert "±" in table.rows[1][1]
    assert {row[3] for row in table.rows[:2]} == {"not run"}
    assert all(len(row) == len(table.head) for row in table.rows)


def test_largest_runs_are_told_where_they_were_held_out(several: SeveralLaws) -> None:
    far = HeldOutScore(-3.0, -2.0, 1.5, 0.4, coverage=0.8, mean_absolute_error=0.01, rhat=1.0)
    table = laws_table(replace(several, held_out={"kumar2024": far}))
    assert "80 % covered" in table.rows[1][3]
    assert table.rows[0][3] == "not run"


def test_opening_says_whether_the_laws_agree(fits: list[Fit], several: SeveralLaws) -> None:
    said = several.answers_by_question()
    text = laws_sentence(fits[0].law, several)
    if all(len(set(answers.values())) == 1 for answers in said.values()):
        assert text.startswith("Both laws say ")
    else:
        assert text.startswith("The laws disagree: ")
    assert "bitlaw-default" in text


def test_agreement_and_disagreement_in_words(fits: list[Fit], several: SeveralLaws) -> None:
    fixed = several.precision_fixed
    assert fixed is not None
    alike = {name: replace(answer, best=8.0) for name, answer in fixed.by_law.items()}
    only = replace(
        several, precision_fixed=replace(fixed, by_law=alike), precision_free=None, post_training=None
    )
    assert laws_sentence(fits[0].law, only).startswith("Both laws say 8 bits in training with sizes fixed.")
    apart = alike | {"kumar2024": replace(alike["kumar2024"], best=None)}
    text = laws_sentence(fits[0].law, replace(only, precision_fixed=replace(fixed, by_law=apart)))
    assert "kumar2024 says none on offer" in text
    assert "bitlaw-default says 8 bits" in text


def test_a_law_without_the_term_is_left_out_of_the_answer(several: SeveralLaws) -> None:
    fixed = several.precision_fixed
    assert fixed is not None
    one = replace(fixed, by_law={"kumar2024": fixed.by_law["kumar2024"]})
    table = laws_table(replace(several, precision_fixed=one))
    assert table.rows[0][4] == "no term"


def test_page_of_several_laws(fits: list[Fit], several: SeveralLaws, tmp_path: Path) -> None:
    answers = stacked_answers(several, "100M parameters and 10B tokens, the model asked about")
    lead = next(fit for fit in fits if fit.law.name == several.leading)
    page = write_report(lead, answers, tmp_path, comparison=several, style=COARSE).read_text(encoding="utf-8")
    first = page_one(page)
    assert "Do the laws agree?" in first
    assert "NOT RUN" not in first
    assert 'id="laws"' in page
    assert "the law with the most weight" in page
    found = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert set(found["compare"]) == {"kumar2024", "bitlaw-default"}
    assert sum(law["weight"] for law in found["compare"].values()) == pytest.approx(1.0)
    assert "laws.disagreement" in [finding["code"] for finding in found["findings"]]
    messages = [(finding["code"], finding["message"]) for finding in found["findings"]]
    assert len(messages) == len(set(messages))


def test_cards_say_what_other_laws_say(fits: list[Fit], several: SeveralLaws) -> None:
    lead = next(fit for fit in fits if fit.law.name == several.leading)
    found = {card.name: card for card in cards(lead, stacked_answers(several, "a question"), several)}
    said = {
        name: next(fact.text for fact in card.changes if fact.label == "Another law")
        for name, card in found.items()
    }
    across = {
        "sizes-fixed": several.precision_fixed,
        "compute-fixed": several.precision_free,
        "quantize": several.post_training,
        "spend": several.spending,
    }
    for name, answers in across.items():
        assert answers is not None
        others = [law for law, answer in answers.by_law.items() if answer.answer != answers.stack.answer]
        assert [law for law in answers.by_law if f"{law} (weight " in said[name]] == others
        assert said[name] == "both say the same" or others
    assert "kumar2024 (weight < 0.1 %) says" in said["spend"]
    assert said["expect"].count("nats/token") == 2
