"""Commands run as ``main`` runs them, on small fits made without sampling."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from bitlaw.cli.main import main
from bitlaw.finding import Finding, Status
from bitlaw.inference.fit import Fit
from bitlaw.inference.fit_file import save_fit
from fits import collapsed_fit, kumar_constants


class Done(NamedTuple):
    """What a command left: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


Bitlaw = Callable[..., Done]


@pytest.fixture
def bitlaw(capsys: pytest.CaptureFixture[str]) -> Bitlaw:
    def call(*words: object) -> Done:
        code = main([str(word) for word in words])
        return Done(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def fitted() -> Fit:
    return collapsed_fit("kumar2024", kumar_constants(), vocab_size=32000.0, jitter=0.02)


@pytest.fixture(scope="session")
def fit_file(fitted: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_fit(fitted, tmp_path_factory.mktemp("fits") / "fit.nc")


@pytest.fixture(scope="session")
def not_converged() -> Finding:
    return Finding("convergence.rhat", Status.FAIL, 1.2, 1.01, "R-hat of E is 1.2.", "Fit again.")


@pytest.fixture(scope="session")
def unconverged(fitted: Fit, not_converged: Finding, tmp_path_factory: pytest.TempPathFactory) -> Path:
    failed = replace(fitted, findings=(not_converged,))
    return save_fit(failed, tmp_path_factory.mktemp("fits") / "unconverged.nc")


@pytest.fixture(scope="session")
def pooled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    constants = kumar_constants()
    groups = {"large": {"E": 2.5}, "small": {"E": 2.9}}
    fit = collapsed_fit("kumar2024", constants, vocab_size=32000.0, jitter=0.02, pool="family", groups=groups)
    return save_fit(fit, tmp_path_factory.mktemp("fits") / "pooled.nc")


@pytest.fixture(scope="session")
def runs_file(fitted: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "runs.csv"
    fitted.rows.assign(family="a", note="x").to_csv(path, index=False)
    return path
