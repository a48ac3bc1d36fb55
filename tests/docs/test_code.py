"""Every code block of README and docs is run, the blocks of a page in order, and says what the page says it says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from bitlaw.cli.main import main
from bitlaw.runs.columns import BY_NAME
from pages import ROOT, SHELL, Block, blocks, pages

RUN = (*SHELL, "python")
OWN = Path(__file__).parent / "own"
"""Small files of the reader's own that pages name."""

SWEEP = ROOT / "src" / "bitlaw" / "data" / "tiny_sweep.csv"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_FILE = re.compile(r"# (\w+\.toml)\b")
_RELATIVE, _ABSOLUTE = 0.1, 0.02
"""How far numbers may be from those a page shows: another processor draws other random numbers."""

ELSEWHERE = {"docs/bring_your_runs.md": "tests/importers/test_docs.py"}
"""Pages whose code needs more than files, and the test that runs it."""

WITH_CODE = [
    page
    for page in pages()
    if page not in ELSEWHERE and any(block.language in RUN and not block.reason for block in blocks(page))
]


@pytest.fixture(scope="session")
def runs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table as a reader may have: most of the sweep, as if of models a hundred times larger."""
    frame = _larger_sweep()
    path = tmp_path_factory.mktemp("own") / "runs.csv"
    frame[frame["bits_post"].isna() | frame["bits_post"].isin([3, 4, 5, 6])].to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def corpora_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 16-bit runs of that table, as if repeated on a second corpus on which losses are a fifth lower.

    Pooling needs as many runs as this in each group, and groups that differ: with 18 runs in two groups that do
    not, sampling converges with some seeds only.
    """
    frame = _larger_sweep()
    in_16_bits = (frame[["bits_weights", "bits_activations", "bits_kv"]] == 16).all(axis=1)
    web = frame[in_16_bits & frame["bits_post"].isna()].assign(corpus="web")
    code = web.assign(corpus="code", run_id=web["run_id"] + "_code", loss=web["loss"] * 0.8)
    path = tmp_path_factory.mktemp("own") / "corpora.csv"
    pd.concat([web, code]).to_csv(path, index=False)
    return path


def _larger_sweep() -> pd.DataFrame:
    frame = pd.read_csv(SWEEP)
    return frame.assign(n_params=frame["n_params"] * 90.0, tokens=frame["tokens"] * 50.0)


@pytest.fixture(scope="session")
def fit_file(runs_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That table fitted, for the pages that begin with a fit."""
    path = tmp_path_factory.mktemp("fitted") / "fit.nc"
    assert main(["fit", str(runs_file), "--out", str(path), "--no-backtest", "--quiet"]) == 0
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with the commands of this environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("COLUMNS", "160")
    yield tmp_path
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE)
def test_the_code_of_a_page_runs(page: str, here: Path, request: pytest.FixtureRequest) -> None:
    text = "".join(block.code for block in blocks(page) if not block.reason)
    shutil.copytree(OWN, here, dirs_exist_ok=True)
    if "runs.csv" in text or "fit.nc" in text:
        shutil.copy(request.getfixturevalue("runs_file"), "runs.csv")
    if "corpora.csv" in text:
        shutil.copy(request.getfixturevalue("corpora_file"), "corpora.csv")
    if "fit.nc" in text and not re.search(r"bitlaw fit .*--out fit\.nc", text):
        shutil.copy(request.getfixturevalue("fit_file"), "fit.nc")
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "toml" and (named := _FILE.match(block.code)):
            Path(named[1]).write_text(block.code, encoding="utf-8")
        if block.language in RUN and not block.reason:
            _run(block, names)


def _run(block: Block, names: dict[str, object]) -> None:
    if block.language == "python":
        exec(compile(block.code, block.name, "exec"), names)  # noqa: S102
    elif block.language == "console":
        for command, expected in _typed(block.code):
            done = _shell(command)
            refused = done.returncode == 1 and done.stdout.startswith("REFUSED")
            assert done.returncode == 0 or refused, f"{block.name}: {command}\n{done.stdout}{done.stderr}"
            assert says(done.stdout, expected), (
                f"{block.name}: {command}\nsays\n{done.stdout}\nand not\n{expected}"
            )
    else:
        done = _shell(f"set -euo pipefail\n{block.code}")
        assert done.returncode == 0, f"{block.name}\n{done.stdout}{done.stderr}"


def _shell(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def _typed(code: str) -> list[tuple[str, str]]:
    """Commands after ``$``, each with what is shown below it."""
    parts = re.split(r"^\$ ", code, flags=re.MULTILINE)
    assert parts[0] == "", "a console block begins with a command"
    return [(part.split("\n", 1)[0], part.split("\n", 1)[1]) for part in parts[1:]]


def says(text: str, expected: str) -> bool:
    """Whether a text has the expected words in order, with numbers near to those expected; … is any words."""
    words = text.split()
    pieces = [piece.split() for piece in expected.split("…")]
    at = 0
    for place, piece in enumerate(pieces):
        starts = [at] if place == 0 else range(at, len(words) - len(piece) + 1)
        found = next((start for start in starts if _alike(words[start : start + len(piece)], piece)), None)
        if found is None:
            return False
        at = found + len(piece)
    return at == len(words) or not pieces[-1]


def _alike(words: list[str], expected: list[str]) -> bool:
    return len(words) == len(expected) and all(map(_same, words, expected))


def _same(word: str, expected: str) -> bool:
    if _NUMBER.sub("#", word) != _NUMBER.sub("#", expected):
        return False
    pairs = zip(_NUMBER.findall(word), _NUMBER.findall(expected), strict=True)
    return all(abs(float(a) - float(b)) <= max(_ABSOLUTE, _RELATIVE * float(b)) for a, b in pairs)


def test_what_a_page_shows_is_compared_word_by_word() -> None:
    shown = "8 bits is safe (96 %, 90 % asked). …"
    assert says("8 bits is safe (95 %, 90 %\nasked). Risk LOW.", shown)
    for other in (
        "6 bits is safe (96 %, 90 % asked).",
        "8 bits is not safe (96 %, 90 % asked).",
        "8 bits is safe",
    ):
        assert not says(other, shown)
    assert not says("a b c", "a b")
    assert says("a b c d", "a … d")
    assert not says("a b c d", "a … c")


@pytest.mark.parametrize("page", pages())
def test_every_block_is_run_or_says_why_not(page: str) -> None:
    for block in blocks(page):
        assert block.language, f"{block.name}: a fenced block without a language"
        if block.language == "python":
            compile(block.code, block.name, "exec")
        if block.language == "console":
            assert _typed(block.code)
        assert not block.reason or len(block.reason) > len("it needs …"), block.name


def test_pages_whose_code_runs_elsewhere_are_read_there() -> None:
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_no_mark_is_mistyped() -> None:
    for page in pages():
        marks = re.findall(r"^<!--.*?-->\n(?=```)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(marks) == sum(bool(block.reason) for block in blocks(page)), page


def test_the_csv_that_the_readme_shows_is_a_run_table() -> None:
    (table,) = (block.code for block in blocks("README.md") if block.language == "csv")
    assert set(table.splitlines()[0].split(",")) <= set(BY_NAME)
