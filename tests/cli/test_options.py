import pytest
import typer

from bitlaw.cli.options import read_bits, read_names, read_value
from bitlaw.runs.columns import BY_NAME


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7e9", 7e9),
        ("7B", 7e9),
        ("332k", 332e3),
        (" 1.5 t ", 1.5e12),
        (".5M", 5e5),
        ("12", 12.0),
        ("1e21", 1e21),
    ],
)
def test_counts_take_scientific_numbers_and_suffixes(text: str, value: float) -> None:
    assert read_value(BY_NAME["tokens"], text) == value


def test_only_counts_take_suffixes() -> None:
    with pytest.raises(typer.BadParameter, match="is not a number"):
        read_value(BY_NAME["bits_weights"], "4k")


def test_lists() -> None:
    assert read_bits("16,8, 4.25") == (16.0, 8.0, 4.25)
    assert read_names("weights, kv") == ("weights", "kv")


def test_text_may_be_empty_and_numbers_may_not() -> None:
    assert read_value(BY_NAME["corpus"], "") == ""
    with pytest.raises(typer.BadParameter, match="leave the flag out"):
        read_value(BY_NAME["bits_post"], "")
