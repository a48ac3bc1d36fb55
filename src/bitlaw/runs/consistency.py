"""Relations between cells and rows: unique keys, PTQ rows that match their run, losses below guessing."""

import math

import pandas as pd

from bitlaw.runs.cells import show_cell
from bitlaw.runs.columns import KEY, TRAINING_BITS
from bitlaw.runs.raw import RawTable

_SAME_RUN: tuple[str, ...] = ("n_params", "tokens", *TRAINING_BITS)
_SAME = 1e-6

Problems = list[tuple[int, str]]


def consistency_problems(
    table: RawTable, frame: pd.DataFrame, invalid: set[tuple[int, str]], excluded: list[bool], loss_unit: str
) -> Problems:
    """What is wrong between cells that are each valid.

    Parameters
    ----------
    table
        Where the rows stand in the source.
    frame
        Typed columns, in nats/token; NaN where a cell is invalid.
    invalid
        (row, column) of the invalid cells; they are not compared.
    excluded
        For each row, whether it will be left out; such rows may repeat a key and lose to guessing.
    loss_unit
        Unit the loss was logged in, for the hint.
    """
    kept = frame[[not out for out in excluded]]
    return [
        *_repeated_keys(table, kept, invalid),
        *_changed_runs(table, frame, invalid),
        *_worse_than_guessing(table, kept, loss_unit),
    ]


def _repeated_keys(table: RawTable, kept: pd.DataFrame, invalid: set[tuple[int, str]]) -> Problems:
    problems: Problems = []
    first: dict[tuple[object, ...], int] = {}
    for row, run_id, bits, method in kept[list(KEY)].itertuples():
        if not run_id or any((row, name) in invalid for name in KEY):
            continue
        key = (run_id, "" if math.isnan(bits) else bits, method)
        if key not in first:
            first[key] = row
            continue
        named = ", ".join(
            f"{name} {show_cell(value if isinstance(value, str) else f'{value:g}')}"
            for name, value in zip(KEY, key, strict=True)
        )
        text = f"repeats {named} of row {first[key]}; valid: each (run_id, bits_post, method_post) once"
        problems.append((row, f"{table.place(row)}: {text}"))
    return problems


def _changed_runs(table: RawTable, frame: pd.DataFrame, invalid: set[tuple[int, str]]) -> Problems:
    problems: Problems = []
    named = frame[frame["run_id"] != ""]
    quantized = named["bits_post"].notna()
    if not quantized.any():
        return problems
    trained_first = pd.concat([named[~quantized], named[quantized]])
    runs = trained_first.drop_duplicates("run_id").assign(row=lambda rows: rows.index).set_index("run_id")
    post = named.loc[quantized, ["run_id"]].assign(reference=lambda rows: rows["run_id"].map(runs["row"]))
    for name in _SAME_RUN:
        pairs = post.assign(value=named[name], expected=post["run_id"].map(runs[name]))
        changed = (pairs["value"] - pairs["expected"]).abs() > _SAME * pairs["expected"]
        for row, run_id, reference, value, expected in pairs[changed].itertuples():
            if (row, name) in invalid or (reference, name) in invalid:
                continue
            text = f'{value:.10g}, but row {reference} of the same run "{run_id}" has {expected:.10g}'
            advice = "a PTQ row repeats its training run's value"
            problems.append((row, f"{table.place(row, name)}: {text}; {advice}"))
    return problems


def _worse_than_guessing(table: RawTable, kept: pd.DataFrame, loss_unit: str) -> Problems:
    trained = kept[kept["bits_post"].isna()]
    above = trained[trained["loss"] > trained["vocab_size"].map(math.log)]
    return [
        (
            row,
            f"{table.place(row, 'loss')}: {loss:.6g} nats/token is above ln(vocab_size = {vocabulary:g}) = "
            f"{math.log(vocabulary):.4g}, so training did worse than guessing; check the unit (read as "
            f"{loss_unit}; a mapping file sets loss_unit), or set status to diverged",
        )
        for row, loss, vocabulary in above[["loss", "vocab_size"]].itertuples()
    ]
