"""The command line assembled, and the one place where its errors become exit codes."""

import gc
import io
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from types import TracebackType
from typing import Annotated

import typer
from typer.main import get_command

from bitlaw.cli import (
    backtest,
    budget,
    check,
    compare,
    demo,
    fit,
    import_,
    laws,
    optimum,
    plan,
    predict,
    ptq,
    report,
)
from bitlaw.errors import InputError
from bitlaw.importers.text import printable

DONE, BAD_INPUT, BUG = 0, 2, 3
"""Exit codes beside 1, which a command returns where convergence FAILed or the answer is REFUSED."""

_FEW_COLLECTIONS = (50_000, 50, 50)
"""Importing and compiling make millions of objects and little garbage: Python's own settings search them often."""

app = typer.Typer(
    name="bitlaw",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Start with: bitlaw demo. Then, with your own table: bitlaw check runs.csv.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bitlaw {version('bitlaw')}")
        raise typer.Exit


@app.callback()
def _bitlaw(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turn a table of logged training runs into decisions about numerical precision.

    Exit codes: 0 done; 1 done, but the fit did not converge or the answer is refused; 2 bad input;
    3 a bug in bitlaw.
    """


for _command in (
    demo.demo,
    import_.import_,
    check.check,
    fit.fit,
    compare.compare,
    backtest.backtest,
    predict.predict,
    optimum.optimum,
    ptq.ptq,
    budget.budget,
    plan.plan,
    report.report,
    laws.laws,
):
    _module = sys.modules[_command.__module__]
    _name = _command.__name__.rstrip("_")  # import_, since Python keeps the word
    app.command(_name, epilog=_module.EXAMPLE)(_command)


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        The words after ``bitlaw``.

    Returns
    -------
    int
        Exit code 0, 1, 2 or 130 (interrupted). A bug in bitlaw is raised.
    """
    try:
        words = list(arguments) or ["--help"]
        code = get_command(app).main(words, prog_name="bitlaw", standalone_mode=False)
    except InputError as error:
        return _bad_input(error.problems)
    except typer.TyperException as error:
        return _bad_usage(error, arguments)
    return int(code or DONE)


def run() -> None:
    """Console entry point: ``bitlaw``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without our characters is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    with ExitStack() as stack:  # not sys.excepthook, which PyTensor sets for itself
        stack.push(report_bug)
        gc.set_threshold(*_FEW_COLLECTIONS)
        code = main(sys.argv[1:])
        gc.freeze()  # else Python's last search for garbage, in all that compiling made, takes a second
        sys.exit(code)


def report_bug(
    kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
) -> bool:
    """Show an error that bitlaw should not have raised, and exit 3; let interrupts and exits pass."""
    if kind is None or not issubclass(kind, Exception):
        return False
    traceback.print_exception(kind, error, where)
    print("bitlaw: this is a bug in bitlaw; please report it with the traceback above", file=sys.stderr)
    sys.exit(BUG)


def _bad_input(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"bitlaw: {printable(problem)}", file=sys.stderr)
    return BAD_INPUT


def _bad_usage(error: typer.TyperException, arguments: Sequence[str]) -> int:
    known = {command.name for command in app.registered_commands}
    named = next((word for word in arguments if word in known), "")
    text = " ".join(error.format_message().split())
    print(f"bitlaw: {text} (see {' '.join(('bitlaw', named)).strip()} --help)", file=sys.stderr)
    return BAD_INPUT
