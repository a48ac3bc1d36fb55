"""``bitlaw laws``: the library, and what one law says and assumes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitlaw.cli import complete
from bitlaw.cli.options import Json, Quiet
from bitlaw.cli.output import print_json, print_plain, print_text
from bitlaw.cli.tables import print_rows
from bitlaw.errors import InputError
from bitlaw.finding import Status

if TYPE_CHECKING:
    from bitlaw.laws.law import Base, Law, Post, Prior, Training

EXAMPLE = """Examples:

bitlaw laws

bitlaw laws bitlaw-default

bitlaw laws bitlaw-default --toml > mine.toml
"""

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME|FILE", help="A law of the library, or a .toml file.", autocompletion=complete.laws
    ),
]
Toml = Annotated[
    bool, typer.Option("--toml", help="Print the law's file with all its priors, to copy and edit.")
]

_RUN_COLUMNS = {
    "scheme": "format or bits_*",
    "is_quantized": "format or bits_*",
    "scheme_backward": "format_backward or bits_gradients",
    "is_quantized_backward": "format_backward or bits_gradients",
    "is_floating": "format (e4m3, mxfp4, …)",
    "exponent_bits": "format (e4m3, mxfp4, …)",
    "mantissa_bits": "format (e4m3, mxfp4, …)",
    "block_size": "group_size",
}
"""What a user logs, by what a term reads, where the two differ."""

_LEVELS = {"scheme": "format", "scheme_backward": "backward format", "method_post": "post-training method"}


def laws(name: Name = None, toml: Toml = False, as_json: Json = False, quiet: Quiet = False) -> int:
    """List the laws, or show one: its equations, priors with their reasons, and sources."""
    if toml and (name is None or as_json):
        raise InputError("--toml prints the file of one law: give its NAME, and not --json")
    from bitlaw.laws.registry import law_names, load_law

    if name is None and quiet and not as_json:
        print_plain("\n".join(law_names()))
        return 0
    if name is None:
        _list([load_law(known) for known in law_names()], as_json)
        return 0
    law = load_law(name)
    if toml:
        print(law.toml, end="" if law.toml.endswith("\n") else "\n")
    elif as_json:
        print_json("laws", Status.PASS, (), {"law": _to_dict(law) | {"toml": law.toml}})
    elif quiet:
        print_plain(f"{law.name}: {law.title}")
    else:
        _show(law)
    return 0


def columns_needed(law: "Law") -> tuple[str, ...]:
    """Columns of a run table that a law explains the loss by, the loss first.

    Examples
    --------
    >>> from bitlaw.laws.registry import load_law
    >>> columns_needed(load_law("sun2025"))
    ('loss', 'n_params', 'tokens (or flops)', 'format (e4m3, mxfp4, …)', 'group_size')
    """
    own_row = ("run_id (shared with the run's own row)",) if law.base.is_observed else ()
    read = [_RUN_COLUMNS.get(column, column) for term in law.training for column in term.columns]
    after = ("bits_post", "method_post") if law.post else ()
    return ("loss", *own_row, "n_params", "tokens (or flops)", *dict.fromkeys(read), *after)


def levels_of_own(law: "Law") -> tuple[str, ...]:
    """What a law has constants of its own for, whatever a fit pools over: formats, methods."""
    return tuple(_LEVELS[column] for column in law.by)


def _list(known: "list[Law]", as_json: bool) -> None:
    if as_json:
        print_json("laws", Status.PASS, (), {"laws": [_to_dict(law) for law in known]})
        return
    rows = [
        [law.name, law.title, ", ".join(columns_needed(law)), ", ".join(levels_of_own(law))] for law in known
    ]
    header = ["law", "what it says", "columns it explains the loss by", "constants for each"]
    print_rows(header, rows, fold=True)
    print_text("\nOne law in full: bitlaw laws NAME. Its file, to copy and edit: bitlaw laws NAME --toml.")


def _show(law: "Law") -> None:
    print_text(f"{law.name}: {law.title}", style="bold")
    print_text(" ".join(law.summary.split()))
    print_text(f"Source: {law.source}")
    print_text(f"Columns: {', '.join(columns_needed(law))}")
    rows = [[role, term.name, term.equation, term.source] for role, term in _terms(law)]
    print_rows(["role", "term", "equation", "source"], rows, "Equations", fold=True)
    rows = [[term.name, f"It cannot say {_cannot(term)}."] for _, term in _terms(law) if _cannot(term)]
    if rows:
        print_rows(["term", ""], rows, "What this structure cannot say", fold=True)
    constants = [
        [item.name, item.meaning, item.unit, _LEVELS[item.by] if item.by else ""] for item in law.parameters
    ]
    print_rows(["constant", "meaning", "unit", "one for each"], constants, "Constants", fold=True)
    priors = [
        [prior.name, _prior_text(prior), _groups_text(law, prior), prior.reason, prior.source]
        for prior in law.priors
    ]
    print_rows(["sampled", "prior", "where a fit pools", "reason", "source"], priors, "Priors", fold=True)
    if law.ties:
        print_rows(
            ["tied", "equals"], [[name, source] for name, source in law.ties.items()], "Ties", fold=True
        )


def _terms(law: "Law") -> "Iterator[tuple[str, Base | Training | Post]]":
    yield "base", law.base
    yield from (("training precision", term) for term in law.training)
    if law.post is not None:
        yield "after training", law.post


def _cannot(term: "Base | Training | Post") -> str:
    return getattr(term, "cannot", "")


def _prior_text(prior: "Prior") -> str:
    from bitlaw.laws.spec import ARGUMENTS

    pairs = zip(ARGUMENTS[prior.distribution], prior.arguments, strict=True)
    text = f"{prior.distribution}({', '.join(f'{name} {value:g}' for name, value in pairs)})"
    return f"{text} x smallest {prior.times}" if prior.times else text


def _groups_text(law: "Law", prior: "Prior") -> str:
    """What a fit that pools over a column does with a quantity, and over which levels it always differs."""
    text: str = prior.groups
    if prior.group_sd is not None:
        text = f"{text}, spread {prior.group_sd:g}"
    own = next(item.by for item in law.sampled if item.name == prior.name)
    return f"{text}; per {_LEVELS[own]}, spread {prior.by_sd:g}" if own else text


def _to_dict(law: "Law") -> dict[str, Any]:
    return {
        "name": law.name,
        "title": law.title,
        "summary": " ".join(law.summary.split()),
        "source": law.source,
        "columns": list(columns_needed(law)),
        "constants_for_each": list(levels_of_own(law)),
        "terms": [
            {
                "role": role,
                "name": term.name,
                "equation": term.equation,
                "source": term.source,
                "cannot": _cannot(term),
                "constants": [vars(parameter) for parameter in term.parameters],
            }
            for role, term in _terms(law)
        ],
        "priors": [vars(prior) | {"text": _prior_text(prior)} for prior in law.priors],
        "ties": dict(law.ties),
    }
