from bitlaw.runs.columns import COLUMNS
from bitlaw.runs.describe import describe_columns


def test_every_column_is_described_in_full():
    rows = describe_columns()
    assert [row["name"] for row in rows] == [column.name for column in COLUMNS]
    assert all(row["valid"] and row["meaning"].endswith(".") for row in rows)


def test_defaults_and_requirements_read_well():
    rows = {row["name"]: row for row in describe_columns()}
    assert rows["bits_kv"]["default"] == "16"
    assert rows["seed"]["default"] == "0"
    assert rows["status"] == {
        "name": "status",
        "required": "no",
        "unit": "",
        "valid": "ok or diverged",
        "default": "ok",
        "meaning": "How training ended.",
    }
    assert rows["tokens"]["required"] == "yes, or flops"
    assert rows["loss"]["required"] == "yes"
