from pathlib import Path

import pytest

from structure import differences, structure_of_json, structure_of_page, structure_of_report, without_numbers

EXAMPLE = Path(__file__).parents[1] / "reports" / "tiny_sweep"
MEGABYTES = 1e6


def test_numbers_do_not_count() -> None:
    assert without_numbers("Train 351k parameters on 20.2M tokens") == without_numbers(
        "Train 1.2B parameters on 3e12 tokens"
    )
    assert without_numbers("Train in 8 bits") != without_numbers("Do not train")


def test_rows_do_not_count_and_heads_do() -> None:
    table = "<table><thead><tr><th>x</th></tr></thead><tbody><tr><th>{}</th></tr></tbody></table>"
    page = f"<section id='a'><h2>A</h2>{table}"
    one = structure_of_page(page.format("row"))
    assert one == ["section a", "h2: A", "table", "th: x"]
    assert one == structure_of_page(page.format("another"))
    assert one == structure_of_page(f"<div data-varies><div><h3>B</h3></div><table></table></div>{page}")


@pytest.mark.parametrize(
    ("old", "new"),
    [('<h2 id="method">Method</h2>', ""), ('<figure id="budget">', "<figure>"), ("<th scope", "<td scope")],
)
def test_a_missing_part_is_named(old: str, new: str) -> None:
    text = (EXAMPLE / "index.html").read_text(encoding="utf-8")
    changed = text.replace(old, new)
    assert changed != text
    committed = structure_of_report(EXAMPLE)
    found = differences(committed, committed | {"index.html": structure_of_page(changed)})
    assert found
    assert differences(committed, committed) == []


def test_the_example_is_complete_and_small() -> None:
    names = {path.name for path in EXAMPLE.iterdir() if path.suffix != ".nc"}
    assert names == {"index.html", "summary.json", "comparison.json", "model_card.md"}
    assert (EXAMPLE / "index.html").stat().st_size < 3 * MEGABYTES
    page = structure_of_report(EXAMPLE)["index.html"]
    for part in (
        "article sizes-fixed",
        "article spend",
        "section diagnostics",
        "figure fan-chart",
        "section provenance",
    ):
        assert part in page


def test_names_of_json_by_where_they_are() -> None:
    assert structure_of_json({"a": {"b": {"c": 1}}, "d": [1]}) == [".a", ".d", ".a.b"]
