import json
import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitlaw.errors import InputError
from bitlaw.finding import Status
from bitlaw.runs.mapping import ColumnMapping
from bitlaw.runs.read import read_runs

HEADER = "run_id,n_params,tokens,loss"
ROWS = "a,1e6,1e8,3.2\nb,2e6,1e8,3.1\n"


def test_a_table_with_canonical_names(write):
    table = read_runs(write("runs.csv", f"{HEADER}\n{ROWS}"))
    assert list(table.frame["loss"]) == [3.2, 3.1]
    assert table.source == "runs.csv"
    assert table.excluded.empty
    assert list(table.excluded.columns) == [*table.frame.columns, "reason"]
    assert table.findings == ()


@pytest.mark.parametrize("kind", ["text", "path", "mapping"])
def test_mapping_may_be_a_path_or_a_mapping(write, kind):
    runs = write("runs.csv", f"name,n,d,ppl\na,1e6,1e8,{math.e**3}\nb,2e6,1e8,20\n")
    columns = {"run_id": "name", "n_params": "n", "tokens": "d", "loss": "ppl"}
    lines = "".join(f'{name} = "{foreign}"\n' for name, foreign in columns.items())
    path = write("map.toml", f'loss_unit = "perplexity"\n{lines}[constants]\nvocab_size = 500\n')
    built = ColumnMapping(columns, {"vocab_size": 500}, "perplexity")
    table = read_runs(runs, {"text": str(path), "path": path, "mapping": built}[kind])
    assert table.frame.loc[1, "loss"] == pytest.approx(3.0)
    assert list(table.frame["vocab_size"]) == [500.0, 500.0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,1e6,1e8,3.2,ok\n", "1 usable row; a law cannot be fitted to fewer than 2 rows"),
        ("a,1e6,1e8,3.2,ok\nb,1e6,1e8,,diverged\n", "1 usable row (1 left out: 1 diverged); a law"),
        ("a,1e6,1e8,,diverged\nb,1e6,1e8,,diverged\n", "0 usable rows (2 left out: 2 diverged); a law"),
    ],
)
def test_fewer_than_two_usable_rows(write, text, problem):
    with pytest.raises(InputError) as caught:
        read_runs(write("runs.csv", f"{HEADER},status\n{text}"))
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_row_numbers_stay_those_of_the_source(write):
    table = read_runs(write("runs.csv", f"{HEADER},exclude\nz,1,1,9,odd\na,1e6,1e8,3.2,\nb,2e6,1e8,3.1,\n"))
    assert list(table.frame.index) == [2, 3]
    assert list(table.excluded.index) == [1]


def test_findings_come_in_order(write):
    text = f"{HEADER},host,exclude,bits_post\nz,1,1,9,h,odd,\na,1e6,1e8,3.2,h,,\nb,2e6,1e8,3.1,h,,16\n"
    findings = read_runs(write("runs.csv", text)).findings
    assert [(finding.code, finding.status) for finding in findings] == [
        ("runs.ignored_columns", Status.PASS),
        ("runs.excluded", Status.WARN),
        ("runs.post_bits", Status.WARN),
    ]


def test_excluded_cells_have_the_types_of_usable_ones(write):
    path = write(
        "runs.csv",
        f"{HEADER},status\n{ROWS.replace('.2', '.2,ok').replace('.1', '.1,ok')}c,1e6,1e8,,diverged\n",
    )
    table = read_runs(path)
    assert table.excluded.drop(columns="reason").dtypes.equals(table.frame.dtypes)


words = st.text("abcdefghijk,\"' é-0123", min_size=1, max_size=8).map(str.strip).filter(bool)
counts = st.floats(1.0, 1e25)
bits = st.sampled_from([1.58, 2.0, 4.0, 4.25, 8.0, 16.0, 32.0])


@st.composite
def tables(draw):
    run_ids = draw(st.lists(words, min_size=2, max_size=6, unique=True))
    rows = []
    for run_id in run_ids:
        rows.append(
            {
                "run_id": run_id,
                "n_params": draw(counts),
                "tokens": draw(counts),
                "loss": draw(st.floats(1e-3, 5.0)),
                "bits_weights": draw(st.none() | bits),
                "format": draw(st.none() | words),
                "seed": draw(st.none() | st.integers(-9, 9)),
                "loss_se": draw(st.none() | st.floats(0.0, 1.0)),
                "vocab_size": draw(st.none() | st.integers(200, 10**6)),
            }
        )
        if draw(st.booleans()):
            rows.append(rows[-1] | {"bits_post": draw(bits), "method_post": draw(words)})
    names = ["bits_post", "method_post", *rows[0]]
    return [{name: row.get(name) for name in names} for row in rows]


@given(rows=tables())
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_is_the_same_in_every_format(tmp_path: Path, rows):
    csv, jsonl, parquet = (tmp_path / f"runs.{suffix}" for suffix in ("csv", "jsonl", "parquet"))
    frame = pd.DataFrame(rows)
    frame.to_csv(csv, index=False)
    frame.to_parquet(parquet)
    jsonl.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first, *others = (read_runs(path) for path in (csv, jsonl, parquet))
    for other in others:
        pd.testing.assert_frame_equal(other.frame, first.frame, check_exact=True)
        assert other.content_hash() == first.content_hash()
    again = tmp_path / "again.csv"
    first.frame.to_csv(again, index=False)
    pd.testing.assert_frame_equal(read_runs(again).frame, first.frame, check_exact=True)
    assert list(first.frame["loss"]) == [row["loss"] for row in rows]


cell_texts = st.sampled_from(["1", "2.5", "3e8", "-1", "nan", "inf", ""]) | st.text(max_size=6)


def problems_or_rows(path: Path) -> tuple[tuple[str, ...], pd.DataFrame | None]:
    try:
        return (), read_runs(path).frame
    except InputError as error:
        return error.problems, None


@given(cells=st.lists(cell_texts, min_size=8, max_size=8))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused_by_file(tmp_path: Path, cells):
    path = tmp_path / "runs.csv"
    pd.DataFrame([cells[:4], cells[4:]], columns=HEADER.split(",")).to_csv(path, index=False)
    problems, frame = problems_or_rows(path)
    assert all(problem.startswith(f"{path}: ") for problem in problems)
    assert bool(problems) != (frame is not None)
    if frame is not None:
        assert (frame[["n_params", "tokens", "loss"]] > 0).all().all()
