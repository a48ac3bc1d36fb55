"""Reports of every law of the library: figures and words are those its terms have something for."""

import json
import re
from collections.abc import Callable

import pytest

from bitlaw.inference.fit import Fit
from bitlaw.laws.registry import law_names, load_law
from bitlaw.reporting.meanings import meanings, training_meanings
from bitlaw.reporting.opening.training import training_sentence
from bitlaw.reporting.report import Answers, render
from bitlaw.reporting.style import Style
from bitlaw.reporting.summary import summary
from pages import page_one

COARSE = Style(dpi=30)
ALWAYS = {"posterior-against-prior", "predicted-against-observed"}
BITS, FORMATS = "penalty-against-bits", "formats"
AFTER = "degradation-against-tokens"
EXPECTED = {
    "bitlaw-default": {"data-and-fit", BITS, AFTER},
    "chen2025": {"data-and-fit", BITS},
    "chinchilla": {"data-and-fit"},
    "coupled": {"data-and-fit"},
    "frantar2025": {"data-and-fit", FORMATS},
    "kaplan": {"data-and-fit"},
    "kumar2024": {"data-and-fit", BITS, AFTER},
    "kumar2024-coupled": {"data-and-fit", BITS, AFTER},
    "ouyang2024": {"data-and-fit", AFTER},
    "ptq-gap": {AFTER},
    "ptq-gap-power": {AFTER},
    "quartet2025": {"data-and-fit", FORMATS},
    "sun2025": {"data-and-fit"},
}


@pytest.fixture(scope="module")
def fits(law_fit: Callable[[str], Fit]) -> dict[str, Fit]:
    return {name: law_fit(name) for name in law_names()}


@pytest.mark.parametrize("name", law_names())
def test_page_and_summary(fits: dict[str, Fit], name: str, answers_for: Callable[[Fit], Answers]) -> None:
    fit = fits[name]
    answers = answers_for(fit)
    page = render(fit, answers, style=COARSE)
    figures = dict(re.findall(r'<figure id="([^"]+)">.*?<strong id="[^"]+">(.*?)</strong>', page, re.DOTALL))
    decided = {"precision-options", "break-even"} if fit.law.training else set()
    decided |= {"post-training-options"} if fit.law.post else set()
    decided |= set() if fit.law.base.is_observed else {"fan-chart", "budget"}
    decided |= {"risk-breakdown"}
    assert set(figures) == EXPECTED.get(name, set()) | ALWAYS | decided
    assert all(finding.endswith(".") and "nan" not in finding for finding in figures.values())
    for drawing in re.findall(r"<svg viewBox.*?</svg>", page, re.DOTALL):
        assert not re.search(r"#[0-9a-f]{6}\b", drawing)  # colours that a dark page cannot change
    for term in fit.law.terms:
        assert term.source in page
    assert ("capacity" in page) == any(one.name.startswith("P0_") for one in fit.law.parameters)
    assert ("Log losses scatter with a Student-t" in page) == (not fit.law.base.is_observed)
    assert "NOT RUN" in page_one(page)
    found = json.loads(json.dumps(summary(fit, answers), allow_nan=False))
    assert "laws.disagreement" in [finding["code"] for finding in found["findings"]]
    assert found["compare"] is None
    assert next(iter(found["opening"])) == "Training precision"


@pytest.mark.parametrize("name", law_names())
def test_explained_constants_are_the_laws(fits: dict[str, Fit], name: str) -> None:
    law, names = load_law(name), {parameter.name for parameter in load_law(name).parameters}
    after, before = meanings(fits[name]), training_meanings(fits[name])
    assert bool(after) == (law.post is not None)
    assert bool(before) == ("k_w" in names)
    if law.post is not None:
        assert any("γ_P" in one.words for one in after) == ("gamma_P" in names)
        shares = any(term.log_share_n for term in law.training)
        assert any("effective parameters" in one.words for one in after) == bool(shares)


def test_additive_constants_say_what_a_bit_costs(fits: dict[str, Fit]) -> None:
    words = {one.symbol: one.words for one in training_meanings(fits["bitlaw-default"])}
    assert list(words) == ["k_w", "c_w", "k_a", "c_a", "k_kv", "c_kv", "γ_D_train", "γ_N_train"]
    assert "each bit less multiplies the penalty by e^(1/c_w) = 3.0" in words["c_w"]
    assert "training twice as long multiplies it by 2^γ_D_train = 1.07" in words["γ_D_train"]
    assert "larger models are hurt less" in words["γ_N_train"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("chinchilla", "has no term for training precision"),
        ("ptq-gap", "takes losses as trained as measured"),
    ],
)
def test_a_law_without_training_precision_says_why(fits: dict[str, Fit], name: str, words: str) -> None:
    assert words in training_sentence(None, fits[name].law)


def test_an_observed_base_predicts_no_loss_as_trained(
    fits: dict[str, Fit], answers_for: Callable[[Fit], Answers]
) -> None:
    page = render(fits["ptq-gap"], answers_for(fits["ptq-gap"]), style=COARSE)
    assert "a new run of" not in page
    assert 'id="data-and-fit"' not in page
    assert "losses as trained (" not in page


def test_formats_are_named_in_the_answer(fits: dict[str, Fit], answers_for: Callable[[Fit], Answers]) -> None:
    fit = fits["frantar2025"]
    fixed = answers_for(fit).precision_fixed
    assert fixed is not None
    assert {option.format for option in fixed.options} == {None, "mxfp4", "mxfp8", "nvfp4"}
    text = training_sentence(fixed, fit.law)
    assert "mxfp8" in text or "mxfp4" in text
    assert "all of them" not in text
