"""The explorer in a browser, and what the page embeds."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from matplotlib.image import imread

from bitlaw.inference.drift import drift_draws
from bitlaw.inference.fit import Fit
from bitlaw.inference.thin import thinned
from bitlaw.laws.registry import law_names
from bitlaw.reporting.answers import Answers
from bitlaw.reporting.explorer.embedded import MOST_NUMBERS, explorer
from bitlaw.reporting.explorer.page import script_json
from bitlaw.reporting.report import render, write_report
from bitlaw.reporting.style import Style
from browsers import browse, explored, needs_chromium, needs_node, screenshot, shown_numbers

COARSE = Style(dpi=30)
HOSTILE = "</script><b>'\"&é"


@pytest.fixture(scope="module")
def page(fit: Fit, answers_for: Callable[[Fit], Answers], tmp_path_factory: pytest.TempPathFactory) -> Path:
    drifting = replace(fit, drift=drift_draws(fit.samples(), 0, fit.law.name))
    return write_report(drifting, answers_for(drifting), tmp_path_factory.mktemp("report"), style=COARSE)


@needs_chromium
def test_the_page_computes_and_shows(page: Path, fit: Fit, answers: Answers, tmp_path: Path) -> None:
    document = browse(page, "", tmp_path)
    found = shown_numbers(document)
    assert found["state"]["n"] == answers.prediction.points[0].inputs["n_params"]
    assert answers.precision_fixed is not None
    shown = {option["label"]: option["best"] for option in found["options"]}
    expected = {f"{one.bits:g} bits": one.probability_best for one in answers.precision_fixed.options}
    assert shown == pytest.approx(expected, rel=1e-9)
    for words in ("<svg", "Risk by distance", "Which precision to train in", "the law's mean is"):
        assert words in document


@needs_chromium
def test_the_address_holds_the_state(page: Path, tmp_path: Path) -> None:
    first = shown_numbers(browse(page, "#explore?n=1e8&d=1e10&w=16&a=16&kv=16&post=4", tmp_path))
    other = shown_numbers(
        browse(
            page, "#explore?n=2e9&d=5e11&w=4&a=6&kv=16&post=3&tolerance=0.05&flops=1e22&chip=b200", tmp_path
        )
    )
    assert other["state"]["bits"] == {"bits_weights": 4, "bits_activations": 6, "bits_kv": 16}
    assert (other["state"]["post"], other["state"]["tolerance"]) == (3, 0.05)
    assert other["run"]["trained"]["median"] < first["run"]["trained"]["median"]
    assert other["run"]["degradation"]["median"] > first["run"]["degradation"]["median"]
    assert [one["label"] for one in other["options"]] == ["16 bits", "8 bits", "6 bits", "4 bits"]
    assert other["budget"][0]["n"]["median"] > 10 * first["budget"][0]["n"]["median"]


@needs_chromium
@pytest.mark.parametrize(
    "fragment", ["#explore?n=-1&d=x&w=99&post=7.5&chip=none&flops=1e999", "#explore?", "#method"]
)
def test_a_broken_address_starts_at_the_question(page: Path, fragment: str, tmp_path: Path) -> None:
    found = shown_numbers(browse(page, fragment, tmp_path))
    assert (found["state"]["n"], found["state"]["d"]) == (1e8, 1e10)
    assert found["state"]["bits"]["bits_weights"] == 16
    assert found["state"]["chip"] == 0


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_draws(page: Path, scheme: str, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    before, after = (
        text.index('<section aria-labelledby="training"'),
        text.index('<section aria-labelledby="explore"'),
    )
    alone = tmp_path / "explorer.html"
    alone.write_text(text[:before] + text[after:], encoding="utf-8")
    options = ["--window-size=1000,1800"] + (
        ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    )
    pixels = 255 * imread(screenshot(alone, "", tmp_path, *options))[:, :, :3]
    paper = pixels[0, 0]
    assert (paper.mean() < 60) == (scheme == "dark")
    middle = pixels[600:, :, :]
    assert len(np.unique(middle.reshape(-1, 3), axis=0)) > 20
    assert (middle != paper).any(axis=2).mean() > 0.02


@needs_chromium
def test_hostile_names_are_text(
    answers_for: Callable[[Fit], Answers], law_fit: Callable[[str], Fit], tmp_path: Path
) -> None:
    fit = law_fit("frantar2025")
    rows = fit.rows.assign(format=fit.rows["format"].replace("mxfp4", f"mxfp4{HOSTILE}"))
    renamed = fit.posterior.assign_coords(
        scheme=[
            label.replace("mxfp4", f"mxfp4{HOSTILE}") for label in fit.posterior["scheme"].values.tolist()
        ]
    )
    hostile = replace(fit, rows=rows, posterior=renamed)
    page = write_report(hostile, answers_for(hostile), tmp_path, style=COARSE)
    label = f"mxfp4{HOSTILE}"
    document = browse(page, f"#explore?format={quote(label)}", tmp_path)
    found = shown_numbers(document)
    assert label in [option["label"] for option in found["options"]]
    assert found["state"]["option"] == [option["label"] for option in found["options"]].index(label)
    assert "</script><b>" not in document


@needs_node
def test_a_pooled_fit_has_the_constants_of_its_group(
    edge_fits: dict[str, Fit], answers_for: Callable[[Fit], Answers], tmp_path: Path
) -> None:
    fit = edge_fits["pooled"]
    answers = answers_for(fit)
    own = explorer(fit, answers)
    assert own.group == fit.levels("corpus")[0]
    (found,) = explored(own, [{}], tmp_path)
    expected = answers.prediction.points[0].law_mean
    assert found["run"]["trained"]["median"] == pytest.approx(expected.median, rel=1e-9)


@needs_node
@pytest.mark.parametrize("name", ["16 bits only", "one size", "one size, one length", "no 16-bit runs",
                                  "rows after training only", "no rows quantized after training"])  # fmt: skip
def test_tables_of_other_designs(
    edge_fits: dict[str, Fit], answers_for: Callable[[Fit], Answers], name: str, tmp_path: Path
) -> None:
    fit = edge_fits[name]
    answers = answers_for(fit)
    own = explorer(fit, answers)
    (found,) = explored(own, [{"post": None}], tmp_path)
    expected = answers.prediction.points[0].law_mean
    assert found["run"]["trained"]["hi"] == pytest.approx(expected.hi, rel=1e-9)
    assert bool(found["after"]) == bool(fit.law.post is not None and fit.rows["bits_post"].notna().any())


def test_a_page_without_drift_has_none(fit: Fit, answers_for: Callable[[Fit], Answers]) -> None:
    drifting = replace(fit, drift=drift_draws(fit.samples(), 0, fit.law.name))
    answers = answers_for(drifting)
    without = replace(answers, prediction=replace(answers.prediction, drift=False))
    assert explorer(drifting, answers).fit.drift["omega"].values.all()
    assert not explorer(drifting, without).fit.drift["omega"].values.any()


@pytest.mark.parametrize("name", law_names())
def test_what_is_embedded_fits_the_page(
    law_fit: Callable[[str], Fit], answers_for: Callable[[Fit], Answers], name: str
) -> None:
    fit = law_fit(name)
    own = explorer(fit, answers_for(fit), draws=20)
    assert own.data["samples"] == 20
    assert len(own.data["draws"]) <= 8 * MOST_NUMBERS * 4 / 3 + 4
    text = script_json(own.data)
    assert "<" not in text
    assert json.loads(text)["law"] == name


def test_thinned_draws_are_the_fits(fit: Fit) -> None:
    few = thinned(fit, 16)
    assert few.samples() == few.samples(prior=True) == few.drift.sizes["sample"] == 16
    assert set(few.draws("E")) <= set(fit.draws("E"))
    place = [list(fit.draws("E")).index(value) for value in few.draws("E")]
    np.testing.assert_array_equal(few.draws("alpha"), fit.draws("alpha")[place])
    np.testing.assert_array_equal(few.drift["z_n"], fit.drift["z_n"][place])
    np.testing.assert_allclose(few.weights["weight"].sum("sample"), 1.0)
    assert thinned(fit, 10**6) is fit


def test_the_section_says_what_it_is(fit: Fit, answers: Answers) -> None:
    text = render(fit, answers, style=COARSE)
    assert f"{fit.samples()} of the posterior's draws" in text
    assert "formulas of the law kumar2024" in text
    assert "Risk here is the part that distance decides" in text


@needs_chromium
@pytest.mark.parametrize("name", ["chinchilla", "ouyang2024", "ptq-gap", "quartet2025", "sun2025"])
def test_pages_of_laws_with_other_inputs(
    law_fit: Callable[[str], Fit], answers_for: Callable[[Fit], Answers], name: str, tmp_path: Path
) -> None:
    fit = law_fit(name)
    page = write_report(fit, answers_for(fit), tmp_path, style=COARSE)
    document = browse(page, "#explore?n=2e8&d=3e10&post=3", tmp_path)
    found = shown_numbers(document)
    assert found["state"]["n"] == 2e8
    assert bool(found["options"]) == bool(found["budget"]) == bool(fit.law.training)
    assert bool(found["after"]) == (fit.law.post is not None)
    assert 'id="explore-problem" class="problem" role="alert"></p>' in document
    assert "NaN" not in document.split('id="explore-words"')[1].split("<script")[0]
