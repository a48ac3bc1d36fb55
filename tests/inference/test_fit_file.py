"""The Fit file: everything survives, nothing half-written, every unreadable file is named."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bitlaw.errors import InputError
from bitlaw.finding import Finding, Status
from bitlaw.inference.draws import loss_draws, points_frame
from bitlaw.inference.fit import FORMAT_VERSION, Fit
from bitlaw.inference.fit_file import load_fit, save_fit
from bitlaw.inference.prior import prior_draws
from bitlaw.laws.registry import load_law
from bitlaw.laws.spec import with_ties
from fits import REFERENCE, collapsed_fit, kumar_constants

COUPLED = {"mean_loss": 3.2, "floor_share": 0.6, "n_share": 0.5, "slope_n": 0.06, "slope_d": 0.06, "g": 0.5}


@pytest.fixture(scope="module")
def fit() -> Fit:
    made = collapsed_fit("kumar2024-coupled", kumar_constants() | COUPLED, vocab_size=32_000, jitter=0.1)
    hostile = made.rows.copy()
    hostile["run_id"] = hostile["run_id"] + ' "<b>\n\u202eé'
    excluded = hostile.iloc[:2].assign(reason="diverged")
    finding = Finding("a.b", Status.WARN, 1.5, None, "message", "advice")
    record = {"law": "kumar2024", "folds": [{"cut": 0.4, "rows": [{"run_id": "x" * 100}] * 2000}]}
    return replace(made, rows=hostile, excluded=excluded, findings=(finding,), backtest=record)


def test_everything_survives(fit: Fit, tmp_path: Path) -> None:
    loaded = load_fit(save_fit(fit, tmp_path / "folder" / "fit.nc"))
    for name in ("posterior", "prior", "drift", "sample_stats", "weights"):
        xr.testing.assert_equal(getattr(loaded, name), getattr(fit, name))
    for name in ("rows", "excluded", "runs"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(fit, name), check_dtype=False)
    assert loaded.law == fit.law
    assert loaded.reference == fit.reference
    assert loaded.findings == fit.findings
    assert loaded.provenance == fit.provenance
    assert loaded.pool == fit.pool
    assert loaded.backtest == fit.backtest
    assert loaded.ceiling == fit.ceiling
    np.testing.assert_array_equal(loaded.hull, fit.hull)
    point = points_frame(n_params=1e8, tokens=1e10, bits_weights=6.0)
    np.testing.assert_array_equal(loss_draws(loaded, point).new_run, loss_draws(fit, point).new_run)


def test_no_exclusions_survive_too(tmp_path: Path) -> None:
    plain = collapsed_fit("chinchilla", {"E": 1.8, "a": 0.3, "b": 0.4, "alpha": 0.35, "beta": 0.37})
    loaded = load_fit(save_fit(plain, tmp_path / "fit.nc"))
    assert loaded.backtest is None
    assert loaded.excluded.empty
    assert "reason" in loaded.excluded


@pytest.mark.parametrize("name", ["bitlaw-default", "quartet2025", "ptq-gap"])
def test_groups_formats_and_ties_survive(name: str, tmp_path: Path) -> None:
    law = load_law(name)
    middle = prior_draws(law, REFERENCE, 200, seed=0)
    made = collapsed_fit(
        name, {key: float(np.median(values)) for key, values in middle.items()}, pool="corpus",
        groups={"code": {}, "web": {}},
    )  # fmt: skip
    kinds = {"k_a": "k_w", "c_a": "c_w"} if name == "bitlaw-default" else {}
    loaded = load_fit(save_fit(replace(made, law=with_ties(law, kinds)), tmp_path / "fit.nc"))
    assert loaded.law.ties == kinds
    assert loaded.pool == ("corpus",)
    assert loaded.levels("corpus") == ("code", "web")
    xr.testing.assert_equal(loaded.posterior, made.posterior)


@pytest.mark.parametrize("keep", [0, 10, 4000, 0.5, 0.98])
def test_truncated_files_are_named(fit: Fit, tmp_path: Path, keep: float) -> None:
    path = save_fit(fit, tmp_path / "fit.nc")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 or keep == 0 else keep * len(content))])
    with pytest.raises(InputError, match=r"fit\.nc: not a readable netCDF file, or a truncated one"):
        load_fit(path)


def test_other_files_are_named(fit: Fit, tmp_path: Path) -> None:
    text = tmp_path / "text.nc"
    text.write_text("run_id,loss\n")
    with pytest.raises(InputError, match="not a readable netCDF file"):
        load_fit(text)
    foreign = tmp_path / "foreign.nc"
    xr.Dataset({"x": 1.0}).to_netcdf(foreign, engine="h5netcdf")
    with pytest.raises(InputError, match=r"not a bitlaw Fit file of format version 3 \(found None\)"):
        load_fit(foreign)
    partial = tmp_path / "partial.nc"
    xr.Dataset({"x": 1.0}, attrs={"bitlaw_format_version": FORMAT_VERSION}).to_netcdf(
        partial, engine="h5netcdf"
    )
    with pytest.raises(InputError, match="a Fit file that lacks a part"):
        load_fit(partial)
    with pytest.raises(InputError, match="no such fit file"):
        load_fit(tmp_path / "absent.nc")
    with pytest.raises(InputError, match="no such fit file"):
        load_fit(tmp_path)


def test_a_failed_write_leaves_nothing_behind(
    fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_fit(fit, tmp_path / "fit.nc")
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_fit(fit, path)
    assert [item.name for item in tmp_path.iterdir()] == ["fit.nc"]
    assert path.read_bytes() == before


def test_decisions_from_a_file_import_neither_pymc_nor_arviz(fit: Fit, tmp_path: Path) -> None:
    path = save_fit(replace(fit, backtest=None), tmp_path / "fit.nc")
    code = (
        "import sys, bitlaw\n"
        f"fit = bitlaw.load_fit({str(path)!r})\n"
        "bitlaw.predict(fit, bitlaw.points_frame(n_params=1e8, tokens=1e10))\n"
        "bitlaw.optimum(fit, n_params=1e8, tokens=1e10)\n"
        "bitlaw.ptq(fit, n_params=1e8, tokens=1e10)\n"
        "import bitlaw.decisions.asked, bitlaw.reporting.answers, bitlaw.reporting.report\n"
        "print(*[name for name in ('pymc', 'pytensor', 'arviz', 'arviz_stats', 'nutpie') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
