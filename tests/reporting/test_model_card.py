import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.model_card import markdown, model_card

HEADINGS = (
    "Intended use",
    "Out-of-scope use",
    "Limits",
    "Data",
    "Law and priors",
    "Results",
    "Diagnostics",
    "Versions",
)
HOSTILE = (
    '<script>alert("x")</script>\n# heading | [a](javascript:x) `b` *c* &lt; $d$ \u202eback 😀' + "é" * 5000
)


@pytest.fixture(scope="module")
def card(fit: Fit, answers: Answers) -> str:
    return model_card(
        replace(fit, provenance=replace(fit.provenance, source="/home/somebody/runs.csv")), answers
    )


def test_it_says_what_it_is_for_and_what_it_is_not(card: str) -> None:
    assert tuple(re.findall(r"^## (.*)$", card, re.MULTILINE)) == HEADINGS
    assert card.startswith("# Model card: kumar2024 fitted to runs.csv\n")
    assert "outside that these numbers are not evidence" in card
    assert "25M to 400M" in card
    assert "One law was fitted" in card


def test_every_result_has_its_interval_and_its_risk(card: str, answers: Answers) -> None:
    results = card.partition("## Results")[2].partition("### Constants")[0]
    each = results.split("### ")[1:]
    assert len(each) == 5
    for one in each:
        assert re.search(r"\*\*Risk (LOW|MODERATE|HIGH)\*\*: \S", one)
        assert re.search(r"\(90 % ETI \S+ to \S+\) \S", one)
        assert "What would change it" in one
    assert f"{answers.precision_fixed.best:g} bits" in each[0]


def test_it_names_data_priors_and_versions_but_no_place_and_no_time(card: str, fit: Fit) -> None:
    assert fit.provenance.table_hash in card
    for prior in fit.law.priors:
        assert markdown(prior.source) in card
    assert "/home" not in card
    assert not re.search(r"\d{2}:\d{2}:\d{2}", card)


def test_tables_are_whole(card: str) -> None:
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert len(rows) > 20
    for block in re.findall(r"(?:^\|.*\|\n)+", card, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(cells) == 1
        assert set(block.splitlines()[1]) <= set("|- ")


def test_a_failed_fit_is_shouted(fit: Fit, answers_for: Callable[[Fit], Answers]) -> None:
    failed = replace(
        fit, findings=(Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "R-hat is 1.2.", "Stop."),)
    )
    card = model_card(failed, answers_for(failed))
    assert card.index("DO NOT USE ITS NUMBERS") < card.index("## Intended use")
    assert card.count("**The fit did not converge.**") == 5
    assert "FAIL convergence.rhat: R-hat is 1.2. Stop." in card


def test_hostile_names_are_text(fit: Fit, answers: Answers) -> None:
    gone = fit.rows.iloc[[0, 0]].assign(run_id=HOSTILE, reason=HOSTILE)
    hostile = replace(
        fit,
        excluded=gone,
        provenance=replace(fit.provenance, source=HOSTILE.replace("/", "")),
        findings=(Finding("data.note", Status.WARN, None, None, f"{HOSTILE}\ud800", HOSTILE),),
    )
    card = model_card(hostile, replace(answers, question=HOSTILE))
    assert not re.search(r"(?<!\\)<", card)
    assert not re.search(r"(?<!\\)\[", card.replace("[x]", ""))
    assert "\u202e" not in card
    assert "# heading" in card
    assert not re.search(r"^# heading", card, re.MULTILINE)
    card.encode("utf-8")
