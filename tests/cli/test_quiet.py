"""``--quiet``: the answer in words and nothing else."""

from pathlib import Path

import pytest

from bitlaw.inference.fit import Fit
from bitlaw.laws.registry import law_names

POINT = ("--n-params", "1e8", "--tokens", "1e10")


@pytest.mark.parametrize("command", ["predict", "optimum", "ptq"])
def test_a_decision_is_its_sentence(command: str, bitlaw, fit_file: Path, fitted: Fit) -> None:
    quiet = bitlaw(command, fit_file, *POINT, "--quiet")
    full = bitlaw(command, fit_file, *POINT)
    assert (quiet.code, quiet.err) == (full.code, "")
    assert quiet.out.count("\n") == 1
    assert quiet.out.startswith("Under kumar2024")
    assert quiet.out.split() == full.out.split()[: len(quiet.out.split())]
    assert len(full.out) > len(quiet.out)


def test_the_short_flag_is_the_same(bitlaw, fit_file: Path) -> None:
    assert bitlaw("ptq", fit_file, *POINT, "-q") == bitlaw("ptq", fit_file, *POINT, "--quiet")


def test_json_is_json_all_the_same(bitlaw, fit_file: Path) -> None:
    assert bitlaw("ptq", fit_file, *POINT, "-q", "--json") == bitlaw("ptq", fit_file, *POINT, "--json")


def test_a_fit_that_did_not_converge_is_marked_beside_the_answer(bitlaw, unconverged: Path) -> None:
    done = bitlaw("predict", unconverged, *POINT, "--quiet")
    assert done.code == 1
    assert "did not converge" in done.err
    assert "did not converge" not in done.out


def test_check_says_in_a_line_what_is_to_look_at(bitlaw, runs_file: Path) -> None:
    done = bitlaw("check", runs_file, "--law", "kumar2024", "--quiet")
    assert done.code == 0
    assert done.out.startswith(f"{runs_file} can be fitted with law kumar2024; to look at: ")
    assert done.out.count("\n") == 1
    warned = bitlaw("check", runs_file, "--law", "kumar2024", "--json").out
    for code in done.out.rstrip(".\n").split("to look at: ")[1].split(", "):
        assert f'"code": "{code}"' in warned


def test_laws_are_names(bitlaw) -> None:
    assert bitlaw("laws", "--quiet").out.split() == list(law_names())
    assert bitlaw("laws", "chinchilla", "--quiet").out.startswith("chinchilla: Chinchilla")


def test_a_report_is_its_path(bitlaw, fit_file: Path, tmp_path: Path) -> None:
    done = bitlaw("report", fit_file, "--out", tmp_path / "page", *POINT, "--quiet")
    assert (done.code, done.out, done.err) == (0, f"{tmp_path / 'page' / 'index.html'}\n", "")


def test_bad_input_is_said_all_the_same(bitlaw) -> None:
    done = bitlaw("check", "nope.csv", "--quiet")
    assert (done.code, done.out, done.err) == (2, "", "bitlaw: nope.csv: there is no such file\n")
