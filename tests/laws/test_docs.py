"""The pages about laws say what is true: one is generated, and the code of the other is run here."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bitlaw.errors import InputError
from bitlaw.laws.law import Law
from bitlaw.laws.library import TRAINING_TERMS
from bitlaw.laws.registry import law_names, load_law
from bitlaw.laws.spec import parse_law
from laws.properties import CHECKS

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = (DOCS / "add_a_law.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Code blocks of the tutorial in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)


def module(name: str, path: Path) -> ModuleType:
    """A Python file that is in no package, imported."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_of_laws_is_up_to_date() -> None:
    """``python docs/laws.py`` writes it."""
    written = (DOCS / "laws.md").read_text(encoding="utf-8")
    assert written == module("docs_laws", DOCS / "laws.py").page()
    assert all(f"## {name}\n" in written for name in law_names())


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Law:
    """The law the tutorial adds, its term registered as the tutorial says."""
    (code,) = blocks("python")
    path = tmp_path / "power_in_bits.py"
    path.write_text(code, encoding="utf-8")
    monkeypatch.setitem(sys.modules, "power_in_bits", module("power_in_bits", path))
    term = sys.modules["power_in_bits"].POWER_IN_BITS
    monkeypatch.setitem(TRAINING_TERMS, term.name, term)
    return parse_law(blocks("toml")[1], "power-in-bits.toml")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_the_law_that_the_tutorial_adds_has_every_property(check, added: Law) -> None:
    check(added)
    assert parse_law(added.toml, "copy.toml").priors == added.priors


def test_the_new_term_is_short_and_needs_its_prior(added: Law) -> None:
    (code,) = blocks("python")
    body = code[code.index("def penalty") : code.index("POWER_IN_BITS =")]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20
    without = blocks("toml")[1].split("[priors.q_w]")[0]
    with pytest.raises(InputError, match=r"priors\.q_w: missing, and _priors\.toml has none"):
        parse_law(without, "power-in-bits.toml")


def test_a_changed_prior_changes_nothing_else() -> None:
    mine, default = parse_law(blocks("toml")[0], "mine.toml"), load_law("bitlaw-default")
    assert mine.terms == default.terms
    assert mine.prior("c_w").arguments == (0.87, 0.15)
    assert mine.ties == {"k_a": "k_w", "c_a": "c_w"}
    others = {prior.name: prior for prior in default.priors if prior.name not in ("c_w", "k_a", "c_a")}
    assert {prior.name: prior for prior in mine.priors if prior.name != "c_w"} == others


def test_the_slip_is_answered_as_the_tutorial_says() -> None:
    (answer,) = blocks("text")
    slip = blocks("toml")[0].replace("[priors.c_w]", "[priors.cw]")
    with pytest.raises(InputError) as raised:
        parse_law(slip, "mine.toml")
    assert answer.strip() in raised.value.problems


def test_the_table_of_properties_is_the_table_of_tests() -> None:
    told = TUTORIAL[TUTORIAL.index("## What is tested") :]
    for check in CHECKS:
        assert check.__doc__
    for words in (
        "NumPy is PyTensor",
        "more is never worse",
        "unquantized is the base",
        "losses are plausible",
    ):
        assert f"| {words} |" in told
        assert any(words.lower().replace(" ", "_") in check.__name__ for check in CHECKS)
