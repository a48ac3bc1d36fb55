"""The reference of the command line, ``docs/commands.md``: run ``python docs/commands.py`` after changing it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from bitlaw.cli.main import app
from bitlaw.runs.describe import describe_columns

PAGE = Path(__file__).with_name("commands.md")
HEAD = """\
# Commands

Written by `python docs/commands.py` from the command line itself; `bitlaw COMMAND --help` says the same.

Every command takes `--json`: one JSON object on stdout, everything else on stderr. Every command takes
`--quiet`: the answer in words and nothing else, no table, no findings, no progress; `report` and `demo` print the
path of the page, `laws` the names. Bars and spinners are drawn on a terminal only.

| exit code | means |
|---|---|
| 0 | done |
| 1 | done, but the fit did not converge, or the answer is refused: results are written and marked |
| 2 | bad input: one line per problem on stderr, nothing on stdout, nothing written |
| 3 | a bug in bitlaw, with its traceback |

**Shell completion.** `bitlaw --install-completion` teaches the shell that it runs in (bash, zsh, fish or PowerShell)
commands, flags, and the names of laws, chips, columns and executors; `bitlaw --show-completion` prints the script.
"""
NOT_RUN = "<!-- not run: examples name files of the reader's own; a test checks that each parses -->"
_WAY = {False: "", True: ", repeatable"}


def page() -> str:
    """The page in Markdown."""
    sections = "".join(_section(path, command) for path, command in commands())
    return HEAD + sections + _columns()


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that call it: ``bitlaw fit``."""
    yield from _below("bitlaw", get_command(app))


def examples(command: Any) -> list[str]:
    """The examples that its help ends with."""
    lines = [line.strip() for line in (command.epilog or "").splitlines()]
    return [line for line in lines if line.startswith("bitlaw ")]


def _below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, own in below.items():
        yield from _below(f"{path} {name}", own)


def _section(path: str, command: Any) -> str:
    arguments = [item for item in command.params if item.param_type_name == "argument"]
    options = [item for item in command.params if item.param_type_name == "option"]
    words = " ".join(f"{_name(item)}" if item.required else f"[{_name(item)}]" for item in arguments)
    needed = " ".join(f"{item.opts[0]} {item.metavar}" for item in options if item.required)
    usage = " ".join(part for part in (path, words, needed, "[OPTIONS]") if part)
    rows = "".join(_row(item) for item in (*arguments, *options))
    told = "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n"))
    return (
        f"\n## {path}\n\n{told}\n\n`{usage}`\n\n"
        f"| | value | default | |\n|---|---|---|---|\n{rows}\n"
        f"{NOT_RUN}\n```sh\n" + "\n".join(examples(command)) + "\n```\n"
    )


def _name(argument: Any) -> str:
    several = "…" if argument.nargs == -1 and not argument.metavar.endswith("…") else ""
    return f"{argument.metavar}{several}"


def _row(item: Any) -> str:
    is_option = item.param_type_name == "option"
    flags = ", ".join(f"`{flag}`" for flag in item.opts) if is_option else f"`{_name(item)}`"
    is_flag = getattr(item, "is_flag", False)
    value = "" if is_flag or not is_option else f"`{item.metavar}`{_WAY[bool(item.multiple)]}"
    if item.required:
        default = "needed"
    else:
        default = "" if item.default is None or is_flag else f"`{item.default}`"
    return f"| {flags} | {_cell(value)} | {_cell(default)} | {_cell(item.help or '')} |\n"


def _columns() -> str:
    head = (
        "\n## Columns of a run table\n\nOne row per evaluated loss. Other columns are kept and ignored.\n\n"
        "| column | needed | valid | default | meaning |\n|---|---|---|---|---|\n"
    )
    names = ("name", "required", "valid", "default", "meaning")
    rows = (
        " | ".join(f"`{row[name]}`" if name == "name" else _cell(row[name]) for name in names)
        for row in describe_columns()
    )
    return head + "".join(f"| {row} |\n" for row in rows)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
