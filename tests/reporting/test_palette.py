import itertools
import re
from importlib.resources import files

import numpy as np
import pytest

from bitlaw.reporting.palette import COLOURS, FIGURE, PAGE, SERIES
from bitlaw.reporting.style import Style

SCHEMES = ("light", "dark")
AA_TEXT, AA_GRAPHICS = 4.5, 3.0
TEXT = ("ink", "quiet", "link", "alarm", "figure-quiet")
GROUNDS = ("paper", "panel", "mark")
GRADES = ("low", "moderate", "high", "refuse", "alarm", "quiet")
TOLD_APART = 15.0
"""Distance in CIELAB; about 2 is the smallest that is seen side by side."""
# Machado, Oliveira and Fernandes (2009): what linear RGB becomes without cones of a kind.
SIGHT = {
    "no blindness": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    """Linear RGB of a colour as CSS writes it."""
    value = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""
    light = sorted(float(np.dot([0.2126, 0.7152, 0.0722], linear(colour))) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ratio = np.array(to_xyz) @ rgb / np.array([0.9505, 1.0, 1.089])
    bent = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * bent[1] - 16, 500 * (bent[0] - bent[1]), 200 * (bent[1] - bent[2])])


def values(scheme: str) -> dict[str, str]:
    return {colour.name: getattr(colour, scheme) for colour in COLOURS}


def test_contrast_is_the_known_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", TEXT)
def test_text_is_readable(scheme: str, name: str) -> None:
    known = values(scheme)
    for ground in GROUNDS if name != "figure-quiet" else ("paper",):
        assert contrast(known[name], known[ground]) >= AA_TEXT, ground


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("grade", GRADES)
def test_badges_are_readable(scheme: str, grade: str) -> None:
    known = values(scheme)
    assert contrast(known["on-badge"], known[grade]) >= AA_TEXT
    assert contrast(known[grade], known["panel"]) >= AA_GRAPHICS


@pytest.mark.parametrize("scheme", SCHEMES)
def test_series_stand_out(scheme: str) -> None:
    known = values(scheme)
    series = {name: value for name, value in known.items() if name.startswith("series-")}
    assert len(series) == 6
    for name, value in series.items():
        for ground in ("paper", "panel"):
            assert contrast(value, known[ground]) >= AA_GRAPHICS, (name, ground)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_series_are_told_apart_by_everybody(scheme: str, sight: str) -> None:
    series = [value for name, value in values(scheme).items() if name.startswith("series-")]
    seen = [lab(np.clip(np.array(SIGHT[sight]) @ linear(value), 0, 1)) for value in series]
    assert (
        min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(seen, 2)) > TOLD_APART
    )


def test_light_values_name_the_colours_of_figures() -> None:
    light = [colour.light for colour in (*FIGURE, *PAGE)]
    assert len(light) == len(set(light))
    style = Style()
    known = {colour.light for colour in FIGURE}
    drawn = (style.ink, style.quiet, style.grid, *style.colours)
    assert {value.lower() for value in drawn} <= known
    assert style.colours == SERIES


def test_style_sheets_take_their_colours_from_the_palette() -> None:
    folder = files("bitlaw.reporting").joinpath("templates")
    known = {colour.name for colour in COLOURS}
    for name in ("report.css", "explorer.css"):
        text = folder.joinpath(name).read_text(encoding="utf-8")
        assert set(re.findall(r"var\(--([a-z0-9-]+)", text)) - {"grade"} <= known
        screen = text.partition("@media print")[0]
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b", screen)
