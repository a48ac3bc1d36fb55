"""``bitlaw import``: a run table from the tool where the runs are logged."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitlaw.cli.files import require_output_folder
from bitlaw.cli.options import Json, Quiet, read_value
from bitlaw.cli.output import print_findings, print_json, print_plain, print_text
from bitlaw.cli.tables import print_rows
from bitlaw.errors import InputError, did_you_mean
from bitlaw.importers.kinds import KINDS
from bitlaw.runs.columns import BY_NAME

if TYPE_CHECKING:
    from bitlaw.importers.imported import Imported

_KINDS_HELP = "\n\n".join(f"{kind}: {what}" for kind, (_, what) in KINDS.items())

EXAMPLE = f"""Examples:

bitlaw import mlruns --from mlflow --out runs.csv

bitlaw import export.csv --from wandb --out runs.csv --loss eval/loss --field n_params=model.size

bitlaw import logs --from tensorboard --out runs.csv --loss eval/loss --set tokens=2B --pattern "n(?P<n_params>\\w+)"

bitlaw import checkpoints --from huggingface --out runs.csv --last 3

bitlaw import ppl_logs --from llama.cpp --out runs.csv --set tokens=2e12

bitlaw import steps.jsonl --from jsonl --out runs.csv --loss val_loss --last 5 --json

Kinds of sources:

{_KINDS_HELP}
"""

_MOST_LISTED = 20

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="A file, folder, URI or project, by the kind of source.")
]
Kind = Annotated[str, typer.Option("--from", metavar="KIND", help=f"Kind of source: {', '.join(KINDS)}.")]
Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="RUNS.csv", help="The run table; its mapping file RUNS.map.toml goes beside."
    ),
]
Field = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="COLUMN=FIELD",
        help="Where a column of the run table comes from; repeatable. Others are found by their usual names; "
        "COLUMN= leaves one out.",
    ),
]
Constant = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="COLUMN=VALUE", help="A value all runs share, such as n_params=7B; repeatable."
    ),
]
Loss = Annotated[
    str | None,
    typer.Option("--loss", metavar="FIELD", help="The validation loss; short for --field loss=FIELD."),
]
Unit = Annotated[
    str | None,
    typer.Option("--loss-unit", metavar="UNIT", help="Unit of the logged loss: nats, bits or perplexity."),
]
Last = Annotated[
    int,
    typer.Option("--last", metavar="K", help="Take the mean of the last K evaluations, not the final value."),
]
Map = Annotated[
    Path | None,
    typer.Option(
        "--map", metavar="MAP.toml", help="Mapping file with the source's field names, constants, loss unit."
    ),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="REGEX",
        help="Read columns from the runs' names: a regular expression whose named groups are columns.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="FIELD=VALUE", help="Import only runs with this value; repeatable."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="FIELD", help="Keep a field as a further column; repeatable."),
]
Unfinished = Annotated[
    bool, typer.Option("--unfinished", help="Import runs, too, that are running, crashed or were killed.")
]


def import_(
    source: Source,
    kind: Kind,
    out: Out,
    field: Field = None,
    loss: Loss = None,
    constant: Constant = None,
    loss_unit: Unit = None,
    last: Last = 1,
    mapping: Map = None,
    pattern: Pattern = None,
    where: Where = None,
    keep: Keep = None,
    unfinished: Unfinished = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make a run table of runs that are logged elsewhere, and list what was left out and why."""
    require_output_folder(out.parent)
    fields = read_pairs("--field", field, _column)
    if loss is not None:
        if "loss" in fields:
            raise InputError("--loss and --field loss=…: both given; keep one")
        fields["loss"] = loss
    constants = read_pairs("--set", constant, _column)
    from bitlaw.workflow.importing import import_runs

    imported = import_runs(
        source,
        kind,
        out=out,
        fields=fields,
        constants={name: read_value(BY_NAME[name], text) for name, text in constants.items()},
        mapping=mapping,
        loss_unit=loss_unit,
        last=last,
        pattern=pattern,
        where=read_pairs("--where", where, str),
        keep=keep or (),
        unfinished=unfinished,
    )
    if as_json:
        print_json("import", imported.status, imported.findings, imported.to_dict())
    elif quiet:
        print_plain(imported.sentence())
    else:
        _print(imported)
    return 0


def read_pairs(flag: str, words: Sequence[str] | None, name: Callable[[str], str]) -> dict[str, str]:
    """NAME=VALUE of a repeatable flag; the first equals sign ends the name.

    Raises
    ------
    InputError
        For a word without an equals sign, and a name given twice.

    Examples
    --------
    >>> read_pairs("--where", ["tags.group=a=b"], str)
    {'tags.group': 'a=b'}
    """
    pairs: dict[str, str] = {}
    for word in words or ():
        left, equals, value = word.partition("=")
        if not equals or not left.strip():
            raise InputError(f'{flag} "{word}": valid: NAME=VALUE, for example {_EXAMPLES[flag]}')
        key = name(left.strip())
        if key in pairs:
            raise InputError(f"{flag} {key}: given twice; keep one")
        pairs[key] = value.strip()
    return pairs


_EXAMPLES = {
    "--field": "--field n_params=config.model.n_params",
    "--set": "--set n_params=7e9",
    "--where": "--where experiment=scaling",
}


def _column(name: str) -> str:
    if name not in BY_NAME:
        raise InputError(f'"{name}": unknown column; {did_you_mean(name, list(BY_NAME))}')
    return name


def _print(imported: "Imported") -> None:
    print_text(imported.sentence())
    table = imported.table()
    print_rows(list(table.columns), table.to_numpy().tolist(), "Columns", fold=True)
    if imported.skipped:
        rows = [[item.what, item.why] for item in imported.skipped[:_MOST_LISTED]]
        print_rows(["", "why"], rows, "Not imported", fold=True)
        if len(imported.skipped) > _MOST_LISTED:
            print_text(f"… and {len(imported.skipped) - _MOST_LISTED} more (all of them: the mapping file)")
    print_findings(imported.findings)
    table_path, mapping_path = imported.written
    print_text(f"\nWritten: {table_path} and {mapping_path}. Next: bitlaw check {table_path}")
