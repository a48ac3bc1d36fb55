"""Every command and block of docs/bring_your_runs.md, run on sources like those it names."""

import csv
import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from bitlaw.cli.main import main
from bitlaw.runs.read import read_runs
from trackers import fill_mlflow, llama_log, step_lines, trainer_state, wandb_record

PAGE = (Path(__file__).parents[2] / "docs" / "bring_your_runs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
LOCAL = [line for line in COMMANDS if "http:" not in line and "team/project" not in line]


@pytest.fixture
def sources(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the page names, but those of MLflow and TensorBoard."""
    records = [wandb_record(f"run {at}", at) for at in range(3)]
    write("runs.jsonl", records)
    write("mine.toml", next(text for kind, text in BLOCKS if kind == "toml"))
    with (tmp_path / "export.csv").open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(["Name", "State", "model.size", "tokens", "eval/loss"])
        writer.writerows([record["name"], "finished", 1e7, 2e9, 3.5] for record in records)
    for name, shift in (("small", 0.0), ("big", 0.3)):
        losses = {100: 4.0 - shift, 200: 3.5 - shift}
        write(f"checkpoints/{name}/trainer_state.json", trainer_state(200, losses, 2e8, 2.4e16))
        write(f"steps/{name}.jsonl", [{"val_loss": 4.0 - shift, **line} for line in step_lines(shift=shift)])
    lines = [{"trial": name, **line} for name in ("a", "b") for line in step_lines()]
    write("all.jsonl", lines)
    write("ppl_logs/f16.log", llama_log("F16", 16.0, "5.7962"))
    write("ppl_logs/q4.log", llama_log("Q4_K - Medium", 4.84, "5.8778"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", [line for line in LOCAL if "bitlaw import" in line])
def test_commands(command, sources, request, capsys, monkeypatch):
    words = shlex.split(command)
    kind = words[words.index("--from") + 1]
    if kind == "tensorboard":
        write_events = request.getfixturevalue("write_events")
        for name in ("n20M", "n40M"):
            write_events(name, {"eval/loss": [3.2, 3.1]})
    if "mlflow.db" in words:
        shutil.copy(request.getfixturevalue("mlflow_database"), "mlflow.db")
    if "mlruns" in words:
        connect = request.getfixturevalue("mlflow_client")
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        fill_mlflow(connect((sources / "mlruns").as_uri()), ["one", "two"])
        monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    assert main(words[1:]) == 0, capsys.readouterr().err
    assert len(read_runs("runs.csv", "runs.map.toml").frame) >= 2


def test_the_first_table_is_one_that_check_takes(sources):
    first, second = COMMANDS[:2]
    assert second == "bitlaw check runs.csv"
    assert [main(shlex.split(line)[1:]) for line in (first, second)] == [0, 0]


def test_the_page_has_a_command_for_every_kind():
    from bitlaw.importers.kinds import KINDS

    assert {kind for kind in KINDS for line in COMMANDS if f"--from {kind} " in line} == set(KINDS)


def test_options_of_the_table_are_options(capsys):
    assert main(["import", "--help"]) == 0
    text = capsys.readouterr().out
    named = set(re.findall(r"^\| `(--[\w-]+)", PAGE, re.MULTILINE))
    assert len(named) >= 7
    assert all(option in text for option in named)


def test_python(sources, capsys):
    (block,) = [text for kind, text in BLOCKS if kind == "python"]
    exec(compile(block, "docs/bring_your_runs.md", "exec"), {})
    assert "Imported 3 rows of 3 runs from runs.jsonl (wandb)" in capsys.readouterr().out


def test_the_mapping_file_of_the_page_is_toml():
    (block,) = [text for kind, text in BLOCKS if kind == "toml"]
    assert json.dumps(tomllib.loads(block))
