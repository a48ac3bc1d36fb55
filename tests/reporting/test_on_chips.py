"""Chips side by side in a report: words, table, figures, summary, and whether fewer bits pay on each."""

import json
import re
from pathlib import Path

import pytest

from bitlaw.decisions.asked import asked_about
from bitlaw.decisions.on_chips import budget_on_chips, optimum_on_chips
from bitlaw.decisions.optimum import optimum
from bitlaw.errors import InputError
from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import Answers, answers_of
from bitlaw.reporting.chip_rows import chip_rows
from bitlaw.reporting.figures import break_even
from bitlaw.reporting.figures import chips as drawn
from bitlaw.reporting.figures.grouped_rows import grouped_rows
from bitlaw.reporting.on_chips import (
    break_even_caption,
    break_even_exhibit,
    chips_caption,
    chips_sentence,
    chips_table,
)
from bitlaw.reporting.opening.paragraphs import paragraphs
from bitlaw.reporting.report import write_report
from bitlaw.reporting.style import Style
from bitlaw.reporting.summary import all_findings, summary
from fits import collapsed_fit, kumar_constants, measured_everywhere

COARSE = Style(dpi=40)
SPEEDS = {"h100": {"bf16": 400.0, "fp8": 440.0}}
MODEL = {"n_params": 1e9, "tokens": 2e10}
CHIPS = ["h100", "b200"]


@pytest.fixture(scope="module")
def fit() -> Fit:
    constants = kumar_constants()
    return measured_everywhere(
        collapsed_fit("kumar2024", constants, samples=20, jitter=0.02, vocab_size=50257.0)
    )


@pytest.fixture(scope="module")
def answers(fit: Fit) -> Answers:
    return answers_of(fit, asked_about(fit, **MODEL, hardware=CHIPS, speeds=SPEEDS, price=3.0))


def test_the_first_chip_is_decided_for_and_the_others_are_beside_it(fit: Fit, answers: Answers) -> None:
    assert answers.precision_free == answers.chips_free.by_chip["h100"]
    spending = {"speeds": SPEEDS, "price": 3.0}
    assert answers.chips_fixed.by_chip == optimum_on_chips(fit, CHIPS, **MODEL, **spending).by_chip
    alone = answers_of(fit, asked_about(fit, **MODEL, hardware="h100", **spending))
    assert (alone.chips_fixed, alone.chips_free) == (None, None)
    assert alone.budget == answers.budget


def test_the_opening_says_for_which_chip_it_speaks(fit: Fit, answers: Answers) -> None:
    said = paragraphs(fit, answers, all_findings(fit, answers), None)[0].text
    fixed, free = answers.chips_fixed, answers.chips_free
    assert free.turns
    sentence = chips_sentence(fixed, free)
    assert sentence in said
    assert sentence.startswith("This is for h100, the first of the chips asked about; ")
    assert f"{free.decisions['b200'].answer} on b200 with compute fixed" in sentence
    assert chips_sentence(None, None) == ""
    alike = optimum_on_chips(fit, ["h100", "h200", "b200"], flops=1e21, bits=(16,))
    assert chips_sentence(None, alike).endswith("on h200 and b200 it is the same.")


def test_rows_are_what_each_chip_s_decision_says(answers: Answers) -> None:
    rows, free = chip_rows(answers.chips_free), answers.chips_free
    assert [row.chip for row in rows] == ["h100"] * 2 + ["b200"] * 4
    for row in rows:
        option = next(one for one in free.decisions[row.chip].options if one.called == row.called)
        assert (row.loss, row.probability) == (option.loss, option.probability_best)
        assert row.money == pytest.approx(3.0 * row.gpu_hours)
        assert row.is_chosen == (option.key == free.decisions[row.chip].best)
    fixed = chip_rows(answers.chips_fixed)
    assert [row.is_near for row in fixed] == [False] * len(fixed)
    hours = {(row.chip, row.called): row.gpu_hours for row in fixed}
    assert hours["h100", "8 bits (fp8-e4m3)"] == pytest.approx(hours["h100", "16 bits"] / 1.1)
    assert hours["b200", "16 bits"] == pytest.approx(hours["h100", "16 bits"] * 400.0 / 900.0)


def test_rows_of_a_budget(fit: Fit) -> None:
    chips = budget_on_chips(fit, CHIPS, gpu_hours=2.0, price=3.0)
    rows = chip_rows(chips)
    assert {round(row.gpu_hours, 9) for row in rows} == {2.0}
    assert {round(row.money, 9) for row in rows} == {6.0}
    assert sum(row.is_chosen for row in rows) == 2
    panels = drawn.figure(chips, COARSE).axes
    assert panels[0].get_title(loc="left") == "GPU-hours fixed"


def test_the_table_marks_each_chip_s_answer(answers: Answers) -> None:
    table = chips_table(answers.chips_free)
    rows = [dict(zip(table.head, row, strict=True)) for row in table.rows]
    assert [rows[index]["chip"] for index in table.marked] == CHIPS
    assert [row["speed-up"] for row in rows[:3]] == ["1x", "1.1x, measured", "1x"]
    assert rows[3]["speed-up"] == "2x, peak"
    assert rows[0]["P(it pays)"] == "–"
    assert "P(within 0.01 of 16 bits)" in chips_table(answers.chips_fixed).head


def test_captions_state_the_finding(answers: Answers) -> None:
    free = answers.chips_free
    caption = chips_caption(free)
    assert caption.startswith(free.turns_text())
    for name, decision in free.decisions.items():
        assert f"{decision.option(decision.best).called} on {name}: " in caption
    said = break_even_caption(free.decisions)
    assert re.search(r"on h100, 8 bits \(fp8-e4m3\) .* \(needs 1\.2\d?x, has 1\.1x\); on b200, ", said)
    assert "4 bits (mxfp4) < 0.1 % (needs" in said


def test_the_figure_has_the_speed_up_that_was_measured_or_is_a_peak(answers: Answers) -> None:
    figure = break_even.figure(answers.chips_free.decisions, COARSE)
    marks = [
        (round(float(line.get_xdata()[0]), 6), line.get_markerfacecolor() == "white")
        for line in figure.axes[0].lines
        if line.get_marker() == "D"
    ]
    assert marks == [(1.1, False), (2.0, True), (2.0, True), (4.0, True)]
    lengths = [bar.get_width() for bar in figure.axes[1].patches]
    pays = [
        option.probability_pays
        for decision in answers.chips_free.decisions.values()
        for option in break_even.paying_options(decision)
    ]
    assert lengths == pays


def test_break_even_in_proportion_to_bits_and_of_16_bits_alone(fit: Fit) -> None:
    plain = optimum(fit, flops=1e21)
    assert break_even_exhibit({"": plain}, COARSE) is not None
    assert "on " not in break_even_caption({"": plain}).split(":")[1].split(",")[0]
    assert break_even_exhibit({"": optimum(fit, flops=1e21, bits=(16,))}, COARSE) is None


def test_page_and_summary(tmp_path: Path) -> None:
    fit = collapsed_fit("kumar2024", kumar_constants(), jitter=0.02, vocab_size=50257.0)
    answers = answers_of(fit, asked_about(fit, **MODEL, hardware=CHIPS, speeds=SPEEDS))
    page = write_report(fit, answers, tmp_path, style=COARSE).read_text(encoding="utf-8")
    for anchor in ('id="chips"', 'id="chips-fixed"', 'id="chips-free"', 'id="break-even"'):
        assert page.count(anchor) == 1
    content = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert list(content["hardware"]["by_chip"]) == CHIPS
    assert content["hardware"]["turns"]["sizes_free"] is answers.chips_free.turns
    assert (
        content["hardware"]["by_chip"]["h100"]["sizes_free"]["options"]
        == content["optimum"]["sizes_free"]["options"]
    )
    said = " ".join(finding["message"] for finding in content["findings"])
    assert "Speed-ups over 16 bits on b200 go by peaks" in said
    alone = answers_of(fit, asked_about(fit, **MODEL, hardware="h100"))
    assert summary(fit, alone)["hardware"] is None
    page = write_report(fit, alone, tmp_path, style=COARSE).read_text(encoding="utf-8")
    assert 'id="chips"' not in page
    assert 'id="break-even"' in page


@pytest.mark.parametrize(
    ("chips", "message"),
    [(["h100", "b20"], 'unknown chip "b20"'), (["h100", "H100"], "each once"), ([], "empty")],
)
def test_chips_are_checked_with_the_question(fit: Fit, chips: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        asked_about(fit, hardware=chips)


def test_rows_below_names_of_groups() -> None:
    rows = grouped_rows({"a": ["x"], "b": ["y", "z"]})
    assert (rows.places, rows.names, rows.height) == ((1.0, 3.0, 4.0), {0.0: "a", 2.0: "b"}, 5.0)
    assert grouped_rows({"": ["x", "y"]}).names == {}
