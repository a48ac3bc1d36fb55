"""The pages of the documentation, and the code in them."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SHELL = ("sh", "bash", "console")
_FENCED = re.compile(
    r"(?:^<!-- (?P<mark>not run: .*?) -->\n)?^```(?P<language>\S*)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_NOT_RUN = "not run: "


@dataclass(frozen=True)
class Block:
    """Code in a page.

    Parameters
    ----------
    page
        Path from the root of the repository.
    line
        Where the code begins.
    language, code
        As fenced.
    reason
        Why it is not run; empty where it is.
    """

    page: str
    line: int
    language: str
    code: str
    reason: str

    @property
    def name(self) -> str:
        """For example ``README.md:57``."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """README and every page under ``docs``, by their paths from the root."""
    written = (path for path in DOCS.rglob("*.md") if not set(path.parts) & {"fits", "site"})
    return ["README.md", *sorted(str(path.relative_to(ROOT)) for path in written)]


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for match in _FENCED.finditer(text):
        mark = match["mark"] or ""
        line = text[: match.start("code")].count("\n") + 1
        reason = mark.removeprefix(_NOT_RUN) if mark.startswith(_NOT_RUN) else ""
        found.append(Block(page, line, match["language"], match["code"], reason))
    return found


def module(path: Path) -> ModuleType:
    """A Python file that is in no package, imported."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def page_one(page: str) -> str:
    """What a report opens with: everything before the links to its sections."""
    found = re.search(r"<header>(.*?)<nav", page, re.DOTALL)
    assert found is not None
    return found[1]
