"""Law specs: the library parses, and every mistake in a user's file is named."""

from importlib.resources import files
from pathlib import Path

import pytest

from bitlaw.errors import InputError
from bitlaw.laws.registry import law_names, load_law
from bitlaw.laws.spec import parse_law

TEXT = files("bitlaw.models").joinpath("kumar2024-coupled.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", law_names())
def test_library_laws_parse_and_are_named_after_their_file(name: str) -> None:
    law = load_law(name)
    assert law.name == name
    assert all(prior.reason and prior.source for prior in law.priors)
    assert "arXiv" in law.source


def test_a_copied_file_is_the_same_law(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert load_law(path).priors == load_law("kumar2024-coupled").priors


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('base = "coupled"', 'base = "copuled"', 'terms.base: "copuled" is unknown; did you mean "coupled"?'),
        ("[priors.gamma_w]", "[priors.gama_w]", 'gama_w: the law has no such parameter; did you mean "gamma_w"?'),
        ("[priors.gamma_w]", "[priors.gama_w]", "priors.gamma_w: missing"),
        ("median = 2.5", "median = -2.5", "priors.mean_loss.median: input should be greater than 0, not -2.5"),
        ("median = 2.5", "medain = 2.5", 'priors.mean_loss.medain: unknown key; did you mean "median"?'),
        ("median = 2.5\n", "", "priors.mean_loss: median: missing, LogNormal needs it"),
        ('distribution = "Beta"', 'distribution = "Normal"', "does not fit a unit parameter; valid: Beta"),
        ('title = "', 'titel = "', 'titel: unknown key; did you mean "title"?'),
        ("[terms]", "[terms", "not valid TOML"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_file_and_key_path(old: str, new: str, expected: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError) as raised:
        parse_law(TEXT.replace(old, new, 1), "mine.toml")
    assert expected in str(raised.value)
    assert all(problem.startswith("mine.toml: ") for problem in raised.value.problems)


def test_unknown_law_names_the_near_one() -> None:
    with pytest.raises(InputError, match=r'unknown law "chinchila" \(did you mean "chinchilla"\?\)'):
        load_law("chinchila")
    with pytest.raises(InputError, match="no such law file"):
        load_law("absent.toml")
