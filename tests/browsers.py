"""Node and Chromium for tests of what a page computes; where there is none, tests are skipped and say how to get it."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bitlaw.reporting.explorer.embedded import Explorer
from bitlaw.reporting.explorer.page import ENGINE, script_of

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
NODE = shutil.which("node")
CHROMIUM = next((found for name in _NAMES if (found := shutil.which(name))), None)
needs_node = pytest.mark.skipif(NODE is None, reason="no node on PATH; on Debian: apt-get install nodejs")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on PATH; on Debian: apt-get install chromium"
)

_SECONDS = 120
_DRIVER = """
const fs = require("fs");
const data = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const engine = makeEngine(data, recorded);
const plain = (name, value) => (value instanceof Float64Array ? Array.from(value)
  : typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
const answers = JSON.parse(process.argv[3]).map((asked) => {
  const state = { ...data.start, bits: {}, chip: 0, option: 0, post: null, loss: null, ...asked, method: 0 };
  return {
    run: engine.run(state), after: engine.afterwards(state),
    options: data.offers.length ? engine.fixedSizes(state) : [],
    budget: data.offers.length ? engine.forBudget(state) : [],
  };
});
process.stdout.write(JSON.stringify(answers, plain));
"""


def explored(own: Explorer, states: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What the explorer's engine answers in each state, draws included, computed by Node."""
    assert NODE is not None
    data, script = folder / "data.json", folder / "script.js"
    data.write_text(json.dumps(dict(own.data)), encoding="utf-8")
    script.write_text(f'"use strict";\n{script_of(own, ENGINE)}\n{_DRIVER}', encoding="utf-8")
    command = [NODE, str(script), str(data), json.dumps(states)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def browse(page: Path, fragment: str, folder: Path, *options: str) -> str:
    """The page's document after its scripts have run; fails where anything was written to the console."""
    done = _chromium(page, fragment, folder, "--dump-dom", *options)
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def screenshot(page: Path, fragment: str, folder: Path, *options: str) -> Path:
    """A PNG of the top of the page."""
    image = folder / "page.png"
    done = _chromium(page, fragment, folder, f"--screenshot={image}", *options)
    assert image.is_file(), done.stderr
    return image


def width_needed(page: Path, width: int, folder: Path) -> int:
    """How wide the page's content is where the window is so many pixels wide, as on a phone."""
    told = "parent.postMessage(document.documentElement.scrollWidth, '*')"
    inner, outer = folder / "inner.html", folder / "outer.html"
    text = page.read_text(encoding="utf-8")
    asking = f"<script>addEventListener('load', () => setTimeout(() => {told}, 500));</script>"
    inner.write_text(text.replace("</body>", f"{asking}</body>"), encoding="utf-8")
    outer.write_text(
        f'<iframe src="{inner.name}" width="{width}" height="800" style="border:0"></iframe>'
        "<script>addEventListener('message', (told) => { document.body.dataset.width = told.data; });</script>",
        encoding="utf-8",
    )
    found = re.search(r'data-width="(\d+)"', browse(outer, "", folder))
    assert found is not None, "the page did not load"
    return int(found[1])


def printed(page: Path, folder: Path) -> bytes:
    """The page as PDF."""
    made = folder / "page.pdf"
    _chromium(page, "", folder, f"--print-to-pdf={made}", "--no-pdf-header-footer")
    return made.read_bytes()


def shown_numbers(document: str) -> dict[str, Any]:
    """The numbers that the explorer shows, from a document."""
    found = re.search(r'data-numbers="([^"]*)"', document)
    assert found is not None, "the explorer has written no numbers"
    return dict(json.loads(html.unescape(found[1])))


def _chromium(page: Path, fragment: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
        "--v=0", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", *options,
        f"{page.as_uri()}{fragment}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
