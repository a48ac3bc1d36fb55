"""Law specs: the library parses and round-trips, and every mistake in a user's file is named."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitlaw.errors import InputError
from bitlaw.inference.prior import prior_draws
from bitlaw.laws.law import Law, Parameter
from bitlaw.laws.library import TRAINING_TERMS
from bitlaw.laws.registry import law_names, load_law
from bitlaw.laws.spec import parse_law, with_ties
from laws.properties import LAWS, REFERENCE

COMPLETE = load_law("kumar2024-coupled").toml
HEAD = 'name = "mine"\ntitle = "t"\nsource = "s"\nsummary = "s"\n'


def spec(terms: str, rest: str = "") -> str:
    """A short spec: its terms table and whatever follows."""
    return f"{HEAD}[terms]\n{terms}\n{rest}"


def prior(name: str, text: str) -> str:
    """One prior of a spec, with its reason."""
    return f'[priors.{name}]\n{text}\nreason = "r"\nsource = "s"\n'


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a spec; every line names the file."""
    with pytest.raises(InputError) as raised:
        parse_law(text, "mine.toml")
    assert all(problem.startswith("mine.toml: ") for problem in raised.value.problems)
    return tuple(problem.removeprefix("mine.toml: ") for problem in raised.value.problems)


@pytest.mark.parametrize("name", law_names())
def test_library_laws_are_named_after_their_file(name: str) -> None:
    law = load_law(name)
    assert law.name == name
    assert "arXiv" in law.source
    assert law.title
    assert law.summary


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_the_complete_text_is_the_same_law_and_needs_no_defaults(law: Law) -> None:
    again = parse_law(law.toml, "copy.toml")
    assert again.toml == law.toml
    for part in ("name", "title", "source", "summary", "training", "post", "noise", "priors", "ties"):
        assert getattr(again, part) == getattr(law, part)
    assert again.base.sampled == law.base.sampled
    assert set(tomllib.loads(law.toml)["priors"]) == {prior.name for prior in law.priors}


def test_a_copied_file_is_the_same_law(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(COMPLETE, encoding="utf-8")
    assert load_law(path) == load_law("kumar2024-coupled")


def test_what_a_file_does_not_state_has_its_default() -> None:
    changed = prior("c_w", 'distribution = "LogNormal"\nmedian = 1.2\nsigma = 0.2')
    law = parse_law(spec('base = "coupled"\ntraining = ["additive"]', changed), "mine.toml")
    default = load_law("bitlaw-default")
    assert law.prior("c_w").arguments == (1.2, 0.2)
    assert law.prior("c_a") == default.prior("c_a")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('base = "coupled"', 'base = "copuled"', 'terms.base: "copuled" is unknown; did you mean "coupled"?'),
        ('"effective-parameters"', '"effective-paramters"',
         'terms.training.0: "effective-paramters" is unknown; did you mean "effective-parameters"?'),
        ('post = "exponential"', 'post = "expo"', 'terms.post: "expo" is unknown; valid: exponential, power'),
        ('post = "exponential"', 'psot = "power"', 'terms.psot: unknown key; did you mean "post"?'),
        ("[priors.gamma_w]", "[priors.gama_w]",
         'priors.gama_w: the law has no such parameter; did you mean "gamma_w"?'),
        ("median = 2.5", "median = -2.5", "priors.mean_loss.median: input should be greater than 0, not -2.5"),
        ("median = 2.5", "medain = 2.5", 'priors.mean_loss.medain: unknown key; did you mean "median"?'),
        ("median = 2.5", 'median = "2,5"', "priors.mean_loss.median: input should be a valid number"),
        ("median = 2.5\n", "", "priors.mean_loss: median: missing, LogNormal needs it"),
        ("median = 2.5", "mean = 1.0\nmedian = 2.5", "priors.mean_loss: mean: LogNormal takes median and sigma"),
        ('distribution = "LogNormal"', 'distribution = "LogNormall"',
         "priors.mean_loss.distribution: input should be 'LogNormal', 'Normal' or 'Beta', not 'LogNormall'"),
        ('distribution = "Beta"', 'distribution = "Normal"', "does not fit a unit parameter; valid: Beta"),
        ('title = "', 'titel = "', 'titel: unknown key; did you mean "title"?'),
        ("[terms]", "[terms", "not valid TOML"),
        ('times = "bits_weights"', 'times = "bits_wieghts"', "priors.P0_w.times: input should be"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_file_and_key_path(old: str, new: str, expected: str) -> None:
    assert old in COMPLETE
    assert any(expected in problem for problem in problems(COMPLETE.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ('base = "observed"', 'terms.post: missing; base "observed" models nothing without it'),
        ('base = "observed"\ntraining = ["additive"]\npost = "power"',
         'terms.training: base "observed" takes losses as measured; valid: no training terms'),
        ('base = "coupled"\ntraining = ["additive", "additive-in-groups"]',
         "terms.training: additive, additive-in-groups share constants; valid: one of them"),
        ('base = "coupled"\ntraining = ["additive", "additive"]',
         "terms.training: additive, additive share constants; valid: one of them"),
        ('base = "coupled"\ntraining = "additive"', "terms.training: input should be a valid tuple"),
        ('base = "coupled"\nequal_exponents = 3', "terms.equal_exponents: input should be a valid boolean"),
        ("", "terms.base: field required"),
    ],
)  # fmt: skip
def test_terms_that_do_not_fit_together_are_named(terms: str, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems(spec(terms)))


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ('k_a = "kw"', 'ties.k_a: "kw": the law has no such parameter; did you mean "k_w"?'),
        ('ka = "k_w"', 'ties.ka: the law has no such parameter; did you mean "k_a"?'),
        ('k_a = "k_a"', 'ties.k_a: "k_a" is itself tied; valid: a parameter with a prior'),
        ('k_a = "k_w"\nk_w = "k_kv"', 'ties.k_a: "k_w" is itself tied; valid: a parameter with a prior'),
        ('k_a = "gamma_D_train"', 'ties.k_a: "gamma_D_train" is real and k_a positive; valid: two of a kind'),
    ],
)
def test_ties_that_cannot_be_are_named(ties: str, expected: str) -> None:
    text = spec('base = "coupled"\ntraining = ["additive"]', f"[ties]\n{ties}")
    assert expected in problems(text)


def test_a_parameter_is_tied_or_has_a_prior() -> None:
    tied = prior("k_a", 'distribution = "LogNormal"\nmedian = 1.0\nsigma = 1.0')
    text = spec('base = "coupled"\ntraining = ["additive"]', f'[ties]\nk_a = "k_w"\n{tied}')
    assert problems(text) == ("priors.k_a: tied to k_w; valid: a tie or a prior, not both",)


def test_levels_of_different_columns_cannot_be_tied() -> None:
    text = spec('base = "coupled"\ntraining = ["format-parameters", "format-tokens"]',
                '[ties]\neff_D = "eff_N"')  # fmt: skip
    assert problems(text) == (
        'ties.eff_D: "eff_N" has a value per scheme, eff_D per scheme_backward; valid: two of a kind',
    )


def test_tied_quantities_are_equal_and_have_one_prior() -> None:
    law = with_ties(load_law("bitlaw-default"), {"k_a": "k_w", "c_a": "c_w"})
    assert law.ties == {"k_a": "k_w", "c_a": "c_w"}
    assert {"k_a", "c_a"}.isdisjoint(prior.name for prior in law.priors)
    draws = prior_draws(law, REFERENCE, 5, seed=0)
    np.testing.assert_array_equal(draws["k_a"], draws["k_w"])
    again = parse_law(law.toml, "tied.toml")
    assert (again.ties, again.priors) == (law.ties, law.priors)
    assert with_ties(law, {}) is law
    assert with_ties(law, {"k_kv": "k_w"}).ties == {"k_a": "k_w", "c_a": "c_w", "k_kv": "k_w"}


BASE = 'base = "chinchilla"'
E = 'distribution = "LogNormal"\nmedian = 1.7\nsigma = 0.4'


@pytest.mark.parametrize(
    ("text", "groups", "group_sd"),
    [
        (E, "shared", None),
        (f"{E}\ngroup_sd = 0.2", "pooled", 0.2),
        (f'{E}\ngroups = "pooled"\ngroup_sd = 0.2', "pooled", 0.2),
        (f'{E}\ngroups = "shared"', "shared", None),
        (f'{E}\ngroups = "free"', "free", None),
    ],
)
def test_what_pooling_does_is_declared_per_parameter(text: str, groups: str, group_sd: float | None) -> None:
    law = parse_law(spec(BASE, prior("E", text)), "mine.toml")
    assert (law.prior("E").groups, law.prior("E").group_sd) == (groups, group_sd)
    assert law.prior("alpha").groups == "pooled"


@pytest.mark.parametrize(
    ("terms", "name", "text", "expected"),
    [
        (BASE, "E", f'{E}\ngroups = "pooled"', 'group_sd: missing, groups = "pooled" needs it'),
        (BASE, "E", f'{E}\ngroups = "shared"\ngroup_sd = 0.2',
         'group_sd: groups = "shared" takes none; valid: groups = "pooled"'),
        (BASE, "E", f'{E}\ngroups = "free"\ngroup_sd = 0.2',
         'group_sd: groups = "free" takes none; valid: groups = "pooled"'),
        (BASE, "E", f"{E}\nby_sd = 0.2", "by_sd: the parameter has no column of its own; valid: group_sd"),
        (f'{BASE}\ntraining = ["format-parameters"]', "eff_N", 'distribution = "Beta"\nalpha = 3\nbeta = 1',
         "by_sd: missing, the parameter has a value per scheme"),
        (f'{BASE}\ntraining = ["effective-parameters"]', "P0_w",
         'distribution = "Beta"\nalpha = 2\nbeta = 2\ntimes = "bits_weights"\ngroup_sd = 0.3',
         "times: a floor is shared by all groups; valid: no groups and no group_sd"),
    ],
)  # fmt: skip
def test_mistakes_about_groups_are_named(terms: str, name: str, text: str, expected: str) -> None:
    assert problems(spec(terms, prior(name, text))) == (f"priors.{name}: {expected}",)


def test_groups_are_one_of_three() -> None:
    found = problems(spec(BASE, prior("E", f'{E}\ngroups = "split"')))
    assert found == ("priors.E.groups: input should be 'shared', 'pooled' or 'free', not 'split'",)
    found = problems(spec(BASE, prior("E", f"{E}\ngroup_sd = 0")))
    assert found == ("priors.E.group_sd: input should be greater than 0, not 0",)


def test_all_problems_of_a_kind_come_together() -> None:
    text = COMPLETE.replace("median = 2.5", "medain = 2.5").replace("alpha = 3", "alhpa = 3")
    assert len(problems(text)) >= 2


def test_a_term_without_a_prior_for_its_constant_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    term = TRAINING_TERMS["effective-tokens"]
    unknown = replace(term, name="own", parameters=(Parameter("zeta", "positive", "something new"),))
    monkeypatch.setitem(TRAINING_TERMS, "own", unknown)
    found = problems(spec(f'{BASE}\ntraining = ["own"]'))
    assert found == ("priors.zeta: missing, and _priors.toml has none",)


def test_unknown_law_names_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'unknown law "chinchila" \(did you mean "chinchilla"\?\)'):
        load_law("chinchila")
    with pytest.raises(InputError, match="no such law file"):
        load_law("absent.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8 text"):
        load_law(latin)
