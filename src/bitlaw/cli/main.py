"""The command line assembled, and the one place where its errors become exit codes."""

import io
import sys
from collections.abc import Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Annotated

import typer
from typer.main import get_command

from bitlaw.cli import check, demo, fit, laws, optimum, predict, ptq, report
from bitlaw.errors import InputError

DONE, MARKED, BAD_INPUT, BUG = 0, 1, 2, 3
"""Exit codes; ``MARKED``: done, but convergence FAILed or the answer is REFUSED."""

app = typer.Typer(
    name="bitlaw",
    add_completion=False,
    no_args_is_help=True,
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
    check.check,
    fit.fit,
    predict.predict,
    optimum.optimum,
    ptq.ptq,
    report.report,
    laws.laws,
):
    _module = sys.modules[_command.__module__]
    app.command(_command.__name__, epilog=_module.EXAMPLE)(_command)


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
        code = get_command(app).main(list(arguments), prog_name="bitlaw", standalone_mode=False)
    except InputError as error:
        return _bad_input(error.problems)
    except typer.TyperException as error:
        return _bad_usage(error)
    return int(code or DONE)


def run() -> None:
    """Console entry point: ``bitlaw``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without our characters is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = report_bug
    sys.exit(main(sys.argv[1:]))


def report_bug(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Show an error that bitlaw should not have raised, and exit 3."""
    sys.__excepthook__(kind, error, where)
    print("bitlaw: this is a bug in bitlaw; please report it with the traceback above", file=sys.stderr)
    sys.exit(BUG)


def _bad_input(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"bitlaw: {problem}", file=sys.stderr)
    return BAD_INPUT


def _bad_usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if not str(error.message).strip() and context is None:
        return BAD_INPUT
    text = " ".join(error.format_message().split())
    command = context.command_path if context is not None else "bitlaw"
    print(f"bitlaw: {text} (see {command} --help)", file=sys.stderr)
    return BAD_INPUT
