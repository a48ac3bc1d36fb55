import math

import pandas as pd
import pytest

from bitlaw.errors import InputError
from bitlaw.runs.columns import COLUMNS
from bitlaw.runs.raw import RawTable
from bitlaw.runs.validate import validate

GOOD = {"run_id": "a", "n_params": "1e6", "tokens": "1e8", "loss": "3.2"}


def table(*rows: dict[str, object]) -> RawTable:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return RawTable({name: [row.get(name, "") for row in rows] for name in names}, "runs.csv")


def problems_of(*rows: dict[str, object], loss_unit: str = "nats") -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        validate(table(*rows), loss_unit)
    return caught.value.problems


def test_defaults_and_types_of_a_minimal_table():
    frame = validate(table(GOOD, GOOD | {"run_id": "b"}))
    assert list(frame.columns) == [column.name for column in COLUMNS if column.name != "flops"]
    assert list(frame.index) == [1, 2]
    for column in COLUMNS:
        if column.name == "flops":
            continue
        kind = pd.api.types.is_string_dtype if column.kind == "text" else pd.api.types.is_float_dtype
        assert kind(frame[column.name]), column.name
    row = frame.loc[1]
    assert (row["bits_weights"], row["bits_gradients"], row["seed"]) == (16.0, 16.0, 0.0)
    assert (row["status"], row["format"], row["exclude"]) == ("ok", "", "")
    assert frame[["bits_post", "group_size", "loss_se", "vocab_size"]].isna().all().all()


def test_empty_cells_get_defaults_too():
    frame = validate(table(GOOD | {"bits_kv": "", "status": " "}, GOOD | {"run_id": "b", "bits_kv": "4"}))
    assert list(frame["bits_kv"]) == [16.0, 4.0]
    assert list(frame["status"]) == ["ok", "ok"]


def test_unknown_columns_follow_as_they_are():
    frame = validate(table(GOOD | {"host": "x", "steps": 5}))
    assert list(frame.columns)[-2:] == ["host", "steps"]
    assert frame.loc[1, "steps"] == 5


def test_tokens_come_from_flops_where_absent():
    rows = [GOOD | {"tokens": "", "flops": "6e14"}, GOOD | {"run_id": "b", "flops": "1e30"}]
    frame = validate(table(*rows))
    assert list(frame["tokens"]) == [1e8, 1e8]


def test_a_row_with_neither_tokens_nor_flops():
    rows = [GOOD | {"tokens": "", "flops": "6e14"}, GOOD | {"run_id": "b", "tokens": "", "flops": ""}]
    (problem,) = problems_of(*rows)
    assert problem.startswith('runs.csv: row 2, column "tokens": is empty, and so is flops; valid: ')


def test_an_invalid_flops_is_the_only_problem_of_its_row():
    (problem,) = problems_of(GOOD | {"tokens": "", "flops": "-1"})
    assert 'column "flops": "-1" is out of range' in problem


@pytest.mark.parametrize("name", ["run_id", "n_params", "loss"])
def test_required_cells_must_not_be_empty(name):
    (problem,) = problems_of(GOOD | {name: " "})
    assert problem.startswith(f'runs.csv: row 1, column "{name}": is empty; valid: ')


def test_no_problem_hides_another():
    problems = problems_of(
        GOOD | {"n_params": "many", "bits_kv": "99"},
        GOOD | {"run_id": "b", "n_params": "-1", "loss": "inf"},
        GOOD | {"run_id": "c", "status": "fine"},
        {"run_id": "d", "n_params": "1e6", "tokens": "1e8", "loss": "3.2", "bits_weigths": "4"},
    )
    assert [problem.split(": ")[1] for problem in problems] == [
        'column "bits_weigths" is unknown but close to "bits_weights", whose cells would be read as absent; '
        "rename it, or write in a mapping file",
        'row 1, column "n_params"',
        'row 1, column "bits_kv"',
        'row 2, column "n_params"',
        'row 2, column "loss"',
        'row 3, column "status"',
    ]


def test_a_missing_column_does_not_hide_bad_cells():
    problems = problems_of({"run_id": "a", "n_params": "x", "tokens": "1e8"})
    assert 'column "loss" is missing' in problems[0]
    assert 'column "n_params": "x" is not a number' in problems[1]


def test_at_most_twenty_problems_are_listed():
    problems = problems_of(*(GOOD | {"run_id": f"r{row}", "loss": "-1"} for row in range(25)))
    assert len(problems) == 21
    assert problems[-1] == "runs.csv: and 5 more"


@pytest.mark.parametrize("out", [{"status": "diverged"}, {"exclude": "noisy"}])
@pytest.mark.parametrize("loss", ["", "nan", "inf", "-1", "boom"])
def test_the_loss_of_a_row_to_be_excluded_is_not_validated(out, loss):
    frame = validate(table(GOOD, GOOD | out | {"run_id": "b", "loss": loss, "loss_se": "nan"}))
    assert math.isnan(frame.loc[2, "loss"])
    assert math.isnan(frame.loc[2, "loss_se"])


def test_the_other_cells_of_a_row_to_be_excluded_are_validated():
    (problem,) = problems_of(GOOD | {"status": "diverged", "loss": "", "n_params": "-3"})
    assert 'column "n_params"' in problem


def test_training_above_guessing_is_a_problem():
    (problem,) = problems_of(GOOD | {"loss": "10.5", "vocab_size": "32000"})
    assert "10.5 nats/token is above ln(vocab_size = 32000) = 10.37" in problem
    assert "read as nats" in problem


@pytest.mark.parametrize(
    "change", [{"loss": "10.3"}, {"status": "diverged"}, {"exclude": "x"}, {"bits_post": "2"}]
)
def test_guessing_bounds_only_usable_training_rows(change):
    frame = validate(table(GOOD | {"loss": "10.5", "vocab_size": "32000"} | change))
    assert len(frame) == 1


def test_repeated_keys_compare_numbers_not_text():
    (problem,) = problems_of(GOOD | {"bits_post": "4"}, GOOD | {"bits_post": "4.0"})
    assert problem == (
        'runs.csv: row 2: repeats run_id "a", bits_post "4", method_post "" of row 1; '
        "valid: each (run_id, bits_post, method_post) once"
    )


def test_repeated_training_rows_are_a_problem():
    (problem,) = problems_of(GOOD, GOOD | {"run_id": " a "})
    assert 'row 2: repeats run_id "a"' in problem


def test_one_run_may_have_many_ptq_rows():
    rows = [GOOD, GOOD | {"bits_post": "4"}, GOOD | {"bits_post": "4", "method_post": "gptq"}]
    assert len(validate(table(*rows))) == 3


def test_an_excluded_row_may_repeat_a_key():
    assert len(validate(table(GOOD, GOOD | {"exclude": "first attempt"}))) == 2


def test_an_invalid_key_cell_is_not_also_a_repeated_key():
    (problem,) = problems_of(GOOD, GOOD | {"bits_post": "four"})
    assert 'column "bits_post"' in problem


@pytest.mark.parametrize("name", ["n_params", "tokens", "bits_weights", "bits_activations", "bits_kv"])
def test_a_ptq_row_repeats_its_training_run(name):
    rows = [GOOD | {"bits_post": "4", name: "8"}, GOOD]
    (problem,) = problems_of(*rows)
    assert problem.startswith(f'runs.csv: row 1, column "{name}": 8, but row 2 of the same run "a" has ')


def test_a_ptq_row_without_a_training_row_is_compared_with_the_first():
    (problem,) = problems_of(GOOD | {"bits_post": "4"}, GOOD | {"bits_post": "3", "n_params": "2e6"})
    assert 'row 2, column "n_params": 2000000, but row 1' in problem


def test_rounding_of_tokens_is_no_change():
    rows = [GOOD | {"tokens": "100000000"}, GOOD | {"tokens": "100000010", "bits_post": "4"}]
    assert len(validate(table(*rows))) == 2


def test_losses_in_bits_and_perplexity_become_nats():
    row = GOOD | {"loss": "4", "loss_se": "0.1"}
    bits = validate(table(row), "bits").loc[1]
    perplexity = validate(table(row), "perplexity").loc[1]
    assert bits["loss"] == pytest.approx(4 * math.log(2))
    assert bits["loss_se"] == pytest.approx(0.1 * math.log(2))
    assert perplexity["loss"] == pytest.approx(math.log(4))
    assert perplexity["loss_se"] == pytest.approx(0.025)


def test_a_perplexity_of_one_is_invalid():
    (problem,) = problems_of(GOOD | {"loss": "1"}, loss_unit="perplexity")
    assert '"1" is out of range; valid: a number above 1 (perplexity)' in problem


def test_messages_name_the_foreign_column_and_the_line():
    cells = {name: [cell] for name, cell in GOOD.items()} | {"loss": ["x"]}
    with pytest.raises(InputError) as caught:
        validate(RawTable(cells, "runs.csv", (2,), {"loss": "val"}))
    assert caught.value.problems[0].startswith(
        'runs.csv: row 1 (line 2), column "loss" (mapped from "val"): "x" is not a number; valid: '
    )
