"""Every command and option is documented, and every example and every command in a page can be typed."""

import shlex
from typing import Any

import pytest
from typer.main import get_command

from bitlaw.cli.main import app
from pages import DOCS, SHELL, blocks, module, pages

REFERENCE = module(DOCS / "commands.py")
COMMANDS: dict[str, Any] = dict(REFERENCE.commands())


def parsed(line: str) -> None:
    """Parse a command as it would be typed, and do nothing."""
    words = shlex.split(line, comments=True)
    for end in ("|", ">", "2>", "&"):
        words = words[: words.index(end)] if end in words else words
    command, path, rest = get_command(app), "bitlaw", words[1:]
    while getattr(command, "commands", None) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"{path} has no command {rest[0]}"
        path, command, rest = f"{path} {rest[0]}", command.commands[rest[0]], rest[1:]
    if rest not in (["--version"], ["--help"], ["--install-completion"], ["--show-completion"]):
        command.make_context(path, list(rest))


def test_the_reference_is_up_to_date() -> None:
    """``python docs/commands.py`` writes it."""
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == REFERENCE.page()


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_says_what_it_is(path: str) -> None:
    command, page = COMMANDS[path], REFERENCE.page()
    assert command.help
    section = page.split(f"\n## {path}\n")[1].split("\n## ")[0]
    for item in command.params:
        assert item.help, f"{path}: {item.name} is not documented"
        for flag in item.opts if item.param_type_name == "option" else (item.metavar,):
            assert f"`{flag}" in section.replace("\\|", "|")


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_json_quiet_and_examples_that_parse(path: str) -> None:
    command = COMMANDS[path]
    flags = {flag for item in command.params for flag in item.opts}
    assert {"--json", "--quiet"} <= flags
    examples = REFERENCE.examples(command)
    assert examples
    for line in examples:
        assert line.startswith(path)
        parsed(line)


def test_examples_show_every_command_an_option_of_its_own() -> None:
    for path, command in COMMANDS.items():
        own = {flag for item in command.params for flag in item.opts if flag.startswith("--")}
        shown = " ".join(REFERENCE.examples(command)).split()
        assert own & set(shown), path


@pytest.mark.parametrize("page", pages())
def test_every_command_in_a_page_can_be_typed(page: str) -> None:
    for block in blocks(page):
        if block.language in SHELL:
            for line in block.code.replace("\\\n", " ").splitlines():
                typed = line.removeprefix("$ ")
                if typed.startswith("bitlaw "):
                    parsed(typed)


def test_a_command_that_cannot_be_typed_is_found() -> None:
    for wrong in ("bitlaw fits runs.csv", "bitlaw fit runs.csv", "bitlaw predict fit.nc --bits-weight 4"):
        with pytest.raises(Exception, match=r"no command|Missing|No such option"):
            parsed(wrong)
