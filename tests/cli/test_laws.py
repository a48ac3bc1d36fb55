import json
from importlib.resources import files

import pytest

from bitlaw.laws.registry import law_names, load_law


def test_list_names_every_law_and_its_columns(bitlaw) -> None:
    done = bitlaw("laws")
    assert (done.code, done.err) == (0, "")
    for name in law_names():
        assert name in done.out
    laws = {law["name"]: law for law in json.loads(bitlaw("laws", "--json").out)["laws"]}
    assert laws["chinchilla"]["columns"] == ["loss", "n_params", "tokens (or flops)"]
    assert {"bits_weights", "bits_post", "method_post"} <= set(laws["kumar2024"]["columns"])


@pytest.mark.parametrize("name", law_names())
def test_one_law_shows_equations_priors_and_reasons(
    name: str, bitlaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    law, done = load_law(name), bitlaw("laws", name)
    assert done.code == 0
    for text in (law.source, law.base.equation, law.base.source):
        assert text in done.out
    for prior in law.priors:
        assert prior.reason in done.out
        assert prior.name in done.out


def test_toml_prints_the_file_verbatim(bitlaw, tmp_path) -> None:
    done = bitlaw("laws", "kumar2024", "--toml")
    assert done.out == files("bitlaw.models").joinpath("kumar2024.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(done.out.replace('name = "kumar2024"', 'name = "mine"'), encoding="utf-8")
    assert bitlaw("laws", mine).out.startswith("mine: ")
    assert json.loads(bitlaw("laws", mine, "--json").out)["law"]["toml"] == mine.read_text(encoding="utf-8")
