"""docs/plan.md is what its numbers say, and these follow from the replays that are kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

STUDIES = Path(__file__).parents[1] / "docs" / "studies"


@pytest.fixture
def found() -> dict[str, Any]:
    return json.loads((STUDIES / "plan.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def studies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STUDIES))


def kept(name: str) -> pd.DataFrame:
    content = json.loads((STUDIES / "replays" / f"replay_{name}.json").read_text(encoding="utf-8"))
    rows = []
    for key, own in content.items():
        start, _, rule = key.partition(" ")
        rows += [{"table": name, "start": start, "rule": rule} | one for one in own]
    return pd.DataFrame(rows)


def test_the_page_is_made_from_its_numbers(found: dict[str, Any]) -> None:
    from page import render

    assert render("plan.md.j2", found) == (STUDIES.parent / "plan.md").read_text(encoding="utf-8")


def test_the_numbers_are_those_of_the_replays(found: dict[str, Any]) -> None:
    from replay_numbers import numbers
    from written import rounded

    replayed = pd.concat([kept(one["table"]) for one in found["tables"]])
    again = json.loads(json.dumps(rounded(numbers(replayed))))
    assert again == {name: found[name] for name in again}


def test_the_errors_reckoned_with_are_those_of_the_replays(found: dict[str, Any]) -> None:
    from replay_why import why_numbers
    from written import rounded

    rows = []
    for table in (one["table"] for one in found["why"]):
        content = json.loads((STUDIES / "replays" / f"why_{table}.json").read_text(encoding="utf-8"))
        for key, own in content.items():
            start, _, rule = key.partition(" ")
            rows.append({"table": table, "start": start, "rule": rule} | own)
    assert json.loads(json.dumps(rounded(why_numbers(pd.DataFrame(rows))))) == found["why"]
    assert all(abs(row["bias"]) <= row["rms"] for row in rows)


def test_no_rule_spends_more_than_its_budget() -> None:
    for path in (STUDIES / "replays").glob("replay_*.json"):
        bought = kept(path.stem.removeprefix("replay_")).dropna(subset="budget")
        assert (bought["spent"] <= bought["budget"] + 1e-9).all()


def test_another_outcome_makes_another_verdict(found: dict[str, Any]) -> None:
    from page import render

    table = found["tables"][0]
    own = next(row for row in table["over_budgets"] if row["rule"] == "plan")
    own["error"] |= {"mean": 0.01, "lo": 0.005, "hi": 0.02}
    table["plan_over_whole"] |= {"mean": 1.0}
    page = render("plan.md.j2", found)
    assert "the first is met (within 5 %), the second missed." in page
    assert ": worse." in page


def test_differences_are_between_rules_of_one_start() -> None:
    from replay import BUDGETS, RULES
    from replay_numbers import numbers

    starts = pd.Series([0.03, 0.01, 0.02])  # starts differ far more than rules do
    shift = {"plan": -0.001, "random": 0.0, "cheapest first": 0.002, "D-optimal": 0.0}
    rows = [
        {"start": str(start), "rule": rule, "budget": budget, "error": base + shift[rule], "spent": budget}
        for start, base in enumerate(starts)
        for rule in RULES
        for budget in BUDGETS
    ]
    rows += [{"start": str(start), "rule": "ends", "error": base} for start, base in enumerate(starts)]
    rows += [{"start": "None", "rule": "ends", "error": 0.02}]
    frame = pd.DataFrame(rows).assign(table="made up", width=0.1, coverage=0.9, runs=10, bought=1, rhat=1.0)
    table = numbers(frame)["tables"][0]
    assert table["starts"] == 3
    plan = next(row for row in table["over_budgets"] if row["rule"] == "plan")["error"]
    assert [plan[name] for name in ("mean", "lo", "hi", "better")] == pytest.approx([-0.001] * 3 + [1.0])
    ratio = table["plan_over_whole"]
    assert ratio["mean"] == pytest.approx(float(np.mean(starts) - 0.001) / 0.02)
    assert ratio["lo"] < ratio["mean"] < ratio["hi"]
