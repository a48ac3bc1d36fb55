from pathlib import Path

import pandas as pd
import pytest

from bitlaw.errors import InputError
from bitlaw.runs.files import read_file


def problem_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_file(path)
    assert caught.value.problems[0].startswith(str(path))
    return "\n".join(caught.value.problems)


def test_csv_cells_stay_text(write):
    table = read_file(write("runs.csv", 'run_id, loss ,\n\n007,2.10,"a,\nb"\nNA,nan,\n'))
    assert dict(table.columns) == {
        "run_id": ["007", "NA"],
        "loss": ["2.10", "nan"],
        "column_3": ["a,\nb", ""],
    }
    assert table.lines == (4, 5)


def test_byte_order_mark_and_tabs(write):
    table = read_file(write("runs.TSV", "\ufeffrun_id\tloss\na\t2.1\n"))
    assert dict(table.columns) == {"run_id": ["a"], "loss": ["2.1"]}


def test_jsonl_keeps_types_and_absent_keys(write):
    text = '{"run_id": 7, "loss": 2.5}\n\n{"loss": null, "format": "fp4\u2028x"}\r\n'
    table = read_file(write("runs.ndjson", text))
    assert dict(table.columns) == {"run_id": [7, None], "loss": [2.5, None], "format": [None, "fp4\u2028x"]}
    assert table.lines == (1, 3)


def test_parquet_keeps_types_and_nulls(tmp_path):
    path = tmp_path / "runs.parquet"
    pd.DataFrame({"run_id": ["a", None], "seed": pd.array([1, None], dtype="Int64")}).to_parquet(path)
    table = read_file(path)
    assert dict(table.columns) == {"run_id": ["a", None], "seed": [1, None]}
    assert table.lines == ()


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path):
    folder = tmp_path / "corpus=c4"
    folder.mkdir()
    pd.DataFrame({"run_id": ["a"]}).to_parquet(folder / "runs.parquet")
    assert list(read_file(folder / "runs.parquet").columns) == ["run_id"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("runs.xlsx", "a", "unknown kind of file; valid suffixes: .csv, .tsv, .jsonl, .ndjson, .parquet"),
        ("runs", "a", "unknown kind of file"),
        ("runs.csv", "", "the file is empty"),
        ("runs.csv", " \n\n", "the file is empty"),
        ("runs.csv", "\ufeff\n", "the file is empty"),
        ("runs.csv", "run_id,loss\n", "the table has no rows"),
        ("runs.csv", "run_id;loss\na;2\n", "the cells are separated by ';'; valid in .csv: ','"),
        ("runs.tsv", "run_id,loss\na,2\n", "the cells are separated by ','"),
        ("runs.csv", "a,b\n1,2\n1\n1,2,3\n", "row 2 (line 3): 1 cells, but the header has 2"),
        ("runs.csv", "a,b\n1,2\n1\n1,2,3\n", "row 3 (line 4): 3 cells, but the header has 2"),
        ("runs.csv", 'a,b\n1,"2\n', "line 2: malformed csv"),
        ("runs.csv", 'a,b\n1,"2"3\n', "line 2: malformed csv"),
        ("runs.csv", "a,b, a\n1,2,3\n", 'column "a" is repeated'),
        ("runs.jsonl", "", "the file is empty"),
        ("runs.jsonl", '{"a": 1}\n{"a": \n', "line 2: malformed JSON"),
        ("runs.jsonl", '{"a": 1}\n[1]\n', "line 2: not a JSON object"),
        ("runs.jsonl", '{"a": 1, "a": 2}\n', 'line 1: malformed JSON: key "a" is repeated'),
        ("runs.jsonl", '{"a": 1, "a ": 2}\n', 'column "a" is repeated'),
        ("runs.jsonl", "{}\n", "the table has no rows"),
        ("runs.parquet", "", "the file is empty"),
        ("runs.parquet", "PAR1 but not really PAR1", "broken Parquet"),
    ],
)
def test_files_that_cannot_be_read(write, name, text, problem):
    assert problem in problem_of(write(name, text))


def test_all_broken_lines_are_reported_up_to_twenty(write):
    problems = problem_of(write("runs.jsonl", "oops\n" * 23)).split("\n")
    assert len(problems) == 21
    assert problems[-1].endswith("and 3 more")


def test_missing_file_and_folder(tmp_path):
    assert "there is no such file" in problem_of(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "this is a folder" in problem_of(tmp_path / "folder.csv")
    assert "cannot be read: File name too long" in problem_of(tmp_path / f"{'x' * 300}.csv")


def test_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes("run_id,loss\nmodèle,2\n".encode("latin-1"))
    assert "not UTF-8 text: byte 0xe8 at position 15" in problem_of(path)


def test_truncated_parquet(tmp_path):
    path = tmp_path / "runs.parquet"
    pd.DataFrame({"run_id": ["a", "b"]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-30])
    assert "broken Parquet" in problem_of(path)
