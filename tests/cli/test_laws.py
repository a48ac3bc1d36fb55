import json
from pathlib import Path

import pytest

from bitlaw.laws.registry import law_names, load_law


def test_list_names_every_law_and_its_columns(bitlaw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    done = bitlaw("laws")
    assert (done.code, done.err) == (0, "")
    for name in law_names():
        assert name in done.out
        assert load_law(name).title in done.out


@pytest.mark.parametrize(
    ("name", "needed", "each"),
    [
        ("chinchilla", ["loss", "n_params", "tokens (or flops)"], []),
        ("sun2025", ["loss", "n_params", "tokens (or flops)", "format (e4m3, mxfp4, …)", "group_size"], []),
        ("chen2025", ["loss", "n_params", "tokens (or flops)", "bits_weights", "bits_activations", "bits_kv",
                      "group_size"], []),
        ("quartet2025", ["loss", "n_params", "tokens (or flops)", "format or bits_*",
                         "format_backward or bits_gradients"], ["format", "backward format"]),
        ("ptq-gap", ["loss", "run_id (shared with the run's own row)", "n_params", "tokens (or flops)",
                     "bits_post", "method_post"], ["post-training method"]),
        ("bitlaw-default", ["loss", "n_params", "tokens (or flops)", "bits_weights", "bits_activations",
                            "bits_kv", "bits_post", "method_post"], ["post-training method"]),
    ],
)  # fmt: skip
def test_a_law_says_which_columns_it_needs(name: str, needed: list[str], each: list[str], bitlaw) -> None:
    listed = {law["name"]: law for law in json.loads(bitlaw("laws", "--json").out)["laws"]}
    assert set(listed) == set(law_names())
    assert (listed[name]["columns"], listed[name]["constants_for_each"]) == (needed, each)


@pytest.mark.parametrize("name", law_names())
def test_one_law_shows_what_it_says_assumes_and_cannot_say(
    name: str, bitlaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "600")
    law, done = load_law(name), bitlaw("laws", name)
    assert (done.code, done.err) == (0, "")
    assert law.source in done.out
    for term in law.terms:
        assert term.equation in done.out
        assert term.source in done.out
        assert f"It cannot say {term.cannot}." in done.out if term is not law.base else True
    for parameter in law.parameters:
        assert parameter.meaning in done.out
    for prior in law.priors:
        assert prior.name in done.out
        assert prior.reason in done.out
        assert prior.source in done.out
        assert prior.group_sd is None or f"pooled, spread {prior.group_sd:g}" in done.out
        assert prior.by_sd is None or f"spread {prior.by_sd:g}" in done.out


@pytest.mark.parametrize("name", law_names())
def test_toml_is_complete_and_the_same_law_when_read(name: str, bitlaw, tmp_path: Path) -> None:
    done = bitlaw("laws", name, "--toml")
    mine = tmp_path / "mine.toml"
    mine.write_text(done.out, encoding="utf-8")
    assert load_law(mine) == load_law(name)
    assert bitlaw("laws", mine, "--toml").out == done.out
    assert json.loads(bitlaw("laws", mine, "--json").out)["law"]["toml"] == done.out


def test_a_users_file_with_ties_is_shown(bitlaw, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    text = bitlaw("laws", "bitlaw-default", "--toml").out.replace('name = "bitlaw-default"', 'name = "mine"')
    start, end = text.index("[priors.k_a]"), text.index("[priors.c_a]")
    mine.write_text(f'{text[:start]}{text[end:]}\n[ties]\nk_a = "k_w"\n', encoding="utf-8")
    done = bitlaw("laws", mine)
    assert done.out.startswith("mine: ")
    assert "Ties" in done.out
    assert json.loads(bitlaw("laws", mine, "--json").out)["law"]["ties"] == {"k_a": "k_w"}


def test_toml_is_for_one_law_and_unknown_names_are_hinted_at(bitlaw) -> None:
    assert bitlaw("laws", "--toml").code == 2
    assert bitlaw("laws", "chinchilla", "--toml", "--json").code == 2
    done = bitlaw("laws", "bitlaw-defualt")
    assert (done.code, done.out) == (2, "")
    assert 'did you mean "bitlaw-default"?' in done.err
