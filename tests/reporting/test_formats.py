"""The figure of formats as categories."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bitlaw.inference.fit import Fit
from bitlaw.inference.levels import NEW_LEVEL
from bitlaw.reporting import captions
from bitlaw.reporting.figures import formats
from bitlaw.reporting.formats import format_table
from bitlaw.reporting.style import Style

COARSE = Style(dpi=30)
SHIFTS = {"mxfp4": -1.0, "mxfp8": 3.0, "nvfp4": 0.5}


def with_shifts(fit: Fit, name: str, column: str) -> Fit:
    """The fit with formats that differ on the logit scale."""
    shift = fit.posterior[name].expand_dims({column: list(SHIFTS)}, axis=-1) * 0.0 + list(SHIFTS.values())
    return replace(fit, posterior=fit.posterior.assign({f"{name}_by_{column}": shift}))


@pytest.fixture(scope="module")
def frantar(law_fit: Callable[[str], Fit]) -> Fit:
    return with_shifts(law_fit("frantar2025"), "eff_N", "scheme")


def test_every_format_with_its_runs(frantar: Fit) -> None:
    table = format_table(frantar)
    assert table["format"].tolist() == ["mxfp8", "nvfp4", "mxfp4", NEW_LEVEL]
    assert table["runs"].tolist() == [9, 9, 9, 0]
    assert table["median"].is_monotonic_decreasing or table["median"].iloc[:3].is_monotonic_decreasing
    wide = table["hi"] - table["lo"]
    assert wide.iloc[3] > wide.iloc[:3].max()


def test_forward_and_backward_formats_have_a_panel_each(law_fit: Callable[[str], Fit]) -> None:
    table = format_table(with_shifts(law_fit("quartet2025"), "eff_D", "scheme_backward"))
    assert list(table["factor"].unique()) == ["eff_N", "eff_D"]
    drawn = formats.figure(table, COARSE)
    assert len(drawn.axes) == 2
    assert "tokens" in drawn.axes[1].get_title(loc="left")
    labels = [label.get_text() for label in drawn.axes[1].get_yticklabels()]
    assert labels == ["mxfp8", "nvfp4", "mxfp4", "a format never measured"]


def test_caption_names_the_ends(frantar: Fit) -> None:
    text = captions.formats(format_table(frantar))
    assert text.startswith("Of 3 formats the one that leaves the most parameters effective is mxfp8")
    assert "the least mxfp4" in text


def test_no_table_for_laws_without_formats(law_fit: Callable[[str], Fit]) -> None:
    assert format_table(law_fit("chinchilla")).empty
