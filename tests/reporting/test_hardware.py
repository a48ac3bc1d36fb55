"""A report for a chip: what its tables and its first paragraphs say of cost, speed and whether it pays."""

import pytest

from bitlaw.decisions.asked import asked_about
from bitlaw.errors import InputError
from bitlaw.reporting.answers import Answers, answers_of
from bitlaw.reporting.opening.training import free_sentence
from bitlaw.reporting.tables import fixed_table, free_table
from fits import collapsed_fit, kumar_constants, measured_everywhere

SPEEDS = {"b200": {"bf16": 800.0, "fp8": 1200.0}}


@pytest.fixture(scope="module")
def fit():
    return measured_everywhere(
        collapsed_fit("kumar2024", kumar_constants(), samples=20, jitter=0.02, vocab_size=50257.0)
    )


@pytest.fixture(scope="module")
def answers(fit) -> Answers:
    asked = asked_about(fit, n_params=1e9, tokens=2e10, hardware="b200", speeds=SPEEDS, price=3.0)
    return answers_of(fit, asked)


def test_the_opening_counts_time_on_the_chip(answers):
    text = free_sentence(answers.precision_free)
    assert "for the same compute, counted as time on b200, 8 bits has the lowest expected loss" in text
    assert "At the measured speed-up of fp8-e4m3 on b200, 1.5x, it does with probability" in text


def test_the_opening_says_what_pays_where_16_bits_are_best(fit):
    speeds = {"h100": {"bf16": 800.0, "fp8": 840.0}}
    asked = asked_about(fit, n_params=1e9, tokens=2e10, hardware="h100", speeds=speeds)
    text = free_sentence(answers_of(fit, asked).precision_free)
    assert "16 bits has the lowest expected loss" in text
    assert "8 bits (fp8-e4m3) pays with probability < 0.1 % at 1.05x the speed of 16 bits." in text


def test_tables_say_cost_speed_and_whether_it_pays(answers):
    table = free_table(answers.precision_free)
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    assert rows["8 bits"]["cost over 16 bits"] == "0.667 (fp8-e4m3, measured)"
    assert rows["4 bits"]["cost over 16 bits"] == "0.25 (mxfp4, peak)"
    assert rows["16 bits"]["P(it pays)"] == "–"
    assert rows["8 bits"]["P(it pays)"].startswith(">")
    assert "Under another cost: " in table.caption
    fixed = fixed_table(answers.precision_fixed)
    assert {"GPU-hours", "money"} <= set(fixed.head)
    assert all(len(row) == len(fixed.head) for row in fixed.rows)


def test_without_a_chip_there_are_no_hours(fit):
    answers = answers_of(fit, asked_about(fit, n_params=1e9, tokens=2e10))
    assert "GPU-hours" not in fixed_table(answers.precision_fixed).head
    text = free_sentence(answers.precision_free)
    assert "counted as FLOP × bits/16" in text
    assert "It is counted at an assumed " in text
    best = answers.precision_free.option(answers.precision_free.best)
    costs = {row[0]: row[1] for row in free_table(answers.precision_free).rows}
    assert costs["16 bits"] == "1"
    assert costs[f"{best.bits:g} bits"] == f"{best.bits / 16:.3g} (assumed)"
    assert "The limit of ever finer bit-widths" in free_table(answers.precision_free).caption


def test_a_chip_is_checked_with_the_question(fit):
    with pytest.raises(InputError, match="unknown chip"):
        asked_about(fit, hardware="h10")


def test_the_model_is_served_on_the_chips_asked_about(fit):
    asked = asked_about(fit, n_params=1e9, tokens=2e10, hardware=("b200", "h100"))
    after = answers_of(fit, asked).post_training
    assert [chip.name for chip in after.chips] == ["b200", "h100"]
    assert answers_of(fit, asked_about(fit, n_params=1e9, tokens=2e10)).post_training.chips == ()
