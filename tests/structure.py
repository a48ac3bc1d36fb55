"""The structure of a report: headings, sections, figures and tables, without numbers and without pixels.

As a script it compares two reports and fails where one has what the other has not:

    python tests/structure.py reports/tiny_sweep NEW_FOLDER
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"[<>−-]?\s?\d[\d.,]*(?:e[+-]?\d+)?[kMBT]?")
_HEADINGS = ("h1", "h2", "h3", "h4")
_KEPT_TEXT = (*_HEADINGS, "th")
_DEEPEST = 2
"""Names inside an answer depend on the answer."""
_LANDMARKS = ("header", "main", "nav", "section", "article", "figure", "table", "form", "details")


class _Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.text: list[str] | None = None
        self.in_body_of_table = False
        self.depth_of_what_varies = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if self.depth_of_what_varies or "data-varies" in attributes:
            self.depth_of_what_varies += tag == "div"
            return
        if tag in _LANDMARKS:
            name = attributes.get("id") or attributes.get("aria-labelledby") or ""
            self.lines.append(f"{tag} {name}".strip())
        self.in_body_of_table = (self.in_body_of_table or tag == "tbody") and tag != "thead"
        if tag in _KEPT_TEXT and not self.in_body_of_table:
            self.text = []

    def handle_endtag(self, tag: str) -> None:
        if self.depth_of_what_varies:
            self.depth_of_what_varies -= tag == "div"
            return
        if tag in ("tbody", "table"):
            self.in_body_of_table = False
        if tag in _KEPT_TEXT and self.text is not None:
            self.lines.append(f"{tag}: {without_numbers(' '.join(''.join(self.text).split()))}")
            self.text = None

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)


def without_numbers(text: str) -> str:
    """Text with every number replaced by a sign for one."""
    return _NUMBER.sub("#", text)


def structure_of_page(page: str) -> list[str]:
    """Landmarks, headings, figures and the heads of tables of a page, in order.

    Rows of tables are numbers and left out, and so is what a ``div`` with ``data-varies`` holds: whether it is there
    depends on the draws.
    """
    outline = _Outline()
    outline.feed(page)
    outline.close()
    return outline.lines


def structure_of_card(card: str) -> list[str]:
    """Headings and table heads of a model card; the headlines of its results hold numbers."""
    lines = card.splitlines()
    heads = [line for line, below in zip(lines, [*lines[1:], ""], strict=True) if below.startswith("| ---")]
    return [without_numbers(line) for line in lines if line.startswith("#") or line in heads]


def structure_of_json(value: Any, where: str = "", depth: int = _DEEPEST) -> list[str]:
    """Names in a JSON object and in the objects right inside it, by where they are."""
    if not isinstance(value, dict) or depth == 0:
        return []
    inside = [
        line for key, item in value.items() for line in structure_of_json(item, f"{where}.{key}", depth - 1)
    ]
    return [*(f"{where}.{key}" for key in value), *inside]


def structure_of_report(folder: Path) -> dict[str, list[str]]:
    """The structure of every file of a report."""
    read = {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(folder.iterdir())
        if path.suffix != ".nc"
    }
    by_kind = {
        ".html": structure_of_page,
        ".md": structure_of_card,
        ".json": lambda text: sorted(structure_of_json(json.loads(text))),
    }
    return {name: by_kind[Path(name).suffix](text) for name, text in read.items()}


def differences(committed: dict[str, list[str]], made: dict[str, list[str]]) -> list[str]:
    """What one report has and the other has not, a line each."""
    found = []
    for name in sorted({*committed, *made}):
        if name not in committed or name not in made:
            found.append(f"{name}: only in the {'committed' if name in committed else 'new'} report")
            continue
        old, new = committed[name], made[name]
        found += [f"{name}: no longer there: {line}" for line in dict.fromkeys(old) if line not in new]
        found += [
            f"{name}: not in the committed report: {line}" for line in dict.fromkeys(new) if line not in old
        ]
        if not found and old != new:
            found.append(f"{name}: the same parts in another order or number")
    return found


if __name__ == "__main__":
    wrong = differences(*(structure_of_report(Path(folder)) for folder in sys.argv[1:3]))
    print("\n".join(wrong) or "the reports have the same structure")
    if wrong:
        print("a report that has changed needs its committed example made anew: make demo")
    sys.exit(bool(wrong))
