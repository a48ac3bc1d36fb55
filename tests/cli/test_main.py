import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bitlaw.cli import main as room
from bitlaw.cli.main import app

README = Path(__file__).parents[2] / "README.md"
COMMANDS = [command.name for command in app.registered_commands]


def run_console(*words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """The console entry point in a process of its own, after some code."""
    code = f"import sys; sys.argv = ['bitlaw', *{words!r}]\nfrom bitlaw.cli.main import run\n{before}\nrun()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_commands_are_those_that_are_built() -> None:
    assert COMMANDS == [
        "demo",
        "import",
        "check",
        "fit",
        "compare",
        "backtest",
        "predict",
        "optimum",
        "ptq",
        "budget",
        "plan",
        "report",
        "laws",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_json(command: str, bitlaw) -> None:
    done = bitlaw(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert re.search(rf"Examples?:\s+bitlaw {command}", done.out)
    assert "--json" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_with_an_example(command: str) -> None:
    assert f"bitlaw {command}" in README.read_text(encoding="utf-8")


def test_version_and_help(bitlaw) -> None:
    assert bitlaw("--version").out == f"bitlaw {version('bitlaw')}\n"
    assert bitlaw().out == bitlaw("--help").out
    assert bitlaw().code == 0


def test_console_keeps_stdout_empty_on_bad_input() -> None:
    done = run_console("check", "nope.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bitlaw: nope.csv: there is no such file\n"


BUG = "import bitlaw.cli.main as room\ndef broken(arguments): {}\nroom.main = broken\n"


@pytest.mark.parametrize(
    ("raised", "code"), [("1 / 0", 3), ("raise KeyboardInterrupt", 130), ("raise SystemExit(1)", 1)]
)
def test_bugs_exit_3_with_a_traceback_and_where_to_report_it(raised: str, code: int) -> None:
    # PyTensor sets sys.excepthook when it is imported, so nothing may depend on that hook.
    done = run_console(before=f"{BUG.format(raised)}sys.excepthook = None")
    assert done.returncode in (code, -2 if code == 130 else code)
    assert done.stdout == ""
    assert ("ZeroDivisionError" in done.stderr) == (code == 3)
    assert ("please report it" in done.stderr) == (code == 3)


def test_interrupting_a_command_exits_130(bitlaw, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bitlaw.laws.registry.load_law", interrupted)
    assert bitlaw("laws", "chinchilla").code == 130


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom bitlaw.cli.main import main\nmain(['--help'])\n"
            "print([m for m in ('numpy', 'pandas', 'xarray', 'pymc', 'matplotlib') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_room_has_one_place_for_exit_codes() -> None:
    assert (room.DONE, room.BAD_INPUT, room.BUG) == (0, 2, 3)
