import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from bitlaw.reporting.style import DEFAULT_STYLE, drawing
from bitlaw.reporting.vector import svg

HOSTILE = "<script>alert(1)</script>\x00 $\\frac{ & \"'\u202e 😀 _"


def drawn(label: str = "a name") -> Figure:
    with drawing(DEFAULT_STYLE):
        figure = Figure(layout="constrained")
        axis = figure.subplots()
        axis.plot(
            [1.0, 2.0, 3.0], [1.0, 1 / 3, 2.0], "o-", color=DEFAULT_STYLE.colours[0], markeredgecolor="white"
        )
        axis.fill_between([1.0, 3.0], 0.0, 1.0, color=DEFAULT_STYLE.colours[1], alpha=0.2)
        axis.bar([2.0], [1.0], color="white", edgecolor=DEFAULT_STYLE.ink, hatch="///")
        axis.set_title(label)
        axis.set_xlim(1.0, 3.0)
    return figure


def test_colours_are_variables_of_the_page() -> None:
    text = svg(drawn(), "one")
    assert not re.search(r"#[0-9a-f]{6}", text)
    assert {"--paper", "--ink", "--series-1", "--series-2"} <= set(re.findall(r"var\((--[a-z0-9-]+)\)", text))


def test_identifiers_are_the_figures_own_and_all_are_used() -> None:
    one, other = svg(drawn(), "one"), svg(drawn(), "other")
    ids = re.findall(r'\bid="([^"]+)"', one)
    assert ids
    assert all(name.startswith("one-") for name in ids)
    assert not set(ids) & set(re.findall(r'\bid="([^"]+)"', other))
    used = re.findall(r'href="#([^"]+)"', one) + re.findall(r"url\(#([^)]+)\)", one)
    assert set(ids) == set(used)
    assert "fill:url(#one-" in one  # what is hatched


def test_it_is_small_the_same_each_time_and_named_by_its_finding() -> None:
    text = svg(drawn(), "one")
    assert text == svg(drawn(), "one")
    assert not re.search(r"\d\.\d{3}", text)
    root = ElementTree.fromstring(text)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "one-finding")
    assert "style>" not in text
    assert "<metadata" not in text


def test_hostile_names_are_text() -> None:
    text = svg(drawn(HOSTILE), "one")
    assert "<script" not in text
    found = [one.text for one in ElementTree.fromstring(text).iter("text") if "alert" in (one.text or "")]
    assert found == [HOSTILE.replace("\x00", "\N{REPLACEMENT CHARACTER}")]


@pytest.mark.parametrize("value", [0.0, 12.3456, -0.001])
def test_what_is_drawn_stays_where_it_was(value: float) -> None:
    figure = drawn()
    figure.axes[0].axvline(2.0 + 1e-3 * value)
    shown = re.sub(
        r"<defs>.*?</defs>", "", svg(figure, "one")
    )  # markers and hatches have places of their own
    numbers = [float(one) for one in re.findall(r"M(-?[\d.]+) ", shown)]
    assert len(numbers) > 5
    width, _ = figure.get_size_inches() * 72
    assert all(-1.0 <= one <= width + 1.0 for one in numbers)
