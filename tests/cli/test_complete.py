"""What the shell offers after Tab."""

import subprocess
import sys

import pytest

from bitlaw.cli import complete
from bitlaw.decisions.hardware import chip_names
from bitlaw.inference.folds import KINDS
from bitlaw.laws.registry import law_names


def offered(*words: str) -> list[str]:
    """What bash is offered for the last word."""
    line = " ".join(("bitlaw", *words))
    code = "import sys; sys.argv = ['bitlaw']\nfrom bitlaw.cli.main import run\nrun()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"_BITLAW_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))},
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("opt",), ["optimum"]),
        (("fit", "runs.csv", "--law", "kumar"), ["kumar2024", "kumar2024-coupled"]),
        (("laws", "chin"), ["chinchilla"]),
        (("optimum", "fit.nc", "--hardware", "tpu-v5"), ["tpu-v5e", "tpu-v5p"]),
        (("backtest", "runs.csv", "--executor", "p"), ["processes"]),
    ],
)
def test_names_are_offered(words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_what_is_offered_is_what_there_is() -> None:
    assert tuple(complete.chips("")) == chip_names()
    assert tuple(complete.laws("")) == law_names()
    assert complete.KINDS == KINDS
    assert "corpus,family" in complete.groups("corpus,")
    assert "corpus,corpus" not in complete.groups("corpus,")


def test_completion_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom bitlaw.cli import complete\n"
        "for offer in (complete.laws, complete.law_list, complete.chips, complete.executors, complete.groups,\n"
        "              complete.kinds, complete.tensors):\n    assert offer('')\n"
        "print([m for m in ('numpy', 'pandas', 'xarray', 'pymc') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
