"""From a TOML law spec to a Law: parsed once, every mistake named by file and key path."""

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bitlaw.errors import InputError, did_you_mean
from bitlaw.laws.bases import BASES
from bitlaw.laws.capacity import CAPACITIES
from bitlaw.laws.law import Base, Capacity, Law, Parameter, Post, Prior
from bitlaw.laws.noise import noise_parameters
from bitlaw.laws.post import POSTS

ARGUMENTS: dict[str, tuple[str, str]] = {
    "LogNormal": ("median", "sigma"),
    "Normal": ("mean", "sd"),
    "Beta": ("alpha", "beta"),
}
"""The two arguments of each distribution a prior may have."""

_DISTRIBUTIONS = {"positive": ("LogNormal",), "real": ("Normal",), "unit": ("Beta",)}
_CHOICES: dict[str, tuple[str, ...]] = {
    "terms.base": tuple(BASES),
    "terms.capacity": tuple(CAPACITIES),
    "terms.post": tuple(POSTS),
}


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
    reason: str = Field(min_length=1)
    source: str = Field(min_length=1)
    group_sd: float | None = Field(default=None, gt=0)
    times: Literal["bits_weights", "bits_activations", "bits_kv"] | None = None


class _TermSpec(_Strict):
    base: str
    capacity: str | None = None
    post: str | None = None


class _LawSpec(_Strict):
    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    terms: _TermSpec
    priors: dict[str, _PriorSpec]


def parse_law(text: str, where: str) -> Law:
    """Read a law from TOML text.

    Parameters
    ----------
    text
        The TOML.
    where
        File name for the error messages.

    Raises
    ------
    InputError
        For invalid TOML, unknown keys, unknown terms, and priors that are missing, superfluous or
        of a distribution that does not fit the parameter's support. All problems together.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from error
    try:
        spec = _LawSpec.model_validate(raw)
    except ValidationError as error:
        raise InputError(validation_problems(error, where, _LawSpec)) from error
    for path, choices in _CHOICES.items():
        chosen = getattr(spec.terms, path.split(".")[1])
        if chosen is not None and chosen not in choices:
            raise InputError(f'{where}: {path}: "{chosen}" is unknown; {did_you_mean(chosen, choices)}')
    base = BASES[spec.terms.base]
    capacity = CAPACITIES[spec.terms.capacity] if spec.terms.capacity else None
    post = POSTS[spec.terms.post] if spec.terms.post else None
    priors = _priors(spec.priors, _sampled(base, capacity, post), where)
    return Law(spec.name, spec.title, spec.source, spec.summary.strip(), base, capacity, post, priors, text)


def _sampled(base: Base, capacity: Capacity | None, post: Post | None) -> tuple[Parameter, ...]:
    terms = base.sampled + (capacity.parameters if capacity else ()) + (post.parameters if post else ())
    return terms + noise_parameters(has_post=post is not None)


def _priors(
    specs: Mapping[str, _PriorSpec], parameters: tuple[Parameter, ...], where: str
) -> tuple[Prior, ...]:
    by_name = {parameter.name: parameter for parameter in parameters}
    problems = [f"{where}: priors.{name}: missing" for name in by_name if name not in specs]
    for name, spec in specs.items():
        if name not in by_name:
            problems.append(
                f"{where}: priors.{name}: the law has no such parameter; {did_you_mean(name, list(by_name))}"
            )
            continue
        problems += [f"{where}: priors.{name}: {text}" for text in _prior_problems(spec, by_name[name])]
    if problems:
        raise InputError(problems)
    return tuple(_prior(name, specs[name]) for name in by_name)


def _prior(name: str, spec: _PriorSpec) -> Prior:
    first, second = (getattr(spec, argument) for argument in ARGUMENTS[spec.distribution])
    return Prior(
        name, spec.distribution, (first, second), spec.reason, spec.source, spec.group_sd, spec.times
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
