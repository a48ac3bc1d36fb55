"""predict, optimum and ptq: what they print equals what the Python API returns."""

import json
from pathlib import Path

import pytest

from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit_file import load_fit

SIZES = ["--n-params", "100M", "--tokens", "10B"]
QUESTIONS = {
    "predict": [*SIZES, "--bits-weights", "4"],
    "optimum": ["--flops", "1e20", "--bits", "16,8,4"],
    "ptq": [*SIZES, "--bits", "8,4"],
}


@pytest.mark.parametrize("command", QUESTIONS)
def test_json_is_the_envelope_and_the_result(command: str, fit_file: Path, bitlaw) -> None:
    fit = load_fit(fit_file)
    expected = {
        "predict": lambda: predict(fit, points_frame(n_params=1e8, tokens=1e10, bits_weights=4.0)),
        "optimum": lambda: optimum(fit, flops=1e20, bits=(16, 8, 4)),
        "ptq": lambda: ptq(fit, 1e8, 1e10, bits=(8, 4)),
    }[command]()
    done = bitlaw(command, fit_file, *QUESTIONS[command], "--json")
    assert (done.code, done.err) == (0, "")
    answer = json.loads(done.out, parse_constant=pytest.fail)
    assert list(answer)[:3] == ["command", "status", "findings"]
    assert answer == {"command": command} | json.loads(json.dumps(expected.to_dict()))


@pytest.mark.parametrize("command", QUESTIONS)
def test_words_open_with_the_sentence(command: str, fit_file: Path, bitlaw) -> None:
    done = bitlaw(command, fit_file, *QUESTIONS[command])
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Under kumar2024, ")
    assert "90 % ETI" in done.out
    assert "Findings: " in done.out


@pytest.mark.parametrize("command", QUESTIONS)
@pytest.mark.parametrize("as_json", [False, True])
def test_an_unconverged_fit_answers_marked_with_code_1(
    command: str, as_json: bool, unconverged: Path, bitlaw
) -> None:
    done = bitlaw(command, unconverged, *QUESTIONS[command], *(["--json"] if as_json else []))
    assert done.code == 1
    marked, other = (done.err, done.out) if as_json else (done.out, done.err)
    assert "This fit did not converge" in marked
    assert "This fit did not converge" not in other
    if as_json:
        answer = json.loads(done.out)
        assert answer["status"] == "FAIL"
        assert answer["findings"][0]["code"] == "convergence.rhat"


@pytest.mark.parametrize("width", ["60", "100", "120", "200"])
@pytest.mark.parametrize("command", QUESTIONS)
def test_no_number_is_cut_off_on_a_narrow_terminal(
    command: str, width: str, fit_file: Path, bitlaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    words = set(bitlaw(command, fit_file, *QUESTIONS[command]).out.split())
    monkeypatch.setenv("COLUMNS", width)
    done = bitlaw(command, fit_file, *QUESTIONS[command])
    assert words <= set(done.out.split())
    assert max(map(len, done.out.splitlines())) <= int(width)


def test_options_reach_the_question(fit_file: Path, bitlaw) -> None:
    words = ["--tensors", "weights,kv", "--tolerance", "0.05", "--prob", "0.5"]
    answer = json.loads(bitlaw("optimum", fit_file, *SIZES, *words, "--json").out)
    assert answer["question"]["tensors"] == ["weights", "kv"]
    assert (answer["tolerance"], answer["prob"]) == (0.05, 0.5)


def test_group_of_a_pooled_fit(pooled_file: Path, bitlaw) -> None:
    best = [
        json.loads(bitlaw("optimum", pooled_file, *SIZES, "--group", group, "--json").out)
        for group in ("large", "small")
    ]
    losses = [answer["options"][0]["loss"]["median"] for answer in best]
    assert losses[1] - losses[0] == pytest.approx(0.4, abs=0.05)
    by_family = json.loads(bitlaw("predict", pooled_file, *SIZES, "--family", "small", "--json").out)
    assert by_family["points"][0]["family"] == "small"


def test_points_are_read_by_the_columns_of_a_run_table(fit_file: Path, tmp_path: Path, bitlaw) -> None:
    path = tmp_path / "points.csv"
    path.write_text("n_params,tokens,flops,bits_weights,loss,note\n1e8,1e10,,4,9.9,a\n1e8,,6e18,,,b\n")
    points = json.loads(bitlaw("predict", fit_file, "--points", path, "--json").out)["points"]
    assert [point["tokens"] for point in points] == [1e10, 1e10]
    assert [point["bits_weights"] for point in points] == [4.0, 16.0]
    assert points[0]["median"] > points[1]["median"]
    flags = json.loads(bitlaw("predict", fit_file, *SIZES, "--bits-weights", "4", "--json").out)["points"]
    assert flags[0]["median"] == pytest.approx(points[0]["median"], rel=0.02)


def test_flops_stand_in_for_tokens(fit_file: Path, bitlaw) -> None:
    done = bitlaw("predict", fit_file, "--n-params", "1e8", "--flops", "6e18", "--json")
    assert json.loads(done.out)["points"][0]["tokens"] == 1e10
