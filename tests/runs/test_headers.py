import pytest

from bitlaw.finding import Status
from bitlaw.runs.headers import header_findings, header_problems, missing_columns, nearest_column
from bitlaw.runs.raw import RawTable

REQUIRED = ("run_id", "n_params", "tokens", "loss")


def table(*names: str, **cells: str) -> RawTable:
    return RawTable(
        {name: ["1"] for name in names} | {name: [cell] for name, cell in cells.items()}, "runs.csv"
    )


def test_a_complete_header_has_no_problem_and_no_finding():
    assert header_problems(table(*REQUIRED)) == []
    assert header_findings(table(*REQUIRED)) == ()


@pytest.mark.parametrize("name", REQUIRED)
def test_every_required_column_is_missed(name):
    (problem,) = header_problems(table(*(other for other in REQUIRED if other != name)))
    assert f'column "{name}" is missing' in problem
    assert f'{name} = "your column"' in problem


def test_flops_stand_in_for_tokens():
    assert missing_columns(table("run_id", "n_params", "flops", "loss")) == []


def test_a_similar_column_is_suggested_with_the_mapping_line():
    (problem,) = header_problems(table("run_id", "params", "tokens", "loss"))
    assert problem.startswith('runs.csv: column "n_params" is missing: Non-embedding parameters; ')
    assert 'the table has "params"' in problem
    assert problem.endswith('write in a mapping file: n_params = "params"')


def test_a_column_close_to_another_is_not_suggested():
    problems = header_problems(table("run_id", "n_params", "tokens", "Loss_SE", "val_loss"))
    assert len(problems) == 2
    assert 'loss = "val_loss"' in problems[0]
    assert 'column "Loss_SE" is unknown but close to "loss_se"' in problems[1]


@pytest.mark.parametrize(
    ("typo", "near"), [("bits_weigths", "bits_weights"), ("Exclude", "exclude"), ("vocab size", "vocab_size")]
)
def test_a_sure_typo_is_a_problem(typo, near):
    (problem,) = header_problems(table(*REQUIRED, typo))
    assert f'column "{typo}" is unknown but close to "{near}"' in problem
    assert f'{near} = "{typo}"' in problem


def test_a_misspelt_tokens_beside_flops_is_a_problem():
    (problem,) = header_problems(table("run_id", "n_params", "flops", "loss", "token"))
    assert 'close to "tokens"' in problem


def test_flops_beside_tokens_may_have_any_spelling():
    assert header_problems(table(*REQUIRED, "FLOPs")) == []


def test_a_similar_name_beside_the_known_one_is_ignored():
    both = table(*REQUIRED, "method", "methods")
    assert header_problems(both) == []
    (finding,) = header_findings(both)
    assert (finding.code, finding.status) == ("runs.ignored_columns", Status.PASS)


def test_one_row_that_misspells_a_known_column_is_a_problem():
    cells = {name: ["1", "1"] for name in REQUIRED}
    rows = RawTable(cells | {"bits_weights": ["4", None], "bits_weigths": [None, "4"]}, "runs.jsonl")
    (problem,) = header_problems(rows)
    assert '"bits_weigths"' in problem


def test_a_likely_typo_of_an_optional_column_is_a_warning():
    name = "loss_std"
    near, similarity = nearest_column(name)
    assert near == "loss_se"
    assert 0.8 <= similarity < 0.85
    assert header_problems(table(*REQUIRED, name)) == []
    (finding,) = header_findings(table(*REQUIRED, name))
    assert (finding.code, finding.status) == ("runs.unknown_column", Status.WARN)
    assert 'loss_se = "loss_std"' in finding.advice


@pytest.mark.parametrize("name", ["w_bits", "wbits", "precision", "Bits"])
def test_a_column_named_like_a_precision_is_a_warning(name):
    (finding,) = header_findings(table(*REQUIRED, name))
    assert finding.status == Status.WARN
    assert "read as unquantized" in finding.message


def test_other_columns_are_named_in_one_note():
    (finding,) = header_findings(table(*REQUIRED, "host", "wall_seconds"))
    assert finding.status == Status.PASS
    assert finding.value == 2
    assert "host, wall_seconds" in finding.message
