import math

import pytest

from bitlaw.errors import InputError
from bitlaw.runs.read import read_runs
from bitlaw.workflow.importing import import_runs
from trackers import llama_log as log

IMATRIX = "llama_model_loader: - kv  30:   quantize.imatrix.file str              = wiki.imatrix\n"

OLD = """\
llm_load_print_meta: n_vocab          = 32000
llm_load_print_meta: model type       = 13B
llm_load_print_meta: model ftype      = mostly Q4_0
llm_load_print_meta: model params     = 13.02 B
llm_load_print_meta: model size       = 6.86 GiB (4.53 BPW)
llm_load_print_meta: general.name   = LLaMA v2
Final estimate: PPL over 10 chunks for n_ctx=2048 = 5.1930 +/- 0.07007
"""


def test_a_folder_of_logs_becomes_a_model_and_its_quantizations(write, tmp_path):
    write("ppl/f16.log", log("F16", 16.0, "5.7962", "0.03236"))
    write("ppl/q4.log", log("Q4_K - Medium", 4.84, "5.8778", "0.03288"))
    write("ppl/q4_imatrix.log", log("Q4_K - Medium", 4.84, "5.8700", "0.03288", IMATRIX))
    write("ppl/iq2.txt", log("IQ2_XS - 2.3125 bpw", 2.36, "7.0512"))
    write("ppl/q8.log", log("Q8_0", 8.5, "5.7970"))
    imported = import_runs(
        tmp_path / "ppl", "llama.cpp", constants={"tokens": 2e12}, out=tmp_path / "runs.csv"
    )
    table = read_runs(tmp_path / "runs.csv")
    assert set(table.frame["run_id"]) == {"Llama 2 7B"}
    (trained,) = table.training.to_dict("records")
    assert trained["loss"] == pytest.approx(math.log(5.7962))
    assert trained["loss_se"] == pytest.approx(0.03236 / 5.7962)
    assert (trained["n_params"], trained["tokens"], trained["vocab_size"]) == (6.74e9, 2e12, 32000)
    post = {(row["bits_post"], row["method_post"]): row["loss"] for row in table.post.to_dict("records")}
    assert post == pytest.approx(
        {
            (4.84, "llama.cpp k-quant"): math.log(5.8778),
            (4.84, "llama.cpp k-quant+imatrix"): math.log(5.87),
            (2.36, "llama.cpp i-quant"): math.log(7.0512),
            (8.5, "llama.cpp block-quant"): math.log(5.797),
        }
    )
    assert imported.origins["loss"] == "logarithm of the perplexity; final estimate, from perplexity"
    assert "import.total_params" in {item.code for item in imported.findings}


def test_older_logs(write):
    imported = import_runs(write("old.log", OLD), "llama.cpp", constants={"tokens": 2e12})
    (row,) = imported.frame.to_dict("records")
    assert (row["run_id"], row["n_params"], row["bits_post"]) == ("LLaMA v2", 1.302e10, 4.53)
    assert row["method_post"] == "llama.cpp block-quant"
    assert row["loss"] == pytest.approx(math.log(5.193))


def test_several_estimates_in_one_log(write):
    text = log("F16", 16.0, "5.7962") + log("Q4_0", 4.55, "5.9600")
    imported = import_runs(write("all.log", text), "llama.cpp", constants={"tokens": 2e12})
    assert imported.frame["bits_post"].tolist() == [None, 4.55]


def test_a_log_without_what_was_evaluated_is_not_taken_for_an_unquantized_model(write, tmp_path):
    write("ppl/good.log", log("F16", 16.0, "5.7962"))
    write("ppl/stdout_only.log", "Final estimate: PPL = 5.9070 +/- 0.03328\n")
    imported = import_runs(tmp_path / "ppl", "llama.cpp", constants={"tokens": 2e12})
    assert len(imported.frame) == 1
    (skipped,) = imported.skipped
    assert skipped.what == '"stdout_only"'
    assert "stderr of llama-perplexity says it" in skipped.why


def test_a_log_that_was_cut_short(write, tmp_path):
    write("ppl/good.log", log("F16", 16.0, "5.7962"))
    cut = write("ppl/cut.log", log("Q4_0", 4.55, "5.9600").split("Final")[0])
    imported = import_runs(tmp_path / "ppl", "llama.cpp", constants={"tokens": 2e12})
    assert [item.to_dict() for item in imported.skipped] == [
        {"what": str(cut), "why": 'it has no line "Final estimate: PPL = … +/- …"'}
    ]


def test_a_second_log_of_the_same_quantization_is_named(write, tmp_path):
    write("ppl/a.log", log("Q4_0", 4.55, "5.9600"))
    write("ppl/b.log", log("Q4_0", 4.55, "5.9700"))
    imported = import_runs(tmp_path / "ppl", "llama.cpp", constants={"tokens": 2e12})
    assert imported.frame["loss"].tolist() == [pytest.approx(math.log(5.96))]
    (skipped,) = imported.skipped
    assert skipped.why == (
        'repeats run_id Llama 2 7B, bits_post 4.55, method_post llama.cpp block-quant of "a"'
    )


def test_training_tokens_are_in_no_log(write):
    with pytest.raises(InputError) as caught:
        import_runs(write("q4.log", log("Q4_0", 4.55, "5.96")), "llama.cpp")
    assert "the same for all runs: --set tokens=NUMBER" in caught.value.problems[0]


def test_a_mapping_without_a_unit_leaves_the_perplexity_what_it_is(write):
    path = write("q4.log", log("Q4_0", 4.55, "5.96"))
    imported = import_runs(path, "llama.cpp", mapping=write("m.toml", "[constants]\ntokens = 2e12\n"))
    assert imported.frame["loss"].tolist() == [pytest.approx(math.log(5.96))]
