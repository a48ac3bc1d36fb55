import json
from pathlib import Path

import pytest

from bitlaw.runs.read import read_runs


def steps(name: str, loss: float, **settings: object) -> list[dict[str, object]]:
    return [
        {"run": name, **settings},
        {"run": name, "step": 1, "eval_loss": loss + 1},
        {"run": name, "step": 2, "eval_loss": loss},
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rows = [
        line
        for at in range(4)
        for line in steps(
            f"<b>run {at}</b>\x1b[31m", 3.0 - 0.1 * at, n_params=1e7 * 2**at, tokens=1e9, lr=1e-3
        )
    ]
    return write(tmp_path / "steps.jsonl", [*rows, *steps("lost", 3.0)])


def test_imports_and_says_where_columns_come_from(bitlaw, log, tmp_path):
    out = tmp_path / "runs.csv"
    done = bitlaw("import", log, "--from", "jsonl", "--out", out)
    assert (done.code, done.err) == (0, "")
    assert "Imported 4 rows of 4 runs" in done.out
    assert "eval_loss, by its usual name; final value" in done.out
    assert "it has no n_params" in done.out
    assert f"Next: bitlaw check {out}" in done.out
    assert bitlaw("check", out).code == 0
    assert bitlaw("check", out, "--map", tmp_path / "runs.map.toml").code == 0
    assert read_runs(out).frame["run_id"].tolist() == [f"<b>run {at}</b>\x1b[31m" for at in range(4)]


def test_options_reach_the_table(bitlaw, log, tmp_path):
    out = tmp_path / "runs.csv"
    words = ("--loss", "eval_loss", "--set", "tokens=2B", "--field", "n_params=n_params", "--last", "2",
             "--loss-unit", "bits", "--where", "lr=0.001", "--keep", "lr")  # fmt: skip
    done = bitlaw("import", log, "--from", "jsonl", "--out", out, *words, "--json")
    assert (done.code, done.err) == (0, "")
    said = json.loads(done.out)
    assert (said["command"], said["rows"], said["status"]) == ("import", 4, "WARN")
    assert said["skipped"] == [{"what": "1 run", "why": "lr is not 0.001"}]
    assert said["columns"]["loss"] == "eval_loss; mean of the last 2 evaluations, from bits/token"
    assert said["kept"] == ["loss_rule", "logged_as", "lr"]
    assert said["written"] == [str(out), str(tmp_path / "runs.map.toml")]
    table = read_runs(out).frame
    assert table["loss"].iloc[0] == pytest.approx(3.5 * 0.6931471805599453)
    assert table["tokens"].iloc[0] == 2e9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "jsnl"), 'kind of source "jsnl": unknown; did you mean "jsonl"?'),
        (("--from", "xyz"), "valid: wandb, mlflow, tensorboard, huggingface, llama.cpp, jsonl"),
        (("--field", "n_params"), 'valid: NAME=VALUE, for example --field n_params=config.model.n_params'),
        (("--field", "n_parms=x"), '"n_parms": unknown column; did you mean "n_params"?'),
        (("--field", "n_params=x"), 'n_params: no run has a field "x"'),
        (("--field", "n_params=tokens"), "tokens: no run has a field that is usually called so"),
        (("--set", "n_params=many"), '"many" is not a number'),
        (("--set", "tokens=1e9", "--set", "tokens=2e9"), "--set tokens: given twice"),
        (("--loss", "a", "--field", "loss=b"), "--loss and --field loss=…: both given"),
        (("--set", "n_params=1e7", "--field", "n_params=n"), "both renamed and a constant"),
        (("--loss-unit", "nat"), 'loss unit "nat": unknown; did you mean "nats"?'),
        (("--last", "0"), "last 0: valid: a whole number from 1"),
        (("--last", "3"), "it has 2 evaluations of eval_loss, not 3"),
        (("--pattern", "("), "pattern (: no regular expression"),
        (("--pattern", r"(?P<tokens>\d)", "--set", "tokens=1e9"), "tokens: read from the names of runs, and given"),
        (("--where", "colour=red"), 'where: no run has a field "colour"'),
        (("--where", "lr=7"), "there are no runs in it: 5 runs: lr is not 7"),
        (("--map", "absent.toml"), "absent.toml: there is no such file"),
        (("--out", "runs.parquet"), "valid: a file name that ends in .csv"),
    ],
)  # fmt: skip
def test_bad_input_is_said_and_nothing_is_written(bitlaw, log, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    done = bitlaw("import", log, "--from", "jsonl", "--out", "runs.csv", *words)
    assert (done.code, done.out) == (2, "")
    if said == "both renamed":
        said = "n_params, tokens"
    assert said in done.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_mapping_file_that_would_be_overwritten(bitlaw, log, tmp_path):
    mapping = tmp_path / "runs.map.toml"
    mapping.write_text('loss = "eval_loss"\n', encoding="utf-8")
    done = bitlaw("import", log, "--from", "jsonl", "--out", tmp_path / "runs.csv", "--map", mapping)
    assert done.code == 2
    assert "would overwrite" in done.err


def test_missing_sources(bitlaw, tmp_path):
    for kind in ("jsonl", "huggingface", "llama.cpp"):
        done = bitlaw("import", tmp_path / "absent", "--from", kind, "--out", tmp_path / "runs.csv")
        assert (done.code, done.out) == (2, "")
        assert "there is no such file or folder" in done.err


def test_names_that_would_steer_a_terminal_are_escaped_there(bitlaw, tmp_path):
    lost = steps("\x1b[31mred\u202e\x07", float("nan"), n_params=1e7, tokens=1e9)
    fine = [line for name in ("a", "b") for line in steps(name, 3.0, n_params=1e7, tokens=1e9)]
    out = tmp_path / "runs.csv"
    said = bitlaw("import", write(tmp_path / "steps.jsonl", [*lost, *fine]), "--from", "jsonl", "--out", out)
    assert said.code == 0
    checked = bitlaw("check", out)
    assert r"\x1b[31mred\u202e\x07" in checked.out
    assert not {"\x1b", "\u202e", "\x07"} & set(said.out + checked.out)
