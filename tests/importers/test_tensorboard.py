from pathlib import Path

import pytest

from bitlaw.errors import InputError
from bitlaw.runs.read import read_runs
from bitlaw.workflow.importing import import_runs

LOSSES = [4.0, 3.5, 3.2, 3.1]


def scalars(shift: float = 0.0) -> dict[str, list[float]]:
    return {
        "eval/loss": [value + shift for value in LOSSES],
        "train/loss": [value - 0.3 for value in LOSSES],
        "train/tokens": [1e8, 2e8, 3e8, 4e8],
    }


def test_folders_become_rows(write_events, tmp_path):
    write_events("n20M/seed0", scalars(), {"n_params": 2e7, "lr": 3e-4, "optimizer": "adam"})
    write_events("n40M/seed0", scalars(-0.2), {"n_params": 4e7, "lr": 6e-4, "optimizer": "adam"})
    out = tmp_path / "runs.csv"
    imported = import_runs(tmp_path / "logs", "tensorboard", out=out)
    table = read_runs(out).frame
    assert table["run_id"].tolist() == ["n20M/seed0", "n40M/seed0"]
    assert table["n_params"].tolist() == [2e7, 4e7]
    assert table["tokens"].tolist() == [4e8, 4e8]
    assert table["loss"].tolist() == pytest.approx([3.1, 2.9])
    assert imported.origins["loss"] == "eval/loss, by its usual name; final value"
    assert "hparams.lr" in table
    assert "hparams.optimizer" not in table, "it does not vary"


def test_names_of_folders_say_the_sizes(write_events, tmp_path):
    for name in ("n20M-w4", "n40M-w16", "other"):
        write_events(name, scalars())
    imported = import_runs(
        tmp_path / "logs",
        "tensorboard",
        pattern=r"n(?P<n_params>\w+)-w(?P<bits_weights>\d+)",
        fields={"loss": "eval/loss"},
    )
    assert imported.frame["n_params"].tolist() == [2e7, 4e7]
    assert imported.frame["bits_weights"].tolist() == [4.0, 16.0]
    assert [item.to_dict() for item in imported.skipped] == [
        {"what": '"other"', "why": "its name does not fit the pattern"}
    ]


def test_a_resumed_run_counts_repeated_steps_once(write_events, tmp_path):
    write_events("run", {"eval/loss": [4.0, 3.0, 9.0, 9.0]}, suffix=".1")
    write_events("run", {"eval/loss": [2.0, 1.0]}, first_step=3, suffix=".2")
    imported = import_runs(
        tmp_path / "logs", "tensorboard", last=3, constants={"n_params": 1e7, "tokens": 1e9}
    )
    assert imported.frame["loss"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:-7], "truncated record"),
        (lambda content: content[:200] + bytes([content[200] ^ 255]) + content[201:], "crc32"),
        (lambda content: b"this is no event file, whatever its name says" * 9, "crc32"),
    ],
)
def test_a_broken_event_file_is_named_and_its_run_left_out(write_events, tmp_path, damage, said):
    broken = write_events("bad", scalars())
    write_events("good", scalars())
    broken.write_bytes(damage(broken.read_bytes()))
    imported = import_runs(tmp_path / "logs", "tensorboard", constants={"n_params": 1e7})
    assert imported.frame["run_id"].tolist() == ["good"]
    (skipped,) = imported.skipped
    assert skipped.what == str(broken)
    assert said in skipped.why


def test_hyperparameters_in_a_folder_of_their_own_count_to_the_run_above(write_events, tmp_path):
    write_events("run", scalars())
    write_events("run/1795670318.2", {"hparam/best": [1.0]}, {"n_params": 3e7})
    imported = import_runs(tmp_path / "logs", "tensorboard")
    assert imported.frame[["run_id", "n_params"]].to_numpy().tolist() == [["run", 3e7]]


def test_a_loss_that_is_not_finite_is_a_diverged_run(write_events, tmp_path):
    write_events("up", scalars() | {"eval/loss": [4.0, float("nan")]})
    write_events("fine", scalars())
    imported = import_runs(tmp_path / "logs", "tensorboard", constants={"n_params": 1e7})
    found = imported.frame.set_index("run_id")["status"]
    assert found["up"] == "diverged"
    assert found["fine"] is None


def test_no_event_files(tmp_path):
    with pytest.raises(InputError, match=r"no runs in this folder; valid: event files"):
        import_runs(tmp_path, "tensorboard")
    with pytest.raises(InputError, match="there is no such file or folder"):
        import_runs(tmp_path / "absent", "tensorboard")


def test_event_files_without_scalars(write_events, tmp_path):
    write_events("empty", {})
    with pytest.raises(InputError) as caught:
        import_runs(tmp_path / "logs", "tensorboard")
    assert caught.value.problems[0].endswith(
        "there are no runs in it: empty: its event files have no scalars"
    )


def test_one_file(write_events):
    path: Path = write_events("alone", scalars())
    imported = import_runs(path, "tensorboard", constants={"n_params": 1e7})
    assert imported.frame["run_id"].tolist() == ["alone"]
