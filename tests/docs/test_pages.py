"""Pages written by hand say what the pages and limits they speak of say."""

import re

import pytest

from bitlaw.criticism import risk_limits
from bitlaw.laws.registry import law_names
from bitlaw.reporting import plots
from pages import DOCS, ROOT, pages


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_the_measured_table_is_that_of_the_study() -> None:
    rows = [line for line in text("why_intervals_fail.md").splitlines() if line.startswith("|")]
    assert len(rows) == 6
    assert set(rows) <= set(text("extrapolation.md").splitlines())


def test_the_grades_are_those_of_the_limits() -> None:
    page = " ".join(text("read_the_risk.md").split())
    assert f"at least {100 * risk_limits.MODERATE_STATED:g} % of its variance is assumed" in page
    assert (
        f"above {100 * risk_limits.MODERATE_STATED:g} % together the grade is MODERATE, above "
        f"{100 * risk_limits.HIGH_STATED:g} % HIGH" in page
    )
    assert (
        f"Below {100 * risk_limits.LOWEST_COVERAGE:g} % the grade is MODERATE at best, below "
        f"{100 * risk_limits.POOR_COVERAGE:g} % HIGH" in page
    )
    assert (risk_limits.HIGH_DECADES, "ten times beyond the fitted runs" in page) == (1.0, True)
    assert (risk_limits.REFUSE_DECADES, "1000 times beyond" in page) == (3.0, True)
    assert (risk_limits.REFUSE_BITS, "a bit below every measured one" in page) == (1.0, True)


def test_the_laws_and_plots_that_pages_name_exist() -> None:
    table = text("choose_a_law.md").split("| your table has")[1].split("\n\n")[0]
    named = {
        name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|", 2)[2])
    }
    assert named
    assert named <= set(law_names())
    notebooks = text("notebooks.md")
    own = {name for name in vars(plots) if name.startswith("plot_")}
    assert set(re.findall(r"plot_\w+", notebooks)) == own


@pytest.mark.parametrize("page", pages())
def test_links_to_files_lead_somewhere(page: str) -> None:
    own = ROOT / page
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", own.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (own.parent / target).exists(), f"{page}: {target}"
