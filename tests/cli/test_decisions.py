"""predict, optimum, ptq and budget: what they print equals what the Python API returns."""

import json
from pathlib import Path

import pytest

from bitlaw.decisions.budget import budget
from bitlaw.decisions.optimum import optimum
from bitlaw.decisions.plan import plan
from bitlaw.decisions.predict import predict
from bitlaw.decisions.ptq import ptq
from bitlaw.inference.draws import points_frame
from bitlaw.inference.fit_file import load_fit, save_fit
from fits import collapsed_fit, kumar_constants

SIZES = ["--n-params", "100M", "--tokens", "10B"]
QUESTIONS = {
    "predict": [*SIZES, "--bits-weights", "4"],
    "optimum": ["--flops", "1e20", "--bits", "16,8,4"],
    "ptq": [*SIZES, "--bits", "8,4"],
    "budget": ["--flops", "6e18", "--bits", "16,8,4"],
    "plan": [*SIZES, "--budget", "1e18"],
}


@pytest.fixture(scope="module")
def coupled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at_the_centre = {"mean_loss": 2.9, "floor_share": 0.6, "n_share": 0.4, "slope_n": 0.06, "slope_d": 0.08}
    constants = kumar_constants() | at_the_centre | {"g": 0.5}
    fit = collapsed_fit("kumar2024-coupled", constants, vocab_size=32000.0, jitter=0.02)
    return save_fit(fit, tmp_path_factory.mktemp("fits") / "coupled.nc")


@pytest.fixture(scope="module")
def gap_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    constants = {"C": 0.02, "gamma_D": 0.5, "gamma_N": 0.3, "gamma_post": 0.6, "C_w": 50.0}
    return save_fit(collapsed_fit("ptq-gap", constants), tmp_path_factory.mktemp("fits") / "gap.nc")


@pytest.mark.parametrize("command", QUESTIONS)
def test_json_is_the_envelope_and_the_result(command: str, fit_file: Path, bitlaw) -> None:
    fit = load_fit(fit_file)
    expected = {
        "predict": lambda: predict(fit, points_frame(n_params=1e8, tokens=1e10, bits_weights=4.0)),
        "optimum": lambda: optimum(fit, flops=1e20, bits=(16, 8, 4)),
        "ptq": lambda: ptq(fit, 1e8, 1e10, bits=(8, 4)),
        "budget": lambda: budget(fit, flops=6e18, bits=(16, 8, 4)),
        "plan": lambda: plan(fit, n_params=1e8, tokens=1e10, budget=1e18),
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
    assert {"plan": "one standard deviation"}.get(command, "90 % ETI") in " ".join(done.out.split())
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


def test_a_chip_its_speeds_and_a_budget_in_hours(fit_file: Path, tmp_path: Path, bitlaw) -> None:
    speeds = tmp_path / "speeds.toml"
    speeds.write_text("[h100]\nbf16 = 400\nfp8 = 476\n", encoding="utf-8")
    words = ["--gpu-hours", "1k", "--hardware", "h100", "--price", "2.5"]
    answer = json.loads(bitlaw("optimum", fit_file, *words, "--speeds", speeds, "--json").out)
    question = answer["question"]
    assert (question["hardware"], question["gpu_hours"], question["price"]) == ("h100", 1000.0, 2.5)
    assert question["speeds"] == {"bf16": 400.0, "fp8-e4m3": 476.0}
    assert question["flops"] == pytest.approx(1.44e21)
    eight = answer["options"][1]
    assert (eight["bits"], eight["runs_in"], eight["speed_measured"]) == (8.0, "fp8-e4m3", True)
    assert eight["money"] == pytest.approx(2500.0)
    assert 0.0 <= eight["probability_pays"] <= 1.0
    assert set(answer["under_costs"]) == {
        "a cost in proportion to bits", "no speed-up below 16 bits", "the peaks of h100",
    }  # fmt: skip
    of_money = json.loads(
        bitlaw("optimum", fit_file, "--money", "2500", *words[2:], "--speeds", speeds, "--json").out
    )
    assert of_money["question"]["flops"] == pytest.approx(1.44e21)


def test_chips_side_by_side(fit_file: Path, bitlaw) -> None:
    words = ["--flops", "1e20", "--hardware", "h100", "--hardware", "B200"]
    done = bitlaw("optimum", fit_file, *words)
    assert done.code == 0
    assert done.out.startswith("The answer ")
    assert "on b200 (" in done.out
    answer = json.loads(bitlaw("optimum", fit_file, *words, "--json").out)
    assert list(answer["hardware"]) == ["h100", "b200"]
    assert len(answer["hardware"]["b200"]["options"]) == 4
    assert answer["options"] == answer["hardware"]["h100"]["options"]


def test_a_budget_on_chips_side_by_side(fit_file: Path, bitlaw) -> None:
    words = ["--gpu-hours", "100", "--hardware", "h100", "--hardware", "B200"]
    done = bitlaw("budget", fit_file, *words)
    assert done.out.startswith(("The answer ", "The precision ", "REFUSED "))
    assert "a budget of 100 GPU-hours on b200" in done.out
    answer = json.loads(bitlaw("budget", fit_file, *words, "--json").out)
    assert list(answer["hardware"]) == ["h100", "b200"]
    assert answer["hardware"]["b200"]["question"]["flops"] > answer["question"]["flops"]
    assert (
        answer["hardware"]["h100"] == budget(load_fit(fit_file), gpu_hours=100.0, hardware="h100").to_dict()
    )


def test_group_of_a_pooled_fit(pooled_file: Path, bitlaw) -> None:
    best = [
        json.loads(bitlaw("optimum", pooled_file, *SIZES, "--group", group, "--json").out)
        for group in ("large", "small")
    ]
    losses = [answer["options"][0]["loss"]["median"] for answer in best]
    assert losses[1] - losses[0] == pytest.approx(0.4, abs=0.05)
    by_family = json.loads(bitlaw("predict", pooled_file, *SIZES, "--family", "small", "--json").out)
    assert by_family["points"][0]["family"] == "small"


def test_a_group_that_was_never_measured(pooled_file: Path, bitlaw) -> None:
    seen, new = (
        json.loads(bitlaw("predict", pooled_file, *SIZES, "--group", group, "--json").out)["points"][0]
        for group in ("small", "new")
    )
    assert new["family"] == "new"
    assert new["hi"] - new["lo"] > seen["hi"] - seen["lo"]
    assert bitlaw("ptq", pooled_file, *SIZES, "--group", "new").code == 0
    unknown = bitlaw("predict", pooled_file, *SIZES, "--family", "smal")
    assert (unknown.code, unknown.out) == (2, "")
    assert 'did you mean "small"' in unknown.err
    assert '"new"' in unknown.err


def test_degradations_from_the_loss_of_a_checkpoint(gap_file: Path, bitlaw) -> None:
    missing = bitlaw("predict", gap_file, *SIZES, "--bits-post", "4")
    assert (missing.code, missing.out) == (2, "")
    assert "--loss" in missing.err
    done = bitlaw("predict", gap_file, *SIZES, "--bits-post", "4", "--loss", "2.5", "--json")
    assert json.loads(done.out)["points"][0]["mean"] == pytest.approx(2.52, abs=0.001)
    decision = bitlaw("ptq", gap_file, *SIZES, "--loss", "2.5")
    assert decision.code == 0
    assert "ptq.critical_tokens" in decision.out


@pytest.mark.parametrize("command", QUESTIONS)
def test_several_laws_and_their_stack(command: str, fit_file: Path, coupled_file: Path, bitlaw) -> None:
    done = bitlaw(command, fit_file, coupled_file, *QUESTIONS[command], "--json")
    assert (done.code, done.err) == (0, "")
    answer = json.loads(done.out, parse_constant=pytest.fail)
    assert {name: own["weight"] for name, own in answer["laws"].items()} == {
        "kumar2024": 0.5,
        "kumar2024-coupled": 0.5,
    }
    assert "laws.disagreement" in {finding["code"] for finding in answer["findings"]}
    alone = json.loads(bitlaw(command, fit_file, *QUESTIONS[command], "--json").out)
    key = {"predict": "points", "plan": "picks"}.get(command, "options")
    assert answer["laws"]["kumar2024"][key] == alone[key]
    words = bitlaw(command, fit_file, coupled_file, *QUESTIONS[command]).out
    assert words.startswith("Under the stack, ")
    assert "kumar2024-coupled" in words


@pytest.mark.parametrize("command", ["predict", "ptq"])
def test_several_laws_one_of_which_did_not_converge(
    command: str, unconverged: Path, coupled_file: Path, bitlaw
) -> None:
    done = bitlaw(command, coupled_file, unconverged, *QUESTIONS[command])
    assert done.code == 1
    assert "did not converge" in done.out


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


def test_formats_on_offer(fit_file: Path, gap_file: Path, bitlaw) -> None:
    budget = ["--flops", "1e20"]
    done = bitlaw("optimum", fit_file, *budget, "--formats", "bf16,int8,int4", "--json")
    options = json.loads(done.out)["options"]
    assert [(option["format"], option["effective_bits"]) for option in options] == [
        ("bf16", 16.0),
        ("int8", 8.0),
        ("int4", 4.0),
    ]
    sized = bitlaw("optimum", fit_file, *budget, "--bits", "8", "--group-size", "32", "--json")
    assert json.loads(sized.out)["question"]["group_size"] == 32
    for words, message in ((["--formats", "mxfp4"], 'format "mxfp4"'), (["--group-size", "0"], "group-size")):
        refused = bitlaw("optimum", fit_file, *budget, *words)
        assert (refused.code, refused.out) == (2, "")
        assert message in refused.err
    observed = bitlaw("optimum", gap_file, *budget)
    assert (observed.code, observed.out) == (2, "")
    assert "bitlaw ptq" in observed.err


ABSURD = {
    "predict": ["--n-params", "7T", "--tokens", "1000T"],
    "optimum": ["--flops", "1e30"],
    "ptq": ["--n-params", "7T", "--tokens", "1000T"],
    "budget": ["--flops", "1e30"],
}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("command", ABSURD)
def test_a_refused_answer_exits_1_and_keeps_its_marked_interval(
    command: str, several: bool, fit_file: Path, coupled_file: Path, bitlaw
) -> None:
    files = [fit_file, coupled_file] if several else [fit_file]
    done = bitlaw(command, *files, *ABSURD[command], "--json")
    assert (done.code, done.err) == (1, "")
    answer = json.loads(done.out, parse_constant=pytest.fail)
    assert answer["status"] == "REFUSED"
    assert answer["refused"] is True
    assert "risk.refused" in {finding["code"] for finding in answer["findings"]}
    assert answer.get("best") is answer.get("smallest_safe_bits") is None
    risk = answer["points"][0]["risk"] if command == "predict" else answer["risk"]
    assert risk["grade"] == "REFUSE"
    assert risk["would_help"][0].startswith("a run of ")
    for shown in answer["points"] if command == "predict" else answer["options"]:
        assert shown["refused"] is True
        interval = shown if command == "predict" else shown.get("loss", shown.get("degradation"))
        assert interval["lo"] is not None
        assert interval["lo"] <= interval["hi"]
    words = bitlaw(command, *files, *ABSURD[command])
    assert words.code == 1
    assert words.out.startswith("REFUSED: nothing measured supports an answer. ")
    assert "Runs that would change it: a run of " in words.out.replace("\n", " ")


@pytest.mark.parametrize("command", QUESTIONS)
def test_risk_is_in_words_and_json(command: str, fit_file: Path, bitlaw) -> None:
    answer = json.loads(bitlaw(command, fit_file, *QUESTIONS[command], "--json").out)
    risk = answer["points"][0]["risk"] if command == "predict" else answer["risk"]
    assert answer["refused"] is False
    assert set(risk) == {
        "grade", "reasons", "distance", "shares", "disagreement", "backtest", "prior_sensitivity", "would_help",
    }  # fmt: skip
    assert set(risk["distance"]) == {"n_params", "tokens", "compute", "ratio", "hull", "bits"}
    assert sum(risk["shares"].values()) == pytest.approx(1.0)
    assert risk["backtest"]["status"] == "NOT_RUN"
    assert risk["grade"] != "LOW"
    assert f"Risk {risk['grade']}: " in bitlaw(command, fit_file, *QUESTIONS[command]).out.replace("\n", " ")


BEYOND = {
    "predict": ["--n-params", "7B", "--tokens", "200B", "--bits-weights", "4"],
    "optimum": ["--flops", "3e22", "--bits", "16,8,4"],
    "ptq": ["--n-params", "1B", "--tokens", "5T", "--bits", "4,3"],
    "budget": ["--flops", "3e22", "--bits", "16,8,4"],
}


@pytest.mark.parametrize("command", BEYOND)
def test_no_drift_shows_what_drift_does(command: str, tmp_path: Path, bitlaw) -> None:
    made = collapsed_fit("kumar2024", kumar_constants(), vocab_size=32000.0, jitter=0.02, drift=True)
    path = save_fit(made, tmp_path / "fit.nc")
    on, off = (
        json.loads(bitlaw(command, path, *BEYOND[command], "--json", *flags).out)
        for flags in ([], ["--no-drift"])
    )
    decide = {
        "predict": lambda: predict(
            made, points_frame(n_params=7e9, tokens=2e11, bits_weights=4.0), drift=False
        ),
        "optimum": lambda: optimum(made, flops=3e22, bits=(16, 8, 4), drift=False),
        "ptq": lambda: ptq(made, 1e9, 5e12, bits=(4, 3), drift=False),
        "budget": lambda: budget(made, flops=3e22, bits=(16, 8, 4), drift=False),
    }[command]
    assert off == {"command": command} | json.loads(json.dumps(decide().to_dict()))
    assert (on["drift"], off["drift"]) == (True, False)
    for answer in (on, off):
        shown = answer["points" if command == "predict" else "options"]
        assert all((item["drift"] is None) == (answer is off) for item in shown)
    assert on["points" if command == "predict" else "options"][-1]["drift"] > 0
    assert "Structural error beyond the data is included" in bitlaw(command, path, *BEYOND[command]).out


def test_chips_that_a_model_is_served_on(fit_file: Path, bitlaw) -> None:
    cache = ("--kv-cache", "32x8x128", "--context", "1M", "--hardware", "tpu-v5e", "--hardware", "b200")
    done = bitlaw("ptq", fit_file, *SIZES, *cache, "--json")
    assert (done.code, done.err) == (0, "")
    chips = json.loads(done.out, parse_constant=pytest.fail)["serving"]["chips"]
    assert chips == {"tpu-v5e": {"memory_gb": 16.0, "needed": 9}, "b200": {"memory_gb": 180.0, "needed": 1}}
    words = " ".join(bitlaw("ptq", fit_file, *SIZES, *cache, "--quiet").out.split())
    assert "fits in the memory of 9 tpu-v5e (16 GB each) or one b200 (180 GB)." in words
    refused = bitlaw("ptq", fit_file, *SIZES, "--hardware", "h10")
    assert (refused.code, refused.out) == (2, "")
    assert 'unknown chip "h10"' in refused.err


def test_measured_points_of_a_checkpoint(fit_file: Path, tmp_path: Path, bitlaw) -> None:
    path = tmp_path / "measured.csv"
    path.write_text("bits_post,loss,loss_se,note\n,3.0,,as trained\n4,3.005,0.0005,a\n")
    done = bitlaw("ptq", fit_file, *SIZES, "--measured", path, "--json")
    assert (done.code, done.err) == (0, "")
    answer = json.loads(done.out, parse_constant=pytest.fail)
    assert answer["question"]["loss"] == 3.0
    assert [option["source"] for option in answer["options"] if option["bits_post"] == 4] == ["measured"]
    assert answer["measured"][0]["degradation"] == pytest.approx(0.005)
    assert "measured on this checkpoint" in bitlaw("ptq", fit_file, *SIZES, "--measured", path).out.replace(
        "\n", " "
    )
    path.write_text("bits_post,los\n4,3.1\n")
    refused = bitlaw("ptq", fit_file, *SIZES, "--measured", path)
    assert (refused.code, refused.out) == (2, "")
    assert 'column "loss" is missing' in refused.err
    path.write_text("bits_post,loss\n4,\n5,high\n")
    refused = bitlaw("ptq", fit_file, *SIZES, "--measured", path)
    assert "row 1 (line 2)" in refused.err
    assert '"high" is not a number' in refused.err


def test_a_fitted_run_is_asked_about_by_its_name(fit_file: Path, bitlaw) -> None:
    fit = load_fit(fit_file)
    run = str(fit.rows["run_id"].iloc[0])
    done = bitlaw("ptq", fit_file, "--run-id", run, "--json")
    assert (done.code, done.err) == (0, "")
    answer = json.loads(done.out, parse_constant=pytest.fail)
    assert answer == {"command": "ptq"} | json.loads(json.dumps(ptq(fit, run_id=run).to_dict()))
    assert "measured" in {option["source"] for option in answer["options"]}


def test_plans_are_read_by_the_columns_of_a_run_table(fit_file: Path, tmp_path: Path, bitlaw) -> None:
    path = tmp_path / "plans.csv"
    path.write_text("name,n_params,tokens,flops,bits_weights\nours,1e8,1e10,,\n,1e8,,6e18,4\n")
    done = bitlaw("budget", fit_file, "--flops", "6e18", "--plans", path, "--json")
    assert (done.code, done.err) == (0, "")
    plans = json.loads(done.out, parse_constant=pytest.fail)["plans"]
    assert [plan["name"] for plan in plans] == ["ours", "plan 2"]
    assert [plan["tokens"] for plan in plans] == [1e10, 1e10]
    assert plans[0]["share"] == pytest.approx(1.0)
    words = bitlaw("budget", fit_file, "--flops", "6e18", "--plans", path).out
    assert "Of your 2 plans ours has the lowest expected loss" in " ".join(words.split())


def test_options_reach_the_budget(fit_file: Path, bitlaw) -> None:
    words = ["--gpu-hours", "10", "--hardware", "h100", "--lifetime-tokens", "10B", "--serving-bits", "8"]
    done = bitlaw("budget", fit_file, *words, "--prefer", "quantile:0.8", "--json")
    question = json.loads(done.out)["question"]
    assert (question["hardware"], question["unit"], question["budget"]) == ("h100", "GPU-hours", 10.0)
    assert (question["lifetime_tokens"], question["serving_bits"]) == (1e10, 8.0)
    assert question["prefer"] == {"kind": "quantile", "value": 0.8}


def test_a_plan_from_candidates_of_ones_own(
    fit_file: Path, coupled_file: Path, bitlaw, tmp_path: Path
) -> None:
    table = tmp_path / "candidates.csv"
    table.write_text("n_params,tokens,bits_weights,cost\n2e8,2e10,16,\n2e8,2e10,4,1e18\n9e9,9e11,16,\n")
    words = [*SIZES, "--budget", "1e20", "--candidates", table]
    answer = json.loads(bitlaw("plan", fit_file, *words, "--json").out)
    assert [one["cost"] for one in answer["candidates"]] == [2.4e19, 1e18]  # the third is beyond the budget
    across = json.loads(bitlaw("plan", fit_file, coupled_file, *words, "--json").out)
    assert set(across["laws"]) == {"kumar2024", "kumar2024-coupled"}
    table.write_text("n_params,tokens,format\n2e8,2e10,mxfp4\n")
    refused = bitlaw("plan", fit_file, *words)
    assert (refused.code, refused.out) == (2, "")
    assert 'no term for format "mxfp4"' in refused.err


def test_a_plan_paid_for_in_hours_of_a_chip(fit_file: Path, bitlaw, tmp_path: Path) -> None:
    table, speeds = tmp_path / "candidates.csv", tmp_path / "speeds.toml"
    table.write_text("n_params,tokens,bits_weights,bits_activations,cost\n2e8,2e10,8,8,\n2e8,2e10,16,16,7\n")
    speeds.write_text("[h100]\nbf16 = 400\nfp8 = 500\n")
    words = [*SIZES, "--gpu-hours", "100", "--hardware", "h100", "--speeds", speeds, "--candidates", table]
    answer = json.loads(bitlaw("plan", fit_file, *words, "--json").out)
    assert [one["amount"] for one in answer["candidates"]] == pytest.approx([2.4e19 / 500e12 / 3600, 7.0])
    assert answer["spending"]["unit"] == "GPU-hours"
    money = json.loads(
        bitlaw("plan", fit_file, *SIZES, "--money", "50", "--price", "2", "--hardware", "h100", "--json").out
    )
    assert money["spending"]["budget"] == pytest.approx(50.0)


def test_a_plan_for_some_tensors_alone(fit_file: Path, bitlaw) -> None:
    words = ["--for", "optimum", "--flops", "1e21", "--budget", "1e19", "--bits", "16,4"]
    done = bitlaw("plan", fit_file, *words, "--tensors", "weights", "--group-size", "64", "--json")
    low = [one["inputs"] for one in json.loads(done.out)["candidates"] if "bits_weights" in one["inputs"]]
    assert low
    assert all(inputs["group_size"] == 64 and "bits_activations" not in inputs for inputs in low)


def test_a_plan_for_a_checkpoint_that_was_measured(fit_file: Path, bitlaw, tmp_path: Path) -> None:
    path = tmp_path / "measured.csv"
    path.write_text("bits_post,loss\n,3.0\n5,3.002\n")
    words = ["--for", "ptq", *SIZES, "--budget", "1e18", "--measured", path]
    answer = json.loads(bitlaw("plan", fit_file, *words, "--json").out)
    assert answer["measured"] is None
    assert answer["picks"][0]["inputs"]["run_id"] == "the checkpoint asked about"
    done = bitlaw("plan", fit_file, *words, "--bits", "5,4")
    assert done.code == 0
    assert "was measured on this very checkpoint" in " ".join(done.out.split())
    again = ["--for", "ptq", "--run-id", "n0.25-d0.25-16b", "--budget", "1e18"]
    assert json.loads(bitlaw("plan", fit_file, *again, "--json").out)["question"].startswith(
        "run n0.25-d0.25-16b ("
    )


def test_a_refused_question_is_planned_for_with_code_0(fit_file: Path, bitlaw) -> None:
    done = bitlaw("plan", fit_file, "--n-params", "1e14", "--tokens", "1e15", "--budget", "1e20")
    assert done.code == 0
    assert "Until then an answer is REFUSED" in " ".join(done.out.split())
