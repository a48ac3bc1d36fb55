import pytest

from bitlaw.errors import InputError
from bitlaw.importers.assemble import assemble
from bitlaw.importers.imported import Imported
from bitlaw.importers.logged import Log, LoggedRun
from bitlaw.importers.names import usual_fields
from bitlaw.importers.pattern import name_pattern
from bitlaw.runs.mapping import ColumnMapping

PREFIXES = ("config.", "summary.")
SIZES = {"config.n_params": 1e7, "summary.tokens": 1e9}


def imported(*fields: dict[str, object], mapping: ColumnMapping | None = None, **options: object) -> Imported:
    """Runs with these fields, imported."""
    runs = tuple(LoggedRun(f"run{at}", f"id{at}", made) for at, made in enumerate(fields))
    return assemble(Log(runs, prefixes=PREFIXES), "wandb", "export", mapping or ColumnMapping(), **options)


def run(loss: object = 3.0, **fields: object) -> dict[str, object]:
    return {**SIZES, "summary.eval_loss": loss, **fields}


@pytest.mark.parametrize(
    ("column", "fields", "found"),
    [
        ("n_params", ["config.n_params", "config.model.n_params"], ["config.n_params"]),
        ("n_params", ["config.model.num_params", "config.params"], ["config.params"]),
        ("n_params", ["config.Model/Num Params"], ["config.Model/Num Params"]),
        ("n_params", ["config.n_params_total"], []),
        ("loss", ["summary.train/loss", "summary.loss"], []),
        ("loss", ["summary.c4/eval_loss"], ["summary.c4/eval_loss"]),
        ("loss", ["summary.eval/loss", "summary.val_loss"], ["summary.eval/loss", "summary.val_loss"]),
        ("tokens", ["summary.perf/tokens_per_second"], []),
        ("seed", ["config.data.seed", "config.seed"], ["config.seed"]),
    ],
)
def test_usual_names(column, fields, found):
    assert usual_fields(column, fields, PREFIXES) == found


def test_fields_are_named_with_or_without_their_prefix():
    for name in ("config.size", "size"):
        mapping = ColumnMapping({"n_params": name})
        made = imported(run(**{"config.size": 7e9}), mapping=mapping)
        assert made.frame["n_params"].tolist() == [7e9]
        assert made.origins["n_params"] == "config.size"


def test_a_field_no_run_has():
    with pytest.raises(
        InputError, match=r'n_params: no run has a field "config.siez"; did you mean "config.size"\?'
    ):
        imported(run(**{"config.size": 7e9}), mapping=ColumnMapping({"n_params": "config.siez"}))


def test_a_name_that_two_fields_have():
    with pytest.raises(InputError, match="several fields could be it: config.size, summary.size"):
        imported(
            run(**{"config.size": 1.0, "summary.size": 2.0}), mapping=ColumnMapping({"n_params": "size"})
        )


def test_the_same_number_under_two_usual_names_is_one_field():
    made = imported(run(**{"summary.n_params": 1e7}))
    assert made.frame["n_params"].tolist() == [1e7]


def test_constants_take_the_place_of_fields():
    made = imported(run(), mapping=ColumnMapping(constants={"n_params": 5e6, "corpus": "c4"}))
    assert made.frame["n_params"].tolist() == [5e6]
    assert made.frame["corpus"].tolist() == ["c4"]
    assert made.origins["corpus"] == "the same for all"


def test_a_column_can_be_left_out():
    fields = {"config.seed": "none"}
    with pytest.raises(InputError, match=r'run0": seed \(config.seed\): "none" is not a number'):
        imported(run(**fields))
    assert "seed" not in imported(run(**fields), mapping=ColumnMapping({"seed": ""})).frame


def test_counts_with_suffixes():
    made = imported(run() | {"config.n_params": "125M", "summary.tokens": "2.5 B"})
    assert made.frame[["n_params", "tokens"]].to_numpy().tolist() == [[1.25e8, 2.5e9]]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"config.n_params": "big"}, 'n_params (config.n_params): "big" is not a number'),
        ({"config.n_params": -1}, "n_params (config.n_params): -1 is out of range"),
        ({"config.n_params": None}, "it has no n_params (config.n_params)"),
        ({"summary.tokens": ""}, "it has no tokens (summary.tokens)"),
        ({"summary.eval_loss": ""}, "it has no summary.eval_loss"),
        ({"summary.eval_loss": "low"}, 'loss (summary.eval_loss): "low" is not a number'),
        ({"summary.eval_loss": True}, "loss (summary.eval_loss): True is not a number"),
        ({"summary.eval_loss": -1.0}, "loss (summary.eval_loss): -1.0 is out of range"),
        (
            {"summary.eval_loss": 11.0, "config.vocab_size": 32000},
            "worse than guessing, ln(vocab_size) = 10.37",
        ),
    ],
)
def test_runs_that_lack_something_are_left_out_with_the_reason(fields, why):
    made = imported(run(), run(**fields))
    assert made.frame["run_id"].tolist() == ["run0"]
    (skipped,) = made.skipped
    assert skipped.what == '"run1"'
    assert why in skipped.why
    assert {item.code: item.value for item in made.findings}["import.skipped"] == 1.0


def test_nothing_that_can_be_imported():
    with pytest.raises(InputError) as caught:
        imported(run("low"), run("high"))
    assert caught.value.problems[0].startswith('export: none of its 2 runs can be imported: "run0": loss')


@pytest.mark.parametrize(
    ("unit", "logged"), [("nats", 2.0794415416798357), ("bits", 3.0), ("perplexity", 8.0)]
)
def test_losses_become_nats(unit, logged):
    made = imported(run(logged), loss_unit=unit)
    assert made.frame["loss"].tolist() == pytest.approx([2.0794415416798357], rel=1e-15)
    assert ("from" in made.origins["loss"]) == (unit != "nats")


def test_parameters_follow_from_compute_and_tokens():
    made = imported({"summary.tokens": 1e9, "summary.total_flos": 6e16, "summary.eval_loss": 3.0})
    assert made.frame["n_params"].tolist() == [1e7]
    assert "import.derived_params" in {item.code for item in made.findings}


def test_settings_that_vary_are_kept_and_others_on_request():
    made = imported(
        run(**{"config.lr": 1e-3, "config.width": 64, "summary.note": "x"}),
        run(**{"config.lr": 2e-3, "config.width": 64, "summary.note": "y"}),
        keep=["note"],
    )
    assert made.frame["config.lr"].tolist() == [1e-3, 2e-3]
    assert made.frame["summary.note"].tolist() == ["x", "y"]
    assert "config.width" not in made.frame
    with pytest.raises(InputError, match='keep: no run has a field "nota"'):
        imported(run(), keep=["nota"])


def test_kept_columns_are_never_taken_for_columns_of_the_run_table():
    fields = {"summary.wbits": 4.0, "Tokens ": 3.0, "bits_weight": 2.0, "loss": 1.0}
    mapping = ColumnMapping({"tokens": "summary.tokens"})
    made = imported(run() | fields, run() | fields, mapping=mapping, keep=["Tokens ", "bits_weight", "loss"])
    assert {"logged: Tokens", "logged: bits_weight", "logged: loss"} <= set(made.frame)
    assert made.run_table().frame["bits_weights"].tolist() == [4.0, 4.0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("n(?P<n_params", "no regular expression"),
        ("l(?P<loss>.+)", "group loss: a loss is measured"),
        (r"n(\d+)", "no named group says which column is read"),
        (r"n(?P<n_param>\d+)", 'group n_param: unknown column; did you mean "n_params"?'),
    ],
)
def test_patterns_that_are_none(text, problem):
    with pytest.raises(InputError) as caught:
        name_pattern(text)
    assert problem in caught.value.problems[0]


def test_rows_quantized_after_training_take_the_name_of_their_run():
    quantized = {"config.base": "run0", "config.ptq_bits": 4, "config.ptq_method": "rtn"}
    made = imported(
        run(), run(3.1, **quantized), run(3.2, **quantized), mapping=ColumnMapping({"run_id": "base"})
    )
    assert made.frame["run_id"].tolist() == ["run0", "run0"]
    assert made.frame["bits_post"].tolist() == [None, 4.0]
    assert [item.why for item in made.skipped] == [
        'repeats run_id run0, bits_post 4.0, method_post rtn of "id1"'
    ]
    assert len(made.run_table().post) == 1


def test_a_quantized_row_that_contradicts_its_run_is_an_error():
    quantized = {"config.base": "run0", "config.ptq_bits": 4, "config.n_params": 2e7}
    with pytest.raises(InputError, match="a PTQ row repeats its training run's value"):
        imported(run(), run(3.1, **quantized), mapping=ColumnMapping({"run_id": "base"}))


@pytest.mark.parametrize("value", [10**400, "1e999", "-inf"])
def test_losses_too_large_for_a_number_are_diverged_runs(value):
    assert imported(run(), run(value)).frame["status"].tolist() == [None, "diverged"]
