"""From a TOML law spec to a Law: parsed once, every mistake named by file and key path."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bitlaw.errors import InputError, did_you_mean
from bitlaw.laws.bases import with_equal_exponents
from bitlaw.laws.law import Law, Parameter, Prior
from bitlaw.laws.library import BASE_TERMS, POST_TERMS, TRAINING_TERMS
from bitlaw.laws.noise import noise_parameters

ARGUMENTS: dict[str, tuple[str, str]] = {
    "LogNormal": ("median", "sigma"),
    "Normal": ("mean", "sd"),
    "Beta": ("alpha", "beta"),
}
"""The two arguments of each distribution a prior may have."""

DEFAULT_PRIORS = "_priors.toml"
"""File beside the law specs with the prior of every quantity a law states none for."""

_DISTRIBUTIONS = {"positive": ("LogNormal",), "real": ("Normal",), "unit": ("Beta",)}
_BITS = Literal["bits_weights", "bits_activations", "bits_kv", "bits_gradients"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PriorSpec(_Strict):
    distribution: Literal["LogNormal", "Normal", "Beta"]
    median: float | None = Field(default=None, gt=0)
    sigma: float | None = Field(default=None, gt=0)
    mean: float | None = None
    sd: float | None = Field(default=None, gt=0)
    alpha: float | None = Field(default=None, gt=0)
    beta: float | None = Field(default=None, gt=0)
    groups: Literal["shared", "pooled", "free"] | None = None
    group_sd: float | None = Field(default=None, gt=0)
    by_sd: float | None = Field(default=None, gt=0)
    times: _BITS | None = None
    reason: str = Field(min_length=1)
    source: str = Field(min_length=1)


class _TermSpec(_Strict):
    base: str
    equal_exponents: bool = False
    training: tuple[str, ...] = ()
    post: str | None = None


class _LawSpec(_Strict):
    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    terms: _TermSpec
    ties: dict[str, str] = {}
    priors: dict[str, _PriorSpec] = {}


def parse_law(text: str, where: str) -> Law:
    """Read a law from TOML text; priors it does not state are those of ``models/_priors.toml``.

    Parameters
    ----------
    text
        The TOML.
    where
        File name for the error messages.

    Raises
    ------
    InputError
        For invalid TOML, unknown keys, unknown terms, ties and priors of parameters the law does not
        have, and priors whose distribution does not fit. All problems of a kind together.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from error
    try:
        spec = _LawSpec.model_validate(raw)
    except ValidationError as error:
        raise InputError(validation_problems(error, where, _LawSpec)) from error
    if problems := [f"{where}: {problem}" for problem in _term_problems(spec.terms)]:
        raise InputError(problems)
    base = BASE_TERMS[spec.terms.base]
    base = with_equal_exponents(base) if spec.terms.equal_exponents else base
    training = tuple(TRAINING_TERMS[name] for name in spec.terms.training)
    post = POST_TERMS[spec.terms.post] if spec.terms.post else None
    noise = noise_parameters(not base.is_observed, bool(training), post is not None)
    law = Law(
        spec.name, spec.title, spec.source, spec.summary.strip(), base, training, post, noise, (), {}, ""
    )
    parameters = {parameter.name: parameter for parameter in law.sampled}
    problems = _tie_problems(spec.ties, parameters) + _unknown_problems(spec, parameters)
    if problems:
        raise InputError([f"{where}: {problem}" for problem in problems])
    specs = {
        name: spec.priors[name] if name in spec.priors else _default_priors()[name]
        for name in parameters
        if name not in spec.ties
    }
    problems = [
        f"{where}: priors.{name}: {problem}"
        for name, prior in specs.items()
        for problem in _prior_problems(prior, parameters[name])
    ]
    if problems:
        raise InputError(problems)
    return replace(
        law,
        priors=tuple(_prior(name, prior) for name, prior in specs.items()),
        ties=dict(spec.ties),
        toml=_complete_text(raw, specs),
    )


def with_ties(law: Law, ties: Mapping[str, str]) -> Law:
    """The law with some sampled quantities tied to others, which takes their priors away.

    Parameters
    ----------
    law
        The law.
    ties
        Names of sampled quantities, and what each is to equal.

    Examples
    --------
    >>> from bitlaw.laws.registry import load_law
    >>> law = with_ties(load_law("bitlaw-default"), {"k_a": "k_w"})
    >>> law.ties, "k_a" in [prior.name for prior in law.priors]
    ({'k_a': 'k_w'}, False)
    """
    if not ties:
        return law
    raw = tomllib.loads(law.toml)
    raw["ties"] = {**law.ties, **ties}
    raw["priors"] = {name: prior for name, prior in raw["priors"].items() if name not in ties}
    return parse_law(tomli_w.dumps(raw), law.name)


@cache
def _default_priors() -> dict[str, _PriorSpec]:
    raw = tomllib.loads(files("bitlaw.models").joinpath(DEFAULT_PRIORS).read_text(encoding="utf-8"))
    return {name: _PriorSpec.model_validate(prior) for name, prior in raw.items()}


def _complete_text(raw: dict[str, Any], specs: Mapping[str, _PriorSpec]) -> str:
    """The spec with every prior written out, so that it means the same wherever it is read."""
    priors = {name: prior.model_dump(exclude_none=True) for name, prior in specs.items()}
    head = {name: value for name, value in raw.items() if name != "priors"}
    return tomli_w.dumps({**head, "priors": priors}, multiline_strings=True)


def _term_problems(terms: _TermSpec) -> list[str]:
    chosen: list[tuple[str, str, Mapping[str, Any]]] = [("terms.base", terms.base, BASE_TERMS)]
    chosen += [(f"terms.training.{index}", name, TRAINING_TERMS) for index, name in enumerate(terms.training)]
    chosen += [("terms.post", terms.post, POST_TERMS)] if terms.post is not None else []
    problems = [
        f'{path}: "{name}" is unknown; {did_you_mean(name, list(choices))}'
        for path, name, choices in chosen
        if name not in choices
    ]
    if problems:
        return problems
    if BASE_TERMS[terms.base].is_observed and terms.training:
        problems.append('terms.training: base "observed" takes losses as measured; valid: no training terms')
    if BASE_TERMS[terms.base].is_observed and terms.post is None:
        problems.append('terms.post: missing; base "observed" models nothing without it')
    names = [parameter.name for name in terms.training for parameter in TRAINING_TERMS[name].parameters]
    if len(set(names)) < len(names):
        problems.append(f"terms.training: {', '.join(terms.training)} share constants; valid: one of them")
    return problems


def _tie_problems(ties: Mapping[str, str], parameters: Mapping[str, Parameter]) -> list[str]:
    problems = []
    for name, source in ties.items():
        for part, which in ((name, f"ties.{name}"), (source, f'ties.{name}: "{source}"')):
            if part not in parameters:
                problems.append(
                    f"{which}: the law has no such parameter; {did_you_mean(part, list(parameters))}"
                )
        if source in ties:
            problems.append(f'ties.{name}: "{source}" is itself tied; valid: a parameter with a prior')
        elif name in parameters and source in parameters:
            problems += _unlike(parameters[name], parameters[source])
    return problems


def _unlike(tied: Parameter, source: Parameter) -> list[str]:
    """Why one parameter cannot equal another."""
    where = f'ties.{tied.name}: "{source.name}"'
    if tied.support != source.support:
        return [f"{where} is {source.support} and {tied.name} {tied.support}; valid: two of a kind"]
    if tied.by != source.by:
        own, other = (f"per {item.by}" if item.by else "for all" for item in (source, tied))
        return [f"{where} has a value {own}, {tied.name} {other}; valid: two of a kind"]
    return []


def _unknown_problems(spec: _LawSpec, parameters: Mapping[str, Parameter]) -> list[str]:
    problems = []
    for name in spec.priors:
        if name not in parameters:
            valid = did_you_mean(name, list(parameters))
            problems.append(f"priors.{name}: the law has no such parameter; {valid}")
        elif name in spec.ties:
            problems.append(f"priors.{name}: tied to {spec.ties[name]}; valid: a tie or a prior, not both")
    missing = [name for name in parameters if name not in {*spec.priors, *spec.ties, *_default_priors()}]
    return problems + [f"priors.{name}: missing, and {DEFAULT_PRIORS} has none" for name in missing]


def _prior(name: str, spec: _PriorSpec) -> Prior:
    first, second = (getattr(spec, argument) for argument in ARGUMENTS[spec.distribution])
    groups = spec.groups or ("pooled" if spec.group_sd else "shared")
    return Prior(
        name,
        spec.distribution,
        (first, second),
        spec.reason,
        spec.source,
        groups,
        spec.group_sd,
        spec.by_sd,
        spec.times,
    )


def _prior_problems(spec: _PriorSpec, parameter: Parameter) -> list[str]:
    support = "unit" if spec.times else parameter.support
    allowed = _DISTRIBUTIONS[support]
    if spec.distribution not in allowed:
        return [
            f"distribution: {spec.distribution} does not fit a {support} parameter; valid: {', '.join(allowed)}"
        ]
    wanted = ARGUMENTS[spec.distribution]
    given = {name for pair in ARGUMENTS.values() for name in pair if getattr(spec, name) is not None}
    problems = [f"{name}: missing, {spec.distribution} needs it" for name in wanted if name not in given]
    problems += [
        f"{name}: {spec.distribution} takes {' and '.join(wanted)}" for name in sorted(given - set(wanted))
    ]
    if spec.groups == "pooled" and spec.group_sd is None:
        problems.append('group_sd: missing, groups = "pooled" needs it')
    if spec.groups in ("shared", "free") and spec.group_sd is not None:
        problems.append(f'group_sd: groups = "{spec.groups}" takes none; valid: groups = "pooled"')
    if parameter.by and spec.by_sd is None:
        problems.append(f"by_sd: missing, the parameter has a value per {parameter.by}")
    if spec.by_sd is not None and not parameter.by:
        problems.append("by_sd: the parameter has no column of its own; valid: group_sd")
    if spec.times and (spec.group_sd or spec.groups == "free"):
        problems.append("times: a floor is shared by all groups; valid: no groups and no group_sd")
    return problems


def validation_problems(error: ValidationError, where: str, model: type[BaseModel]) -> list[str]:
    """One line per pydantic problem: file, key path, what is wrong, what would be valid."""
    problems = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            choices = list(_model_at(model, item["loc"][:-1]).model_fields)
            message = f"unknown key; {did_you_mean(str(item['loc'][-1]), choices)}"
        else:
            message = item["msg"][0].lower() + item["msg"][1:]
            if item["type"] != "missing":
                message += f", not {item['input']!r}"
        problems.append(f"{where}: {path}: {message}")
    return problems


def _model_at(model: type[BaseModel], path: tuple[Any, ...]) -> type[BaseModel]:
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        candidates = (field.annotation, *getattr(field.annotation, "__args__", ()))
        model = next(
            (kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), model
        )
    return model
