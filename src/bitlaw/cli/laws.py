"""``bitlaw laws``: the library, and what one law says and assumes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitlaw.cli.options import Json
from bitlaw.cli.output import print_json, print_text
from bitlaw.cli.tables import print_rows
from bitlaw.errors import InputError
from bitlaw.finding import Status

if TYPE_CHECKING:
    from bitlaw.laws.law import Law, Parameter, Prior

EXAMPLE = """Examples:

bitlaw laws

bitlaw laws kumar2024-coupled

bitlaw laws kumar2024-coupled --toml > mine.toml
"""

Name = Annotated[
    str | None, typer.Argument(metavar="NAME|FILE", help="A law of the library, or a .toml file.")
]
Toml = Annotated[bool, typer.Option("--toml", help="Print the law's file as it is, to copy and edit.")]


def laws(name: Name = None, toml: Toml = False, as_json: Json = False) -> int:
    """List the laws, or show one: its equations, priors with their reasons, and sources."""
    if toml and (name is None or as_json):
        raise InputError("--toml prints the file of one law: give its NAME, and not --json")
    from bitlaw.laws.registry import law_names, load_law

    if name is None:
        _list([load_law(known) for known in law_names()], as_json)
        return 0
    law = load_law(name)
    if toml:
        print(law.toml, end="" if law.toml.endswith("\n") else "\n")
    elif as_json:
        print_json("laws", Status.PASS, (), {"law": _to_dict(law) | {"toml": law.toml}})
    else:
        _show(law)
    return 0


def columns_needed(law: "Law") -> tuple[str, ...]:
    """Columns of a run table that a law explains the loss by, the loss first."""
    precision = law.capacity.columns if law.capacity else ()
    after = ("bits_post", "method_post") if law.post else ()
    return ("loss", "n_params", "tokens (or flops)", *precision, *after)


def _list(known: "list[Law]", as_json: bool) -> None:
    if as_json:
        print_json("laws", Status.PASS, (), {"laws": [_to_dict(law) for law in known]})
        return
    rows = [[law.name, law.title, ", ".join(columns_needed(law))] for law in known]
    print_rows(["law", "what it says", "columns it explains the loss by"], rows, fold=True)
    print_text("\nOne law in full: bitlaw laws NAME. Its file, to copy and edit: bitlaw laws NAME --toml.")


def _show(law: "Law") -> None:
    print_text(f"{law.name}: {law.title}", style="bold")
    print_text(" ".join(law.summary.split()))
    print_text(f"Source: {law.source}")
    print_text(f"Columns: {', '.join(columns_needed(law))}")
    rows = [[role, equation, source] for role, equation, source, _ in _terms(law)]
    print_rows(["term", "equation", "source"], rows, "Equations", fold=True)
    constants = [
        [parameter.name, parameter.meaning, parameter.unit]
        for *_, parameters in _terms(law)
        for parameter in parameters
    ]
    print_rows(["constant", "meaning", "unit"], constants, "Constants", fold=True)
    priors = [[prior.name, _prior_text(prior), prior.reason, prior.source] for prior in law.priors]
    print_rows(["sampled", "prior", "reason", "source"], priors, "Priors", fold=True)


def _terms(law: "Law") -> "Iterator[tuple[str, str, str, tuple[Parameter, ...]]]":
    for role, term in (
        ("base", law.base),
        ("training precision", law.capacity),
        ("after training", law.post),
    ):
        if term is not None:
            yield role, term.equation, term.source, term.parameters


def _prior_text(prior: "Prior") -> str:
    from bitlaw.laws.spec import ARGUMENTS

    pairs = zip(ARGUMENTS[prior.distribution], prior.arguments, strict=True)
    text = f"{prior.distribution}({', '.join(f'{name} {value:g}' for name, value in pairs)})"
    return f"{text} x smallest {prior.times}" if prior.times else text


def _to_dict(law: "Law") -> dict[str, Any]:
    return {
        "name": law.name,
        "title": law.title,
        "summary": " ".join(law.summary.split()),
        "source": law.source,
        "columns": list(columns_needed(law)),
        "terms": [
            {
                "role": role,
                "equation": equation,
                "source": source,
                "constants": [vars(parameter) for parameter in parameters],
            }
            for role, equation, source, parameters in _terms(law)
        ],
        "priors": [vars(prior) | {"text": _prior_text(prior)} for prior in law.priors],
    }
