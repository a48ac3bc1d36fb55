"""docs/claims.md is what its numbers say, and its verdicts follow from them by the stated rules."""

import json
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def numbers() -> dict[str, Any]:
    return json.loads((DOCS / "studies" / "claims.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def studies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "studies"))


def test_the_page_is_made_from_its_numbers(numbers: dict[str, Any]) -> None:
    from claims_page import claims_page

    assert claims_page(numbers) == (DOCS / "claims.md").read_text(encoding="utf-8")


def test_another_number_makes_another_verdict(numbers: dict[str, Any]) -> None:
    from claims_page import claims_page

    for row in numbers["claims"]["optimal"]:
        row["probability"] = None if row["probability"] is None else 1.0
    page = claims_page(numbers)
    assert "| 1 | 7 to 8 bits is compute-optimal | **holds** |" in page
    assert "Do not take 7 to 8 bits from the article" not in page


def test_every_law_of_the_library_is_spoken_of(numbers: dict[str, Any]) -> None:
    from bitlaw.laws.registry import law_names

    assert numbers["laws"] == list(law_names())
    spoken = {row["law"] for rows in numbers["claims"].values() for row in rows} | set(numbers["silent"])
    assert spoken == set(law_names())


def test_published_answers_are_those_of_the_papers(numbers: dict[str, Any]) -> None:
    def at(claim: str, law: str, source: str = "published constants") -> dict[str, Any]:
        return next(row for row in numbers["claims"][claim] if (row["law"], row["source"]) == (law, source))

    assert at("optimal", "kumar2024")["best"]["median"] == 7.0
    assert at("larger", "kumar2024")["factor"]["median"] == pytest.approx(5.20, abs=0.01)
    assert at("hardware", "kumar2024")["pays"]["break_even"]["median"] == pytest.approx(1.20, abs=0.005)
    few, many = (at("fixed", "kumar2024")[name]["median"] for name in ("few", "many"))
    assert (few, many) == pytest.approx((8.2, 13.8), abs=0.13)
    critical = at("hurts", "kumar2024", "published constants, 8e9 parameters")["critical"]
    assert [one["ratio"]["median"] * 8e9 for one in critical] == pytest.approx([2.0e11, 3.6e10], rel=0.03)
    assert at("larger", "frantar2025")["factor"]["median"] == pytest.approx(1 / 0.747, rel=1e-3)


@pytest.mark.parametrize(
    ("probability", "verdict"),
    [
        (0.9, "holds"),
        (0.89, "undecided"),
        (0.11, "undecided"),
        (0.1, "does not hold"),
        (None, "says nothing"),
    ],
)
def test_verdict_under_one_law(probability: float | None, verdict: str) -> None:
    from claims_verdict import verdict_of

    assert verdict_of(probability) == verdict


@pytest.mark.parametrize(
    ("fitted", "published", "verdict"),
    [
        (["holds", "holds"], ["holds"], "holds"),
        (["holds", "undecided"], ["holds"], "holds only under this law or cost"),
        (["holds"], ["does not hold"], "holds only under this law or cost"),
        (["undecided", "does not hold"], ["holds"], "not supported by these data"),
        (["says nothing"], ["holds", "does not hold"], "holds only under this law or cost"),
        (["says nothing"], ["does not hold"], "not supported by these data"),
    ],
)
def test_verdict_over_all_laws(fitted: list[str], published: list[str], verdict: str) -> None:
    from claims_verdict import overall

    rows = [{"verdict": one, "published": False} for one in fitted]
    rows += [{"verdict": one, "published": True} for one in published]
    assert overall(rows) == verdict
