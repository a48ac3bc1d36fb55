"""Arguments and options that several commands share, and how the text behind a flag becomes a value."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bitlaw.cli import complete
from bitlaw.runs.cells import read_cell
from bitlaw.runs.columns import BY_NAME, COUNTS, Column
from bitlaw.units import suffixed_count

_EXAMPLES = {"n_params": ", as 7e9 or 7B", "tokens": ", as 1e12 or 1T", "flops": ", as 1e21"}
_SUFFIX_HELP = " Plain, scientific (7e9), or with k, M, B or T (7B)."


def flag(column: str) -> str:
    """The flag of a run-table column.

    Examples
    --------
    >>> flag("bits_weights")
    '--bits-weights'
    """
    return f"--{column.replace('_', '-')}"


def read_value(column: Column, text: str) -> float | str:
    """The value behind a column's flag.

    Parameters
    ----------
    column
        Spec of the column.
    text
        What was typed.

    Raises
    ------
    typer.BadParameter
        If a cell of the column could not hold it; says what would be valid.

    Examples
    --------
    >>> read_value(BY_NAME["n_params"], "7B"), read_value(BY_NAME["tokens"], "1e12")
    (7000000000.0, 1000000000000.0)
    """
    count = suffixed_count(text) if column.name in COUNTS else None
    cell = read_cell(column, text if count is None else count)
    if cell.problem:
        raise typer.BadParameter(cell.problem + _EXAMPLES.get(column.name, ""))
    if cell.value is None:
        if column.kind == "text":
            return ""
        raise typer.BadParameter("is empty; give a number, or leave the flag out")
    return cell.value


def column_reader(name: str) -> Callable[[str], float | str]:
    """A reader of the flag of one column, for ``typer.Option(parser=…)``."""
    column = BY_NAME[name]

    def read(text: str) -> float | str:
        return read_value(column, text)

    read.__name__ = column.unit or "text"
    return read


def read_bits(text: str) -> tuple[float, ...]:
    """Bit-widths separated by commas.

    Examples
    --------
    >>> read_bits("16, 8,4.5")
    (16.0, 8.0, 4.5)
    """
    values = [read_value(BY_NAME["bits_weights"], part) for part in _parts(text, "16,8,4")]
    return tuple(value for value in values if isinstance(value, float))


def read_names(text: str) -> tuple[str, ...]:
    """Names separated by commas.

    Examples
    --------
    >>> read_names("weights,kv")
    ('weights', 'kv')
    """
    return tuple(_parts(text, "weights,kv"))


def read_probability(text: str) -> float:
    """A probability strictly between 0 and 1.

    Examples
    --------
    >>> read_probability("0.9")
    0.9
    """
    value = _number(text)
    if value is None or not 0.0 < value < 1.0:
        raise typer.BadParameter(f'"{text}" is no probability; valid: between 0 and 1, for example 0.9')
    return value


def read_amount(text: str) -> float:
    """GPU-hours or money above 0; k, M, B and T are understood.

    Examples
    --------
    >>> read_amount("2.5"), read_amount("10k")
    (2.5, 10000.0)
    """
    count = suffixed_count(text)
    value = _number(text) if count is None else count
    if value is None or not 0.0 < value < float("inf"):
        raise typer.BadParameter(f'"{text}" is no amount; valid: a number above 0')
    return value


def read_price(text: str) -> float | dict[str, float]:
    """Money per GPU-hour, or of every chip its own.

    Examples
    --------
    >>> read_price("2.5"), read_price("h100=2.5,b200=4")
    (2.5, {'h100': 2.5, 'b200': 4.0})
    """
    if "=" not in text:
        return read_amount(text)
    prices: dict[str, float] = {}
    for part in _parts(text, "h100=2.5,b200=4"):
        name, _, amount = (piece.strip() for piece in part.partition("="))
        if not name or name.lower() in prices:
            raise typer.BadParameter(f'"{text}" names no chip, or one twice; valid: as in h100=2.5,b200=4')
        prices[name.lower()] = read_amount(amount)
    return prices


def read_chips(text: str) -> int:
    """How many chips: a whole number from 1; k and M are understood.

    Examples
    --------
    >>> read_chips("256"), read_chips("1k")
    (256, 1000)
    """
    count = suffixed_count(text)
    value = _number(text) if count is None else count
    if value is None or not 1.0 <= value < float("inf") or value != int(value):
        raise typer.BadParameter(f'"{text}" is no number of chips; valid: a whole number from 1')
    return int(value)


def read_shape(text: str) -> tuple[float, ...]:
    """Layers, key-value heads and their dimension: three whole numbers from 1.

    Examples
    --------
    >>> read_shape("32x8x128")
    (32.0, 8.0, 128.0)
    """
    values = [_number(part) for part in text.lower().split("x")]
    known = tuple(value for value in values if value is not None and value >= 1.0 and value % 1.0 == 0.0)
    if not len(known) == len(values) == 3:
        raise typer.BadParameter(
            f'"{text}" is no shape; valid: layers, key-value heads and their dimension, as 32x8x128'
        )
    return known


def read_tolerance(text: str) -> float:
    """A loss difference above 0, nats/token.

    Examples
    --------
    >>> read_tolerance("0.01")
    0.01
    """
    value = _number(text)
    if value is None or not 0.0 < value < float("inf"):
        raise typer.BadParameter(f'"{text}" is no tolerance; valid: a number above 0 (nats/token)')
    return value


def read_seed(text: str | int) -> int:
    """A seed: a whole number from 0. Typer hands over the default as it is.

    Examples
    --------
    >>> read_seed("17")
    17
    """
    if not str(text).isdecimal():
        raise typer.BadParameter(f'"{text}" is no seed; valid: a whole number from 0')
    return int(text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _parts(text: str, example: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise typer.BadParameter(f'"{text}" has an empty entry; valid: separated by commas, as in {example}')
    return parts


def column_option(column: str, metavar: str, meaning: str, name: str = "") -> Any:
    """The option of one run-table column, or one of another name that takes what its cells hold."""
    suffixes = _SUFFIX_HELP if column in COUNTS else ""
    return typer.Option(
        name or flag(column), parser=column_reader(column), metavar=metavar, help=meaning + suffixes
    )


def given(**options: Any) -> dict[str, Any]:
    """The options that were given, so that the others take the defaults of the Python API.

    Examples
    --------
    >>> given(bits=None, tensors=("kv",))
    {'tensors': ('kv',)}
    """
    return {name: value for name, value in options.items() if value is not None}


Runs = Annotated[Path, typer.Argument(metavar="RUNS", help="Run table: .csv, .tsv, .jsonl or .parquet.")]
Fits = Annotated[
    list[Path],
    typer.Argument(metavar="FIT.nc", help="Fit files, one per law, made by bitlaw fit or compare."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Print the answer in words alone: no table, no findings, no progress."
    ),
]
MapFile = Annotated[
    Path | None,
    typer.Option(
        "--map", metavar="MAP.toml", help="Mapping file: foreign column names, constants, loss unit."
    ),
]
LawName = Annotated[
    str,
    typer.Option(
        "--law",
        metavar="NAME|FILE",
        help="Law of the library (bitlaw laws), or a .toml file.",
        autocompletion=complete.laws,
    ),
]
Pool = Annotated[
    str | None,
    typer.Option(
        "--pool",
        metavar="COLUMN[,COLUMN]",
        help="Pool the law's constants over one column, such as family, or two.",
        autocompletion=complete.groups,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", parser=read_seed, metavar="SEED", help="Seed of everything random.")
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where refits run: serial (here), processes (of this machine), or dask (a cluster).",
        autocompletion=complete.executors,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Dask cluster, as tcp://host:8786."),
]
Params = Annotated[float | None, column_option("n_params", "COUNT", "Non-embedding parameters.")]
Tokens = Annotated[float | None, column_option("tokens", "COUNT", "Tokens it is trained on.")]
Flops = Annotated[float | None, column_option("flops", "COUNT", "Budget in FLOP at 16 bits.")]
GpuHours = Annotated[
    float | None,
    typer.Option(
        "--gpu-hours", parser=read_amount, metavar="HOURS", help="Budget in hours of one chip of --hardware."
    ),
]
Money = Annotated[
    float | None,
    typer.Option(
        "--money", parser=read_amount, metavar="MONEY", help="Budget in money, with --price and --hardware."
    ),
]
Price = Annotated[
    str | None,  # what it is on the command line; ``read_price`` says what arrives
    typer.Option(
        "--price",
        parser=read_price,
        metavar="MONEY",
        help="Money per GPU-hour of --hardware; of several chips also each its own, as h100=2.5,b200=4.",
    ),
]
Gpus = Annotated[
    int | None,
    typer.Option(
        "--gpus",
        parser=read_chips,
        metavar="COUNT",
        help="Chips of --hardware that train at once: wall-clock time is shown.",
    ),
]
Hardware = Annotated[
    list[str] | None,
    typer.Option(
        "--hardware",
        metavar="CHIP",
        help="Chip it runs on: what is on offer, and what it costs. Repeat it to compare chips.",
        autocompletion=complete.chips,
    ),
]
Speeds = Annotated[
    Path | None,
    typer.Option(
        "--speeds",
        metavar="S.toml",
        help="Measured end-to-end speeds, a table per chip with TFLOP/s by format; they replace peaks.",
    ),
]
Bits = Annotated[
    str | None,  # what it is on the command line; ``read_bits`` says what arrives
    typer.Option("--bits", parser=read_bits, metavar="BITS,…", help="Bit-widths on offer, with commas."),
]
Probability = Annotated[
    float,
    typer.Option("--prob", parser=read_probability, metavar="P", help="Probability inside every interval."),
]
Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance",
        parser=read_tolerance,
        metavar="NATS",
        help="What precision may cost, nats/token.",
    ),
]
NoBacktest = Annotated[
    bool,
    typer.Option("--no-backtest", help="Do not check how well the law predicts the larger runs."),
]
NoDrift = Annotated[
    bool,
    typer.Option(
        "--no-drift", help="Leave out the law's structural error beyond the data, to see what it does."
    ),
]
MethodPost = Annotated[
    str | None,
    typer.Option(
        "--method-post",
        metavar="NAME",
        help="Post-training method, as in the run table; new = one never measured.",
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="NAME",
        help="Group of a pooled fit; c4,llama where it pools over two columns; new = one never measured.",
    ),
]
Tensors = Annotated[
    str | None,
    typer.Option(
        "--tensors",
        parser=read_names,
        metavar="NAME,…",
        help="What is trained at these bits: weights, activations, kv (all three by default), gradients.",
        autocompletion=complete.tensors,
    ),
]
Formats = Annotated[
    str | None,
    typer.Option(
        "--formats",
        parser=read_names,
        metavar="NAME,…",
        help="Number formats on offer, with commas: as logged, or by name (bf16, fp8, mxfp4, …).",
    ),
]
GroupSize = Annotated[
    float | None,
    column_option("group_size", "COUNT", "Elements that share one scale, for laws that read it."),
]
