"""Bad input and usage: exit 2, stdout empty, lines that name what is wrong, nothing written."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

POINT = ["--n-params", "1e9", "--tokens", "1e10"]
BAD_COUNTS = ["-5", "0", "nan", "inf", "abc", "", "7X", "1_000"]


@pytest.fixture
def folder(
    tmp_path: Path, fit_file: Path, runs_file: Path, pooled_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder with good and bad files, as the working directory."""
    for source, name in ((fit_file, "fit.nc"), (runs_file, "runs.csv"), (pooled_file, "pooled.nc")):
        shutil.copy(source, tmp_path / name)
    (tmp_path / "truncated.nc").write_bytes(fit_file.read_bytes()[:20000])
    (tmp_path / "text.nc").write_text("hello")
    (tmp_path / "empty.nc").write_bytes(b"")
    xr.Dataset({"a": ("x", np.ones(2))}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    (tmp_path / "typo.toml").write_text('n_parms = "N"\n')
    (tmp_path / "absent.toml").write_text('n_params = "N"\n')
    (tmp_path / "broken.toml").write_text("n_params = \n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "one.csv").write_text("run_id,n_params,tokens,loss\na,1,1,2\n")
    (tmp_path / "bad.csv").write_text("run_id,n_params,tokens,loss\na,-1,1,2\nb,1,text,2\n")
    (tmp_path / "points.csv").write_text("n_params,tokens,bits_weights\n1e8,abc,4\n-3,1e9,77\n")
    (tmp_path / "typo.csv").write_text("n_params,tokens,bits_wieghts\n1e8,1e9,4\n")
    (tmp_path / "lacks.csv").write_text("n_params,note\n1e8,x\n")
    (tmp_path / "plans.csv").write_text("name,n_params,tokens,format\nours,1e8,1e9,mxfp4\n")
    (tmp_path / "gap.csv").write_text("n_params,tokens,flops\n1e8,,\n,1e9,\n")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "speeds.toml").write_text("[h100]\nnvfp4 = 500\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


CASES = {
    # files that are no run tables
    "no table": (["check", "nope.csv"], ["nope.csv: there is no such file"]),
    "empty table": (["check", "empty.csv"], ["empty.csv: the file is empty"]),
    "one row": (["fit", "one.csv", "--out", "x.nc"], ["one.csv: 1 usable row"]),
    "bad cells": (
        ["check", "bad.csv"],
        ['row 1 (line 2), column "n_params": "-1"', '"text" is not a number'],
    ),
    "fit as table": (["fit", "fit.nc", "--out", "x.nc"], ["fit.nc: this is a fit by its name"]),
    # mapping, law, pool
    "no mapping": (["check", "runs.csv", "--map", "nope.toml"], ["nope.toml: there is no such file"]),
    "mapping typo": (
        ["fit", "runs.csv", "--map", "typo.toml", "--out", "x.nc"],
        ['did you mean "n_params"?'],
    ),
    "mapping of nothing": (["check", "runs.csv", "--map", "absent.toml"], ['no column "N"']),
    "mapping no TOML": (["report", "runs.csv", "--map", "broken.toml", "--out", "x"], ["not valid TOML"]),
    "law near": (["fit", "runs.csv", "--law", "kumar", "--out", "x.nc"], ['did you mean "kumar2024"?']),
    "law unknown": (["check", "runs.csv", "--law", "xyz"], ['unknown law "xyz"', "chinchilla, coupled"]),
    "law file": (["laws", "nope.toml"], ["nope.toml: no such law file"]),
    "toml of all": (["laws", "--toml"], ["give its NAME"]),
    "pool unknown": (["fit", "runs.csv", "--pool", "famly", "--out", "x.nc"], ['did you mean "family"?']),
    "pool of numbers": (["check", "runs.csv", "--pool", "tokens"], ["no column of groups"]),
    "pool empty": (["check", "runs.csv", "--pool", "corpus"], ["the column is empty"]),
    # backtest
    "kind": (["backtest", "runs.csv", "--kind", "size"], ['unknown kind of fold "size"', "compute, bits"]),
    "kind gap": (["backtest", "runs.csv", "--kind", "bits,,"], ["has an empty entry"]),
    "no folds": (["backtest", "runs.csv", "--folds", "0"], ["0 folds: valid: a whole number from 1"]),
    "folds text": (["backtest", "runs.csv", "--folds", "few"], ["--folds"]),
    "groups of what": (["backtest", "runs.csv", "--kind", "groups"], ["need a column to pool over"]),
    "executor": (["backtest", "runs.csv", "--executor", "dsk"], ['did you mean "dask"?']),
    "no scheduler": (["backtest", "runs.csv", "--executor", "dask"], ["needs the address of a cluster"]),
    "scheduler alone": (
        ["backtest", "runs.csv", "--scheduler", "tcp://127.0.0.1:9"],
        ["is for --executor dask; the executor is serial"],
    ),
    "backtest law": (["backtest", "runs.csv", "--law", "kumar"], ['did you mean "kumar2024"?']),
    # output
    "suffix": (["fit", "runs.csv", "--out", "x.csv"], ["ends in .nc"]),
    "out is a folder": (["fit", "runs.csv", "--out", "."], ["ends in .nc"]),
    "file in the way": (["fit", "runs.csv", "--out", "file/x.nc"], ["file is a file, not a folder"]),
    "report over file": (["report", "runs.csv", "--out", "file"], ["file is a file, not a folder"]),
    "demo below file": (["demo", "--out", "file/x/y"], ["file is a file, not a folder"]),
    # fits
    "no fit": (["predict", "nope.nc", *POINT], ["nope.nc: no such fit file"]),
    "truncated": (["predict", "truncated.nc", *POINT], ["truncated.nc: not a readable netCDF file"]),
    "text fit": (["optimum", "text.nc", "--flops", "1e20"], ["text.nc: not a readable netCDF file"]),
    "empty fit": (["ptq", "empty.nc", *POINT], ["empty.nc: not a readable netCDF file"]),
    "not ours": (["report", "other.nc", "--out", "x"], ["other.nc: not a bitlaw Fit file"]),
    "two fits": (["predict", "fit.nc", "fit.nc", *POINT], ["law kumar2024 occurs 2 times"]),
    # numbers
    "bits above": (["predict", "fit.nc", *POINT, "--bits-weights", "33"], ["--bits-weights", "from 1 to 32"]),
    "bits below": (["predict", "fit.nc", *POINT, "--bits-post", "0.5"], ["--bits-post", "from 1 to 32"]),
    "bits text": (["optimum", "fit.nc", "--flops", "1e20", "--bits", "16,x"], ['"x" is not a number']),
    "bits gap": (["ptq", "fit.nc", *POINT, "--bits", "8,,4"], ['"8,,4" has an empty entry']),
    "prob 1": (["predict", "fit.nc", *POINT, "--prob", "1"], ["--prob", "between 0 and 1"]),
    "prob nan": (["predict", "fit.nc", *POINT, "--prob", "nan"], ["--prob", "between 0 and 1"]),
    "prob text": (["optimum", "fit.nc", "--flops", "1e20", "--prob", "x"], ["--prob", "between 0 and 1"]),
    "tolerance": (["ptq", "fit.nc", *POINT, "--tolerance", "-1"], ["--tolerance", "above 0"]),
    "tolerance inf": (["optimum", "fit.nc", *POINT, "--tolerance", "inf"], ["--tolerance", "above 0"]),
    "seed": (["fit", "runs.csv", "--out", "x.nc", "--seed", "1.5"], ["--seed", "a whole number from 0"]),
    "loss": (["ptq", "fit.nc", *POINT, "--loss", "99"], ["no better than guessing"]),
    # questions that cannot be asked
    "no size": (["predict", "fit.nc", "--n-params", "1e9"], ["a point needs --n-params"]),
    "tokens twice": (["predict", "fit.nc", *POINT, "--flops", "1e20"], ["a point needs --n-params"]),
    "no term": (["predict", "fit.nc", *POINT, "--bits-gradients", "8"], ["no term for bits_gradients"]),
    "nothing fixed": (["optimum", "fit.nc"], ["cannot decide from nothing"]),
    "tensors": (["optimum", "fit.nc", "--flops", "1e20", "--tensors", "weight"], ['did you mean "weights"?']),
    "method": (["ptq", "fit.nc", *POINT, "--method-post", "gtpq"], ['valid: "gptq"']),
    "no run": (["ptq", "fit.nc"], ["n_params and tokens missing"]),
    "run id": (["ptq", "fit.nc", "--run-id", "nobody"], ['run_id "nobody" is no run of the fit']),
    "no points": (["ptq", "fit.nc", *POINT, "--measured", "none.csv"], ["none.csv: there is no such file"]),
    "chip": (["optimum", "fit.nc", "--flops", "1e20", "--hardware", "h10"], ['"h10"; did you mean "h100"?']),
    "chips": (
        ["optimum", "fit.nc", "--flops", "1e20", "--hardware", "h100", "--hardware", "x9"],
        ['unknown chip "x9"; valid: a100, h100'],
    ),
    "chip twice": (
        ["optimum", "fit.nc", "--flops", "1e20", "--hardware", "h100", "--hardware", "h100"],
        ["each once"],
    ),
    "not run": (
        ["optimum", "fit.nc", "--flops", "1e20", "--hardware", "h100", "--bits", "16,4"],
        ["h100 does not multiply in 4 bits; h100 runs bf16, fp8-e4m3, int8"],
    ),
    "hours of nothing": (["optimum", "fit.nc", "--gpu-hours", "5"], ["valid: gpu_hours and hardware"]),
    "money without price": (
        ["optimum", "fit.nc", "--money", "5", "--hardware", "h100"],
        ["valid: money, price and hardware"],
    ),
    "price": (
        ["optimum", "fit.nc", "--money", "5", "--hardware", "h100", "--price", "-2"],
        ["--price", "above 0"],
    ),
    "budgets": (
        ["optimum", "fit.nc", "--flops", "1e20", "--gpu-hours", "5", "--hardware", "h100"],
        ["flops and gpu_hours are budgets both"],
    ),
    "speeds": (
        ["optimum", "fit.nc", "--flops", "1e20", "--hardware", "h100", "--speeds", "speeds.toml"],
        ["speeds.toml: h100.nvfp4: not run", "speeds.toml: h100.bf16: missing"],
    ),
    "no model": (["optimum", "fit.nc", "--flops", "0.1"], ["cannot train the smallest model on offer"]),
    "report chip": (["report", "runs.csv", "--out", "new", "--hardware", "h10"], ['did you mean "h100"?']),
    "report chips": (
        ["report", "runs.csv", "--out", "new", "--hardware", "h100", "--hardware", "h100"],
        ["hardware is h100, h100; valid: one or more chips, each once"],
    ),
    "no group": (["optimum", "pooled.nc", "--flops", "1e20"], ["valid: large, small"]),
    "group typo": (["ptq", "pooled.nc", *POINT, "--group", "larg"], ['did you mean "large"?']),
    "group unpooled": (["optimum", "fit.nc", "--flops", "1e20", "--group", "a"], ["not pooled"]),
    "report half": (["report", "runs.csv", "--out", "x", "--tokens", "1e9"], ["go together"]),
    "report method": (["report", "runs.csv", "--out", "x", "--method-post", "rtn"], ["valid: gptq"]),
    "report group": (["report", "runs.csv", "--out", "x", "--group", "a"], ["needs --pool"]),
    # plans
    "plan budget": (
        ["plan", "fit.nc", *POINT],
        ["nothing to spend on runs; valid: one of budget (FLOP), gpu"],
    ),
    "plan budgets": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--gpu-hours", "5", "--hardware", "h100"],
        ["budget and gpu_hours are budgets both"],
    ),
    "plan no chip": (["plan", "fit.nc", *POINT, "--gpu-hours", "5"], ["valid: gpu_hours and hardware"]),
    "plan chips": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--hardware", "h100", "--hardware", "b200"],
        ["--hardware is given 2 times"],
    ),
    "plan speeds": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--hardware", "h100", "--speeds", "speeds.toml"],
        ["nvfp4: not run", "bf16: missing"],
    ),
    "plan not its own": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--tensors", "weights", "--loss", "2"],
        ["tensors is no part of a plan for loss", "loss is no part of a plan for loss"],
    ),
    "plan measured": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--for", "ptq", "--measured", "lacks.csv"],
        ['column "bits_post" is missing', 'column "loss" is missing'],
    ),
    "plan poor": (["plan", "fit.nc", *POINT, "--budget", "1e9"], ["the cheapest candidate costs"]),
    "plan negative": (["plan", "fit.nc", *POINT, "--budget", "-1"], ["--budget", "above 0"]),
    "plan for": (["plan", "fit.nc", *POINT, "--budget", "1e20", "--for", "lss"], ["--for"]),
    "plan half": (
        ["plan", "fit.nc", "--n-params", "1e8", "--budget", "1e20"],
        ["needs n_params, and tokens"],
    ),
    "plan lacks": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--candidates", "lacks.csv"],
        ['column "tokens" is missing'],
    ),
    "plan cells": (
        ["plan", "fit.nc", *POINT, "--budget", "1e20", "--candidates", "points.csv"],
        ['row 1 (line 2), column "tokens": "abc"'],
    ),
    # tables of points
    "points cells": (
        ["predict", "fit.nc", "--points", "points.csv"],
        ['row 1 (line 2), column "tokens": "abc"', 'column "n_params": "-3"', 'column "bits_weights": "77"'],
    ),
    "points typo": (["predict", "fit.nc", "--points", "typo.csv"], ['did you mean "bits_weights"?']),
    "points lack": (["predict", "fit.nc", "--points", "lacks.csv"], ['column "tokens" is missing']),
    "points gap": (
        ["predict", "fit.nc", "--points", "gap.csv"],
        ['row 1 (line 2), column "tokens": is empty', 'row 2 (line 3), column "n_params": is empty'],
    ),
    "points missing": (["predict", "fit.nc", "--points", "nope.csv"], ["nope.csv: there is no such file"]),
    "points and flag": (
        ["predict", "fit.nc", "--points", "gap.csv", "--corpus", "x"],
        ["exclude each other"],
    ),
    # budgets
    "budget missing": (["budget", "fit.nc"], ["no budget is given"]),
    "budgets two": (
        ["budget", "fit.nc", "--flops", "1e18", "--gpu-hours", "5", "--hardware", "h100"],
        ["flops and gpu_hours are budgets both"],
    ),
    "budget tiny": (["budget", "fit.nc", "--flops", "6"], ["cannot train the smallest model on offer"]),
    "budget price": (
        ["budget", "fit.nc", "--money", "9", "--price", "-2", "--hardware", "h100"],
        ["--price", "above 0"],
    ),
    "gpus of nothing": (["budget", "fit.nc", "--flops", "1e18", "--gpus", "8"], ["valid: gpus and hardware"]),
    "gpus": (
        ["optimum", "fit.nc", "--flops", "1e18", "--hardware", "h100", "--gpus", "1.5"],
        ['"1.5" is no number of chips'],
    ),
    "prices": (
        ["budget", "fit.nc", "--money", "9", "--hardware", "h100", "--price", "b200=4"],
        ["price is of b200; valid: also of h100"],
    ),
    "prices of nothing": (
        ["optimum", "fit.nc", "--flops", "1e18", "--price", "h100=4"],
        ["valid: price and hardware"],
    ),
    "price negative": (
        ["budget", "fit.nc", "--money", "9", "--hardware", "h100", "--price", "h100=-4"],
        ['"-4" is no amount'],
    ),
    "price twice": (
        ["budget", "fit.nc", "--money", "9", "--hardware", "h100", "--price", "h100=4,H100=5"],
        ["names no chip, or one twice"],
    ),
    "kv alone": (["ptq", "fit.nc", *POINT, "--kv-cache", "32x8x128"], ["give kv_cache and context together"]),
    "kv shape": (
        ["ptq", "fit.nc", *POINT, "--kv-cache", "32x8", "--context", "8k"],
        ['"32x8" is no shape', "as 32x8x128"],
    ),
    "kv context": (["ptq", "fit.nc", *POINT, "--kv-cache", "32x8x128", "--context", "-1"], ["--context"]),
    "budget chip": (["budget", "fit.nc", "--gpu-hours", "9", "--hardware", "h10"], ['did you mean "h100"?']),
    "budget chips": (
        ["budget", "fit.nc", "--gpu-hours", "9", "--hardware", "h100", "--hardware", "b20"],
        ['unknown chip "b20"; did you mean "b200"?'],
    ),
    "budget prefer": (["budget", "fit.nc", "--flops", "1e18", "--prefer", "men"], ['did you mean "mean"?']),
    "budget served": (
        ["budget", "fit.nc", "--flops", "1e18", "--lifetime-tokens", "-1"],
        ["--lifetime-tokens"],
    ),
    "plans cells": (
        ["budget", "fit.nc", "--flops", "1e18", "--plans", "points.csv"],
        ['row 1 (line 2), column "tokens": "abc"', 'column "n_params": "-3"', 'column "bits_weights": "77"'],
    ),
    "plans lack": (
        ["budget", "fit.nc", "--flops", "1e18", "--plans", "lacks.csv"],
        ['lacks.csv: column "tokens" is missing'],
    ),
    "plans typo": (
        ["budget", "fit.nc", "--flops", "1e18", "--plans", "typo.csv"],
        ['did you mean "bits_weights"?'],
    ),
    "plans format": (
        ["budget", "fit.nc", "--flops", "1e18", "--plans", "plans.csv"],
        ['plan "ours": law kumar2024 has no term for format "mxfp4"'],
    ),
    # usage
    "command": (["chek"], ["Did you mean 'check'?"]),
    "flag": (["check", "runs.csv", "--lawz", "x"], ["No such option: --lawz"]),
    "argument": (["check"], ["Missing argument 'RUNS'", "bitlaw check --help"]),
    "option": (["fit", "runs.csv"], ["Missing option '--out'"]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("json", [False, True])
def test_bad_input_exits_2_with_a_clear_line(case: str, json: bool, folder: Path, bitlaw) -> None:
    words, expected = CASES[case]
    before = sorted(folder.rglob("*"))
    done = bitlaw(*words, *(["--json"] if json and words != ["chek"] else []))
    assert done.code == 2
    assert done.out == ""
    assert all(line.startswith("bitlaw: ") for line in done.err.splitlines())
    for text in expected:
        assert text in done.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("value", BAD_COUNTS)
@pytest.mark.parametrize("command", ["predict", "optimum", "ptq"])
@pytest.mark.parametrize("flag", ["--n-params", "--tokens"])
def test_counts_are_positive_finite_numbers(command: str, flag: str, value: str, bitlaw) -> None:
    done = bitlaw(command, "fit.nc", flag, value)
    assert (done.code, done.out) == (2, "")
    assert f"'{flag}': " in done.err
    assert len(done.err.splitlines()) == 1
