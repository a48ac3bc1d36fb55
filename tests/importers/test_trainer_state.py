import pytest

from bitlaw.errors import InputError
from bitlaw.runs.read import read_runs
from bitlaw.workflow.importing import import_runs
from trackers import trainer_state as state

LOSSES = {100: 4.0, 200: 3.5, 300: 3.2}


def test_the_state_that_came_furthest_of_each_run(write, tmp_path):
    write("out/small/checkpoint-200/trainer_state.json", state(200, {100: 4.0, 200: 3.5}, 2e8, 2.4e16))
    write("out/small/checkpoint-300/trainer_state.json", state(300, LOSSES, 3e8, 3.6e16))
    write("out/small/checkpoint-300/config.json", {"vocab_size": 32000, "model_type": "llama"})
    write(
        "out/big/trainer_state.json", state(300, {at: loss - 0.3 for at, loss in LOSSES.items()}, 3e8, 7.2e16)
    )
    imported = import_runs(tmp_path / "out", "huggingface", out=tmp_path / "runs.csv")
    table = read_runs(tmp_path / "runs.csv").frame.set_index("run_id")
    assert table["loss"].to_dict() == pytest.approx({"small": 3.2, "big": 2.9})
    # the Trainer counts 6 N D, so that N = 3.6e16 / (6 x 3e8)
    assert table["n_params"].to_dict() == pytest.approx({"small": 2e7, "big": 4e7})
    assert table.loc["small", "vocab_size"] == 32000
    assert [item.why for item in imported.skipped] == ["an earlier state of small, step 200"]
    assert "import.derived_params" in {item.code for item in imported.findings}
    assert imported.origins["n_params"] == "flops / (6 tokens)"


def test_the_mean_of_the_last_evaluations(write):
    path = write("run/trainer_state.json", state(300, LOSSES, 3e8, 3.6e16))
    imported = import_runs(path, "huggingface", last=2, constants={"n_params": 2e7})
    assert imported.frame["loss"].tolist() == pytest.approx([3.35])
    assert imported.frame["run_id"].tolist() == ["run"]
    assert imported.frame["n_params"].tolist() == [2e7]


def test_tokens_that_were_not_counted_follow_from_compute(write, tmp_path):
    path = write("run/trainer_state.json", state(300, LOSSES, 0, 3.6e16))
    write("run2/trainer_state.json", state(300, LOSSES, 0, 7.2e16))
    with pytest.raises(InputError, match="n_params: no run has a field that is usually called so"):
        import_runs(path, "huggingface")
    import_runs(tmp_path, "huggingface", constants={"n_params": 2e7}, out=tmp_path / "runs.csv")
    assert read_runs(tmp_path / "runs.csv").frame["tokens"].tolist() == pytest.approx([3e8, 6e8])


def test_a_run_that_was_never_evaluated_says_what_it_has(write):
    path = write("run/trainer_state.json", state(300, {}, 3e8, 3.6e16))
    with pytest.raises(InputError) as caught:
        import_runs(path, "huggingface")
    text = str(caught.value)
    assert "loss: no run has a field that is usually called so" in text
    assert 'in a mapping file (--map): loss = "FIELD"' in text
    assert "train_loss" in caught.value.problems[-1]


def test_states_that_are_broken(write, tmp_path):
    write("out/a/trainer_state.json", "{")
    write("out/b/trainer_state.json", {"global_step": 3})
    write("out/c/trainer_state.json", "[1]")
    good = state(300, LOSSES, 3e8, 3.6e16)
    write("out/d/trainer_state.json", good)
    imported = import_runs(tmp_path / "out", "huggingface")
    assert imported.frame["run_id"].tolist() == ["d"]
    whys = [item.why for item in imported.skipped]
    assert [why.split(":")[0].split(";")[0] for why in whys] == [
        "not readable JSON",
        "it has no log_history",
        "not a JSON object",
    ]
    assert all(item.what.endswith("trainer_state.json") for item in imported.skipped)


def test_no_states(tmp_path):
    with pytest.raises(InputError, match=r"no runs in this folder; valid: Trainer states"):
        import_runs(tmp_path, "huggingface")
